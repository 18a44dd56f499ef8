#!/usr/bin/env bash
# A real S3 server on this machine for the integration tests; needs bash and Go, no container.
#
#   s3-server.sh install           build the server once (idempotent)
#   s3-server.sh installed         succeeds if it was built
#   eval "$(s3-server.sh start)"   start it on 127.0.0.1, on PORT or a free port, and set the environment
#   s3-server.sh stop [-9]         stop it, or kill it as a crash would; the data stays
#   s3-server.sh env               print the environment of the running server
#   s3-server.sh clean             stop it, and delete the data folder if `start` made it
#
# SLUICE_S3_SERVER   versitygw (default) or minio
# SLUICE_S3_DATA     data folder; `start` with the same one finds the data again, on the same port.
#                    Unset: `start` makes a new one, and the other commands use the one started last.
# SLUICE_ENGINES     where servers are installed (default: ~/.cache/sluice-engines)
set -euo pipefail

engines=${SLUICE_ENGINES:-$HOME/.cache/sluice-engines}
server=${SLUICE_S3_SERVER:-versitygw}
user=sluicetest password=sluicetestsecret
command=${1:-}

die() {
  echo "s3-server.sh: $*" >&2
  [[ $command != start ]] || echo false # so that eval "$(s3-server.sh start)" fails as well
  exit 1
}

case $server in
  versitygw) module=github.com/versity/versitygw/cmd/versitygw version=v1.8.0 ;;
  minio) module=github.com/minio/minio version=v0.0.0-20260212201848-7aac2a2c5b7c ;;
  *) die "SLUICE_S3_SERVER must be versitygw or minio, not '$server'" ;;
esac
binary=$engines/$server-$version/$server
last=$engines/$server.last

install() {
  [[ -x $binary ]] && return
  command -v go >/dev/null || die "Go 1.25 or newer is needed to build $server"
  echo "building $server $version (minutes, once)" >&2
  mkdir -p "$engines"
  local build
  build=$(mktemp -d "$engines/build.XXXXXX")
  if ! CGO_ENABLED=0 GOBIN=$build go install -trimpath -ldflags='-s -w' "$module@$version" >&2; then
    rm -rf "$build"
    die "could not build $server $version"
  fi
  mkdir -p "${binary%/*}"
  mv -f "$build/$server" "$binary"
  rm -rf "$build"
}

# Sets data: the folder given, or the one started last.
find_data() {
  data=${SLUICE_S3_DATA:-$(cat "$last" 2>/dev/null || true)}
  [[ -n $data && -d $data ]] || die "no $server was started here"
  open_data "$data"
}

open_data() {
  data=$(cd "$1" && pwd -P)
  local owner
  owner=$(cat "$data/server" 2>/dev/null || echo "$server")
  [[ $owner == "$server" ]] || die "$data is a data folder of $owner; set SLUICE_S3_SERVER=$owner"
}

# The pid, if it is still our server on this data folder and not another process with a reused pid.
running_pid() {
  local pid
  pid=$(cat "$data/pid" 2>/dev/null) || return 1
  ps -ww -o args= -p "$pid" 2>/dev/null | grep -qF -- "$server-$version/$server" || return 1
  ps -ww -o args= -p "$pid" 2>/dev/null | grep -qF -- "$data/objects" || return 1
  echo "$pid"
}

gone() { ! running_pid >/dev/null; }
unused() { ! listening "$1"; }
listening() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# versitygw answers on a path of its own data folder, so that no other server passes for it.
ready_path() {
  if [[ $server == minio ]]; then echo /minio/health/ready; else echo "/ready-$(cksum <<<"$data" | cut -d' ' -f1)"; fi
}

answers() {
  (
    exec 3<>"/dev/tcp/127.0.0.1/$1"
    printf 'GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n' "$(ready_path)" >&3
    IFS= read -r -t 2 status <&3
    [[ $status == *' 200 '* ]]
  ) 2>/dev/null
}

# Up to 5 s.
wait_until() {
  for _ in {1..100}; do
    "$@" && return
    sleep 0.05
  done
  return 1
}

