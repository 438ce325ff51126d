"""How each provider runs a snippet: which scripts, in which shell, after what, and what it keeps of the job."""

import pathlib
import re

from ruamel.yaml import YAML

from snippets import ROOT, Trouble

EXPRESSION = re.compile(r"\$\{\{\s*(.*?)\s*\}\}")
PREPEND = re.compile(r"^##vso\[task\.prependpath\](.*)$", re.MULTILINE)


def load(text):
    return YAML(typ="safe", pure=True).load(text)


def joined(lines):
    return "\n".join([lines] if isinstance(lines, str) else lines) + "\n"


def interpolated(script):
    """What the upload of a Buildkite pipeline makes of a script: `$$` is a `$`, a single one would be its own."""
    if re.search(r"(?<!\$)\$(?!\$)", script.replace("$$", "")):
        raise Trouble(f"buildkite: a single $ is read by the upload of the pipeline:\n{script}")
    return script.replace("$$", "$")


def scripts(snippet):
    """Every shell script of a snippet as (place, script), for shellcheck."""
    if snippet.kind == "shell":
        return [("script", snippet.text)]
    if snippet.kind == "jenkins":
        return [(f"sh-{place}", text) for place, text in enumerate(re.findall(r"sh '''(.*?)'''", snippet.text, re.DOTALL))]
    document = load(snippet.text)
    if snippet.kind == "buildkite":
        return [("command", interpolated(joined(step["command"]))) for step in document["steps"]]
    if snippet.kind == "gitlab":
        return [(name, joined(job.get("before_script", [])) + joined(job["script"]))
                for name, job in document.items() if "script" in job]
    if snippet.kind == "circleci":
        steps = [step["run"] for job in document["jobs"].values() for step in job["steps"] if "run" in step]
        return [(f"run-{place}", step if isinstance(step, str) else step["command"])
                for place, step in enumerate(steps) if isinstance(step, (str, dict))]
    if snippet.kind == "azure":
        return [(f"bash-{place}", step["bash"]) for place, step in enumerate(document["steps"]) if "bash" in step]
    of = [document["runs"]["steps"]] if snippet.kind == "action" else [job["steps"] for job in document["jobs"].values()]
    steps = [step for steps in of for step in steps if "run" in step]
    # An expression is text to the shell; here a word stands for it.
    return [(f"run-{place}", EXPRESSION.sub("expression", step["run"])) for place, step in enumerate(steps)]


class Github:
    """A job of a workflow, with composite actions of this repository and what `actions/*` do with files."""

    def __init__(self, job, name="tests", **contexts):
        self.job, self.outputs = job, {}
        self.contexts = {
            "github": {"job": name, "run_id": "901", "run_attempt": "2", "event_name": job.env.get("GITHUB_EVENT_NAME"),
                       "repository": "acme/shop", "token": "the-job's-own"},
            "runner": {"os": "Linux", "arch": "X64", "temp": str(job.folder)}, **contexts}

    def look_up(self, path):
        at = {**self.contexts, "steps": self.outputs}
        for part in path.split("."):
            if part not in at:
                raise Trouble(f"providers.py: ${{{{ {path} }}}} is not known here")
            at = at[part]
        return at

    def expanded(self, value):
        return EXPRESSION.sub(lambda found: self.look_up(found[1]), value) if isinstance(value, str) else value

    def holds(self, condition, failed):
        parts = (condition or "success()").split(" && ")
        if "always()" not in parts and failed:
            return False
        for part in parts:
            if part in ("always()", "success()"):
                continue
            path, sign, literal = re.fullmatch(r"([\w.-]+) (==|!=) '(.*)'", part).groups()
            if (self.look_up(path) == literal) != (sign == "=="):
                return False
        return True

    def run(self, steps):
        """Runs steps in order; the exit code is that of the first that failed."""
        code = 0
        for step in steps:
            if not self.holds(step.get("if"), code != 0):
                continue
            ended = self.step(step)
            if ended and not step.get("continue-on-error"):
                code = code or ended
        return code

    def step(self, step):
        if "run" in step:
            return self.script(step)
        given = {key: self.expanded(value) for key, value in step.get("with", {}).items()}
        action = step["uses"].split("@")[0]
        job = self.job
        if action == "flakedb/flakedb":
            return self.composite(given)
        if action == "actions/cache/restore" and "id" in step:
            self.outputs[step["id"]] = {"outputs": {"cache-hit": ""}}
        if action == "actions/cache/save" and (job.project / given["path"]).exists():
            job.saved.append(given["path"])
        if action == "actions/upload-artifact" and (job.project / given["path"]).exists():
            if given["path"].startswith(".") and not given.get("include-hidden-files"):
                raise Trouble(f"{given['path']}: hidden files are not uploaded unless asked for")
            job.artifacts[given["name"]] = job.project / given["path"]
        return 0

    def script(self, step):
        job, files = self.job, {}
        for name in ("OUTPUT", "STEP_SUMMARY", "PATH", "ENV"):
            files[f"GITHUB_{name}"] = job.folder / f"github-{name.lower()}"
            if name != "STEP_SUMMARY":
                files[f"GITHUB_{name}"].write_text("", encoding="utf-8")
        env = {key: self.expanded(value) for key, value in step.get("env", {}).items()}
        env |= {key: str(value) for key, value in files.items()} | {"GITHUB_ACTION_PATH": str(ROOT)}
        shell = "github-bash" if step.get("shell") == "bash" else "github"
        code = job.shell(shell, self.expanded(step["run"]), env)
        lines = files["GITHUB_OUTPUT"].read_text(encoding="utf-8").splitlines()
        if "id" in step:
            self.outputs[step["id"]] = {"outputs": dict(line.split("=", 1) for line in lines)}
        for path in files["GITHUB_PATH"].read_text(encoding="utf-8").splitlines():
            job.env["PATH"] = f"{path}:{job.env['PATH']}"
        return code

    def composite(self, given):
        action = load((ROOT / "action.yml").read_text(encoding="utf-8"))
        unknown = set(given) - set(action["inputs"])
        if unknown:
            raise Trouble(f"action.yml has no input {', '.join(unknown)}")
        inputs = {name: given.get(name, self.expanded(spec.get("default", ""))) for name, spec in action["inputs"].items()}
        inner = Github(self.job, **{**self.contexts, "inputs": inputs})
        return inner.run(action["runs"]["steps"])


