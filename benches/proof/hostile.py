"""Part `hostile` of docs/PROOF.md: every reader of foreign bytes is fuzzed, and every attack has its test.

Usage: python3 benches/proof/hostile.py [--minutes N] [--quick] [--targets A,B] [--minimise] [--fresh]

--minutes N   CPU minutes of each fuzz target since its last finding [default: 30]; what earlier runs
              spent without a finding counts, see fuzz/ledger.json; 0 takes what is known
--quick       one CPU minute of each target, whatever was spent before
--targets     only these
--minimise    write the smallest set of inputs that covers as much to fuzz/seeds
--fresh       forget what earlier runs spent

Two targets run at once, as politely as the system can. cargo-fuzz and a nightly toolchain are installed where they are
missing. Nothing is instrumented for memory: the crate forbids `unsafe`.
"""

import argparse
import collections
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import time

import figures

ROOT = figures.ROOT
FUZZ = ROOT / "fuzz"
LEDGER = FUZZ / "ledger.json"
FIXTURES = ROOT / "fixtures"
SLICE_SECONDS = 60
AT_ONCE = 2
MEMORY_MB = 2048
# No input takes as long; libFuzzer takes one that does for a finding. Busy machines are slow.
PATIENCE_SECONDS = 60
SEED_BYTES_MAX = 2048
SEEDS_BYTES_MAX = 80_000
SEEDS_MAX = 60

# What each reads, its longest input, and where inputs to begin with come from: a pattern of files, and what stands in front.
TARGETS = {
    "archive": ("zip, tar, gzip and zstd", 8192, [("archives/*", b"\0"), ("junit/hostile/*.zip", b"\0"), ("junit/hostile/*.gz", b"\0")]),
    "configuration": ("`flakedb.toml`, `--set`, and the judgement by its numbers", 2048, [("history/*.toml", b""), ("../src/config/template.toml", b"")]),
    "history": ("a history of somebody else: opened, checked, judged, merged", 2048, []),
    "import": ("CTRF, JSON lines, pytest's JSON, Jenkins", 4096, [("import/**/*", b"")]),
    "listing": ("the test listings of eight runners", 4096, [("listing/*", b"")]),
    "mock": ("the mock server's HTTP and bodies", 2048, []),
    "owners": ("CODEOWNERS of three forges", 2048, [("codeowners/*.CODEOWNERS", b"")]),
    "quarantine": ("`quarantine.toml`, its edits, and 21 emitters", 2048, []),
    "read": ("JUnit XML, and the merging of reports", 4096, [("junit/**/*.xml", b"")]),
    "segment": ("segments and workers of the history's blobs", 1024, []),
    "sidecar": ("`flakedb-run.toml`", 1024, []),
}
# Words to begin with where no fixture is near enough.
WORDS = {
    "quarantine": [b'[[entry]]\ntest = "a::b"\nowner = "@x"\nsince = 2026-11-20\nexpires = 2026-12-04\nevidence = "3 of 9"\n',
                   b'# top\n\n# one\n[[entry]]\npattern = "a::*"\nvariant = "os=linux"\n\n[[never]]\ntest = "c"\nreason = "r"\n[[always]]\npattern = "?"\nreason = "s"\n'],
    "sidecar": [b'project = "a/b"\nrevision = "r"\nlane = "default"\nvariant = { os = "linux", python = "3.12" }\nbuild = 4711\nattempt = 1\nstarted = 2026-11-01T08:22:18Z\nshard = "2/4"\nseed = "7"\n'],
    "configuration": [b'[judging]\nmethod = "threshold"\n[judging.filter]\nflaky = 0.5\n[quarantine]\ncap-share = 0.5\n[window]\nruns = 3\n',
                      b"judging.evidence.recoveries=3\njudging.method=\"wilson\"\n"],
    "history": [bytes([kind]) + bytes(range(1, 30)) for kind in range(8)] + [bytes([3, number]) for number in range(15)] + [b"\xff" + bytes(100)],
    "segment": [bytes(range(40)), b"\x02\x01\x05\x00\x00"],
    "mock": [b'\x00{"model":"m","messages":[{"role":"user","content":"hi"}]}', b"\xffGET / HTTP/1.1\r\n\r\n"],
}


def run(*command, **more):
    return subprocess.run(command, cwd=ROOT, check=True, text=True, **more)


