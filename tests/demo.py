"""Three ways to treat multiprocessing.shared_memory, as the programs that people run do: one is well, two are not.

Each part is a process of its own; "demo.py PART" runs one.
"""
import os
import signal
import subprocess
import sys
import time
from multiprocessing import resource_tracker, shared_memory

PYTHON = sys.executable


def name(part):
    return f"demo-{part}-{os.environ['DEMO_ID']}"


def create(part, size):
    segment = shared_memory.SharedMemory(name(part), create=True, size=size)
    segment.buf[:5] = b"hello"
    return segment


def owner(part):
    """Creates a segment, tells who it and its resource tracker are, and waits to be killed."""
    segment = create(part, 1 << 20)
    # A tracker that is killed while it starts is none that was seen.
    time.sleep(0.3)
    print(os.getpid(), resource_tracker._resource_tracker._pid, flush=True)
    time.sleep(60)
    segment.unlink()


def start_owner(part):
    process = subprocess.Popen([PYTHON, __file__, "owner", part], stdout=subprocess.PIPE, text=True)
    return process, [int(word) for word in process.stdout.readline().split()]


def lost():
    """The machine's out-of-memory killer, or a supervisor, ends the whole group: nobody is left to clean up."""
    process, pids = start_owner("lost")
    for pid in reversed(pids):
        os.kill(pid, signal.SIGKILL)
    process.wait()


def tracked():
    """Only the owner is killed: its resource tracker outlives it and unlinks the segment."""
    process, pids = start_owner("tracked")
    os.kill(pids[0], signal.SIGKILL)
    process.wait()
    for _ in range(500):
        if not os.path.exists("/dev/shm/" + name("tracked")):
            break
        time.sleep(0.01)


def read_frame(frames):
    frames.append(shared_memory.SharedMemory(name("frames")))


def piling_up():
    """A reader attaches for every frame and keeps what it attached."""
    frames = []
    segment = create("frames", 1 << 16)
    for _ in range(60):
        read_frame(frames)
        time.sleep(0.005)
    segment.unlink()
    os._exit(0)


def main():
    os.environ.setdefault("DEMO_ID", str(os.getpid()))
    if len(sys.argv) > 2:
        owner(sys.argv[2])
    elif len(sys.argv) > 1:
        piling_up()
    else:
        lost()
        tracked()
        subprocess.run([PYTHON, __file__, "piling_up"], check=True)


main()
