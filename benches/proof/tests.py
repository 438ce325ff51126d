"""The tests of the tests: coverage of every module, and mutants of the modules that decide.

Usage: python3 benches/proof/tests.py [--each N] [--quick] [--only coverage|mutants] [--modules NAME ...] [--keep] [--again] [--minutes N] [--known-coverage]

--each N     the first N mutants of each module, by the hash of what they are [default: every mutant; with --quick 100]
--quick      coverage by the unit tests alone, and a sample of the mutants
--only       one half; prints, and keeps nothing
--modules    with --only mutants: those of these modules alone
--keep       take what an earlier call found out about mutants of the same sources
--again      take also what was found before tests were added, and try again what survived
--minutes N  begin no mutant of a module after so long; 0 takes what is known
--known-coverage  take the coverage that the page has, and say of which commit it is

Writes the figures of the part and `survivors.txt`, the mutants that no test notices and mutants.toml does not explain.
"""

import argparse
import collections
import pathlib
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import environment

environment.enter(HERE / "requirements.txt", environment.ROOT / "target" / "proof-env")

import coverage
import figures
import mutants

SURVIVORS = HERE / "survivors.txt"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--each", type=int, help="the first mutants of each module [default: every one; with --quick 100]")
    parser.add_argument("--quick", action="store_true", help="coverage by the unit tests alone, and a sample of the mutants")
    parser.add_argument("--modules", nargs="+", choices=mutants.MODULES, default=mutants.MODULES, help="with --only mutants: those of these modules alone")
    parser.add_argument("--keep", action="store_true", help="take what an earlier call found out about mutants of the same sources")
    parser.add_argument("--again", action="store_true", help="take also what was found before tests were added, and try again what survived")
    parser.add_argument("--minutes", type=float, help="begin no mutant of a module after so long; 0 takes what is known")
    parser.add_argument("--known-coverage", action="store_true", help="take the coverage that the page has, and say of which commit it is")
    parser.add_argument("--only", choices=("coverage", "mutants"), help="one half; prints, and keeps nothing")
    wanted = parser.parse_args()
    wanted.each = wanted.each or (100 if wanted.quick else None)
    return wanted


def percent(part, whole):
    return f"{100 * part / whole:.1f} %" if whole else "–"


def coverage_table(quick):
    """Coverage by module, or a word on why there is none."""
    lacking = coverage.missing()
    if lacking:
        return None, f"Coverage was not measured: it needs `{lacking}`."
    suites = ("--lib",) if quick else coverage.SUITES
    found, crashed = coverage.measured(suites)
    rows = [[f"`{name}`", f"{lines:,}", percent(lit, lines), f"{branches:,}", percent(taken, branches)]
            for name, (lines, lit, branches, taken) in sorted(found.items())]
    lines, lit, branches, taken = (sum(one[at] for one in found.values()) for at in range(4))
    rows.append(["all", f"{lines:,}", percent(lit, lines), f"{branches:,}", percent(taken, branches)])
    note = f"By `cargo test {' '.join(suites)}`, with the commands that those tests start. Lines of test modules do not count. " \
           "A branch is one way out of one condition." \
           + (f" llvm-cov crashes on {len(crashed)} files, which are left out." if crashed else "")
    return figures.table("Coverage", ["module", "lines", "covered", "branches", "taken"], rows, note), None


def known_coverage():
    """The coverage that the page has, and the commit that it was measured at."""
    page = figures.kept("tests")
    table = next(one for one in page["tables"] if one["title"] == "Coverage")
    said = f"Measured at commit {page['commit']}."
    return {**table, "note": table["note"] if "Measured at" in table["note"] else f"{table['note']} {said}"}, None


