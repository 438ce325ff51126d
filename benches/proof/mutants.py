"""Mutants of the modules that decide: which of them no unit test of these modules notices.

cargo-mutants says what the mutants are; switched.py builds all of a module into one program, and reach.py runs it. That happens in a copy of the tree
that is cut down to the module and what it needs. A sample is drawn by a hash of what a mutant is, not of where it stands, so that it stays the same while lines move.
"""

import collections
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import time
import tomllib

import reach
import switched

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
WORK = ROOT / "target" / "mutants"
EXPLAINED = pathlib.Path(__file__).resolve().parent / "mutants.toml"
KINDS = {"same": "no input tells it from the original", "cost": "only time or memory differ", "elsewhere": "a test outside these modules notices"}
# Each module with the modules of its crate: those it uses, and for the model one that uses it.
CRATES = {
    "model": ("model", "junit"),
    "junit": ("model", "junit"),
    "store": ("model", "store"),
    "analysis": ("model", "store", "analysis"),
    "quarantine": ("model", "store", "analysis", "quarantine"),
}
MODULES = tuple(CRATES)
# Tests of tests/it that need no more than these modules.
BESIDE = {"junit": ("corpus", "promises/reader", "reader", "readings")}
# A failing property is not shrunk and not remembered: the next mutant must not profit from it.
QUIET = {"INSTA_UPDATE": "no", "INSTA_FORCE_PASS": "0", "PROPTEST_MAX_SHRINK_ITERS": "0", "PROPTEST_DISABLE_FAILURE_PERSISTENCE": "true",
         "CARGO_PROFILE_DEV_DEBUG": "0"}


def every():
    """Every mutant of the modules: where it is, what it is, and the line it changes; in the order of the sample."""
    if not shutil.which("cargo-mutants"):
        subprocess.run(["cargo", "install", "--locked", "cargo-mutants"], check=True)
    told = subprocess.run(["cargo", "mutants", "--list", "--json", *(word for name in MODULES for word in ("--file", f"src/{name}/**"))],
                          cwd=ROOT, check=True, text=True, stdout=subprocess.PIPE).stdout
    seen, found = collections.Counter(), []
    for number, one in enumerate(json.loads(told)):
        what = one["name"].removeprefix(one["file"]).lstrip(":0123456789 ")
        line = (ROOT / one["file"]).read_text().splitlines()[one["span"]["start"]["line"] - 1].strip()
        key = (one["file"], what, line)
        seen[key] += 1
        rank = hashlib.sha256("\n".join([*key, str(seen[key])]).encode()).hexdigest()
        found.append({**{name: one[name] for name in ("name", "file", "span", "genre", "replacement")},
                      "number": number, "within": (one["function"] or {}).get("function_name"), "module": one["file"].split("/")[1], "mutant": what, "line": line, "rank": rank,
                      "impl": one["genre"] == "FnValue" and "impl " in one["function"]["return_type"]})
    return sorted(found, key=lambda one: one["rank"])


def copy(modules, into):
    """A copy of the sources as a crate of these modules alone."""
    shutil.rmtree(into, ignore_errors=True)
    files = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT, check=True, text=True,
                           stdout=subprocess.PIPE).stdout
    kept = ("fixtures/", "migrations/", "docs/", "tests/it/", "Cargo.lock", "proptest-regressions/", *(f"src/{name}/" for name in modules))
    for name in filter(None, files.split("\0")):
        if name.startswith(kept) and (ROOT / name).is_file():
            (into / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, into / name)
    beside = "".join(declared(test) for name in modules for test in BESIDE.get(name, ()))
    (into / "src" / "lib.rs").write_text("extern crate self as flakedb;\n" + "".join(f"pub mod {name};\n" for name in modules) + beside)
    (into / "Cargo.toml").write_text(manifest())
    return into


def declared(test):
    """The words by which a crate has a module of tests/it, or one of a folder there."""
    folder, _, name = test.rpartition("/")
    if folder:
        return f'#[cfg(test)]\n#[path = "../tests/it/{folder}"]\nmod {folder} {{\n    pub mod {name};\n}}\n'
    return f'#[cfg(test)]\n#[path = "../tests/it/{name}.rs"]\nmod {name};\n'


def manifest():
    """A manifest with the dependencies that the modules name, each as the project asks for it; one for all crates, so that they share them."""
    sources = "\n".join(file.read_text() for name in MODULES for file in (ROOT / "src" / name).rglob("*.rs"))
    project = tomllib.loads((ROOT / "Cargo.toml").read_text())
    lines = ["[package]", 'name = "flakedb"', f'version = "{project["package"]["version"]}"', f'edition = "{project["package"]["edition"]}"',
             "[features]", *(f"{name} = []" for name in project["features"]), "[workspace]", "[profile.dev]", "opt-level = 1",
             "[profile.dev.package.\"*\"]", "opt-level = 2"]
    for kind in ("dependencies", "dev-dependencies"):
        lines.append(f"[{kind}]")
        for name, wanted in project[kind].items():
            if re.search(rf"\b{name.replace('-', '_')}(::|!)", sources):
                wanted = {"version": wanted} if isinstance(wanted, str) else wanted
                lines.append(f"{name} = {{ " + ", ".join(f"{key} = {json.dumps(value)}" for key, value in wanted.items() if key != "optional") + " }")
    return "\n".join(lines) + "\n"


