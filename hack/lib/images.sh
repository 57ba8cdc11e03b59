# shellcheck shell=bash
# The container images of the cluster: ours, and stand-ins for those that a registry would give (redis, postgres, kafka,
# pause). Built with buildah from Debian's packages and this machine's caches, without a registry, and again only when
# what goes into them changed. Each is kept as a folder of its layers, so that a cluster is handed only those it lacks.

images=(flashsale redis postgres kafka pause)
images_home="$FLASHSALE_CACHE/images"

# image_key NAME: `redis` for redis, localhost/redis:dev and docker.io/library/redis:8 alike; nothing for a stranger.
image_key() {
  local key=${1##*/} known
  key=${key%%:*}
  for known in "${images[@]}"; do [[ "$known" != "$key" ]] || echo "$key"; done
}
image_name() { if [[ "$1" == pause ]]; then echo localhost/pause:1; else echo "localhost/$1:dev"; fi; }

# Debian's packages in each image, besides the essential ones, and the user it runs as. Numbers as in the official images.
image_packages() {
  case "$1" in
    flashsale) echo ca-certificates,libstdc++6 ;;
    redis) echo redis-server ;;
    postgres) echo postgresql ;;
    kafka) echo default-jre-headless ;;
  esac
}
image_user() {
  case "$1" in
    redis | postgres) echo 999 ;;
    kafka) echo 1000 ;;
    pause) echo 65535 ;;
  esac
}

# build_image KEY: does nothing when what goes into it is what went in the last time.
build_image() {
  local key=$1 inputs container
  inputs=$(image_inputs "$key" | sha256sum) || fail "cannot read what goes into $(image_name "$key")"
  [[ "$(cat "$images_home/$key.inputs" 2>/dev/null)" != "$inputs" || -z "$(image_digest "$key")" ]] || return 0
  mkdir -p "$images_home"
  rm -f "$images_home/$key.inputs"
  if [[ -n "$(image_packages "$key")" ]]; then image_root "$key"; fi
  if [[ "$key" == flashsale ]]; then
    [[ -x "$node_home/node_modules/.bin/node" ]] || node_install
    production_modules
  fi
  step "Building $(image_name "$key")" assemble "$key"
  echo "$inputs" >"$images_home/$key.inputs"
}

# Everything that decides what the image holds, as text.
image_inputs() {
  local key=$1
  declare -f assemble_flashsale assemble_stand_in postgres_path pause_files
  image_root_inputs "$key"
  case "$key" in
    flashsale)
      echo "$node_pinned"
      cd "$FLASHSALE_ROOT" || return
      # shellcheck disable=SC2046 # one word per path
      find package-lock.json hack/image/Containerfile $(image_sources) -type f -print0 | sort -z | xargs -0 sha256sum
      ;;
    kafka) cat "$FLASHSALE_ROOT/hack/image/kafka" && echo "$kafka_jars" ;;
    pause) cat "$FLASHSALE_ROOT/hack/image/pause" ;;
  esac
}
# The recipe says itself which of our files the image holds.
image_sources() { sed -n '/^COPY --/d; s/^COPY \(.*\) [^ ]*$/\1/p' "$FLASHSALE_ROOT/hack/image/Containerfile"; }

assemble() {
  rm -rf "$images_home/run"
  if [[ "$1" == flashsale ]]; then assemble_flashsale; else assemble_stand_in "$1"; fi || return
  build_tool push --quiet --disable-compression --format oci "$(image_name "$1")" "dir:$images_home/$1" &&
    build_tool rmi --prune --force &&
    forget_old_layers "$1"
}

# Its own storage, so that nothing else on this machine sees what we build.
build_tool() { buildah --root "$images_home/storage" --runroot "$images_home/run" --storage-driver overlay "$@"; }

