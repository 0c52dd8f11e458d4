"""run_terminal.py interrupt|stop|again|whole COMMAND...: plays a job-control shell on a new terminal, and tells what it sees.

interrupt: types Ctrl-C when the command has printed "ready".
stop: types Ctrl-Z then, and continues the job when it has stopped; once as a shell does, once with SIGCONT to run alone.
again: stops the job anew before run has had the processor since it was continued, and continues run alone.
whole: stops the job with SIGSTOP, and continues run alone.
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


def stopped(pid, out):
    """Tells the stop, and takes the terminal for a while as a shell does; the status of a job that has ended, or None."""
    _, status = os.waitpid(pid, os.WUNTRACED)
    if not os.WIFSTOPPED(status):
        return status
    os.write(out, b"stopped by %s\n" % signal.Signals(os.WSTOPSIG(status)).name.encode())
    os.tcsetpgrp(0, os.getpgrp())
    time.sleep(0.2)
    os.tcsetpgrp(0, pid)
    return None


def go_on(pid):
    os.killpg(pid, signal.SIGCONT)


def go_on_alone(pid):
    os.kill(pid, signal.SIGCONT)


def stop_again(pid):
    """run waits for the processor, which this process has."""
    processor = min(os.sched_getaffinity(0))
    os.sched_setaffinity(0, [processor])
    os.sched_setaffinity(pid, [processor])
    os.sched_setscheduler(pid, os.SCHED_IDLE, os.sched_param(0))
    go_on(pid)
    os.killpg(pid, signal.SIGTSTP)


def shell(scenario, command, out):
    """The session's leader; `out` is not the terminal."""
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    pid = job(command)
    for then in SCENARIOS[scenario][1]:
        status = stopped(pid, out)
        if status is not None:
            return status
        then(pid)
    while (status := stopped(pid, out)) is None:
        go_on(pid)
    os.tcsetpgrp(0, os.getpgrp())
    return status


def type_key(key):
    return lambda terminal: os.write(terminal, key)


def stop_whole(terminal):
    os.killpg(os.tcgetpgrp(terminal), signal.SIGSTOP)


CTRL_C, CTRL_Z = type_key(b"\x03"), type_key(b"\x1a")
SCENARIOS = {
    "interrupt": ([CTRL_C], []),
    "stop": ([CTRL_Z, CTRL_Z], [go_on, go_on_alone]),
    "again": ([CTRL_Z], [stop_again, go_on_alone]),
    "whole": ([stop_whole], [go_on_alone]),
}


def main():
    scenario, command = sys.argv[1], sys.argv[2:]
    ours, theirs = os.pipe()
    pid, terminal = pty.fork()
    if pid == 0:
        status = shell(scenario, command, theirs)
        os.write(theirs, b"status %d\n" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    os.close(theirs)
    for act in SCENARIOS[scenario][0]:
        if not read_until(terminal, b"ready"):
            break
        act(terminal)
    read_until(terminal, b"never", 20)
    os.waitpid(pid, 0)
    sys.stdout.write(os.read(ours, 4096).decode())


main()