def tried(module, mutants, each, keep, again, minutes):
    """Give each mutant of a module its outcome: killed, missed, unreached, `apart` where it does not compile behind a switch, None where it was not tried.
    Returns the tests that fail by themselves in this crate. With `keep`, outcomes that an earlier call found for the same sources are taken; with `again`,
    those of other sources as well, since tests are added and not taken away, and what survived is tried again with the new ones. None is begun
    after so many minutes.
    """
    WORK.mkdir(parents=True, exist_ok=True)
    memory, now = WORK / f"outcomes-{module}.json", sources(module)
    known = json.loads(memory.read_text()) if (keep or again) and memory.exists() else {}
    if not again and known.get("sources") != now:
        known = {}
    known = {"sources": now, "outcomes": known.get("outcomes", {}), "broken": known.get("broken", []), "tests": known.get("tests", [])}
    sample = [one for one in mutants if known["outcomes"].get(one["rank"]) != "apart"][:each]
    done = ("killed", "apart") if again else ("killed", "missed", "unreached", "apart")
    if minutes != 0 and any(known["outcomes"].get(one["rank"]) not in done for one in sample):
        run(module, mutants, each, known, done, minutes, lambda: memory.write_text(json.dumps(known)))
    for one in mutants:
        one["outcome"] = known["outcomes"].get(one["rank"])
    return known["broken"]


def sources(module):
    """A hash of all that the crate of a module is made of."""
    files = sorted(file for name in CRATES[module] for file in (ROOT / "src" / name).rglob("*.rs"))
    files += [ROOT / "tests" / "it" / f"{test}.rs" for name in CRATES[module] for test in BESIDE.get(name, ())]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def run(module, mutants, each, known, done, minutes, save):
    """Build the mutants of a module and try those whose outcome is not one of `done`, those first that survived, as they meet only new tests; what is found is saved as it comes."""
    environment = {**os.environ, **QUIET, "CARGO_TARGET_DIR": str(WORK / "build")}
    tree, program, inside = switched.built(lambda: copy(CRATES[module], WORK / f"tree-{module}"), mutants, environment, WORK / f"apart-{module}.json")
    kept = shutil.copy2(program, WORK / f"tests-{module}")  # the next build may take the name
    trial = reach.Trial(kept, tree, environment)
    tests = trial.learn()
    known["broken"] = sorted(trial.broken)
    known["outcomes"].update({one["rank"]: "apart" for one in mutants if one["number"] not in inside})
    ranks = {one["number"]: one["rank"] for one in mutants}
    outcome = lambda number: known["outcomes"].get(ranks[number])
    sample = [number for number in [one["number"] for one in mutants if one["number"] in inside][:each] if outcome(number) not in done]
    sample.sort(key=lambda number: outcome(number) is None)
    print(f"{module}: {len(inside):,} of {len(mutants):,} mutants in one program; {len(tests):,} tests, {len(trial.broken)} of them unusable; "
          f"{len(sample):,} mutants to try", flush=True)
    # What survived all tests of an earlier call meets only those that are new.
    before, survived = frozenset(known["tests"]), ("missed", "unreached")
    passed = lambda number: before if outcome(number) in survived else frozenset()
    told, until = time.time(), time.time() + 60 * minutes if minutes else None
    for count, (number, found) in enumerate(trial.try_all(sample, passed, until), 1):
        known["outcomes"][ranks[number]] = found
        if time.time() > told + 30 or count == len(sample):
            told = time.time()
            save()
            print(f"{module}: {count:,} tried", flush=True)
    if until is None or time.time() < until:
        known["tests"] = tests
    save()


def explained():
    """Why a mutant may survive: a function of one mutant, which is None where nothing says so. An entry is of one mutant, by what it does and the line it
    changes, or of all mutants of one function.
    """
    entries = tomllib.loads(EXPLAINED.read_text()).get("survivor", [])
    ones, functions = {}, {}
    for one in entries:
        named = one.get("function") or one["mutant"]
        source = (ROOT / one["file"]).read_text()
        if one["kind"] not in KINDS or not one["reason"]:
            raise SystemExit(f"{EXPLAINED.name}: {named}: needs a kind of {', '.join(KINDS)}, and a reason")
        if "function" in one:
            if not re.search(rf"\bfn {one['function'].split('::')[-1]}\b", source):
                raise SystemExit(f"{EXPLAINED.name}: no function {named} in {one['file']} any more")
            functions[one["file"], one["function"]] = one
        else:
            if one["line"] not in [line.strip() for line in source.splitlines()]:
                raise SystemExit(f"{EXPLAINED.name}: no line {one['line']!r} in {one['file']} any more: look at {named!r} again")
            ones[one["file"], one["mutant"], one["line"]] = one
    return lambda one: ones.get((one["file"], one["mutant"], one["line"])) or functions.get((one["file"], one["within"]))
