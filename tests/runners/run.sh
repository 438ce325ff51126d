#!/usr/bin/env bash
# Real runners against flakedb: run ten times, ingest, judge, quarantine, and let the runner itself confirm.
# Then three real histories, tried as a new user would: flaky by time, flaky by order, broken by a commit.
# Then the round trips: nasty names quarantined, emitted and given back to each runner that can be had here (trip-pytest …).
# Usage: [SKIP_RUNNERS="NAME …"] FLAKEDB=path/to/flakedb tests/runners/run.sh [NAME …]  (default: all; names in README.md)
#        tests/runners/run.sh install    only installs all of them
# Needs: bash, git, python3 (3.10+ with venv), npm, cargo, and the package registries; as root it installs Debian's packages for the round trips. Everything is written below target/runners.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/binary.sh
. "$here/../binary.sh"
export FLAKEDB
exec python3 "$here/run.py" "$@"
