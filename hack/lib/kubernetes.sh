# shellcheck shell=bash
# The programs of a Kubernetes cluster, built from their Go modules, so that neither a registry nor a download site is
# needed: `kubernetes` is an API server, its store and kubectl; `cluster` what a node adds; helm what tests
# use. Built once per version; every program is a step of its own, so that an interrupted build goes on where it was.

go_minimum=1.26
kubernetes_version=1.36.3
etcd_version=3.6.8
containerd_version=2.2.1
coredns_version=1.14.7
helm_version=4.3.1
kind_version=0.33.0

# One folder for all of them, as components look for each other on the PATH. A program counts as built when its identity
# says what it was built from, and the identity is written last.
FLASHSALE_KUBE_BIN="$FLASHSALE_CACHE/kubernetes-$kubernetes_version"
export FLASHSALE_KUBE_BIN

must_have_go() {
  local found
  found=$(go env GOVERSION 2>/dev/null | sed 's/^go//' || true)
  [[ -n "$found" && "$(printf '%s\n' "$go_minimum" "$found" | sort --version-sort | head -n 1)" == "$go_minimum" ]] ||
    fail "Kubernetes is built from source here, once, which takes Go $go_minimum or newer (found: ${found:-none}); please install it: https://go.dev/doc/install"
}

# go_pins_folder MODULE: where its go.mod and go.sum lie, by the name of its repository.
go_pins_folder() {
  local name=${1%/v[0-9]*}
  name=${name%/server}
  echo "$FLASHSALE_ROOT/hack/lib/pins/go/${name##*/}"
}

# built PROGRAM SOURCE
built() { [[ -x "$FLASHSALE_KUBE_BIN/$1" && "$(cat "$FLASHSALE_KUBE_BIN/.built/$1" 2>/dev/null)" == "$2" ]]; }

# build PROGRAM "MODULE VERSION" PACKAGE MINUTES [go build's arguments]: in a module of its own that only requires that
# one, and whose go.sum says what each module that it needs must be. Where PROGRAM.go lies beside the cluster's scripts, it
# is that module's main program.
build() {
  local program=$1 source=$2 package=$3 minutes=$4 module version new
  read -r module version _ <<<"$source"
  shift 4
  must_have_go
  new=$(begin_folder "$FLASHSALE_CACHE/build-$program")
  mkdir -p "$FLASHSALE_KUBE_BIN/.built"
  rm -f "$FLASHSALE_KUBE_BIN/.built/$program"
  cp "$(go_pins_folder "$module")"/go.* "$new"
  if [[ "$package" == . ]]; then cp "$FLASHSALE_ROOT/hack/lib/cluster/$program.go" "$new/main.go"; fi
  step "Building $program $version from its Go module, once (about $minutes min on two cores)" \
    env GOWORK=off CGO_ENABLED=0 go -C "$new" build -mod=readonly -trimpath -o "$new/$program" "$@" "$package"
  mv "$new/$program" "$FLASHSALE_KUBE_BIN/$program"
  echo "$source" >"$FLASHSALE_KUBE_BIN/.built/$program"
  rm -rf "$new"
}

