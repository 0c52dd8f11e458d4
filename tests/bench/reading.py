#!/usr/bin/env python3
"""reading.py BUILD [EVENTS]: how fast and in how much memory a report of a large trace is made, beside babeltrace2's sinks.

The trace has 10 million events, eight processes and 4,000 stacks of 20 frames, which the report resolves to functions of
BUILD/shmguard: of processes that map and unmap what they have, then of such as make, map and remove one object after
another at a few places. Each line is the median of three rounds; memory is the peak of the largest process. The tables are
kept as BUILD/bench-reading.json.
"""
import json, os, re, statistics, subprocess, sys, tempfile, time

BUILD = os.path.abspath(sys.argv[1])
EVENTS = int(sys.argv[2]) if len(sys.argv) > 2 else 10000000
ROUNDS = 3
METADATA = os.path.join(os.path.dirname(__file__), "../traces/leaks/trace/ust/uid/65534/64-bit/metadata")
MEMORY_MAX = 256


def text(*command):
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


def make_trace(out, events, *kind):
    program = BUILD + "/shmguard"
    build_id = re.search(r"Build ID: (\w+)", text("readelf", "-n", program)).group(1)
    start, size = re.search(r" \.text +PROGBITS +(\w+) \w+ (\w+)", text("readelf", "-SW", program)).groups()
    last = "%x" % (int(start, 16) + int(size, 16) - 16)
    return int(text(BUILD + "/tests/bench/many", METADATA, out, str(events), "8", "1", program, build_id, start, last,
                    *kind))


def measured(command):
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise RuntimeError("%s: wait status %d" % (command[0], status))
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def table(title, trace, events):
    source = ["babeltrace2", "--component=source.ctf.fs", '--params=inputs=["%s"]' % trace]
    commands = {
        "shmguard report": [BUILD + "/shmguard", "report", trace],
        "the same through babeltrace2": [BUILD + "/shmguard", "report", "--decoder=babeltrace2", trace],
        "babeltrace2, sink.utils.dummy": source + ["--component=sink.utils.dummy"],
        "babeltrace2, sink.text.pretty": source + ["--component=sink.text.pretty"],
    }
    rounds = {name: [] for name in commands}
    for number in range(ROUNDS):
        for name, command in commands.items():
            if number == 0 or not name.endswith("pretty"):
                rounds[name].append(measured(command))
    rows = {}
    print("%-32s %9s %9s %12s %9s" % ("%d events, %s" % (events, title), "seconds", "of CPU", "events/s", "peak MB"))
    for name, times in rounds.items():
        seconds, cpu, memory = (statistics.median(column) for column in zip(*times))
        rows[name] = {"seconds": seconds, "cpu": cpu, "events_per_second": events / seconds, "peak_mb": memory}
        print("%-32s %9.2f %9.2f %12.0f %9.1f" % (name, seconds, cpu, events / seconds, memory))
    ours, dummy = rows["shmguard report"], rows["babeltrace2, sink.utils.dummy"]
    print("%.2f x the speed of the dummy sink (target 1)%s" % (
        dummy["seconds"] / ours["seconds"], "" if ours["seconds"] <= dummy["seconds"] else "  missed"))
    print("%.0f MB (target below %d)%s" % (ours["peak_mb"], MEMORY_MAX, "" if ours["peak_mb"] < MEMORY_MAX else "  missed"))
    return {"events": events, "rows": rows}


def main():
    tables = {}
    for title, kind in (("mappings", []), ("turnover", ["turnover"])):
        with tempfile.TemporaryDirectory(prefix="shmguard-bench.") as directory:
            trace = directory + "/trace"
            tables[title] = table(title, trace, make_trace(trace, EVENTS, *kind))
    with open(BUILD + "/bench-reading.json", "w") as file:
        json.dump({"load": os.getloadavg()[0], **tables}, file, indent=1)
        file.write("\n")


main()
