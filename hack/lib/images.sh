# shellcheck shell=bash
# The container images of the cluster: ours, and stand-ins for those that a registry would give (redis, postgres, kafka,
# pause). Built with buildah from Debian's packages and this machine's caches, without a registry, and again only when
# what goes into them changed. They are kept as one OCI layout, so that a cluster is handed only the layers it lacks.

images=(flashsale redis postgres kafka pause)
images_home="$FLASHSALE_CACHE/images"
images_layout="$images_home/layout"

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
  cat "$FLASHSALE_ROOT/hack/lib/images.sh"
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
  build_tool push --quiet --disable-compression "$(image_name "$1")" "oci:$images_layout:$(image_name "$1")" &&
    build_tool rmi --prune --force &&
    forget_old_layers
}

# Its own storage, so that nothing else on this machine sees what we build.
build_tool() { buildah --root "$images_home/storage" --runroot "$images_home/run" --storage-driver overlay "$@"; }

# The Containerfile without its first stage, which needs npm's registry from within a container: the folder that stage
# would make is given instead.
assemble_flashsale() {
  local base=localhost/flashsale-base:dev container
  container=$(build_tool from scratch) &&
    build_tool add --quiet "$container" "$(image_root_file flashsale)" / &&
    build_tool copy --quiet "$container" "$(readlink -f "$node_home/node_modules/.bin/node")" /usr/local/bin/node &&
    build_tool commit --quiet --rm "$container" "$base" &&
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
  folder=$(mktemp -d) && mkdir "$folder/bin" && cp "$(command -v busybox)" "$folder/bin/busybox" && cp "$FLASHSALE_ROOT/hack/image/pause" "$folder/pause" || return
  for name in $(busybox --list); do ln -sf busybox "$folder/bin/$name"; done
  chmod 755 "$folder" && build_tool copy --quiet "$1" "$folder" /
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
  # The user exists before the package that would give it another number, and no database is made.
  apt-get indextargets --format "deb \$(SITE) \$(RELEASE) \$(COMPONENT)" 'Created-By: Packages' 'Origin: Debian' |
    mmdebstrap --quiet --variant=essential --include="$(image_packages "$key")" \
      --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
      --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/lib/*/libLLVM*' \
      --dpkgopt='path-exclude=/usr/lib/postgresql/*/lib/bitcode/*' --dpkgopt=force-confold \
      --essential-hook="if [ -n '$user' ]; then
        echo '$key:x:$user:$user::/tmp:$nobody' >>\"\$1/etc/passwd\"
        echo '$key:x:$user:' >>\"\$1/etc/group\"
      fi
      mkdir -p \"\$1/etc/postgresql-common\"
      echo 'create_main_cluster = false' >\"\$1/etc/postgresql-common/createcluster.conf\"" \
      "$(debian_release)" "$file.new.tar" - && mv "$file.new.tar" "$file"
}

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
  step "Installing the image's npm packages" npm --prefix "$new/app" ci --omit=dev --ignore-scripts --no-audit --no-fund
  finish_folder "$new" "$folder"
}

# ---- the OCI layout

# image_digest KEY: of the image as built last, or nothing.
image_digest() { layout_digest "$(image_name "$1")"; }
layout_digest() {
  [[ ! -e "$images_layout/index.json" ]] ||
    node -p 'const [file, name] = process.argv.slice(1); JSON.parse(require("node:fs").readFileSync(file)).manifests
      .findLast((m) => m.annotations?.["org.opencontainers.image.ref.name"] === name)?.digest ?? ""' "$images_layout/index.json" "$1"
}
# layout_blobs DIGEST: those of one image, itself included.
layout_blobs() { { echo "$1" && cat "$images_layout/blobs/${1/://}"; } | grep -o 'sha256:[0-9a-f]\{64\}' | sort -u; }

# image_archive NAME DIGEST PRESENT: an OCI archive of the image on standard output, without the blobs listed in PRESENT.
image_archive() {
  local name=$1 digest=$2 present=$3 folder
  folder=$(mktemp -d) || return
  layout_blobs "$digest" | grep --invert-match --line-regexp --fixed-strings "$present" | sed 's,:,/,; s,^,blobs/,' >"$folder/files"
  printf '{"schemaVersion": 2, "manifests": [{"mediaType": "%s", "digest": "%s", "size": %s, "annotations": {"io.containerd.image.name": "%s"}}]}' \
    application/vnd.oci.image.manifest.v1+json "$digest" "$(stat --format %s "$images_layout/blobs/${digest/://}")" "$name" >"$folder/index.json"
  tar --create --directory "$folder" index.json --directory "$images_layout" oci-layout --files-from "$folder/files"
  rm -rf "$folder"
}

# Layers that no image of the layout refers to any more.
forget_old_layers() {
  local image digest kept
  kept=$(for image in "${images[@]}"; do
    digest=$(image_digest "$image")
    if [[ -n "$digest" ]]; then layout_blobs "$digest"; fi
  done)
  find "$images_layout/blobs/sha256" -type f -printf 'sha256:%f\n' |
    grep --invert-match --line-regexp --fixed-strings "$kept" | sed "s,sha256:,$images_layout/blobs/sha256/," | xargs --no-run-if-empty rm -f
}
