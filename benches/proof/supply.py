"""What flakedb is built from, and whether a build of it can be relied on: the checks of .ci/supply.py, and where `unsafe` is.

Usage: python3 benches/proof/supply.py [--quick | --ci]

--quick   fewer combinations of features, and the two builds are not optimised
--ci      nothing but what the steps of `.ci/run` took, into the figures that are kept

About 30 minutes, `--quick` about 10. If `.ci/run` was run whole in this tree before, what its steps took goes along.
"""

import json
import os
import pathlib
import re
import resource
import sys
import time
import tomllib

import figures

sys.path.insert(0, str(figures.ROOT / ".ci"))
import supply  # noqa: E402

MOST = 12
CI = "Continuous integration"


def timed(check, *arguments):
    """What a check returns, and the seconds and CPU seconds that it took."""
    before, begun = cpu(), time.time()
    found = check(*arguments)
    return found, f"{time.time() - begun:.0f}", f"{cpu() - before:.0f}"


def cpu():
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return children.ru_utime + children.ru_stime


def code(path):
    """The lines of a Rust file without comments; blocks of comments are rare enough to be taken line by line."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        line = re.sub(r'"(?:[^"\\]|\\.)*"', '""', line).split("//")[0]
        if line.strip() and not line.lstrip().startswith(("*", "/*")):
            yield line


def unsafe_in(folder):
    """The lines with the word `unsafe`, and whether the crate forbids it to itself."""
    files = sorted((folder / "src").rglob("*.rs"))
    count = sum(bool(re.search(r"\bunsafe\b", line)) for path in files for line in code(path))
    forbids = any(re.search(r"^#!\[forbid\([^)]*unsafe_code", path.read_text(encoding="utf-8", errors="replace"), re.MULTILINE)
                  for path in files if path.name in ("lib.rs", "main.rs"))
    return count, forbids


def c_lines(folder):
    return sum(len(path.read_bytes().splitlines()) for path in folder.rglob("*") if path.suffix in (".c", ".h", ".S", ".s"))


def unsafe():
    """Our own sources may have none; of what the binary is made of, the most of it."""
    manifest = tomllib.loads((figures.ROOT / "Cargo.toml").read_text())
    if manifest["lints"]["rust"].get("unsafe_code") != "forbid":
        raise supply.Failed("Cargo.toml does not forbid unsafe code")
    own = sum(bool(re.search(r"\bunsafe\b", line)) for path in (figures.ROOT / "src").rglob("*.rs") for line in code(path))
    rows = []
    packages = [package for package in supply.linked() if package["name"] != "flakedb"]
    for package in packages:
        folder = pathlib.Path(package["manifest_path"]).parent
        count, forbids = unsafe_in(folder)
        rows.append((count, forbids, c_lines(folder) if package["compiles_c"] else 0, package))
    rows.sort(key=lambda row: (-row[0], row[3]["name"]))
    lines = [(f"{one['name']} {one['version']}", f"{count:,}", f"{c:,}" if c else "–") for count, _, c, one in rows[:MOST]]
    lines += [(f"{one['name']} {one['version']}", f"{count:,}", f"{c:,}") for count, _, c, one in rows[MOST:] if c]
    none = sum(count == 0 for count, *_ in rows)
    note = (f"flakedb forbids `unsafe` to itself (`unsafe_code = \"forbid\"`, which nothing can lift), and has {own} lines of code with it. Of the "
            f"{len(packages)} packages behind the binary {none} have none, {sum(forbids for _, forbids, *_ in rows)} of them forbid it; "
            f"the {MOST} with the most, and those that bring C, are above. Whole packages are counted, parts for other systems included.")
    return figures.table("`unsafe` behind the binary", ("package", "lines with `unsafe`", "lines of C and assembly"), lines, note)


def ci():
    """What the steps of the last whole `.ci/run` in this tree took, and how long it was in all."""
    kept = figures.ROOT / "target" / "ci-logs" / "whole"
    if not kept.exists():
        return [], []
    head, *lines = kept.read_text().splitlines()
    steps = [re.fullmatch(r"(.*\S)\s+(\d+)\s+(\d+)\s+passed", line).groups() for line in lines]
    total, commit = head.split()
    note = f"`bash .ci/run` at commit {commit}: {int(total) // 60}:{int(total) % 60:02} minutes in all. Steps run side by side, so they add up to more."
    minutes = figures.target("`.ci/run`, all of it", int(total) / 60, {"safe": "< 45 min", "hard": "< 35 min", "moonshot": "< 25 min"},
                             "dependencies are compiled three times: to be checked, tested, and shipped; two cores are all there is",
                             shown=f"{int(total) / 60:.1f} min")
    return [figures.table(CI, ("step", "s", "CPU s"), steps, note)], [minutes]


def renew_ci():
    """Put what the last whole `.ci/run` took in the place of what is kept of an earlier one."""
    file = figures.FIGURES / "supply.json"
    kept, (tables, targets) = figures.kept("supply"), ci()
    kept["tables"] = [one for one in kept["tables"] if one["title"] != CI] + tables
    kept["targets"] = targets
    file.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n")


def main():
    if sys.argv[1:] == ["--ci"]:
        return renew_ci()
    quick = sys.argv[1:] == ["--quick"]
    if sys.argv[1:] and not quick:
        sys.exit(__doc__)
    begun = time.time()
    os.environ.setdefault("CARGO_TARGET_DIR", str(figures.ROOT / "target" / "check"))
    os.environ.update(CARGO_INCREMENTAL="0", CARGO_PROFILE_DEV_DEBUG="0")
    supply.WORK.mkdir(parents=True, exist_ok=True)
    rows = []

    def checked(what, command, check, *arguments, says):
        found, seconds, cpu_seconds = timed(check, *arguments)
        rows.append((what, f"`python3 .ci/supply.py {command}`", says(found), seconds, cpu_seconds))

    sets = len(supply.feature_sets(not quick))
    checked("licences, sources, two versions of one crate", "dependencies", supply.rules, says=lambda _: "as deny.toml has it")
    checked("known advisories (RustSec)", "dependencies", supply.advisories, says=str)
    checked("combinations of features", "features" + ("" if quick else " --every"), supply.features, not quick,
            says=lambda _: f"all {sets} compile")
    checked("oldest dependencies that Cargo.toml allows", "oldest", supply.oldest, says=lambda _: "compile, with every feature")
    checked("the library against the last tag", "semver", supply.semver, says=str)
    checked("sbom (CycloneDX 1.5)", "sbom", supply.sbom,
            says=lambda document: f"{len(document['components'])} components: those that cargo names, each with address, licence and checksum")
    checked("two builds in two folders" + (" (not optimised)" if quick else ""), "twice" + (" --quick" if quick else ""), supply.twice, quick,
            says=lambda made: f"the same {made[0]:,} bytes, no path of the machine in them; SHA-256 {made[1][:16]}…")
    tables, targets = ci()
    figures.save(
        "supply", "Supply chain", begun,
        about=["Where a check fails, this part has no figures: each row below held. The first five run in `.ci/run`, with the "
               "features of the testkit as one."],
        tables=[figures.table("Checks", ("what", "command", "result", "s", "CPU s"), rows), unsafe(), *tables], targets=targets)


if __name__ == "__main__":
    main()
