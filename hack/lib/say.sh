# shellcheck shell=bash
# How the scripts speak: to standard error, so that a command's own output stays clean. One friendly line per step;
# what the step prints goes to a log, which is named, with its last lines, when the step fails.

setup_log="$FLASHSALE_CACHE/setup.log"

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "flashsale: $*"
  exit 1
}

# step "Installing Kafka 4.1.0" command…
step() {
  local what=$1
  shift
  say "$what …"
  if ! { printf '== %s: %s\n' "$what" "$*" && "$@"; } >>"$setup_log" 2>&1 </dev/null; then
    tail -n 12 "$setup_log" | sed 's/^/    /' >&2
    fail "${what,} failed; the whole output is in $setup_log"
  fi
}
