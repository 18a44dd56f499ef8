#!/usr/bin/env bash
# A real SQS server (ElasticMQ) on this machine for the integration tests; needs bash, Java 11 or newer and Maven.
#
#   sqs-server.sh install      fetch the server once (idempotent)
#   sqs-server.sh installed    succeeds if it was fetched
#   sqs-server.sh run PORT     run it on 127.0.0.1:PORT until it is killed; queues live in memory
#
# SLUICE_ENGINES   where servers are installed (default: ~/.cache/sluice-engines)
set -euo pipefail

version=1.6.12
jars=${SLUICE_ENGINES:-$HOME/.cache/sluice-engines}/elasticmq-$version

case ${1:-} in
  install)
    [[ -d $jars ]] && exit
    command -v mvn >/dev/null && command -v java >/dev/null || { echo 'sqs-server.sh: needs Java and Maven' >&2; exit 1; }
    mkdir -p "${jars%/*}"
    work=$(mktemp -d "${jars%/*}/build.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    cat >"$work/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>sluice</groupId><artifactId>sqs-server</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.elasticmq</groupId><artifactId>elasticmq-server_2.13</artifactId><version>$version</version></dependency>
  </dependencies>
</project>
POM
    mvn -q -B -f "$work/pom.xml" dependency:copy-dependencies -DoutputDirectory="$work/jars" >&2
    mv "$work/jars" "$jars"
    ;;
  installed) [[ -d $jars ]] ;;
  run)
    # Not a temporary file, which a server that is killed would leave behind.
    config=$jars/port-$2.conf
    cat >"$config" <<CONF
include classpath("application.conf")
node-address { host = "127.0.0.1", port = $2 }
rest-sqs { enabled = true, bind-hostname = "127.0.0.1", bind-port = $2, sqs-limits = strict }
rest-stats { enabled = false }
CONF
    exec java -Xmx128m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -Dconfig.file="$config" -cp "$jars/*" org.elasticmq.server.Main
    ;;
  *) sed -n '2,10p' "$0" >&2; exit 2 ;;
esac