free_port() {
  local port
  for _ in {1..50}; do
    port=$((20000 + RANDOM % 10000))
    unused "$port" && { echo "$port"; return; }
  done
  die "found no free port"
}

# versitygw sets an upload aside as ID.ETAG.inprogress while it completes it. A crash in that moment
# leaves it there, where no request finds it: put it back, so that Complete can be asked for again.
give_back_cut_uploads() {
  local dir name
  for dir in "$data"/objects/*/.sgwtmp/multipart/*/*.inprogress; do
    [[ -d $dir ]] || continue
    name=${dir##*/}
    mv "$dir" "${dir%/*}/${name%%.*}"
  done
}

start() {
  local port=${1:-} data=
  if [[ -n ${SLUICE_S3_DATA:-} ]]; then
    mkdir -p "$SLUICE_S3_DATA"
    open_data "$SLUICE_S3_DATA"
    if running_pid >/dev/null && answers "$(cat "$data/port")"; then environment; return; fi
    wait_until gone || die "$server on $data runs but does not answer" # killed just now: let it die
    [[ -n $port ]] || port=$(cat "$data/port" 2>/dev/null || true)
  fi
  install
  [[ -n $port ]] || port=$(free_port)
  wait_until unused "$port" || die "port $port is in use"
  if [[ -z $data ]]; then
    open_data "$(mktemp -d "${TMPDIR:-/tmp}/sluice-s3.XXXXXX")"
    touch "$data/made-by-start"
  fi
  mkdir -p "$data/objects"
  give_back_cut_uploads

  local run=("$binary")
  if [[ $server == versitygw ]]; then
    export ROOT_ACCESS_KEY=$user ROOT_SECRET_KEY=$password
    run+=(--port "127.0.0.1:$port" --region us-east-1 --health "$(ready_path)" --keep-alive --quiet posix "$data/objects")
  else
    export MINIO_ROOT_USER=$user MINIO_ROOT_PASSWORD=$password MINIO_BROWSER=off MINIO_UPDATE=off
    run+=(server --quiet --address "127.0.0.1:$port" "$data/objects")
  fi
  local detach=nohup
  command -v setsid >/dev/null && detach=setsid
  "$detach" "${run[@]}" >>"$data/log" 2>&1 </dev/null &
  local pid=$!
  echo "$pid" >"$data/pid"
  echo "$port" >"$data/port"
  echo "$server" >"$data/server"
  echo "$data" >"$last"

  for _ in {1..600}; do
    kill -0 "$pid" 2>/dev/null || { tail -n 20 "$data/log" >&2; die "$server ended at once"; }
    if answers "$port"; then environment; return; fi
    sleep 0.05
  done
  kill -9 "$pid"
  die "$server did not get ready in 30 s; see $data/log"
}

environment() {
  printf 'export %s=%q\n' \
    S3_ENDPOINT "http://127.0.0.1:$(cat "$data/port")" \
    AWS_ACCESS_KEY_ID "$user" AWS_SECRET_ACCESS_KEY "$password" AWS_REGION us-east-1 \
    SLUICE_S3_SERVER "$server" SLUICE_S3_DATA "$data"
  echo 'unset AWS_SESSION_TOKEN AWS_PROFILE'
}

stop() {
  local pid signal=TERM
  [[ ${1:-} != -9 ]] || signal=KILL
  pid=$(running_pid) || { rm -f "$data/pid"; return 0; }
  kill "-$signal" "$pid"
  wait_until gone || { kill -9 "$pid" && wait_until gone; }
  rm -f "$data/pid"
}

case $command in
  install) install ;;
  installed) [[ -x $binary ]] ;;
  start) start "${2:-}" ;;
  stop) find_data; stop "${2:-}" ;;
  env) find_data; running_pid >/dev/null || die "$server is not running on $data"; environment ;;
  clean) find_data; stop -9; if [[ -e $data/made-by-start ]]; then rm -rf "$data"; fi ;;
  *) die "usage: s3-server.sh install | start [PORT] | stop [-9] | env | clean" ;;
esac
