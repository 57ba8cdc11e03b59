# shellcheck shell=bash
# Makes this machine ready for flashsale: `setup tools` (Node and our packages), `setup tools servers` (Redis,
# PostgreSQL, Java and Kafka too), `setup tools stores` (of those Redis and PostgreSQL alone), `setup load` (what the
# benchmarks drive them with), `setup fuzz` (what a test does),
# `setup observability` (what dashboards and alerts are checked with), `setup browser` (what looks at the console).
# `setup kubernetes` (an API server, its store and kubectl), `setup cluster` (what a node adds), `setup images` (what
# images are built with), `setup helm`, `setup kind`. Sourced by the scripts in hack/.
# Quiet, and well under a second, when nothing is missing. Never starts a service, never claims a port, and installs
# nothing that is there already.
#
# Callers then have:
#   PATH                    with a Node ≥ 24 (and a Java ≥ 17, after `servers`) first
#   FLASHSALE_CACHE         what is downloaded lives here, keyed by version; safe to delete at any time
#   NODE_COMPILE_CACHE      in which every Node program finds our files compiled, and starts in half the time
#   FLASHSALE_REDIS_SERVER  the redis-server program
#   FLASHSALE_POSTGRES_BIN  the folder of initdb and postgres
#   FLASHSALE_POSTGRES_18   a folder with PostgreSQL 18's `bin` (after `postgres_18`)
#   FLASHSALE_KAFKA_LIBS    the folder of Kafka's jars
#   FLASHSALE_SCHEMATHESIS  the schemathesis program (after `fuzz`)
#   FLASHSALE_PROMETHEUS, FLASHSALE_PROMTOOL, FLASHSALE_CHROMIUM  those programs (after `observability`; `browser`: the last)
#   FLASHSALE_KUBE_BIN      the folder of etcd, kube-apiserver, kubectl, and all else that is built for the cluster
#   FLASHSALE_HELM          the helm program (after `helm`)

FLASHSALE_ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export FLASHSALE_CACHE="${FLASHSALE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/flashsale}"
[[ "$FLASHSALE_CACHE" == /* ]] || FLASHSALE_CACHE="$PWD/$FLASHSALE_CACHE"
export NODE_COMPILE_CACHE="$FLASHSALE_CACHE/compiled"

# shellcheck source=say.sh
source "$FLASHSALE_ROOT/hack/lib/say.sh"
# shellcheck source=packages.sh
source "$FLASHSALE_ROOT/hack/lib/packages.sh"
# shellcheck source=node.sh
source "$FLASHSALE_ROOT/hack/lib/node.sh"
# shellcheck source=servers.sh
source "$FLASHSALE_ROOT/hack/lib/servers.sh"
# shellcheck source=observability.sh
source "$FLASHSALE_ROOT/hack/lib/observability.sh"
# shellcheck source=kubernetes.sh
source "$FLASHSALE_ROOT/hack/lib/kubernetes.sh"

# A part is three functions: NAME_ready finds it and exports where it is, or fails; NAME_packages names the Debian
# packages this machine lacks for it; NAME_install does what is left to do after those.
parts_of() {
  case "$1" in
    tools) echo node modules ;;
    stores) echo redis postgres ;;
    servers) echo redis postgres java kafka kafka_classes ;;
    postgres_18) echo postgres_18 ;;
    load) echo wrk ;;
    fuzz) echo schemathesis ;;
    observability) echo prometheus chromium ;;
    browser) echo chromium ;;
    kafka) echo kafka ;;
    kubernetes) echo etcd apiserver kubectl ;;
    cluster) echo node_tools controller_manager scheduler kubelet kube_proxy containerd coredns ;;
    images) echo image_tools ;;
    helm) echo helm ;;
    kind) echo kind kubectl ;;
  esac
}

# setup tools|servers|load|fuzz|observability…: returns only when everything named is ready; otherwise says in one line what is wrong.
setup() {
  local group part missing=()
  for group in "$@"; do
    for part in $(parts_of "$group"); do
      "${part}_ready" || missing+=("$part")
    done
  done
  [[ ${#missing[@]} -gt 0 ]] || return 0

  mkdir -p "$FLASHSALE_CACHE" || fail "cannot create $FLASHSALE_CACHE; set FLASHSALE_CACHE to a folder you may write"
  # Two scripts started at once must not install over each other: the second waits, then finds everything ready.
  exec 9>"$FLASHSALE_CACHE/setup.lock"
  if command -v flock >/dev/null; then flock 9; fi
  : >"$setup_log"

  local packages=()
  for part in "${missing[@]}"; do
    "${part}_ready" || mapfile -t -O "${#packages[@]}" packages < <("${part}_packages")
  done
  [[ ${#packages[@]} -eq 0 ]] || install_packages "${packages[@]}"
  for part in "${missing[@]}"; do
    if ! "${part}_ready"; then
      "${part}_install"
      "${part}_ready" || fail "$part is still not usable after installing it; see $setup_log"
    fi
  done
  exec 9>&-
}

# A folder of the cache appears under its name only when it is whole, so that half a download is never used:
# `new=$(begin_folder NAME)`, fill it, `finish_folder "$new" NAME`. What an earlier try left behind goes away.
begin_folder() {
  local new
  rm -rf "$1".new-*
  new=$(mktemp -d "$1.new-XXXXXX") && chmod 755 "$new" && echo "$new"
}
finish_folder() {
  rm -rf "$2"
  mv -T "$1" "$2"
}

asks_for_help() {
  local argument
  for argument in "$@"; do
    case "$argument" in -h | --help) return 0 ;; esac
  done
  return 1
}
