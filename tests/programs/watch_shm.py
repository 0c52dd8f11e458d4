"""watch_shm.py PREFIX: what happens to the names in /dev/shm that begin with PREFIX, by inotify, until it is told to end.

Prints "ready", then "created NAME" and "removed NAME" as it happens: what the kernel says, to compare a report with.
"""
import ctypes
import os
import signal
import struct
import sys

IN_CREATE, IN_DELETE = 0x100, 0x200


def main(prefix):
    libc = ctypes.CDLL(None, use_errno=True)
    watch = libc.inotify_init()
    if libc.inotify_add_watch(watch, b"/dev/shm", IN_CREATE | IN_DELETE) < 0:
        sys.exit(os.strerror(ctypes.get_errno()))
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print("ready", flush=True)
    while True:
        events = os.read(watch, 65536)
        while events:
            _, mask, _, length = struct.unpack_from("iIII", events)
            name = os.fsdecode(events[16:16 + length].rstrip(b"\0"))
            events = events[16 + length:]
            if name.startswith(prefix):
                print("created" if mask & IN_CREATE else "removed", name, flush=True)


main(sys.argv[1])