def mutants_table(found):
    """One line for each module: what became of its mutants."""
    rows, total = [], collections.Counter()
    for module in dict.fromkeys(one["module"] for one in sorted(found, key=lambda one: one["number"])):
        own = [one for one in found if one["module"] == module]
        counts = collections.Counter(one["outcome"] for one in own)
        why = collections.Counter(one["reason"]["kind"] if one["reason"] else "open" for one in own if one["outcome"] in ("missed", "unreached"))
        sums = collections.Counter({"all": len(own), "apart": counts["apart"], "killed": counts["killed"],
                                    "tried": counts["killed"] + counts["missed"] + counts["unreached"],
                                    "open unreached": sum(one["outcome"] == "unreached" and not one["reason"] for one in own), **why})
        total += sums
        rows.append(line_of(f"`{module}`", sums))
    return figures.table("Mutants", ["module", "mutants", "apart", "tried", "killed", "share", *mutants.KINDS, "unexplained", "of these unreached"],
                         [*rows, line_of("all", total)],
                         "Killed: a unit test of these modules fails, or no longer ends. Apart: does not compile behind a switch, and was not tried. Of the "
                         "survivors " + "; ".join(f"*{kind}*: {meaning}" for kind, meaning in mutants.KINDS.items()) + " (`benches/proof/mutants.toml` gives each its "
                         "reason). *Unexplained* are listed in `benches/proof/survivors.txt`. Unreached: no unit test of these five modules runs the line; "
                         "tests of other modules and of the commands may.")


def line_of(name, sums):
    return [name, *(f"{sums[one]:,}" for one in ("all", "apart", "tried", "killed")), percent(sums["killed"], sums["tried"]),
            *(sums[kind] for kind in mutants.KINDS), sums["open"], sums["open unreached"]]


def try_mutants(wanted):
    """What became of every mutant, the paragraph about it, how many were not tried, and the survivors without an explanation."""
    found, broken = [one for one in mutants.every() if one["module"] in wanted.modules], []
    for module in wanted.modules:
        broken += mutants.tried(module, [one for one in found if one["module"] == module], wanted.each, wanted.keep, wanted.again, wanted.minutes)
    reason = mutants.explained()
    for one in found:
        one["reason"] = reason(one)
    untried = sum(one["outcome"] is None for one in found)
    about = f"A mutant changes one expression, one arm or one function's result; cargo-mutants lists them. Those of a module are built into one program, " \
            "and each runs with the unit tests that reach it, of its module and of those that its module uses. " \
            + (f"Of each module, the {wanted.each} mutants that come first by the hash of what they are were tried." if wanted.each else
               f"{untried:,} of {len(found):,} were not tried yet." if untried else "Every one that stands behind a switch was tried.") \
            + (" What earlier calls found is put down here." if wanted.minutes == 0 else "") \
            + (f" Left out, because they need the rest of the crate: {', '.join(f'`{test}`' for test in broken)}." if broken else "")
    return found, about, untried, [one for one in found if one["outcome"] in ("missed", "unreached") and not one["reason"]]


def main():
    wanted, begun, tables, about, targets, survivors = arguments(), time.time(), [], [], [], []
    if wanted.only != "mutants":
        table, word = known_coverage() if wanted.known_coverage else coverage_table(wanted.quick)
        (about if word else tables).append(word or table)
    if wanted.only != "coverage":
        found, word, untried, survivors = try_mutants(wanted)
        about.append(word)
        tables.append(mutants_table(found))
        if not wanted.each:
            targets.append(figures.target("mutants not tried yet", untried, {"safe": "<= 0"}, shown=f"{untried:,}",
                                          reason="they take hours of two cores; `--again --minutes N` goes on" if untried else ""))
        targets.append(figures.target("mutants that survive unexplained", len(survivors), {"safe": "<= 0"}, shown=f"{len(survivors):,}",
                                      reason="each needs a test or a reason of its own; they are listed" if survivors else ""))
    text = "".join(f"{one['outcome']}\t{one['name']}\t{one['line']}\n" for one in sorted(survivors, key=lambda one: one["number"]))
    if wanted.only:
        print(text + "\n".join("\n".join([table["title"], *(" | ".join(row) for row in [table["columns"], *table["rows"]])]) for table in tables))
    else:
        figures.save("tests", "Tests of the tests", begun, about, tables, targets)
        if not wanted.each:
            SURVIVORS.write_text(text)


if __name__ == "__main__":
    main()
