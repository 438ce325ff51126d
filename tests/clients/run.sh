#!/usr/bin/env bash
# Real clients of Ollama, OpenAI and Anthropic against `flakedb mock`, each from its registry; then the tests that
# clients ship in their own packages, and every example of docs/mock.md. See README.md.
# Usage: FLAKEDB=path/to/flakedb tests/clients/run.sh [NAME …]  (default: all; names in README.md; `install` only installs
#        and builds the clients)
# Needs: bash, python3 (3.11+ with venv), node 20+ with npm, cargo, and the package registries. Everything is written
# below target/clients (or CLIENTS_WORK).
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
# shellcheck source=tests/binary.sh
. "$here/../binary.sh"
export FLAKEDB CLIENTS_WORK="${CLIENTS_WORK:-$here/../../target/clients}"
mkdir -p "$CLIENTS_WORK"
CLIENTS_WORK="$(cd "$CLIENTS_WORK" && pwd)"
exec python3 "$here/run.py" "$@"
