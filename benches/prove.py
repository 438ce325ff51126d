"""Measure what flakedb promises, part by part, and write docs/PROOF.md.

Usage: python3 benches/prove.py [PART ...]     measure these parts [default: all], then write the page
       python3 benches/prove.py --page         write the page from the figures that are kept
       python3 benches/prove.py --check        exit with 1 where the page is not that of the figures

Parts: speed judging scale hostile faults supply tests. Each is a script in proof/, and its figures are in proof/figures/.
"""

import json
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PARTS = ("speed", "judging", "scale", "hostile", "faults", "supply", "tests")
PAGE = HERE.parent / "docs" / "PROOF.md"
HEAD = """# Proof

What flakedb promises about speed, size, hostile input and faults, as measured. Written by `python3 benches/prove.py`;
every part names the command that measures it again, the machine and the day. Ratios are between contenders of one run on one machine:
trust those, not the seconds.
"""


def row(cells):
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def table(columns, rows):
    return "\n".join([row(columns), row(["---"] * len(columns)), *map(row, rows)])


def section(figures):
    """One part of the page."""
    parts = [f"## {figures['title']}",
             f"`{figures['command']}` · {figures['date']} · commit {figures['commit']} · {figures['minutes']:g} minutes · {figures['machine']}",
             *figures["about"]]
    if figures["targets"]:
        levels = ("safe", "hard", "moonshot")
        parts.append(table(["target", *levels, "measured", "reached", "why not more"],
                           [[one["what"], *(one["levels"].get(level, "–") for level in levels), one["measured"], one["reached"],
                             one["reason"] or "–"] for one in figures["targets"]]))
    for one in figures["tables"]:
        parts += [f"**{one['title']}**", table(one["columns"], one["rows"]), *filter(None, [one["note"]])]
    return "\n\n".join(parts)


def page():
    """The whole page, from the figures that are kept."""
    kept = [json.loads((HERE / "proof" / "figures" / f"{part}.json").read_text()) for part in PARTS
            if (HERE / "proof" / "figures" / f"{part}.json").exists()]
    return "\n".join([HEAD, *(section(figures) + "\n" for figures in kept)])


def main():
    wanted = sys.argv[1:]
    if wanted == ["--check"]:
        if PAGE.read_text() != page():
            sys.exit("docs/PROOF.md is not the page of benches/proof/figures: run python3 benches/prove.py --page")
        return
    if "-h" in wanted or "--help" in wanted:
        print(__doc__)
        return
    unknown = [part for part in wanted if part not in PARTS and part != "--page"]
    if unknown:
        sys.exit(f"no such part: {', '.join(unknown)}; there are {', '.join(PARTS)}")
    for part in () if wanted == ["--page"] else wanted or PARTS:
        subprocess.run([sys.executable, HERE / "proof" / f"{part}.py"], check=True)
    PAGE.write_text(page())


if __name__ == "__main__":
    main()
