#!/usr/bin/env python3
"""run.py BUILD [ROUNDS]: what recording and a policy cost, as ratios against the untouched program in the same rounds.

Prints a table, and keeps it as BUILD/bench.json. Each round runs the program bare and recorded one after the other; a
ratio is that of the medians over the rounds, its spread the lowest and the highest of a single round. Other tools do the
same work where they are installed.
"""
import json, os, pwd, re, shutil, statistics, subprocess, sys, tempfile, time

BUILD = os.path.abspath(sys.argv[1])
ROUNDS = int(sys.argv[2]) if len(sys.argv) > 2 else 7
CALLS = BUILD + "/tests/bench/calls"
COUNT = 20000
TARGETS = {  # ratio, or milliseconds more
    "shared_page": 1.15, "shared_page_2_threads": 1.15, "open_close": 1.35, "whole_life": 1.20, "anonymous": 1.02,
    "file_private": 1.06, "file_shared": 1.15, "start_to_exit": 0.3,
}
ENFORCED = {"open_close": 1.25, "attach": 2.2, "shared_page": 1.10}  # under the profile safe, nothing recorded
TRACED = "trace=mmap,munmap,openat,close,ftruncate,unlink"
OTHERS = {
    "strace": (500, ["strace", "-f", "-o", "/dev/null", "-e", TRACED]),
    "strace -k": (100, ["strace", "-f", "-k", "-o", "/dev/null", "-e", TRACED]),
    "ltrace": (100, ["ltrace", "-f", "-o", "/dev/null", "-e", "mmap+munmap+shm_open+close+ftruncate+shm_unlink"]),
    "bpftrace": (2000, ["bpftrace", "-e", "uprobe:/lib/x86_64-linux-gnu/libc.so.6:mmap,"
                        "uprobe:/lib/x86_64-linux-gnu/libc.so.6:munmap { @[ustack] = count(); }", "-c"]),
}


def output(command, **options):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=600, **options)
    if done.returncode:
        raise RuntimeError("%s: exit status %d: %s" % (command[0], done.returncode, done.stderr.strip()[-200:]))
    return done.stdout


def values(text):
    return {name: float(value) for name, value in re.findall(r"^(\w+) ([0-9.]+)$", text, re.M)}


def recorded(directory, *command):
    shutil.rmtree(directory, ignore_errors=True)
    return output([BUILD + "/shmguard", "run", "--quiet", "--report=none", "-o", directory, "--", *command])


def lost(directory):
    return json.loads(output([BUILD + "/shmguard", "report", "--format=json", directory]))["trace"]["lost"]


def table_of(targets, once, rounds):
    """Rows of the works in `targets`; once(ours) answers the nanoseconds of each, of the bare program or not."""
    bare, ours = [], []
    for _ in range(rounds):
        bare.append(once(False))
        ours.append(once(True))
    rows = []
    for name, target in targets.items():
        before, after = [round[name] for round in bare], [round[name] for round in ours]
        ratios = sorted(b / a for a, b in zip(before, after))
        row = {"work": name, "bare_ns": statistics.median(before), "ns": statistics.median(after),
               "target": target, "lowest": ratios[0], "highest": ratios[-1]}
        row["ratio"] = row["ns"] / row["bare_ns"]
        row["value"] = (row["ns"] - row["bare_ns"]) / 1e6 if name == "start_to_exit" else row["ratio"]
        row["met"] = row["value"] <= target
        rows.append(row)
    return rows


def print_table(rows, how):
    print("%-24s %12s %12s %8s %17s %8s" % ("work", "bare ns", how + " ns", "ratio", "rounds", "target"))
    for row in rows:
        unit = "+%.2f ms" % row["target"] if row["work"] == "start_to_exit" else "%.2f" % row["target"]
        print("%-24s %12.0f %12.0f %8.2f %8.2f..%-7.2f %8s%s" % (
            row["work"], row["bare_ns"], row["ns"], row["ratio"], row["lowest"], row["highest"], unit,
            "" if row["met"] else "  missed"))


def table_of_calls(directory):
    command = [CALLS, "all", str(COUNT)]
    return table_of(TARGETS, lambda ours: values(recorded(directory, *command) if ours else output(command)), ROUNDS)


def table_of_enforcement():
    policy = dict(os.environ, LD_PRELOAD=BUILD + "/libshmguard.so", SHMGUARD_PROFILE="safe")

    def once(ours):
        took = {}
        for work in ENFORCED:
            took.update(values(output([CALLS, work, str(COUNT)], env=policy if ours else None)))
        return took

    return table_of(ENFORCED, once, 3 * ROUNDS)


def others(bare):
    found = {}
    for name, (count, command) in OTHERS.items():
        if not shutil.which(command[0]):
            continue
        for work in ("shared_page", "open_close", "whole_life"):
            line = [CALLS, work, str(count)]
            try:
                took = values(output([*command, " ".join(line)] if command[-1] == "-c" else [*command, *line]))[work]
                found.setdefault(name, {})[work] = took / bare[work]
            except (RuntimeError, KeyError, subprocess.TimeoutExpired) as error:
                found.setdefault(name, {})[work] = str(error)
    return found


def memory(directory):
    preload = dict(os.environ, LD_PRELOAD=BUILD + "/libshmguard.so")
    bare = values(output([CALLS, "memory", "100"]))["memory"]
    idle = values(output([CALLS, "memory", "100"], env=preload))["memory"]
    return {"not recording": idle - bare, "recording": values(recorded(directory, CALLS, "memory", "100"))["memory"] - bare}