# The Containerfile without its first stage, which needs npm's registry from within a container: the folder that stage
# would make is given instead. Its base is made once, so that a change of ours adds small layers to the same large ones.
assemble_flashsale() {
  local base container
  base="localhost/flashsale-base:$({ image_root_inputs flashsale && echo "$node_pinned"; } | sha256sum | cut -c 1-16)"
  if [[ -z "$(build_tool images --quiet --filter "reference=$base")" ]]; then
    container=$(build_tool from scratch) &&
      build_tool add --quiet "$container" "$(image_root_file flashsale)" / &&
      build_tool copy --quiet "$container" "$(readlink -f "$node_home/node_modules/.bin/node")" /usr/local/bin/node &&
      build_tool commit --quiet --rm "$container" "$base" || return
  fi
  sed '/^FROM .* AS dependencies$/,/^$/d' "$FLASHSALE_ROOT/hack/image/Containerfile" |
    build_tool build --quiet --layers --pull-never --file - --build-arg "BASE=$base" \
      --build-context "dependencies=$(production_folder)" --tag "$(image_name flashsale)" "$FLASHSALE_ROOT"
}

assemble_stand_in() {
  local key=$1 container user
  user=$(image_user "$key")
  container=$(build_tool from scratch) || return
  case "$key" in
    pause) pause_files "$container" ;;
    *) build_tool add --quiet "$container" "$(image_root_file "$key")" / ;;
  esac || return
  if [[ "$key" == kafka ]]; then
    build_tool copy --quiet "$container" "$FLASHSALE_KAFKA_LIBS" /opt/kafka/libs &&
      build_tool copy --quiet "$container" "$FLASHSALE_ROOT/hack/image/kafka" /usr/local/bin/kafka || return
  fi
  case "$key" in
    redis) build_tool config --entrypoint '["redis-server"]' "$container" ;;
    postgres) build_tool config --entrypoint '["postgres"]' --env "PATH=$(postgres_path):/usr/local/bin:/usr/bin:/bin" "$container" ;;
    kafka) build_tool config --entrypoint '["kafka"]' --env PATH=/usr/local/bin:/usr/bin:/bin "$container" ;;
    pause) build_tool config --entrypoint '["/pause"]' --env PATH=/bin "$container" ;;
  esac && build_tool config --user "$user:$user" "$container" && build_tool commit --quiet --rm "$container" "$(image_name "$key")"
}
postgres_path() { tar --list --file "$(image_root_file postgres)" --wildcards './usr/lib/postgresql/*/bin/initdb' | sed 's,^\.,,; s,/initdb$,,'; }

# A static busybox under every name it knows, so that a look into a pod finds a shell.
pause_files() {
  local folder name
  folder=$(mktemp -d) && mkdir "$folder/bin" && cp "$FLASHSALE_ROOT/hack/image/pause" "$folder/pause" || return
  for name in $(busybox --list); do ln -s busybox "$folder/bin/$name"; done
  # Last, for it lists itself.
  cp --remove-destination "$(command -v busybox)" "$folder/bin/busybox" && chmod 755 "$folder" && build_tool copy --quiet "$1" "$folder" /
  rm -rf "$folder"
}

# ---- what is cached beneath the images

image_root_file() { echo "$images_home/root-$1-$(image_root_inputs "$1" | sha256sum | cut -c 1-16).tar"; }
image_root_inputs() { echo "$(image_packages "$1") $(image_user "$1") $(debian_release) $(declare -f make_root)"; }
debian_release() { (. /etc/os-release && echo "$VERSION_CODENAME"); }

