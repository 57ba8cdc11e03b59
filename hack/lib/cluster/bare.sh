# shellcheck shell=bash
# The provider `bare`: a cluster of one node that is made of processes of this machine. It needs root and Debian's
# packages, but no Docker and no registry.

# shellcheck source=node.sh
source "$FLASHSALE_ROOT/hack/lib/cluster/node.sh"
# shellcheck source=certificates.sh
source "$FLASHSALE_ROOT/hack/lib/cluster/certificates.sh"
# shellcheck source=components.sh
source "$FLASHSALE_ROOT/hack/lib/cluster/components.sh"

bare_possible() {
  if [[ $(uname -s) != Linux || $(id -u) -ne 0 ]]; then
    fail "no Docker engine answers, and a cluster without one needs Linux and root: start Docker, or try again as root"
  fi
}

bare_setup() { setup tools kubernetes cluster images helm; }

bare_kubeconfig() { echo "$cluster_state/admin.kubeconfig"; }

bare_is_there() { node_alive; }

bare_is_up() {
  local name
  node_alive || return
  for name in "${components[@]}"; do node_runs "$name" || return; done
}

bare_up() {
  local name
  if ! node_alive; then
    # What a restart of the machine or a half-made cluster left: state without processes is worth nothing.
    if [[ -e "$cluster_state" ]]; then bare_down; fi
    mkdir -p "$cluster_state"
    echo bare >"$cluster_state/provider"
    step "Making the node (network namespace $node_network)" node_create
  fi
  write_configuration >>"$setup_log" 2>&1 || fail "cannot write the cluster's configuration; see $setup_log"
  for name in "${components[@]}"; do
    node_runs "$name" || step "Starting $name" component_start "$name"
    # Several start at once; the next one needs the API server's word, and containers need an image to rest on.
    case "$name" in
      kube-apiserver) step "Waiting for the API server" component_up kube-apiserver ;;
      containerd)
        step "Waiting for containerd" component_up containerd
        bare_load pause
        ;;
    esac
  done
  step "Applying the storage class and the names" cluster_kubectl apply --filename "$FLASHSALE_ROOT/hack/lib/cluster/objects.yaml"
  for name in "${components[@]}"; do component_up "$name" >>"$setup_log" 2>&1 || fail "$name does not get ready; see $setup_log"; done
}

bare_down() {
  step "Ending the cluster" node_destroy
  rm -rf --one-file-system "$cluster_state"
}

bare_exec() { exec nsenter --net="/run/netns/$node_network" -- "$@"; }

# bare_load IMAGE…: only what the node lacks is handed over, layer by layer.
bare_load() {
  local image
  for image in "$@"; do
    if [[ -f "$image" ]]; then
      step "Loading $image" node_images import --local "$image"
    else
      build_image "$image"
      node_has "$image" || step "Loading $(image_name "$image")" hand_over "$image"
    fi
  done
}

node_images() { in_node "$FLASHSALE_KUBE_BIN/ctr" --namespace k8s.io images "$@"; }

node_has() {
  local digest
  digest=$(node_images list "name==$(image_name "$1")" 2>/dev/null | awk 'NR == 2 { print $3 }')
  [[ -n "$digest" && "$digest" == "$(image_digest "$1")" ]]
}

hand_over() {
  local present
  present=$(in_node "$FLASHSALE_KUBE_BIN/ctr" --namespace k8s.io content list --quiet) || return
  image_archive "$1" "$present" | node_images import --local - && node_has "$1"
}
