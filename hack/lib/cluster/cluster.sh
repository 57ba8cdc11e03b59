# shellcheck shell=bash
# The commands of hack/cluster, whichever provider carries them out: a provider is a set of functions PROVIDER_possible,
# _setup, _up, _is_up, _is_there (perhaps not whole), _down, _load, _kubeconfig and _exec. Decides which provider that is,
# and says what happens.

cluster_state="${XDG_STATE_HOME:-$HOME/.local/state}/flashsale/cluster"

# shellcheck source=bare.sh
source "$FLASHSALE_ROOT/hack/lib/cluster/bare.sh"
# shellcheck source=kind.sh
source "$FLASHSALE_ROOT/hack/lib/cluster/kind.sh"

# The provider of the cluster that is there.
provider() { cat "$cluster_state/provider" 2>/dev/null; }

provider_to_make() {
  local wanted=${FLASHSALE_CLUSTER_PROVIDER:-}
  case "$wanted" in
    kind | bare) echo "$wanted" ;;
    '') if docker_answers; then echo kind; else echo bare; fi ;;
    *) fail "FLASHSALE_CLUSTER_PROVIDER is kind or bare, not '$wanted'" ;;
  esac
}

# One command changes the cluster at a time; a second one waits for it.
alone() {
  mkdir -p "$(dirname "$cluster_state")" || fail "cannot create $(dirname "$cluster_state"); set XDG_STATE_HOME to a folder you may write"
  exec 8>"$cluster_state.lock"
  if command -v flock >/dev/null; then flock 8; fi
}

must_be_there() { "$(provider || echo no)_is_there" 2>/dev/null || fail 'there is no cluster; make one with hack/cluster up'; }

cluster_up() {
  local chosen
  chosen=$(provider || provider_to_make) || exit
  "${chosen}_possible"
  "${chosen}_setup"
  alone
  mkdir -p "$FLASHSALE_CACHE"
  if "${chosen}_is_up"; then
    say "The cluster is up ($chosen)."
  else
    "${chosen}_up"
    say "The cluster is up ($chosen, Kubernetes $kubernetes_version)."
  fi
  say "  give it images    hack/cluster load"
  say "  look around       hack/cluster exec -- kubectl get pods --all-namespaces"
  say "  end it            hack/cluster down"
}

cluster_down() {
  local there
  alone
  if there=$(provider); then
    "${there}_down"
    say 'The cluster is gone.'
  else
    say 'There is no cluster.'
  fi
}

cluster_load() {
  local name key chosen=()
  for name in "$@"; do
    key=$(image_key "$name")
    if [[ -f "$name" ]]; then
      chosen+=("$(realpath "$name")")
    elif [[ -n "$key" ]]; then
      chosen+=("$key")
    else
      fail "there is no image $name: name one of ${images[*]}, or the path of an archive"
    fi
  done
  [[ $# -gt 0 ]] || chosen=("${images[@]}")
  must_be_there
  alone
  setup tools images
  if [[ " ${chosen[*]} " == *" kafka "* ]]; then setup kafka; fi
  "$(provider)_load" "${chosen[@]}"
}

cluster_kubeconfig() {
  must_be_there
  "$(provider)_kubeconfig"
}

cluster_exec() {
  shift
  must_be_there
  KUBECONFIG=$("$(provider)_kubeconfig")
  export KUBECONFIG PATH="$FLASHSALE_KUBE_BIN:$PATH"
  helm_ready || true
  "$(provider)_exec" "$@"
}

cluster_stop() {
  must_be_component "$1"
  step "Stopping $1" node_stop "$1" TERM KILL
}
cluster_kill() {
  must_be_component "$1"
  step "Killing $1" node_stop "$1" KILL
}
cluster_start() {
  must_be_component "$1"
  step "Starting $1" component_up "$1"
}
must_be_component() {
  [[ "$(provider)" == bare ]] && node_alive || fail 'there is no cluster of the provider bare; make one with hack/cluster up'
  [[ " ${components[*]} " == *" $1 "* ]] || fail "the cluster has no program $1, but ${components[*]}"
  alone
}