def tools():
    """cargo-fuzz and a nightly toolchain, which it needs."""
    if subprocess.run(("cargo", "+nightly", "--version"), capture_output=True).returncode:
        run("rustup", "toolchain", "install", "nightly", "--profile", "minimal")
    if not shutil.which("cargo-fuzz"):
        run("cargo", "install", "--locked", "cargo-fuzz")
    run("cargo", "+nightly", "fuzz", "build", "-s", "none")


def binary(target):
    host = re.search(r"host: (.*)", figures.told("rustc", "-vV"))[1]
    return FUZZ / "target" / host / "release" / target


def corpus(target):
    """The working corpus, with what it begins with."""
    folder = FUZZ / "corpus" / target
    folder.mkdir(parents=True, exist_ok=True)
    inputs = list(WORDS.get(target, []))
    for pattern, front in TARGETS[target][2]:
        inputs += [front + path.read_bytes() for path in sorted(FIXTURES.glob(pattern)) if path.is_file()]
    for place, data in enumerate(inputs):
        if len(data) <= 2 * TARGETS[target][1]:
            (folder / f"begin-{place}").write_bytes(data)
    seeds = FUZZ / "seeds" / target
    seeds.mkdir(parents=True, exist_ok=True)
    return folder, seeds


def fuzz(target, seconds):
    """One slice: CPU seconds, and what libFuzzer says."""
    folder, seeds = corpus(target)
    artifacts = FUZZ / "artifacts" / target
    artifacts.mkdir(parents=True, exist_ok=True)
    command = [binary(target), folder, seeds, f"-max_total_time={seconds}", f"-max_len={TARGETS[target][1]}", f"-timeout={PATIENCE_SECONDS}",
               f"-rss_limit_mb={MEMORY_MB}", "-print_final_stats=1", f"-artifact_prefix={artifacts}/"]
    # Python ignores SIGPIPE, and so does the child where it is not restored: a client of the mock that leaves early must not end it.
    process = subprocess.Popen(["nice", "-n", "19", *map(str, command)], cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               errors="replace", restore_signals=False)
    lines = collections.deque(maxlen=4000)
    lines.extend(process.stderr)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    said = "".join(lines)
    number = lambda pattern: int((re.findall(pattern, said) or ["0"])[-1])
    found = {
        "seconds": usage.ru_utime + usage.ru_stime,
        "executions": number(r"stat::number_of_executed_units:\s+(\d+)") or number(r"#(\d+)\s"),
        "edges": number(r"cov: (\d+)"),
        "counters": number(r"\((\d+) inline 8-bit counters\)"),
        "memory": number(r"stat::peak_rss_mb:\s+(\d+)"),
    }
    if process.returncode:
        named = re.findall(r"Test unit written to (\S+)", said)
        found["finding"] = named[-1] if named else "exit " + str(process.returncode)
        print(f"{target}: FINDING {found['finding']}\n" + said[-3000:], file=sys.stderr, flush=True)
    return found


def ledger():
    return json.loads(LEDGER.read_text()) if LEDGER.exists() else {}


def add(kept, target, found, lock):
    with lock:
        row = kept.setdefault(target, {"seconds": 0, "executions": 0, "findings": 0})
        if "finding" in found:
            # What was spent before a finding proves nothing.
            row.update(seconds=0, executions=0, findings=row["findings"] + 1, last=found["finding"].rsplit("/", 1)[-1])
        else:
            row["seconds"] = round(row["seconds"] + found["seconds"], 1)
            row["executions"] += found["executions"]
            row.pop("last", None)
        row.update(edges=max(found["edges"], row.get("edges", 0)), counters=found["counters"] or row.get("counters", 0),
                   memory_mb=max(found["memory"], row.get("memory_mb", 0)))
        LEDGER.write_text(json.dumps(dict(sorted(kept.items())), indent=1) + "\n")


