"""The files in docs/ci/*.md and action.yml: each fenced block whose first line is a comment that names a file."""

import dataclasses
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"^(?:#|//) ([\w./-]+)")
# What a file is, by the end of its name.
KINDS = {
    ".github/workflows/*.yml": "github", ".gitlab-ci.yml": "gitlab", ".buildkite/pipeline.yml": "buildkite",
    ".circleci/config.yml": "circleci", "Jenkinsfile": "jenkins", "azure-pipelines.yml": "azure", "*.sh": "shell",
    "action.yml": "action",
}


class Trouble(Exception):
    """A snippet does what it must not, or something that is not known here."""


@dataclasses.dataclass(frozen=True)
class Snippet:
    """One file to copy."""

    page: str
    line: int
    path: str
    kind: str
    text: str

    @property
    def label(self):
        return f"{self.page}:{self.line} {self.path}"


def snippets():
    """Every file of every page; a block that names no file is an error, so that nothing is left unread."""
    found = []
    for page in sorted((ROOT / "docs" / "ci").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            line = text.count("\n", 0, block.start(2)) + 1
            name = NAME.match(block[2])
            if not name:
                raise SystemExit(f"docs/ci/{page.name}:{line}: the block names no file in its first line")
            found.append(Snippet(f"docs/ci/{page.name}", line, name[1], kind(name[1]), block[2]))
    action = (ROOT / "action.yml").read_text(encoding="utf-8")
    return [*found, Snippet("action.yml", 1, "action.yml", "action", action)]


def kind(path):
    for pattern, kind in KINDS.items():
        if pathlib.PurePath(path).match(pattern):
            return kind
    raise SystemExit(f"{path}: snippets.py does not know what kind of file that is")
