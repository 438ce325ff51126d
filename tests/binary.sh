# For the scripts beside: which flakedb is tested, as an absolute path in FLAKEDB. Needs `here`, the script's own folder.
# `run.sh install` needs none yet: it only brings what the suite needs, while flakedb is being built.
: "${FLAKEDB:=$here/../../target/release/flakedb}"
if [ "${1:-}" != install ] && [ ! -x "$FLAKEDB" ]; then
  echo "run.sh: no flakedb at '$FLAKEDB'; build it (cargo build --release) or set FLAKEDB" >&2
  exit 2
fi
mkdir -p "$(dirname "$FLAKEDB")"
FLAKEDB="$(cd "$(dirname "$FLAKEDB")" && pwd)/$(basename "$FLAKEDB")"
