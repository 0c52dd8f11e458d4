"""stall.py SIGNAL NTH BYTES COMMAND...: runs the command, and what happens to the NTHth child that it has is the SIGNAL, as soon
as that child has written so many bytes. Exits as the command does; 99: there was no such child, or it had come to its end."""
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


def main():
    number, nth, enough = getattr(signal, "SIG" + sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    command = subprocess.Popen(sys.argv[4:])
    children = []
    sent = False
    while not sent and command.poll() is None:
        for pid in map(int, read(f"/proc/{command.pid}/task/{command.pid}/children").split()):
            if pid not in children:
                children.append(pid)
        if len(children) >= nth and written(children[nth - 1]) >= enough:
            os.kill(children[nth - 1], number)
            sent = True
    status = command.wait()
    sys.exit(status if sent else 99)


main()
