"""reading.py interrupt|watch|memory SHMGUARD TRACE: `shmguard report` on a terminal of its own.

watch: waits for the line of progress, then for the end. interrupt: types Ctrl-C when that line stands there. memory: no
terminal. Each prints the exit status, the peak of memory in KB and whether the line of progress was seen, and leaves the
report, as JSON, on stdout behind it.
"""
import os
import pty
import re
import sys
import tempfile


def main():
    how, shmguard, trace = sys.argv[1:]
    with tempfile.NamedTemporaryFile() as file:
        command = [shmguard, "report", "--format=json:" + file.name, trace]
        seen = b""
        pid, terminal = pty.fork() if how != "memory" else (os.fork(), None)
        if pid == 0:
            os.execv(shmguard, command)
        while terminal is not None:
            try:
                seen += os.read(terminal, 4096)
            except OSError:
                break
            if how == "interrupt" and re.search(rb"reading the trace: \d+ %, \d+ s left", seen):
                os.write(terminal, b"\x03")
                how = "interrupted"
        _, status, usage = os.wait4(pid, 0)
        line = re.search(rb"shmguard: reading the trace: \d+ %, \d+ (s|min) left", seen) is not None
        cleared = seen.rstrip().endswith(b"\x1b[K")
        print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, "progress" if line else "silence",
              "cleared" if cleared else "left")
        sys.stdout.write(file.read().decode())


main()
