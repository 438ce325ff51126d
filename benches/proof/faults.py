"""Kill, starve and corrupt flakedb at every call that changes a file, and say what became of the history.

Usage: python3 benches/proof/faults.py [--quick] [CARGO-FLAG ...]     --quick tries every seventh call only;
                                                              flags of cargo instead of --all-features

Needs Linux (the faults are injected by a library in front of the system's own, compiled by cc) and cargo.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import figures

KINDS = {
    "kill": "SIGKILL in front of the call",
    "torn": "half of the bytes are written, then SIGKILL",
    "power": "SIGKILL, and what no fsync confirmed is undone",
    "power-some": "the same, but each unconfirmed write reached the disk or not",
    "full": "half of the bytes, then ENOSPC from then on",
    "io": "EIO from then on",
    "io-once": "EIO once",
    "ro": "EROFS from then on",
}


def ran(*arguments, **environment):
    """The names of the tests that passed, each of which is a sentence; any that fails ends all."""
    flags = [flag for flag in sys.argv[1:] if flag != "--quick"] or ["--all-features"]
    command = ["cargo", "test", "--locked", "--quiet", *flags, *arguments, "--", "--format=pretty"]
    done = subprocess.run(command, cwd=figures.ROOT, env={**os.environ, **environment}, text=True, stdout=subprocess.PIPE)
    if done.returncode != 0:
        sys.exit(done.stdout)
    return re.findall(r"^test (\S+)(?: - should panic)? \.\.\. ok$", done.stdout, re.M)


def sentence(name):
    return name.rsplit("::", 1)[-1].replace("_", " ")


def main():
    begun = time.time()
    with tempfile.TemporaryDirectory() as folder:
        environment = {"FLAKEDB_FAULTS_FIGURES": folder}
        if "--quick" not in sys.argv:
            environment["FLAKEDB_FAULTS_ALL"] = "1"
        passed = ran("--test", "faults", **environment)
        scenes = [json.loads(path.read_text()) for path in sorted(pathlib.Path(folder).glob("*.json"))]
    if not scenes:
        sys.exit("no scene was played: faults are injected on Linux only")
    passed += ran("--lib", "store::sqlite::tests::repair_tests::", **environment)
    kinds = [kind for kind in KINDS if any(kind in scene["kinds"] for scene in scenes)]
    total = {key: sum(one[key] for scene in scenes for one in scene["kinds"].values())
             for key in ("trials", "died", "refused", "went_through", "before", "after")}
    rows = [[scene["scene"], scene["calls"],
             *(sum(one[key] for one in scene["kinds"].values()) for key in ("trials", "died", "refused", "went_through", "before", "after"))]
            for scene in scenes]
    by_kind = [[kind, KINDS[kind], *(sum(scene["kinds"][kind][key] for scene in scenes if kind in scene["kinds"])
                                     for key in ("trials", "died", "refused", "before", "after"))] for kind in kinds]
    figures.save(
        "faults", "Faults", begun,
        about=[
            f"A library in front of the system's own counts the calls of a command that change a file, and breaks the world at the n-th: "
            f"{total['trials']:,} trials over {len(scenes)} commands, {'every call' if 'FLAKEDB_FAULTS_ALL' in environment else 'every seventh call'} "
            f"with {len(kinds)} kinds of fault. After each: `db check` finds nothing, the history says what it said before or what it says after, "
            "never anything else; exit code 0 means after; a refusal has its documented code and names the file; the same command given again ends as it always does. "
            "A trial that breaks one of these fails the run, so that there is no column of failures.",
        ],
        tables=[
            figures.table("Commands", ["command", "calls", "trials", "died", "refused", "went through", "as before", "as after"], rows,
                          "“As after” without “went through”: the process died or was refused behind its commit."),
            figures.table("Kinds of fault", ["kind", "what happens", "trials", "died", "refused", "as before", "as after"], by_kind),
            figures.table("What else is tried", ["test that passed"], [[sentence(name)] for name in passed if "by_count" not in name]),
        ],
        targets=[
            figures.target("acknowledged ingests lost", 0, {"safe": "<= 0", "hard": "<= 0", "moonshot": "<= 0"}, shown=f"0 of {total['trials']:,} trials"),
        ])


if __name__ == "__main__":
    main()
