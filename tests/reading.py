"""reading.py interrupt|again|watch|memory|log SHMGUARD TRACE [FORMAT...]: `shmguard report` on a terminal of its own.

watch: waits for the line of progress, then for the end. interrupt: types Ctrl-C when that line stands there. again: when it
stands there a second time, as the trace is read again. Both leave what the terminal had in ./terminal, and how many seconds
the end was away. memory: no terminal. Each prints the exit status, the peak of memory in KB and whether the line of progress was seen, and leaves the
report, as JSON, on stdout behind it.
log: reads `shmguard log` from a terminal that stood still for longer than that line waits, and prints whether it was seen.
quiet: with arguments in place of TRACE, prints whether that line was seen, and how many lines came behind it.
"""
import os
import pty
import re
import signal
import sys
import tempfile
import time


def log(shmguard, trace):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(shmguard, [shmguard, "log", trace])
    time.sleep(1.2)
    seen, lines = [], 0
    while lines < 50000:
        seen.append(os.read(terminal, 65536))
        lines += seen[-1].count(b"\n")
    os.kill(pid, signal.SIGKILL)
    print("progress" if b"reading the trace" in b"".join(seen) else "silence", "50000 lines", sep=", ")


def quiet(shmguard, *arguments):
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(shmguard, [shmguard, *arguments])
    seen = b""
    while True:
        try:
            seen += os.read(terminal, 65536)
        except OSError:
            break
    os.waitpid(pid, 0)
    print("progress" if b"reading the trace" in seen else "silence", seen.rpartition(b"\x1b[K")[2].count(b"\n"), "lines")


def main():
    if sys.argv[1] == "quiet":
        return quiet(*sys.argv[2:])
    how, shmguard, trace, *formats = sys.argv[1:]
    when = {"interrupt": rb"reading the trace: \d+ %, \d+ (s|min) left",
            "again": rb"\x1b\[K\r\x1b\[Kshmguard: reading the trace: \d+ %, \d+ (s|min) left"}.get(how)
    typed = None
    if how == "log":
        return log(shmguard, trace)
    with tempfile.TemporaryDirectory() as directory:
        report = os.path.join(directory, "report.json")
        command = [shmguard, "report", "--format=json:" + report, *("--format=" + form for form in formats),
                   trace]
        seen = b""
        pid, terminal = pty.fork() if how != "memory" else (os.fork(), None)
        if pid == 0:
            os.execv(shmguard, command)
        while terminal is not None:
            try:
                seen += os.read(terminal, 4096)
            except OSError:
                break
            if when and typed is None and re.search(when, seen):
                os.write(terminal, b"\x03")
                typed = time.monotonic()
        _, status, usage = os.wait4(pid, 0)
        if typed:
            with open("terminal", "wb") as had:
                had.write(seen + b"\nanswered in %.1f s\n" % (time.monotonic() - typed))
        line = re.search(rb"shmguard: reading the trace: \d+ %, \d+ (s|min) left", seen) is not None
        cleared = seen.rstrip().endswith(b"\x1b[K")
        print(os.waitstatus_to_exitcode(status), usage.ru_maxrss, "progress" if line else "silence",
              "cleared" if cleared else "left")
        with open(report, encoding="utf-8") as file:
            sys.stdout.write(file.read())


main()
