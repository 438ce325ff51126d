"""What a job leaves behind, and the snippets that work on it: comments, the nightly job, several jobs' histories."""

import json
import os
import pathlib
import shutil
import subprocess
import sys

import providers
from job import Job, variables
from snippets import ROOT

WORK = pathlib.Path(os.environ["CI_WORK"])
FLAKEDB = pathlib.Path(os.environ["FLAKEDB"])
SMALL_DISK = "4m"
# How the one failing test is annotated: a quarantined one never as an error.
LEVELS = {"quarantined": "warning", "new": "error", "crash": "warning"}
MARKER = "<!-- flakedb: tests -->"


def small_disk(folder):
    """Mounts a small file system, where that is allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK}", "tmpfs", str(folder)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0 if shutil.which("mount") else False


def unmount(folder):
    subprocess.run(["umount", str(folder)], capture_output=True, check=False)


def checked(snippet, scenario, job, runs, wanted_runs):
    """What must be there after a job whose flakedb worked, whether its tests passed or not."""
    out = job.project / ".flakedb" / "ci"
    if runs != wanted_runs:
        yield f"the history has {runs} runs, not {wanted_runs}"
    if not any("history.db" in path for path in job.saved):
        yield f"the history is not saved: {job.saved}"
    comment = (out / "comment.md").read_text(encoding="utf-8") if (out / "comment.md").exists() else ""
    if not comment.startswith(f"{MARKER}\n\n## "):
        yield f"no body of a comment: {comment[:200]!r}"
    word = {"pass": "passed", "quarantined": "excused", "new": "kept exit code 1", "crash": "kept exit code 139"}
    headline = f"{word[scenario.outcome]}:"
    if headline not in job.log or headline not in comment:
        yield f"neither the log nor the comment may lack {headline!r}"
    if snippet.kind == "github":
        level = LEVELS.get(scenario.outcome)
        if level and f"::{level} file=tests/test_cart.py,line=7" not in job.log:
            yield f"no annotation as {level}"
        summary = (job.folder / "github-step_summary").read_text(encoding="utf-8")
        if headline not in summary or "acme/shop" not in summary:
            yield f"the summary lacks the decision or the report: {summary[:500]!r}"
        uploaded = job.env["GITHUB_EVENT_NAME"] != "pull_request" or "flakedb-comment" in job.artifacts
        if not uploaded:
            yield "the comment is not uploaded"
    if snippet.kind == "azure":
        level = LEVELS.get(scenario.outcome)
        if level and f"##vso[task.logissue type={level};sourcepath=tests/test_cart.py;linenumber=7]" not in job.log:
            yield f"no issue as {level}"
    if snippet.kind == "buildkite":
        style = {"pass": "info", "quarantined": "warning", "new": "error", "crash": "error"}[scenario.outcome]
        if f"annotate --context flakedb-tests --style {style}" not in job.called() or headline not in job.called():
            yield f"no annotation in style {style}: {job.called()[:300]}"


def fresh(name, variables, **test):
    folder = WORK / "after" / name
    shutil.rmtree(folder, ignore_errors=True)
    return Job(folder, variables, **test)


def calls_of(job):
    return [json.loads(line) for line in job.called().splitlines()]


def comments(found):
    """The scripts that post: one comment, made where there is none and updated where there is."""
    body = f"{MARKER}\n\n## Tests passed\n\nA \"quote\", a `tick` and 50 %.\n"
    of = {one.page.rsplit("/", 1)[1]: one for one in found if one.path == "comment.sh"}
    other = {"id": 1, "body": "hello"}
    cases = [
        ("README.md", {"GITHUB_TOKEN": "t", "REPOSITORY": "acme/shop", "NUMBER": "9"}, "GITHUB_TOKEN",
         [other], [other, {"id": 7, "body": body}], ("POST", "/issues/9/comments"), ("PATCH", "/issues/comments/7")),
        ("gitlab.md", {"FLAKEDB_NOTES_TOKEN": "t", "CI_API_V4_URL": "https://gitlab.example/api/v4", "CI_PROJECT_ID": "3",
                       "CI_MERGE_REQUEST_IID": "8"}, "FLAKEDB_NOTES_TOKEN",
         [other], [other, {"id": 7, "body": body}], ("POST", "/merge_requests/8/notes"), ("PUT", "/notes/7")),
        ("azure.md", {"SYSTEM_ACCESSTOKEN": "t", "SYSTEM_PULLREQUEST_PULLREQUESTID": "3", "BUILD_REPOSITORY_ID": "r",
                      "SYSTEM_COLLECTIONURI": "https://dev.azure.com/acme/", "SYSTEM_TEAMPROJECTID": "p"},
         "SYSTEM_PULLREQUEST_PULLREQUESTID",
         {"value": [{"id": 1, "comments": [{"content": "hello"}]}]},
         {"value": [{"id": 1, "comments": [{}]}, {"id": 7, "comments": [{"content": body}]}]},
         ("POST", "/pullRequests/3/threads?api-version=7.1"), ("PATCH", "/threads/7/comments/1?api-version=7.1")),
    ]
    for page, env, token, without, having, made, updated in cases:
        for name, answer, wanted in (("makes one", without, made), ("updates its own", having, updated), ("skips", None, None)):
            given = {**env, token: ""} if answer is None else env
            job = fresh(f"comment-{page}-{name}", given, answer=json.dumps(answer))
            (job.project / ".flakedb" / "ci").mkdir(parents=True)
            (job.project / ".flakedb" / "ci" / "comment.md").write_text(body, encoding="utf-8")
            code = job.shell("sh", of[page].text)
            sent = [call for call in calls_of(job) if call["method"] != "GET"]
            fits = not sent if wanted is None else (
                len(sent) == 1 and sent[0]["method"] == wanted[0] and sent[0]["url"].endswith(wanted[1])
                and MARKER in sent[0]["body"] and "50 %" in sent[0]["body"])
            yield f"{of[page].label}: {name}", "" if code == 0 and fits else f"exit code {code}: {sent}\n{job.log}"
    yield from workflow_comment(found, body)


def workflow_comment(found, body):
    [snippet] = [one for one in found if one.path.endswith("flakedb-comment.yml")]
    run = {"id": "5", "head_branch": "fix-cart", "head_repository": {"owner": {"login": "someone"}}}
    event = {"github": {"repository": "acme/shop", "token": "t", "event": {"workflow_run": run}}, "runner": {}}
    ours = {"id": 7, "user": {"type": "Bot"}, "body": body}
    forged = {"id": 6, "user": {"type": "User"}, "body": body}
    for name, pulls, there, wanted in (
            ("makes one", [{"number": 9}], [forged], ("POST", "repos/acme/shop/issues/9/comments")),
            ("updates its own", [{"number": 9}], [forged, ours], ("PATCH", "repos/acme/shop/issues/comments/7")),
            ("skips a closed one", [], [], None)):
        answer = {"repos/acme/shop/pulls": pulls, "repos/acme/shop/issues/9/comments": there}
        job = fresh(f"workflow-comment-{name}", {}, answer=json.dumps(answer))
        (job.project / "comment.md").write_text(body, encoding="utf-8")
        code = providers.github(job, snippet, "comment", **event)
        sent = [call for call in calls_of(job) if call["body"]]
        fits = not sent if wanted is None else (
            len(sent) == 1 and sent[0]["method"] == wanted[0] and wanted[1] in sent[0]["words"] and sent[0]["body"] == body)
        asked = any("head=someone:fix-cart" in call["words"] for call in calls_of(job))
        yield f"{snippet.label}: {name}", "" if code == 0 and fits and asked else f"exit code {code}: {calls_of(job)}\n{job.log}"


def nightly(found):
    """The pull request for the quarantine: made once, then updated, and none where nothing changes."""
    [snippet] = [one for one in found if one.page.endswith("nightly.md")]
    job = fresh("nightly", variables("github-push"), flakedb=FLAKEDB, answer="{}")
    git = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", "-c", "init.defaultBranch=main"]
    for command in (["init", "--quiet", "--bare", job.folder / "origin.git"], ["init", "--quiet", "."],
                    ["remote", "add", "origin", job.folder / "origin.git"]):
        job.ran([*git, *command])
    (job.project / ".gitignore").write_text(".flakedb\n", encoding="utf-8")
    job.ran([*git, "add", "."])
    job.ran([*git, "commit", "--quiet", "-m", "Begin"])
    job.ran([FLAKEDB, "--db", job.history, "ingest", ROOT / "fixtures" / "demo"])
    origin = ["git", "--git-dir", job.folder / "origin.git"]
    for name, listed, wanted in (("makes a pull request", "0", "create"), ("updates it", "1", "edit")):
        (job.folder / "bin" / "gh").write_text(
            f'#!/bin/sh\nif [ "$1 $2" = "pr list" ]; then echo {listed}; else exec "{ROOT}/tests/ci/fakes/gh" "$@"; fi\n',
            encoding="utf-8")
        (job.folder / "bin" / "gh").chmod(0o755)
        job.env["PATH"] = f"{job.folder / 'bin'}:{job.env['PATH']}"
        job.calls.unlink(missing_ok=True)
        job.log = ""
        job.ran(["git", "switch", "--quiet", "main"])
        code = providers.github(job, snippet, "update")
        made = [call for call in calls_of(job) if call["words"][:2] == ["pr", wanted]]
        pushed = subprocess.run([*map(str, origin), "show", "flakedb/quarantine:quarantine.toml"], text=True, capture_output=True, check=False)
        fits = code == 0 and len(made) == 1 and "tests.test_orders" in made[0]["body"] and "[[entry]]" in pushed.stdout
        yield f"{snippet.label}: {name}", "" if fits else f"exit code {code}: {calls_of(job)}\n{pushed.stdout}{pushed.stderr}\n{job.log[-3000:]}"
    # Merged: the next night has nothing to say.
    job.ran([*git, "merge", "--quiet", "flakedb/quarantine"])
    job.ran(["git", "switch", "--quiet", "main"])
    job.ran([*git, "merge", "--quiet", "flakedb/quarantine"])
    job.calls.unlink(missing_ok=True)
    code = providers.github(job, snippet, "update")
    yield f"{snippet.label}: says nothing where nothing changes", "" if code == 0 and not job.called() else f"exit code {code}: {job.called()}\n{job.log[-3000:]}"


def shards(found):
    """Two cells of a matrix and the job that joins their histories."""
    [snippet] = [one for one in found if one.kind == "github" and "matrix:" in one.text]
    joined = fresh("shards", variables("github-push"), flakedb=FLAKEDB)
    for cell, outcome in (("3.12", "pass"), ("3.13", "new")):
        job = fresh(f"shard-{cell}", variables("github-push"), flakedb=FLAKEDB, outcome=outcome)
        code = providers.github(job, snippet, matrix={"python": cell})
        name = f"flakedb-history-{cell}"
        ok = code == (outcome == "new") and name in job.artifacts and ".flakedb/history.db" not in job.saved
        yield f"{snippet.label}: cell {cell} uploads its history and leaves the cache alone", "" if ok else f"{code} {job.saved} {job.artifacts}\n{job.log[-3000:]}"
        if ok:
            (joined.project / "shards" / name).mkdir(parents=True)
            shutil.copy(job.artifacts[name], joined.project / "shards" / name / "history.db")
    code = providers.github(joined, snippet, "history")
    done = subprocess.run([FLAKEDB, "--db", joined.history, "db", "info", "--format", "json"], text=True, capture_output=True, check=False)
    runs = json.loads(done.stdout)["runs"] if done.returncode == 0 else None
    ok = code == 0 and runs == 2 and ".flakedb/history.db" in joined.saved
    yield f"{snippet.label}: the last job joins and saves", "" if ok else f"{code} {runs} {joined.saved}\n{joined.log[-3000:]}"
    [merge] = [one for one in found if one.path == "merge.sh"]
    joined.history.unlink(missing_ok=True)
    joined.env["PATH"] = f"{joined.project / '.flakedb' / 'bin'}:{joined.env['PATH']}"
    code = joined.shell("sh", merge.text)
    yield f"{merge.label}: joins", "" if code == 0 and joined.history.exists() else f"{code}\n{joined.log[-3000:]}"
