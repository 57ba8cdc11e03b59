# shellcheck shell=bash
# The programs of the bare cluster's one node, in the order in which they need each other: how each is started. Their
# configuration is written here too, so that a setting stands in one place.

node_name=flashsale
pod_range=10.244.0.0/16
service_range=10.96.0.0/16
service_address=10.96.0.1
dns_address=10.96.0.10
components=(etcd kube-apiserver kube-controller-manager kube-scheduler containerd kubelet kube-proxy coredns)

write_configuration() {
  write_certificates || return
  mkdir -p "$cluster_state/cni"
  : >"$cluster_state/resolv.conf"
  # Point to point: no pod reaches another one past the rules of Services, whatever the kernel does with bridges.
  cat >"$cluster_state/cni/flashsale.conflist" <<JSON
{"cniVersion": "1.0.0", "name": "flashsale", "plugins": [
  {"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local", "ranges": [[{"subnet": "$pod_range"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
JSON
  # restrict_oom_score_adj: a sandbox may withhold the right to lower it, and no container would start.
  cat >"$cluster_state/containerd.toml" <<TOML
version = 3
disabled_plugins = ["io.containerd.nri.v1.nri"]
[plugins."io.containerd.cri.v1.images".pinned_images]
  sandbox = "localhost/pause:1"
[plugins."io.containerd.cri.v1.runtime"]
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.cri.v1.runtime".cni]
    bin_dirs = ["/usr/lib/cni"]
    conf_dir = "$cluster_state/cni"
TOML
  # This machine's disk and swap are not the cluster's to judge: it evicts and collects images only at the very end.
  cat >"$cluster_state/kubelet.yaml" <<YAML
apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: "$cluster_state/certificates/ca.crt"}}
authorization: {mode: Webhook}
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
cgroupDriver: cgroupfs
cgroupRoot: /$node_cgroup
enforceNodeAllocatable: []
failCgroupV1: false
failSwapOn: false
clusterDNS: ["$dns_address"]
clusterDomain: cluster.local
resolvConf: "$cluster_state/resolv.conf"
evictionHard: {memory.available: 100Mi, nodefs.available: 1%, nodefs.inodesFree: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
maxPods: 250
YAML
  # Nothing lies beyond the cluster, so every other name is known not to be.
  cat >"$cluster_state/Corefile" <<TEXT
cluster.local in-addr.arpa ip6.arpa {
    bind $node_address
    errors
    ready 127.0.0.1:8181
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig $cluster_state/coredns.kubeconfig
        pods insecure
    }
}
. {
    bind $node_address
    errors
    template IN ANY . {
        rcode NXDOMAIN
    }
}
TEXT
}

# component_start NAME: the program, whether or not what it needs is there yet.
component_start() {
  local certificates=$cluster_state/certificates
  case "$1" in
    # Nothing here must outlive the machine, so the store need not wait for the disk.
    etcd)
      node_start etcd etcd --name=flashsale --data-dir="$cluster_state/etcd" --unsafe-no-fsync --log-level=warn \
        --listen-client-urls=http://127.0.0.1:2379 --advertise-client-urls=http://127.0.0.1:2379 \
        --listen-peer-urls=http://127.0.0.1:2380 --initial-advertise-peer-urls=http://127.0.0.1:2380 \
        --initial-cluster=flashsale=http://127.0.0.1:2380
      ;;
    kube-apiserver)
      node_start kube-apiserver kube-apiserver --etcd-servers=http://127.0.0.1:2379 \
        --advertise-address="$node_address" --secure-port=6443 --service-cluster-ip-range="$service_range" \
        --client-ca-file="$certificates/ca.crt" \
        --tls-cert-file="$certificates/apiserver.crt" --tls-private-key-file="$certificates/apiserver.key" \
        --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction --allow-privileged \
        --service-account-issuer=https://kubernetes.default.svc.cluster.local \
        --service-account-key-file="$certificates/service-accounts.crt" \
        --service-account-signing-key-file="$certificates/service-accounts.key" \
        --kubelet-client-certificate="$certificates/apiserver-kubelet-client.crt" \
        --kubelet-client-key="$certificates/apiserver-kubelet-client.key" \
        --kubelet-preferred-address-types=InternalIP
      ;;
    kube-controller-manager)
      node_start kube-controller-manager kube-controller-manager \
        --kubeconfig="$cluster_state/kube-controller-manager.kubeconfig" --leader-elect=false \
        --use-service-account-credentials --root-ca-file="$certificates/ca.crt" \
        --service-account-private-key-file="$certificates/service-accounts.key" \
        --cluster-cidr="$pod_range" --enable-hostpath-provisioner
      ;;
    kube-scheduler)
      node_start kube-scheduler kube-scheduler --kubeconfig="$cluster_state/kube-scheduler.kubeconfig" --leader-elect=false
      ;;
    containerd) node_start containerd containerd --config="$cluster_state/containerd.toml" ;;
    kubelet)
      node_start kubelet kubelet --config="$cluster_state/kubelet.yaml" --kubeconfig="$cluster_state/kubelet.kubeconfig" \
        --hostname-override="$node_name" --node-ip="$node_address"
      ;;
    kube-proxy)
      node_start kube-proxy kube-proxy --kubeconfig="$cluster_state/kube-proxy.kubeconfig" --hostname-override="$node_name" \
        --proxy-mode=iptables --cluster-cidr="$pod_range" --conntrack-max-per-core=0 \
        --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0
      ;;
    coredns) node_start coredns coredns -conf "$cluster_state/Corefile" ;;
  esac
}

# component_ready NAME: does it do its work? Asked until it says yes.
component_ready() {
  case "$1" in
    kube-apiserver) cluster_kubectl get --raw /readyz ;;
    kube-controller-manager) cluster_kubectl get serviceaccount default --output name ;;
    containerd) in_node "$FLASHSALE_KUBE_BIN/ctr" version ;;
    kubelet) cluster_kubectl wait --for=condition=Ready "node/$node_name" --timeout=1s ;;
    coredns)
      in_network timeout 5 bash -c \
        'exec 3<>/dev/tcp/127.0.0.1/8181 && printf "GET /ready HTTP/1.0\r\n\r\n" >&3 && head -n 1 <&3 | grep -q " 200 "'
      ;;
  esac
}

cluster_kubectl() { in_network "$FLASHSALE_KUBE_BIN/kubectl" --kubeconfig="$cluster_state/admin.kubeconfig" "$@"; }

# component_up NAME: runs and works when this returns.
component_up() {
  node_runs "$1" || component_start "$1" || return
  local deadline=$((SECONDS + 120))
  until component_ready "$1" >/dev/null 2>&1; do
    if ((SECONDS > deadline)) || ! node_runs "$1"; then
      component_ready "$1" || true
      echo "$1 does not get ready; the end of $cluster_state/logs/$1.log:"
      tail -n 10 "$cluster_state/logs/$1.log"
      return 1
    fi
    sleep 0.1
  done
}
