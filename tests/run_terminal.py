"""run_terminal.py interrupt|stop COMMAND...: plays a job-control shell on a new terminal, and tells what it sees.

interrupt: types Ctrl-C when the command has printed "ready".
stop: types Ctrl-Z then, and continues the job when it has stopped; once as a shell does, once with SIGCONT to run alone.
"""
import os
import pty
import signal
import sys
import time


def read_until(fd, word, seconds=20):
    text = b""
    end = time.time() + seconds
    os.set_blocking(fd, False)
    while word not in text and time.time() < end:
        try:
            text += os.read(fd, 4096)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError:
            break
    sys.stdout.write(text.decode().replace("\r", ""))
    return word in text


def job(command):
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        os.tcsetpgrp(0, os.getpid())
        for number in (signal.SIGTTOU, signal.SIGTTIN, signal.SIGTSTP, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.execvp(command[0], command)
    return pid


def shell(scenario, command, out):
    """The session's leader; `out` is not the terminal."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pid = job(command)
    for how in (("shell", "alone") if scenario == "stop" else ()):
        _, status = os.waitpid(pid, os.WUNTRACED)
        if not os.WIFSTOPPED(status):
            os.write(out, b"not stopped\n")
            return status
        os.write(out, b"stopped by %s\n" % signal.Signals(os.WSTOPSIG(status)).name.encode())
        os.tcsetpgrp(0, os.getpgrp())
        time.sleep(0.2)
        os.tcsetpgrp(0, pid)
        if how == "shell":
            os.killpg(pid, signal.SIGCONT)
        else:
            os.kill(pid, signal.SIGCONT)
    _, status = os.waitpid(pid, 0)
    os.tcsetpgrp(0, os.getpgrp())
    return status


def main():
    scenario, command = sys.argv[1], sys.argv[2:]
    ours, theirs = os.pipe()
    pid, terminal = pty.fork()
    if pid == 0:
        status = shell(scenario, command, theirs)
        os.write(theirs, b"status %d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    os.close(theirs)
    keys = {"interrupt": [b"\x03"], "stop": [b"\x1a", b"\x1a"]}[scenario]
    for key in keys:
        if not read_until(terminal, b"ready"):
            break
        os.write(terminal, key)
    read_until(terminal, b"never", 20)
    os.waitpid(pid, 0)
    sys.stdout.write(os.read(ours, 4096).decode())


main()
