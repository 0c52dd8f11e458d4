"""zoo KIND...: makes objects of shared memory of these kinds, prints "ready", and holds them until its input ends."""
import ctypes
import mmap
import os
import signal
import sys

libc = ctypes.CDLL(None, use_errno=True)
libc.sem_open.restype = libc.shmat.restype = ctypes.c_void_p
kept = []


def make(path, size, mode=0o600):
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
    os.fchmod(fd, mode)
    os.ftruncate(fd, size)
    return fd


def live():
    """Mapped past its end, and writable for all."""
    fd = make("/dev/shm/live", 8192, 0o666)
    kept.append((fd, mmap.mmap(fd, 8192)))
    kept[-1][1][0] = 1
    os.ftruncate(fd, 4096)


def gone():
    fd = make("/dev/shm/gone", 12288)
    kept.append(mmap.mmap(fd, 12288))
    os.close(fd)
    os.unlink("/dev/shm/gone")


def memfd():
    fd = os.memfd_create("drawing (deleted)")
    os.ftruncate(fd, 65536)
    kept.append(fd)


def semaphore():
    kept.append(libc.sem_open(b"/zoo", os.O_CREAT, 0o600, 1))


def sysv():
    segment = libc.shmget(0x5A00, 20480, 0o1640)
    kept.append(libc.shmat(segment, None, 0))


def names():
    """No holder: whoever made them has closed them."""
    for name in ("line\nbreak", "\x1b[31mred", "n" * 255, "\u202egnp.exe", b"\xff\xfe"):
        path = os.path.join(b"/dev/shm", name if isinstance(name, bytes) else name.encode())
        os.close(make(path, 1))


def attach():
    """What another made, opened only."""
    kept.append(os.open("/dev/shm/live", os.O_RDWR))


def elsewhere():
    """On a tmpfs that is no /dev/shm, beside a file that nobody maps."""
    fd = make("/run/mapped", 4096)
    kept.append(mmap.mmap(fd, 4096))
    os.close(fd)
    os.close(make("/run/plain", 1))


def private():
    fd = make("/dev/shm/private", 4096)
    kept.append(mmap.mmap(fd, 4096))
    os.close(fd)


def huge():
    fd = os.memfd_create("huge", os.MFD_HUGETLB)
    os.ftruncate(fd, 2 << 20)
    kept.append((fd, mmap.mmap(fd, 2 << 20)))


def crowd():
    """2,000 processes that hold nothing but what they were born with."""
    for _ in range(2000):
        if os.fork() == 0:
            signal.pause()


def thousands():
    """5,000 objects, every tenth of them held."""
    for i in range(5000):
        fd = make("/dev/shm/many-%d" % i, 4096)
        if i % 10 == 0:
            kept.append(mmap.mmap(fd, 4096))
        os.close(fd)


for kind in sys.argv[1:]:
    globals()[kind]()
print("ready", flush=True)
sys.stdin.read()
