"""compare.py OBJECTS HELD: is what `shmguard objects` prints what tests/ledger/threads wrote down of /proc/self?"""
import re
import sys


def traced(lines):
    """(inode, number) of descriptors, (inode, start, end, offset) of mappings; what goes on is joined."""
    pieces = set()
    for line in lines:
        if found := re.search(r" inode (\d+)", line):
            inode = int(found[1])
        elif found := re.search(r": descriptor (\d+)", line):
            yield inode, int(found[1])
        elif found := re.search(r": maps \[(\d+), (\d+)\) at 0x([0-9a-f]+)", line):
            start = int(found[3], 16)
            pieces.add((start, start + int(found[2]) - int(found[1]), inode, int(found[1])))
    last = None
    for start, end, inode, offset in sorted(pieces):
        if last and last[0] == inode and last[2] == start and last[3] + start - last[1] == offset:
            last = inode, last[1], end, last[3]
            continue
        if last:
            yield last
        last = inode, start, end, offset
    if last:
        yield last


def held(lines):
    for line in lines:
        words = line.split()
        yield tuple(int(word, 16 if place in (1, 2) and len(words) == 4 else 10) for place, word in enumerate(words))


with open(sys.argv[1], encoding="utf-8") as objects, open(sys.argv[2], encoding="utf-8") as file:
    ours, theirs = set(traced(objects)), set(held(file))
for whose, only in ("the trace alone", ours - theirs), ("/proc/self alone", theirs - ours):
    for what in sorted(only):
        print(whose, *[hex(word) if word > 1 << 32 else word for word in what])
sys.exit(ours != theirs or not ours)
