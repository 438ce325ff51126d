"""Round trips: names as nasty as a runner allows, quarantined, emitted, and given back to that runner. See README.md.

Each runner writes its own JUnit report of a suite. In copies of it every other test is made to fail and to pass on the
same revision, so that flakedb quarantines exactly these. What it then emits goes back to the runner: no more and no
fewer tests may be gone than the list has, plus those that the runner cannot tell from them, which flakedb must have
named. The other way round, `--only` must run exactly the list. Then the same with the other half.
"""

import datetime
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import time
import xml.etree.ElementTree as xml

from tools import FLAKEDB, HERE, WORK, Trouble, check, flakedb

REVISIONS = 3
NAMES = json.loads((HERE / "trips" / "names.json").read_text(encoding="utf-8"))
CONFIGURATION = "[quarantine]\ncap-tests = 1000\nmin-executions = 1\n"


def cases_of(reports):
    """The cases of reports that ran, as (class, name)."""
    found = []
    for report in reports:
        for case in xml.parse(report).iter("testcase"):
            if case.find("skipped") is None and case.get("status") not in ("notrun", "disabled"):
                found.append((case.get("classname", ""), case.get("name", "")))
    return found


def failing_copy(report, target, wanted):
    """The report, with a failure in each wanted case."""
    tree = xml.parse(report)
    for suite in tree.iter("testsuite"):
        cases = [case for case in suite.findall("testcase") if (case.get("classname", ""), case.get("name", "")) in wanted]
        for case in cases:
            failure = xml.SubElement(case, "failure", {"message": "made to fail"})
            failure.text = "made to fail"
            if case.get("status") == "run" and case.get("result") is None:
                case.set("status", "fail")
        if cases and suite.get("failures") is not None:
            suite.set("failures", str(int(suite.get("failures")) + len(cases)))
    tree.write(target, encoding="utf-8", xml_declaration=True)


def ingest(home, project, reports, wanted):
    """A history in which exactly the wanted cases are flaky: on each revision they fail, and pass when run again."""
    database = home / f"{project}.db"
    for suffix in ("", "-wal", "-shm"):
        pathlib.Path(f"{database}{suffix}").unlink(missing_ok=True)
    failing = home / f"{project}-failing"
    shutil.rmtree(failing, ignore_errors=True)
    failing.mkdir(parents=True)
    for report in reports:
        failing_copy(report, failing / report.name, wanted)
    first = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) - datetime.timedelta(hours=9)
    for number in range(REVISIONS):
        revision = hashlib.sha1(f"{project} {number}".encode()).hexdigest()
        for attempt, paths in enumerate((sorted(failing.iterdir()), reports), start=1):
            flakedb(database, "ingest", *paths, "--project", project, "--branch", "main", "--lane", "default",
                    "--revision", revision, "--build", f"build-{number}", "--attempt", str(attempt), "--started",
                    (first + datetime.timedelta(hours=2 * number + attempt)).isoformat())
    return database


def emitted(home, database, form, *more):
    """What flakedb emits, and its notes, which the terminal gets."""
    configuration = home / "flakedb.toml"
    configuration.write_text(CONFIGURATION)
    command = [FLAKEDB, "quarantine", "--method", "same-revision", "--quarantine-runs", "1", "--emit", form, *more,
               "--config", configuration, "--db", database]
    done = subprocess.run([str(part) for part in command], cwd=home, text=True, encoding="utf-8", capture_output=True,
                          check=False)
    if done.returncode != 0:
        raise Trouble(f"exit {done.returncode} from: {' '.join(map(str, command))}\n{done.stderr}")
    notes = [line for line in done.stderr.splitlines() if line.strip()]
    return done.stdout, notes


def named(notes, verb):
    """How many tests the notes say go along."""
    count = 0
    for note in notes:
        found = re.search(rf"also {verb} (.*)", note)
        if found:
            more = re.search(r"` and (\d+) more: ", found[1])
            listed = found[1][:more.start() + 1] if more else found[1].rsplit(": ", 1)[0]
            count += (int(more[1]) if more else 0) + len(re.split(r"`, `", listed))
    return count


def told(trip, home, half, every, wanted, form, verb, remaining, notes):
    """Compare what ran with what had to run, and the notes with both."""
    unsayable = {case for case in wanted if not trip.sayable(form, case)}
    words = wanted - unsayable
    taken = trip.taken(form, verb, words, every)
    expected = every - taken if verb == "removes" else taken
    label = f"{trip.name}: {form}{'' if verb == 'removes' else ' --only'} {verb} exactly the {half} half"
    wrong = [f"{'ran' if case in remaining else 'did not run'}: {case}" for case in sorted(expected ^ remaining)]
    result = check(not wrong, f"{label} ({len(words)} of {len(every)})", "\n      ".join(wrong[:12] + notes[:8]))
    left_out = sum("left out `" in note for note in notes)
    foreign = [note for note in notes if "of other runners" in note]
    # Two spellings may be one test to flakedb, where a report flattens white space.
    missing = len({trip.identity(case) for case in unsayable})
    also = len({trip.identity(case) for case in taken - wanted} - {trip.identity(case) for case in wanted})
    result &= check(left_out == missing and not foreign and named(notes, verb) == also,
                    f"{label}: notes name what it cannot say ({missing}) and what goes along ({also})",
                    f"left out: {left_out}, goes along: {named(notes, verb)}\n      " + "\n      ".join(notes[:12]))
    return result


def journey(trip):
    """One runner, both halves, all its formats; trouble on the way counts as one failed check."""
    started = time.monotonic()
    home = WORK / "trips" / trip.name
    home.mkdir(parents=True, exist_ok=True)
    results = []
    try:
        trip.install(home)
        print(f"      {trip.name}: installed after {time.monotonic() - started:.0f} s", flush=True)
        reports = trip.run([], {})
        kept = home / "reports"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        reports = [pathlib.Path(shutil.copy(report, kept / report.name)) for report in reports]
        every = set(cases_of(reports))
        ordered = sorted(every)
        results.append(check(len(every) >= trip.at_least, f"{trip.name}: its report has all cases", f"{len(every)} cases"))
        for half, wanted in (("first", set(ordered[::2])), ("second", set(ordered[1::2]))):
            database = ingest(home, f"{trip.name}-{half}", reports, wanted)
            listed = json.loads(emitted(home, database, "json")[0])["entries"]
            listed = {(entry["classname"], entry["name"]) for entry in listed}
            distinct = {trip.identity(case) for case in wanted}
            results.append(check(listed == distinct, f"{trip.name}: exactly the {half} half is quarantined ({len(distinct)})",
                                 f"{sorted(listed ^ distinct)[:5]}"))
            for form in trip.forms:
                text, notes = emitted(home, database, form)
                remaining = set(cases_of(trip.run(*trip.leave_out(form, text))))
                results.append(told(trip, home, half, every, wanted, form, "removes", remaining, notes))
            text, notes = emitted(home, database, trip.only_form, "--only")
            remaining = set(cases_of(trip.run(*trip.only(text))))
            results.append(told(trip, home, half, every, wanted, trip.only_form, "runs", remaining, notes))
            results += trip.extra(home, database, wanted)
    except (Trouble, subprocess.TimeoutExpired, OSError, ValueError, KeyError, xml.ParseError) as trouble:
        results.append(check(False, f"{trip.name}: could not be carried through", f"{type(trouble).__name__}: {trouble}"))
    print(f"      {trip.name}: {time.monotonic() - started:.0f} s", flush=True)
    return results
