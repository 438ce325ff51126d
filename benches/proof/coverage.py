"""Line and branch coverage of each module, of the code that ships: test modules and files only tests use do not count."""

import collections
import os
import pathlib
import re
import shutil
import subprocess
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "target" / "coverage"
SUITES = ("--lib", "--test", "it", "--test", "mock", "--test", "contracts")


def missing():
    """What must be there first, or nothing."""
    if not shutil.which("cargo-llvm-cov"):
        subprocess.run(["cargo", "install", "--locked", "cargo-llvm-cov"], check=True)
    tools = list(pathlib.Path(told("rustc", "--print", "sysroot")).glob("lib/rustlib/*/bin/llvm-cov*"))
    return None if tools else "rustup component add llvm-tools"


def told(*command):
    return subprocess.run(command, cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout.strip()


def measured(suites):
    """The coverage of every module by these suites: `{module: [lines, lines covered, branches, branches taken]}`, and the files that have none.

    Counting branches is an unstable option of rustc, which RUSTC_BOOTSTRAP opens for the toolchain that builds the project.
    """
    built = WORK / "build" / "llvm-cov-target"
    features = ["--no-default-features", "--features", "cli"] if suites == ("--lib",) else ["--all-features"]
    environment = {**os.environ, "RUSTC_BOOTSTRAP": "1", "CARGO_PROFILE_DEV_DEBUG": "0", "CARGO_TARGET_DIR": str(WORK / "build")}
    begun = time.time()
    for command in (["clean", "--workspace"], ["--branch", "--no-report", "--locked", *features, *suites]):
        subprocess.run(["cargo", "llvm-cov", *command], cwd=ROOT, check=True, env=environment)
    programs = [path for path in (built / "debug" / "deps").iterdir()
                if re.fullmatch(r"(flakedb|it|mock|contracts)-[0-9a-f]{16}", path.name) and path.stat().st_mtime >= begun]
    lcov, crashed = exported(built, [*programs, built / "debug" / "flakedb"])
    return by_module(lcov), crashed


def exported(built, programs):
    """What the profiles in a folder say of the sources, as LCOV, and the files of which llvm-cov says nothing: it crashes on some, so each part is asked for itself."""
    tools = next(pathlib.Path(told("rustc", "--print", "sysroot")).glob("lib/rustlib/*/bin/llvm-cov*")).parent
    profiles, merged = WORK / "profiles", WORK / "merged.profdata"
    profiles.write_text("".join(f"{path}\n" for path in built.glob("*.profraw")))
    # A process that a test kills leaves half a profile behind.
    subprocess.run([tools / "llvm-profdata", "merge", "-sparse", "-failure-mode=all", "-f", profiles, "-o", merged], check=True, stderr=subprocess.DEVNULL)
    objects = [word for program in programs for word in ("-object", program)]
    lcov, crashed = [], []

    def export(files):
        said = subprocess.run([tools / "llvm-cov", "export", "-format=lcov", "-instr-profile", merged, *objects, "-sources", *files],
                              cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        if said.returncode == 0:
            lcov.append(said.stdout)
        elif len(files) == 1:
            crashed.append(files[0])
        else:
            export(files[:len(files) // 2])
            export(files[len(files) // 2:])

    for part in sorted((ROOT / "src").iterdir()):
        export(sorted(part.rglob("*.rs")) if part.is_dir() else [part])
    return "".join(lcov), crashed


def by_module(lcov):
    """Add up an LCOV file by module."""
    found, counts, hidden = collections.defaultdict(lambda: [0, 0, 0, 0]), None, set()
    tests = only_for_tests()
    for line in lcov.splitlines():
        what, _, rest = line.partition(":")
        if what == "SF":
            file = pathlib.Path(rest)
            counts = None
            if file.is_relative_to(ROOT / "src") and file not in tests:
                place = file.relative_to(ROOT / "src").parts
                counts, hidden = found[place[0].removesuffix(".rs")], test_lines(file)
        elif counts is not None and what in ("DA", "BRDA"):
            fields = rest.split(",")
            if int(fields[0]) not in hidden:
                at = 0 if what == "DA" else 2
                counts[at] += 1
                counts[at + 1] += fields[-1] not in ("0", "-")
    return dict(found)


def test_lines(file):
    """The numbers of the lines of test modules that stand in a file."""
    hidden, inside, lines = set(), False, file.read_text().splitlines()
    for number, line in enumerate(lines, 1):
        if line == "#[cfg(test)]" and number < len(lines) and re.match(r"(pub(\(\w+\))? )?mod \w+ \{", lines[number]):
            inside = True
        if inside:
            hidden.add(number)
        if line == "}":
            inside = False
    return hidden


def only_for_tests():
    """The files of modules that are declared for tests, and all below them."""
    found = set()
    for file in (ROOT / "src").rglob("*.rs"):
        folder = file.parent if file.stem in ("mod", "lib", "main") else file.with_suffix("")
        for name in re.findall(r"^#\[cfg\(test\)\]\n(?:#\[[^\n]*\]\n)*(?:pub(?:\(\w+\))? )?mod (\w+);", file.read_text(), re.MULTILINE):
            found.add(folder / f"{name}.rs")
            found.update((folder / name).rglob("*.rs"))
    return found
