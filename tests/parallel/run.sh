#!/usr/bin/env bash
# Parallel runs with real parts: pytest against one real Redis, a suite whose worker dies, a planted polluter, the
# shards of pytest and nextest. See README.md.
# Usage: FLAKEDB=path/to/flakedb tests/parallel/run.sh [NAME …]  (default: all; names in README.md; `install` only installs)
# Needs: bash, python3 (3.10+ with venv), cargo and the package registries; as root it installs Debian's redis-server.
# Everything is written below target/parallel (or RUNNERS_DIR).
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/binary.sh
. "$here/../binary.sh"
export FLAKEDB RUNNERS_DIR="${RUNNERS_DIR:-$here/../../target/parallel}"
mkdir -p "$RUNNERS_DIR"
RUNNERS_DIR="$(cd "$RUNNERS_DIR" && pwd)"
exec python3 "$here/run.py" "$@"
