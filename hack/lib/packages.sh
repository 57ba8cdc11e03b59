# shellcheck shell=bash
# Installs Debian packages so that nothing but their files arrives: no service starts, now or at the next boot, and
# no default database cluster is made. Never changes a package or a setting that was there before.

# install_packages NAME…
install_packages() {
  local names
  names=$(printf '%s\n' "$@" | sort -u | paste -sd ' ')
  if ! command -v apt-get >/dev/null; then
    fail "this machine lacks: $names (Debian's names). There is no apt-get here: please install them, then try again"
  elif [[ $(id -u) -ne 0 ]]; then
    fail "this machine lacks: $names. Please install them: sudo apt-get install $names"
  fi
  # shellcheck disable=SC2086 # one word per package
  step "Installing ${names// /, } (Debian packages)" apt_install_quietly $names
}

# The body is a subshell: however it ends, its trap puts the machine's settings back.
apt_install_quietly() (
  policy=/usr/sbin/policy-rc.d
  policy_is_ours=false
  clusters=/etc/postgresql-common/createcluster.conf
  # shellcheck disable=SC2317 # the trap calls it
  restore_settings() {
    if $policy_is_ours; then rm -f "$policy"; fi
    if [[ -e "$clusters.flashsale" ]]; then mv "$clusters.flashsale" "$clusters"; fi
  }
  trap restore_settings EXIT
  export DEBIAN_FRONTEND=noninteractive

  # Debian asks policy-rc.d before it starts a service; 101 means no.
  if [[ ! -e "$policy" ]]; then
    policy_is_ours=true
    printf '#!/bin/sh\n# Only here while flashsale installs packages.\nexit 101\n' >"$policy"
    chmod 755 "$policy"
  fi

  apt-get update || echo 'going on with the package lists of this machine'
  if [[ " $* " == *" postgresql "* ]]; then
    apt_get_install postgresql-common || return
    cp -p "$clusters" "$clusters.flashsale" || return
    echo 'create_main_cluster = false' >>"$clusters"
  fi
  apt_get_install "$@" || return
  for service in redis-server prometheus; do
    if [[ " $* " == *" $service "* ]]; then update-rc.d "$service" disable || return; fi
  done
)

apt_get_install() {
  apt-get install --yes --no-install-recommends -o DPkg::Lock::Timeout=600 -o Dpkg::Options::=--force-confold "$@"
}
