# shellcheck shell=bash
# The node of the bare cluster: one network, mount and process namespace, held by one process. Whatever runs in it ends
# with that process, mounts included, so nothing can be left behind; and nothing in it is seen from outside: neither
# its network (no route leads out, this machine's firewall is untouched) nor its folders.

node_network=flashsale
node_address=10.10.0.1
# The control group that holds every pod.
node_cgroup=flashsale
# Folders whose names the node's programs do not let us choose. In the node each is an empty one of its own.
node_folders=(/run/containerd /var/lib/containerd /var/lib/kubelet /var/lib/cni /var/log/pods /var/log/containers /opt/containerd /tmp/hostpath_pv)

# node_alive: is the process that remembered itself still that process? A number alone may be somebody else's by now.
node_alive() {
  local pid started
  read -r pid started 2>/dev/null <"$cluster_state/node.pid" && [[ "$(started_at "$pid")" == "$started" ]]
}
started_at() {
  local stat
  stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
  read -ra stat <<<"${stat##*) }"
  echo "${stat[19]}"
}

node_create() {
  local outer pid folder
  if [[ -e /run/netns/$node_network && -n "$(ip netns pids "$node_network")" ]]; then
    echo "another cluster runs in the network namespace $node_network; end it first (is its XDG_STATE_HOME another one?)"
    return 1
  fi
  mkdir -p "$cluster_state/logs" "$cluster_state/run"
  if [[ -e /run/netns ]]; then : >"$cluster_state/made"; else echo /run/netns >"$cluster_state/made"; fi
  [[ -e /run/netns/$node_network ]] || ip netns add "$node_network" || return
  # A bridge without ports carries the node's address: every kernel has one, and kubelet refuses loopback. The way out
  # leads nowhere, but without one the addresses of Services would be unreachable before they are translated.
  in_network sh -ec "
    ip link set lo up
    ip link show node0 >/dev/null 2>&1 || ip link add node0 type bridge
    ip address replace $node_address/32 dev node0
    ip link set node0 up
    ip route replace default dev node0 src $node_address
    echo 1 >/proc/sys/net/ipv4/ip_forward" || return
  while read -r folder; do mkdir -p "$folder/$node_cgroup" || return; done < <(control_hierarchies)
  for folder in "${node_folders[@]}"; do
    [[ -d "$folder" ]] || echo "$folder" >>"$cluster_state/made"
    mkdir -p "$folder" "$cluster_state/folders$folder" || return
  done

  (
    close_inherited
    exec setsid nsenter --net=/run/netns/$node_network unshare --mount --pid --fork --kill-child --mount-proc \
      bash -c "$(declare -f node_main); node_main \"\$@\"" node "$cluster_state" "${node_folders[@]}"
  ) >"$cluster_state/logs/node.log" 2>&1 </dev/null &
  outer=$!
  for _ in {1..100}; do
    pid=$(tr -d ' ' <"/proc/$outer/task/$outer/children" 2>/dev/null || true)
    if [[ -n "$pid" && -e "$cluster_state/run/node" ]]; then
      echo "$pid $(started_at "$pid")" >"$cluster_state/node.pid"
      return
    fi
    sleep 0.05
  done
  cat "$cluster_state/logs/node.log"
  return 1
}

# What runs on must not hold what its starter had open: a lock of ours, or of whoever called us.
close_inherited() {
  local file
  for file in /proc/self/fd/*; do
    file=${file##*/}
    if ((file > 2)); then eval "exec $file>&-"; fi
  done
}

# Process 1 of the node: lays its folders, then waits, and collects whatever ends. Volumes on the node's disk are made
# for root's group alone, by a program that lets nobody choose: users of any number are to write into them.
node_main() {
  local state=$1 folder
  shift
  for folder in "$@"; do mount --bind "$state/folders$folder" "$folder" || exit; done
  inotifywait --monitor --quiet --event create --format '%w%f' /tmp/hostpath_pv |
    while read -r folder; do chmod 0777 "$folder"; done &
  : >"$state/run/node"
  trap 'exit 0' TERM INT
  while :; do
    sleep 86400 &
    wait $!
  done
}

