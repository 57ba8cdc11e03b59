# shellcheck shell=bash
# The provider `kind`: Kubernetes in a container of the Docker engine that answers here. Its images come from the
# registry, where they are the real ones; they get the names that the tests use.

kind_images='redis docker.io/library/redis:8
postgres docker.io/library/postgres:18
kafka docker.io/apache/kafka:4.1.0'

kind() { "$FLASHSALE_KUBE_BIN/kind" "$@"; }

docker_answers() { command -v docker >/dev/null && [[ -n "$(timeout 10 docker version --format '{{.Server.Version}}' 2>/dev/null)" ]]; }

kind_possible() { docker_answers || fail 'kind needs a Docker engine that answers; start it, or set FLASHSALE_CLUSTER_PROVIDER=bare'; }
kind_setup() { setup tools kind helm; }
kind_kubeconfig() { echo "$cluster_state/admin.kubeconfig"; }
kind_is_there() { kind_is_up; }
kind_is_up() { [[ "$(provider)" == kind ]] && kind get clusters 2>/dev/null | grep --quiet --line-regexp flashsale; }

kind_up() {
  mkdir -p "$cluster_state"
  echo kind >"$cluster_state/provider"
  step 'Making a cluster with kind' kind create cluster --name flashsale --kubeconfig "$(kind_kubeconfig)" --wait 180s
  # A node may be ready before namespaces have the account that pods run as.
  step 'Waiting for the first account' "$FLASHSALE_KUBE_BIN/kubectl" --kubeconfig "$(kind_kubeconfig)" \
    wait --for=create serviceaccount/default --timeout=60s
}

kind_down() {
  step 'Ending the cluster' kind delete cluster --name flashsale --kubeconfig "$(kind_kubeconfig)"
  rm -rf "$cluster_state"
}

kind_exec() { exec "$@"; }

kind_load() {
  local image name source
  for image in "$@"; do
    if [[ -f "$image" ]]; then
      step "Loading $image" kind load image-archive --name flashsale "$image"
      continue
    fi
    name=$(image_name "$image")
    source=$(awk -v image="$image" '$1 == image { print $2 }' <<<"$kind_images")
    case "$image" in
      flashsale) step "Building $name" docker build --file "$FLASHSALE_ROOT/hack/image/Containerfile" --tag "$name" "$FLASHSALE_ROOT" ;;
      pause) step "Building $name" docker_build_pause "$name" ;;
      *) docker image inspect "$name" >/dev/null 2>&1 || step "Fetching $source" docker_pull_as "$source" "$name" ;;
    esac
    step "Loading $name" kind load docker-image --name flashsale "$name"
  done
}
docker_pull_as() { docker pull "$1" && docker tag "$1" "$2"; }
docker_build_pause() {
  printf 'FROM docker.io/library/busybox:1\nCOPY pause /pause\nUSER 65535:65535\nENTRYPOINT ["/pause"]\n' |
    docker build --file - --tag "$1" "$FLASHSALE_ROOT/hack/image"
}