# image_root KEY: Debian with those packages, as a tarball.
image_root() {
  local key=$1 file
  file=$(image_root_file "$key")
  [[ ! -e "$file" ]] || return 0
  rm -f "$images_home/root-$key-"*
  step "Making a root of Debian's packages for $(image_name "$key")" make_root "$key" "$file"
}
make_root() {
  local key=$1 file=$2 user nobody=/usr/sbin/nologin
  user=$(image_user "$key")
  # A fresh machine knows of no packages yet. The user exists before the package that would give it another number, and
  # no database is made. Java's package wants to link its manual pages, whether or not they are there.
  [[ -n "$(debian_sources)" ]] || apt-get update || return
  debian_sources |
    mmdebstrap --quiet --variant=essential --include="$(image_packages "$key")" \
      --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
      --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/lib/*/libLLVM*' \
      --dpkgopt='path-exclude=/usr/lib/postgresql/*/lib/bitcode/*' --dpkgopt=force-confold \
      --essential-hook="if [ -n '$user' ]; then
        echo '$key:x:$user:$user::/tmp:$nobody' >>\"\$1/etc/passwd\"
        echo '$key:x:$user:' >>\"\$1/etc/group\"
      fi
      mkdir -p \"\$1/etc/postgresql-common\" \"\$1/usr/share/man/man1\"
      echo 'create_main_cluster = false' >\"\$1/etc/postgresql-common/createcluster.conf\"" \
      "$(debian_release)" "$file.new.tar" - && mv "$file.new.tar" "$file"
}

# Where this machine has its packages from, as lines of a sources.list.
debian_sources() { apt-get indextargets --format "deb \$(SITE) \$(RELEASE) \$(COMPONENT)" 'Created-By: Packages' 'Origin: Debian'; }

# Our npm packages without those that only development needs.
production_folder() { echo "$images_home/modules-$(sha256sum <"$FLASHSALE_ROOT/package-lock.json" | cut -c 1-16)"; }
production_modules() {
  local folder new
  folder=$(production_folder)
  [[ ! -e "$folder" ]] || return 0
  rm -rf "$images_home"/modules-*
  new=$(begin_folder "$folder")
  mkdir "$new/app"
  cp "$FLASHSALE_ROOT/package.json" "$FLASHSALE_ROOT/package-lock.json" "$new/app"
  step "Installing the image's npm packages" npm ci --prefix "$new/app" --omit=dev --ignore-scripts --no-audit --no-fund
  finish_folder "$new" "$folder"
}

# ---- images as built last: a folder with manifest.json, and beside it its layers and settings, named by their digests

# image_digest KEY: the digest, or nothing.
image_digest() { sha256sum 2>/dev/null <"$images_home/$1/manifest.json" | sed 's/^\([0-9a-f]*\).*/sha256:\1/'; }
# Its settings and layers, and not the digests that annotations mention.
image_blobs() { grep -o '"digest":"sha256:[0-9a-f]\{64\}' "$images_home/$1/manifest.json" | cut -d '"' -f 4 | sort -u; }

# image_archive KEY PRESENT: an OCI archive on standard output, without the blobs listed in PRESENT.
image_archive() {
  local key=$1 present=$2 folder digest size manifest
  manifest="$images_home/$key/manifest.json"
  folder=$(mktemp -d) && mkdir -p "$folder/blobs/sha256" || return
  digest=$(image_digest "$key") size=$(stat --format %s "$manifest")
  ln -s "$manifest" "$folder/blobs/${digest/://}"
  image_blobs "$key" | lines_not_in "$present" | while read -r blob; do
    ln -s "$images_home/$key/${blob#sha256:}" "$folder/blobs/${blob/://}"
  done
  echo '{"imageLayoutVersion": "1.0.0"}' >"$folder/oci-layout"
  printf '{"schemaVersion": 2, "manifests": [{"mediaType": "%s", "digest": "%s", "size": %s, "annotations": {"io.containerd.image.name": "%s"}}]}' \
    application/vnd.oci.image.manifest.v1+json "$digest" "$size" "$(image_name "$key")" >"$folder/index.json"
  tar --create --dereference --directory "$folder" oci-layout index.json blobs && rm -rf "$folder"
}

forget_old_layers() {
  find "$images_home/$1" -type f -regextype posix-extended -regex '.*/[0-9a-f]{64}' -printf 'sha256:%f\n' |
    lines_not_in "$(image_blobs "$1")" | sed "s,^sha256:,$images_home/$1/," | xargs --no-run-if-empty rm -f
}
lines_not_in() { awk 'NR == FNR { listed[$0]; next } !($0 in listed)' <(echo "$1") -; }