kubernetes_source="k8s.io/kubernetes $kubernetes_version"
# build_kubernetes PROGRAM MINUTES [go build's arguments]: the program says its version, as a released one does.
build_kubernetes() {
  local program=$1 minutes=$2 package flags='-s -w' major=${kubernetes_version%%.*} minor
  shift 2
  minor=${kubernetes_version#*.} minor=${minor%.*}
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    flags+=" -X $package.gitVersion=v$kubernetes_version -X $package.gitMajor=$major -X $package.gitMinor=$minor"
  done
  build "$program" "$kubernetes_source" "k8s.io/kubernetes/cmd/$program" "$minutes" -ldflags "$flags" "$@"
}

etcd_source="go.etcd.io/etcd/server/v3 $etcd_version"
etcd_ready() { built etcd "$etcd_source"; }
etcd_packages() { :; }
etcd_install() { build etcd "$etcd_source" go.etcd.io/etcd/server/v3 2 -ldflags '-s -w'; }

apiserver_ready() { built kube-apiserver "$kubernetes_source"; }
apiserver_packages() { :; }
apiserver_install() { build_kubernetes kube-apiserver 7; }

kubectl_ready() { built kubectl "$kubernetes_source"; }
kubectl_packages() { :; }
kubectl_install() { build_kubernetes kubectl 1; }

controller_manager_ready() { built kube-controller-manager "$kubernetes_source"; }
controller_manager_packages() { :; }
controller_manager_install() { build_kubernetes kube-controller-manager 2; }

scheduler_ready() { built kube-scheduler "$kubernetes_source"; }
scheduler_packages() { :; }
scheduler_install() { build_kubernetes kube-scheduler 1; }

kubelet_ready() { built kubelet "$kubernetes_source"; }
kubelet_packages() { :; }
kubelet_install() { build_kubernetes kubelet 1; }

kube_proxy_ready() { built kube-proxy "$kubernetes_source"; }
kube_proxy_packages() { :; }
kube_proxy_install() { build_kubernetes kube-proxy 1; }

containerd_source="github.com/containerd/containerd/v2 $containerd_version"
containerd_programs=(containerd ctr containerd-shim-runc-v2)
containerd_ready() {
  local program
  for program in "${containerd_programs[@]}"; do built "$program" "$containerd_source" || return; done
}
containerd_packages() { :; }
containerd_install() {
  local program
  for program in "${containerd_programs[@]}"; do
    built "$program" "$containerd_source" || build "$program" "$containerd_source" \
      "github.com/containerd/containerd/v2/cmd/$program" 1 -tags no_btrfs,no_devmapper,no_zfs \
      -ldflags "-s -w -X github.com/containerd/containerd/v2/version.Version=v$containerd_version"
  done
}

# With the plugins that coredns.go names.
coredns_source() { echo "github.com/coredns/coredns $coredns_version $(sha256sum <"$FLASHSALE_ROOT/hack/lib/cluster/coredns.go" | cut -c 1-16)"; }
coredns_ready() { built coredns "$(coredns_source)"; }
coredns_packages() { :; }
coredns_install() { build coredns "$(coredns_source)" . 1 -ldflags '-s -w'; }

# What a node needs besides: the runtime of containers, their networks, and the rules of Services.
node_tools_ready() { [[ -z "$(node_tools_packages)" ]]; }
node_tools_packages() {
  command -v runc >/dev/null || echo runc
  command -v iptables >/dev/null || echo iptables
  command -v ip >/dev/null || echo iproute2
  command -v openssl >/dev/null || echo openssl
  command -v inotifywait >/dev/null || echo inotify-tools
  [[ -x /usr/lib/cni/ptp ]] || echo containernetworking-plugins
}
node_tools_install() { :; }

# What images are built with where there is no registry.
image_tools_ready() { [[ -z "$(image_tools_packages)" ]]; }
image_tools_packages() {
  command -v buildah >/dev/null || echo buildah
  command -v mmdebstrap >/dev/null || echo mmdebstrap
  command -v busybox >/dev/null || echo busybox-static
}
image_tools_install() { :; }

helm_source="helm.sh/helm/v4 $helm_version"
helm_ready() { built helm "$helm_source" && export FLASHSALE_HELM="$FLASHSALE_KUBE_BIN/helm"; }
helm_packages() { :; }
helm_install() { build helm "$helm_source" helm.sh/helm/v4/cmd/helm 2 -ldflags "-s -w -X helm.sh/helm/v4/internal/version.version=v$helm_version"; }

kind_source="sigs.k8s.io/kind $kind_version"
kind_ready() { built kind "$kind_source"; }
kind_packages() { :; }
kind_install() { build kind "$kind_source" sigs.k8s.io/kind 1 -ldflags '-s -w'; }
