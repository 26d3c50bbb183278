# shellcheck shell=bash
# Shared by the scripts in tools/; they source it after `set -euo pipefail`.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cache=${PENSTOCK_CACHE:-${XDG_CACHE_HOME:-${HOME:-~}/.cache}/penstock}

say() { printf '%s\n' "$*" >&2; }

# fail CODE TEXT: one line, then out.
fail() {
  say "$(basename "$0"): $2"
  exit "$1"
}

# usage_if_asked ARG: the comment block at the head of a script is its help.
usage_if_asked() {
  [[ ${1:-} == -h || ${1:-} == --help ]] || return 0
  sed -n '2,/^[^#]/s/^# \{0,1\}//p' "$0"
  exit 0
}

# need_program: $program, what the comparisons run.
need_program() {
  program=$root/build/release/bin/pipeline-run
  [[ -x $program ]] || fail 66 'no build/release; run tools/quickstart'
}

# need_gemma: $model, the published file of Gemma 3 270M.
need_gemma() {
  model=$cache/models/gemma-3-270m/gemma-3-270m-q4_k_m.gguf
  [[ -e $model ]] || fail 66 'no model; run tools/models fetch gemma-3-270m'
}

# The first Python that has pip; Debian's own comes first.
pip_python() {
  local python
  for python in /usr/bin/python3 python3; do
    if "$python" -c 'import pip' 2>/dev/null; then
      printf '%s\n' "$python"
      return
    fi
  done
  fail 69 "no python3 with pip; on Debian: sudo apt-get install python3-pip"
}

# pinned PACKAGE: the version that tools/pins names.
pinned() { sed -n "s/^$1==\([^ ]*\).*/\1/p" "$root"/tools/pins/*.txt; }

# show_progress DIR MB: how much of MB lies in DIR, until killed.
show_progress() {
  local have
  while sleep "$([[ -t 2 ]] && echo 1 || echo 5)"; do
    have=$(du -sm "$1" 2>/dev/null | cut -f1) || continue
    if [[ -t 2 ]]; then
      printf '\r  %s of %s MB ' "$have" "$2" >&2
    else
      say "  $have of $2 MB"
    fi
  done
}

# pip_fetch DIR MB PIP-ARGUMENTS...: pip download, hash-checked, with progress.
pip_fetch() {
  local dir=$1 size=$2 python status=0 watcher
  shift 2
  python=$(pip_python)
  mkdir -p "$dir/tmp"
  show_progress "$dir" "$size" &
  watcher=$!
  TMPDIR=$dir/tmp "$python" -m pip download --quiet --no-cache-dir --no-deps \
    --progress-bar off --retries 2 --disable-pip-version-check \
    --require-hashes --dest "$dir" "$@" >"$dir/log" 2>&1 || status=$?
  kill "$watcher" 2>/dev/null || true
  wait "$watcher" 2>/dev/null || true
  [[ -t 2 ]] && printf '\r\033[K' >&2
  [[ $status -eq 0 ]] && return
  if grep -q 'DO NOT MATCH THE HASHES' "$dir/log"; then
    fail 65 "what was downloaded is not what is pinned (SHA-256 differs)"
  fi
  if grep -qiE 'connection|resolution|timed out|no matching dist|unreachable' \
    "$dir/log"; then
    fail 75 "cannot reach the package index; try again with a network"
  fi
  tail -n 5 "$dir/log" >&2
  fail 70 "pip failed"
}

# use_venv NAME MODULES DOING WHAT PIP-ARGUMENTS...: $venv, a virtual environment
# of its own that can import MODULES; filled once, while it says DOING.
use_venv() {
  local modules=$2 doing=$3 what=$4
  venv=$cache/compare/$1
  shift 4
  "$venv/bin/python" -c "import $modules" 2>/dev/null && return
  say "$doing"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check "$@" >&2 ||
    fail 75 "$what could not be installed"
}

# make_once DIR FUNCTION: unless DIR is there, let FUNCTION fill a folder
# beside it and move that into place, so that DIR is whole or absent.
make_once() {
  local target=$1 temporary
  shift
  [[ -d $target ]] && return
  mkdir -p "$(dirname "$target")"
  temporary=$(mktemp -d "$(dirname "$target")/.partial.XXXXXX")
  # shellcheck disable=SC2064  # the path of now, not of then
  trap "rm -rf '$temporary'" EXIT
  mkdir "$temporary/result"
  "$@" "$temporary"
  mv -T "$temporary/result" "$target"
  rm -rf "$temporary"
  trap - EXIT
}
