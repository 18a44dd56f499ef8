#!/usr/bin/env bash
# Trino with its Delta Lake connector, beside the one of the other engine scripts, which has the Hive connector only.
#
#   trino-delta.sh install | start [PORT] | query SQL... | stop      as trino.sh; the catalog is `delta`
#
# SLUICE_ENGINE_SCRIPTS names the folder of trino.sh, query-lib.sh and statement.mjs.
set -euo pipefail

version=${SLUICE_TRINO_VERSION:-476}
source "${SLUICE_ENGINE_SCRIPTS:?names the folder of the engine scripts}/query-lib.sh"
home=$cache/trino-delta-$version
# What must work before `start` returns. Statements that read nothing are answered seconds before the first query is
# (NO_NODES_AVAILABLE), so the last but one reads a Delta table.
ready=('CREATE SCHEMA IF NOT EXISTS delta."default"' 'CREATE TABLE IF NOT EXISTS delta."default".ready AS SELECT 1 AS x'
  'SELECT x FROM delta."default".ready' 'DROP TABLE delta."default".ready')

install() {
  begin_install
  maven "$dependency_plugin:copy" -Dartifact="io.trino:trino-server:$version:tar.gz" -DoutputDirectory="$home"
  # Plugins share jars by hard links, so everything is unpacked before the other plugins go.
  tar -xzf "$home/trino-server-$version.tar.gz" -C "$home"
  mkdir "$home/plugin"
  mv "$home/trino-server-$version/lib" "$home/lib"
  mv "$home/trino-server-$version/plugin/delta-lake" "$home/plugin/delta-lake"
  rm -r "$home/trino-server-$version" "$home/trino-server-$version.tar.gz"
  end_install
}

configure() {
  local port=$1
  mkdir -p "$home/run/etc/catalog" "$home/run/metastore" "$home/run/data"
  cat > "$home/run/etc/config.properties" <<CONFIG
coordinator=true
node-scheduler.include-coordinator=true
http-server.http.port=$port
discovery.uri=http://127.0.0.1:$port
node.environment=test
node.bind-ip=127.0.0.1
node.internal-address=127.0.0.1
plugin.dir=$home/plugin
query.max-memory=600MB
query.max-memory-per-node=600MB
memory.heap-headroom-per-node=300MB
CONFIG
  cat > "$home/run/etc/catalog/delta.properties" <<CATALOG
connector.name=delta_lake
hive.metastore=file
hive.metastore.catalog.dir=file://$home/run/metastore
fs.hadoop.enabled=true
delta.register-table-procedure.enabled=true
CATALOG
}

statement() {
  node "$here/statement.mjs" trino "$(cat "$home/run/url")" "$@"
}

start() {
  local java port=${1:-18280}
  installed
  if ! running; then
    java=$(find_java 24 99)
    rm -rf "$home/run"
    configure "$port"
    echo "http://127.0.0.1:$port" > "$home/run/url"
    launch "$java/bin/java" -Xmx1500m -XX:TieredStopAtLevel=1 -XX:+ExitOnOutOfMemoryError -Duser.timezone=UTC \
      -Djdk.attach.allowAttachSelf=true --add-modules=jdk.incubator.vector --enable-native-access=ALL-UNNAMED \
      --sun-misc-unsafe-memory-access=allow -Dconfig=etc/config.properties -cp "$home/lib/*" io.trino.server.TrinoServer
    await 300 statement "${ready[@]}"
  fi
  echo "export TRINO_DELTA_URL=$(cat "$home/run/url")"
}

query() {
  running || fail "not running: run $0 start"
  statement "$@"
}

case ${1:-} in
  install | start | query | stop) "$@" ;;
  *) fail "usage: $0 install | start [PORT] | query SQL... | stop" ;;
esac