def spend(targets, minutes, quick):
    """Fuzzes each target until it has its CPU minutes; a target with a finding has to be mended first."""
    kept, lock = ledger(), threading.Lock()
    begun = {target: 0 if quick else kept.get(target, {}).get("seconds", 0) for target in targets}
    open_ = {target for target in targets if begun[target] < 60 * minutes}

    def work():
        while True:
            with lock:
                if not open_:
                    return
                # The one that had the least is next, so that a run that is stopped leaves none behind.
                target = min(open_, key=lambda target: (begun[target], target))
                open_.remove(target)
            found = fuzz(target, SLICE_SECONDS)
            add(kept, target, found, lock)
            begun[target] += found["seconds"]
            print(f"{target}: {begun[target] / 60:.1f} of {minutes} CPU minutes, {found['executions']} executions, {found['edges']} edges", flush=True)
            if "finding" not in found and begun[target] < 60 * minutes:
                with lock:
                    open_.add(target)

    workers = [threading.Thread(target=work) for _ in range(AT_ONCE)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()


def minimise(target):
    """Of the inputs that together reach what the corpus reaches the smallest, as seeds for the next time: short ones teach the most for their place."""
    folder, seeds = corpus(target)
    fresh = seeds.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir()
    subprocess.run([binary(target), "-merge=1", f"-max_len={SEED_BYTES_MAX}", fresh, folder, seeds], cwd=ROOT, check=True, stderr=subprocess.DEVNULL)
    size = 0
    for place, path in enumerate(sorted(fresh.iterdir(), key=lambda path: (path.stat().st_size, path.name))):
        size += path.stat().st_size
        if size > SEEDS_BYTES_MAX or place >= SEEDS_MAX:
            path.unlink()
    shutil.rmtree(seeds)
    fresh.rename(seeds)


def attacks():
    """The rows of the table of attacks: attack, where it ends, its tests."""
    rows = []
    for line in (ROOT / "docs" / "SECURITY.md").read_text().splitlines():
        cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
        if len(cells) == 3 and re.search(r"`[a-z0-9_]+` in `", cells[2]):
            rows.append((cells[0].replace("\\|", "|"), cells[1].replace("\\|", "|"), str(len(re.findall(r"` in `", cells[2])))))
    return rows


def stable():
    """The same bodies and the attacks as tests of stable Rust: how many passed."""
    command = ["cargo", "test", "--locked", "--all-features", "--test", "it", "--", "attacks::", "hostile::"]
    said = run(*command, stdout=subprocess.PIPE).stdout
    return int(re.search(r"test result: ok\. (\d+) passed", said)[1])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--targets", default=",".join(TARGETS))
    parser.add_argument("--minimise", action="store_true")
    parser.add_argument("--fresh", action="store_true")
    parser.add_argument("--only-fuzz", action="store_true", help="write no figures")
    asked = parser.parse_args()
    begun = time.time()
    targets = asked.targets.split(",")
    if asked.fresh:
        LEDGER.unlink(missing_ok=True)
    if asked.minutes:
        tools()
        spend(targets, 1 if asked.quick else asked.minutes, asked.quick)
    if asked.minimise:
        for target in targets:
            minimise(target)
    if asked.only_fuzz:
        return
    passed = stable()
    kept = ledger()
    none = {"seconds": 0, "executions": 0, "findings": 0}
    rows = []
    for target, (reads, _, _) in TARGETS.items():
        row = kept.get(target, none)
        seeds = [path.stat().st_size for path in (FUZZ / "seeds" / target).glob("*")]
        rows.append([f"`{target}`", reads, f"{row['seconds'] / 60:.1f}", f"{row['executions']:,}", f"{row.get('edges', 0):,}",
                     f"{row.get('memory_mb', 0)} MB", f"{len(seeds)}, {sum(seeds) / 1000:.0f} kB", "none" if "last" not in row else row["last"]])
    least = min(kept.get(target, none)["seconds"] for target in TARGETS) / 60
    total = sum(kept.get(target, none)["executions"] for target in TARGETS)
    mended = sum(kept.get(target, none)["findings"] for target in TARGETS)
    figures.save(
        "hostile", "Hostile input", begun,
        about=[f"Every reader of foreign bytes is a cargo-fuzz target whose body is a plain function that a property test on stable Rust runs as well "
               f"(tests/it/promises). {total:,} executions since each target's last finding; {mended} findings before that were mended, test first. "
               f"Minutes are CPU minutes at the lowest priority, summed over runs (fuzz/ledger.json). {passed} tests of attacks and of bodies passed.",
               "The trust model and the tests by name: [SECURITY.md](SECURITY.md)."],
        tables=[figures.table("Fuzzing", ["target", "reads", "CPU minutes without a finding", "executions", "edges reached", "peak memory", "seeds", "open findings"], rows),
                figures.table("Attacks", ["attack", "what comes of it", "tests"], attacks())],
        targets=[figures.target("CPU minutes of fuzzing without a finding, least of all targets", least, {"safe": ">= 30"},
                                reason="the targets share two busy cores; the same command goes on where it stopped" if least < 30 else "")],
    )


if __name__ == "__main__":
    main()
