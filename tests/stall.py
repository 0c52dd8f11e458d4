"""stall.py SIGNAL NTH BYTES COMMAND...: runs the command, and what happens to the NTHth child that it has is the SIGNAL, as soon
as that child has written so many bytes. Exits as the command does; 99: there was no such child, it had come to its end, or
it was to have written nothing and had."""
import os
import signal
import subprocess
import sys


def read(path):
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""


def written(pid):
    lines = dict(line.split(": ") for line in read(f"/proc/{pid}/io").splitlines())
    return int(lines.get("wchar", -1))


def state(pid):
    """As in ps(1); "": it is gone."""
    return "".join(read(f"/proc/{pid}/stat").rpartition(")")[2].split()[:1])


def stopped(pid):
    """Whether that came before its end: also one that has ended, and was not waited for, takes signals."""
    try:
        os.kill(pid, signal.SIGSTOP)
    except ProcessLookupError:
        return False
    while (now := state(pid)) not in ("T", "Z", ""):
        pass
    return now == "T"


def main():
    number, nth, enough = getattr(signal, "SIG" + sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    command = subprocess.Popen(sys.argv[4:])
    children = []
    seen = sent = False
    while not seen and command.poll() is None:
        for pid in map(int, read(f"/proc/{command.pid}/task/{command.pid}/children").split()):
            if pid not in children:
                children.append(pid)
        if len(children) >= nth and written(children[nth - 1]) >= enough:
            seen = True
            # What stands still comes to no end of its own before any other signal, either.
            if stopped(children[nth - 1]):
                sent = enough > 0 or written(children[nth - 1]) <= 0
                os.kill(children[nth - 1], number)
    status = command.wait()
    sys.exit(status if sent else 99)


main()
