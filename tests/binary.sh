# For the scripts beside: which flakedb is tested, as an absolute path in FLAKEDB. Needs `here`, the script's own folder.
: "${FLAKEDB:=$here/../../target/release/flakedb}"
if [ ! -x "$FLAKEDB" ]; then
  echo "run.sh: no flakedb at '$FLAKEDB'; build it (cargo build --release) or set FLAKEDB" >&2
  exit 2
fi
FLAKEDB="$(cd "$(dirname "$FLAKEDB")" && pwd)/$(basename "$FLAKEDB")"
