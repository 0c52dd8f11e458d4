import mmap, os
def made(name, size):
    fd = os.open("/dev/shm/" + name, os.O_RDWR | os.O_CREAT, 0o600)
    os.ftruncate(fd, size)
    return fd
fd = made("small", 8192)
for i in range(20):
    other = made(f"large-{i}", 1 << 20)
    os.close(other)
    os.unlink(f"/dev/shm/large-{i}")
kept = mmap.mmap(fd, 8192)
if os.fork() == 0:
    os.ftruncate(fd, 4096)
    os._exit(0)
os.wait()
os.unlink("/dev/shm/small")
