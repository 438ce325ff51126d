#!/usr/bin/env bash
# The page of `flakedb report --format html` in a real Chromium. See README.md.
# Usage: FLAKEDB=path/to/flakedb tests/browser/run.sh [install]   (`install` only installs what it needs)
# Needs: bash, node, npm and the package registries; as root it installs Debian's chromium where there is none.
# Everything is written below target/browser, screenshots among it.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/binary.sh
. "$here/../binary.sh"
work="${BROWSER_WORK:-$here/../../target/browser}"
mkdir -p "$work"
work="$(cd "$work" && pwd)"

if [ ! -x "${CHROMIUM:-/usr/bin/chromium}" ]; then
  if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
    echo "run.sh: install chromium, or set CHROMIUM" >&2
    exit 2
  fi
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium fonts-noto-core >/dev/null
fi
if ! cmp -s "$here/package-lock.json" "$work/package-lock.json"; then
  cp "$here/package.json" "$here/package-lock.json" "$here/.npmrc" "$work/"
  (cd "$work" && npm ci --silent --no-audit --no-fund) || { rm "$work/package-lock.json"; exit 1; }
fi
[ "${1:-}" != install ] || exit 0
cp "$here/test.mjs" "$work/"

# A page from a history made up by flakedb's own ingest.
page() {
  local name="$1"
  shift
  rm -rf "${work:?}/$name"
  mkdir "$work/$name"
  cp "$here"/flakedb.toml "$here"/CODEOWNERS "$work/$name/"
  [ "$name" != shop ] || cp "$here/quarantine.toml" "$work/$name/"
  (
    cd "$work/$name"
    git init --quiet # CODEOWNERS stands at the root of a repository.
    node "$here/history.mjs" "$name" "$@" >history.jsonl
    "$FLAKEDB" ingest history.jsonl --project acme/shop --db history.db --quiet >/dev/null
    "$FLAKEDB" report --format html -o "../$name.html" --project acme/shop --db history.db --today 2026-11-26 --verbose
    rm history.jsonl
  )
}

page shop
page hostile
page large "${LARGE_TESTS:-5000}" "${LARGE_RUNS:-60}"
cd "$work"
export LARGE_TESTS="${LARGE_TESTS:-5000}"
exec node test.mjs "$work"