def github(job, snippet, name="tests", **contexts):
    return Github(job, name, **contexts).run(load(snippet.text)["jobs"][name]["steps"])


def gitlab(job, snippet, shell="gitlab"):
    [(name, tests)] = load(snippet.text).items()
    code = job.shell(shell, joined(tests["before_script"]) + joined(tests["script"]), {"CI_JOB_NAME": name})
    for cache in tests["cache"]:
        if cache.get("when") == "always" or code == 0:
            job.saved += [path for path in cache["paths"] if (job.project / path).exists()]
    if tests["artifacts"]["when"] == "always":
        job.artifacts |= {path: job.project / path for path in tests["artifacts"]["paths"]}
    return code


def gitlab_sh(job, snippet):
    """An image without bash."""
    return gitlab(job, snippet, "gitlab-sh")


def buildkite(job, snippet):
    [step] = load(snippet.text)["steps"]
    job.history = job.home / ".flakedb" / job.env["BUILDKITE_PIPELINE_SLUG"] / "history.db"
    code = job.shell("buildkite", interpolated(joined(step["command"])))
    job.saved.append(".flakedb/history.db")
    job.artifacts |= {file.name: file for pattern in step["artifact_paths"] for file in job.project.glob(pattern)}
    return code


def circleci(job, snippet):
    code = 0
    env = {"BASH_ENV": str(job.folder / "bash-env")}
    (job.folder / "bash-env").touch()
    for step in load(snippet.text)["jobs"]["tests"]["steps"]:
        [(kind, given)] = step.items() if isinstance(step, dict) else [(step, {})]
        always = kind.startswith("store_") or (isinstance(given, dict) and given.get("when") == "always")
        if code and not always:
            continue
        if kind == "run":
            code = job.shell("circleci", given if isinstance(given, str) else given["command"], env) or code
        if kind == "save_cache":
            job.saved += [path for path in given["paths"] if (job.project / path).exists()]
        if kind == "store_artifacts":
            job.artifacts[given["path"]] = job.project / given["path"]
    return code


def azure(job, snippet):
    code = 0
    for step in load(snippet.text)["steps"]:
        if code and step.get("condition") != "always()":
            continue
        if "bash" in step:
            before = len(job.log)
            code = job.shell("azure", step["bash"]) or code
            for path in PREPEND.findall(job.log[before:]):
                job.env["PATH"] = f"{path}:{job.env['PATH']}"
        elif step["task"] != "UsePythonVersion@0" and not step.get("continueOnError"):
            raise Trouble(f"{step['task']} could fail a build whose tests pass: it needs continueOnError")
        elif step["task"] == "PublishPipelineArtifact@1":
            path = step["inputs"]["targetPath"].replace("$(System.DefaultWorkingDirectory)", str(job.project))
            job.saved += [path] if pathlib.Path(path).exists() else []
    job.artifacts["ci"] = job.project / ".flakedb" / "ci"
    return code


def jenkins(job, snippet):
    file = job.folder / "Jenkinsfile"
    file.write_text(snippet.text, encoding="utf-8")
    job.history = job.home / ".flakedb" / job.env["JOB_NAME"].split("/")[0] / "history.db"
    code = job.ran(["groovy", ROOT / "tests" / "ci" / "jenkins.groovy", file])
    noted = re.findall(r"^noted: (\w+) (.*)$", job.log, re.MULTILINE)
    if [name for name, _ in noted] != ["junit", "archiveArtifacts"] or "allowEmptyArchive:true" not in noted[1][1]:
        raise Trouble(f"jenkins: the post steps did not run: {noted}\n{job.log}")
    job.saved.append(".flakedb/history.db")
    return code


def generic(job, snippet):
    job.env["PATH"] = f"{job.home / '.cargo' / 'bin'}:{job.env['PATH']}"
    code = job.shell("sh", snippet.text)
    job.saved.append(".flakedb/history.db")
    return code