def bytes_per_call(directory):
    calls = 200000
    recorded(directory, CALLS, "shared_page", str(calls))
    missing = lost(directory)
    total = sum(os.path.getsize(os.path.join(path, name)) for path, _, names in os.walk(directory + "/trace")
                for name in names if name != "metadata")
    return {"bytes": total / (2 * calls), "lost": missing}


def ledger():
    """By the number of live mappings: a mapping's mean depth in the tree, nanoseconds of a find and of a replacement."""
    lines = [line.split() for line in output([BUILD + "/tests/bench/ledger"]).splitlines()]
    return {int(count): {"depth": float(depth), "find_ns": float(find), "replace_ns": float(replace)}
            for count, depth, find, replace in lines}


def postgres(directory, seconds=8, rounds=3):
    programs = "/usr/lib/postgresql/15/bin/"
    if not os.path.exists(programs + "pgbench"):
        return None
    nobody = pwd.getpwnam("nobody")  # initdb wants a user that has a name, and is not root
    as_user = [] if os.getuid() else ["setpriv", "--reuid=%d" % nobody.pw_uid, "--regid=%d" % nobody.pw_gid, "--clear-groups"]
    data, script = directory + "/postgres", directory + "/query.sql"
    os.mkdir(data)
    os.chmod(directory, 0o755)
    with open(script, "w") as file:
        file.write("set parallel_setup_cost=0; set parallel_tuple_cost=0; set min_parallel_table_scan_size=0;\n"
                   "select count(*), sum(abalance) from pgbench_accounts;\n")
    if not os.getuid():
        os.chown(data, nobody.pw_uid, nobody.pw_gid)
    copy = data + "/build"
    os.makedirs(copy)
    for name in ("shmguard", "libshmguard.so", "libshmguard-tracepoints.so"):
        shutil.copy(BUILD + "/" + name, copy)
    run = lambda *command: output([*as_user, "env", "HOME=" + data, "PGHOST=" + data, "PGUSER=postgres", *command], cwd=data)
    run(programs + "initdb", "-D", data + "/data", "-A", "trust", "-U", "postgres", "-N", "--no-locale")
    speeds = {"bare": [], "recorded": []}
    for number in range(rounds):
        for how, speed in speeds.items():
            server = [programs + "postgres", "-D", data + "/data", "-k", data, "-c", "listen_addresses=", "-c", "fsync=off"]
            if how == "recorded":
                server = [copy + "/shmguard", "run", "--quiet", "--report=none", "-o", "%s/r%d" % (data, number), "--", *server]
            running = subprocess.Popen([*as_user, "env", "HOME=" + data, *server], cwd=data, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            while subprocess.run([programs + "pg_isready", "-q", "-h", data]).returncode:
                time.sleep(0.1)
            if number == 0 and how == "bare":
                run(programs + "pgbench", "-i", "-q", "-s", "3", "postgres")
            text = run(programs + "pgbench", "-n", "-T", str(seconds), "-f", script, "postgres")
            speed.append(float(re.search(r"tps = ([0-9.]+)", text).group(1)))
            with open(data + "/data/postmaster.pid") as file:
                postmaster = int(file.readline())
            os.kill(postmaster, 2)
            running.wait()
    medians = {how: statistics.median(speed) for how, speed in speeds.items()}
    return {"transactions_per_second": medians, "ratio": medians["recorded"] / medians["bare"], "target": 0.97}


def main():
    with tempfile.TemporaryDirectory(prefix="shmguard-bench.") as directory:
        result = {"rounds": ROUNDS, "cpus": os.cpu_count(), "load": os.getloadavg()[0]}
        result["calls"] = table_of_calls(directory + "/recording")
        print_table(result["calls"], "recorded")
        result["enforced"] = table_of_enforcement()
        print_table(result["enforced"], "enforced")
        result["look_ns"] = values(output([CALLS, "look", str(COUNT)]))["look"]
        print("one fstat                %8.0f ns: an open under a policy needs one, to see whose the object is" % result["look_ns"])
        result["memory_added"] = memory(directory + "/recording")
        result["trace"] = bytes_per_call(directory + "/recording")
        for state, target in (("not recording", 1), ("recording", 8)):
            print("private memory added, %-13s %8.2f MB (target %d MB)" % (state, result["memory_added"][state] / 2**20, target))
        print("trace per call           %8.1f bytes, %d events lost (target 64)" % (result["trace"]["bytes"], result["trace"]["lost"]))
        result["ledger"] = ledger()
        for count, cost in result["ledger"].items():
            print("ledger, %7d live mappings: depth %4.1f, %6.0f ns to find, %6.0f ns to replace one" % (
                count, cost["depth"], cost["find_ns"], cost["replace_ns"]))
        result["others"] = others({row["work"]: row["bare_ns"] for row in result["calls"]})
        for name, ratios in result["others"].items():
            print("%-24s" % name, ", ".join("%s %s" % (work, "%.0f x" % ratio if isinstance(ratio, float) else "failed: " + ratio)
                                            for work, ratio in ratios.items()))
        result["postgres"] = postgres(directory)
        if result["postgres"]:
            print("PostgreSQL, pgbench with parallel queries: %(ratio).3f of the bare speed (target %(target).2f)" % result["postgres"])
        with open(BUILD + "/bench.json", "w") as file:
            json.dump(result, file, indent=1)
            file.write("\n")
        print("kept as %s/bench.json" % sys.argv[1])


main()
