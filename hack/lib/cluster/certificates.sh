# shellcheck shell=bash
# Who is who in the bare cluster: one certificate authority, and for every program a certificate that names it and the
# groups that Kubernetes' built-in roles are bound to.

# certificate FILE SUBJECT [SUBJECT-ALT-NAMES]: FILE.crt and FILE.key, unless they are there.
certificate() {
  local file=$cluster_state/certificates/$1 subject=$2 names=${3:-}
  [[ ! -e "$file.crt" ]] || return 0
  local signer=(-CA "$cluster_state/certificates/ca.crt" -CAkey "$cluster_state/certificates/ca.key")
  local extensions=(-addext basicConstraints=critical,CA:FALSE)
  if [[ "$1" == ca ]]; then signer=() extensions=(-addext basicConstraints=critical,CA:TRUE); fi
  if [[ -n "$names" ]]; then extensions+=(-addext "subjectAltName=$names"); fi
  mkdir -p "$cluster_state/certificates"
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -noenc -days 365 -subj "$subject" \
    -config <(printf '[req]\ndistinguished_name=name\n[name]\n') \
    "${extensions[@]}" "${signer[@]}" -keyout "$file.key" -out "$file.new" && mv "$file.new" "$file.crt"
}

# kubeconfig NAME SUBJECT: writes NAME.kubeconfig, which holds everything it needs.
kubeconfig() {
  local file=$cluster_state/certificates/$1
  certificate "$1" "$2" || return
  (
    umask 077
    cat >"$cluster_state/$1.kubeconfig" <<YAML
apiVersion: v1
kind: Config
clusters:
  - name: flashsale
    cluster: {server: "https://$node_address:6443", certificate-authority-data: $(base64 -w0 "$cluster_state/certificates/ca.crt")}
users:
  - name: $1
    user: {client-certificate-data: $(base64 -w0 "$file.crt"), client-key-data: $(base64 -w0 "$file.key")}
contexts:
  - name: flashsale
    context: {cluster: flashsale, user: $1}
current-context: flashsale
YAML
  )
}

write_certificates() {
  certificate ca /CN=flashsale &&
    certificate apiserver /CN=kube-apiserver "DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,DNS:localhost,IP:127.0.0.1,IP:$node_address,IP:$service_address" &&
    certificate apiserver-kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client &&
    certificate service-accounts /CN=service-accounts &&
    kubeconfig admin /O=system:masters/CN=admin &&
    kubeconfig kube-controller-manager /CN=system:kube-controller-manager &&
    kubeconfig kube-scheduler /CN=system:kube-scheduler &&
    kubeconfig kube-proxy /CN=system:kube-proxy &&
    kubeconfig kubelet "/O=system:nodes/CN=system:node:$node_name" &&
    kubeconfig coredns /CN=system:coredns
}