# in_network COMMAND…: in the cluster's network, with this machine's files and processes.
in_network() { nsenter --net="/run/netns/$node_network" -- "$@"; }

# in_node COMMAND…: in the node altogether.
in_node() {
  local pid
  read -r pid _ <"$cluster_state/node.pid" || return
  nsenter --target "$pid" --net --mount --pid -- "$@"
}

# node_start NAME PROGRAM ARGUMENTS…: in the background, with its output in logs/NAME.log. PROGRAM lies in FLASHSALE_KUBE_BIN.
node_start() {
  local name=$1
  shift
  (
    close_inherited
    # shellcheck disable=SC2016 # that shell expands it
    PATH="$FLASHSALE_KUBE_BIN:$PATH" in_node setsid --fork sh -c 'umask 0022; echo $$ >"$0"; exec "$@"' \
      "$cluster_state/run/$name.pid" "$@"
  ) >>"$cluster_state/logs/$name.log" 2>&1 </dev/null
  for _ in {1..100}; do
    if node_runs "$name"; then return; fi
    sleep 0.05
  done
  tail -n 5 "$cluster_state/logs/$name.log"
  return 1
}

# node_runs NAME: the number in the pid file, and behind it the program that was started.
node_runs() {
  local pid
  read -r pid 2>/dev/null <"$cluster_state/run/$1.pid" || return
  # shellcheck disable=SC2016 # that shell expands it
  in_node sh -c 'case "$(readlink "/proc/$1/exe")" in "$2"/*) ;; *) exit 1 ;; esac' sh "$pid" "$FLASHSALE_KUBE_BIN"
}

# node_stop NAME SIGNAL…: sends each one, and waits ten seconds for its effect before the next.
node_stop() {
  local name=$1 pid signal
  shift
  node_runs "$name" || return 0
  read -r pid <"$cluster_state/run/$name.pid"
  for signal in "$@"; do
    in_node sh -c "kill -$signal $pid" || true
    for _ in {1..100}; do
      node_runs "$name" || return 0
      sleep 0.1
    done
  done
  echo "$name does not end"
  return 1
}

# Ends what runs in the node, and removes every trace of it but the folder of its state. What others made is left alone.
node_destroy() {
  local pid
  if node_alive; then
    read -r pid _ <"$cluster_state/node.pid"
    kill -KILL "$pid" || true
    for _ in {1..200}; do
      node_alive || break
      sleep 0.05
    done
    if node_alive; then
      echo "process $pid does not end"
      return 1
    fi
  fi
  rm -f "$cluster_state/node.pid"
  [[ -e "$cluster_state/made" ]] || return 0
  if [[ -e /run/netns/$node_network ]]; then ip netns delete "$node_network" || return; fi
  local folder
  while read -r folder; do
    if [[ -d "$folder/$node_cgroup" ]]; then remove_cgroup "$folder/$node_cgroup" || return; fi
  done < <(control_hierarchies)
  while read -r folder; do
    # `ip netns` mounts its folder over itself, and leaves it so.
    if [[ "$folder" == /run/netns && -z "$(ls /run/netns)" ]]; then umount /run/netns || return; fi
    rmdir --ignore-fail-on-non-empty "$folder"
  done < <(tac "$cluster_state/made")
}

# One in version 2 of control groups, one for each controller before.
control_hierarchies() { findmnt --noheadings --list --output TARGET --types cgroup,cgroup2; }

# The kernel needs a moment to let go of a group whose processes have ended.
remove_cgroup() {
  for _ in {1..100}; do
    find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
    [[ -d "$1" ]] || return 0
    sleep 0.1
  done
  echo "$1 is still in use"
  return 1
}
