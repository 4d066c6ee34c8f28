#!/bin/sh
# Starts a throw-away Postgres cluster on a free port of the loopback interface, durable (fsync on) but trusting everybody on this machine.
#   tools/postgres.sh start        prints AUTH_AGENT_TEST_POSTGRES for the shell and the folder for stop
#   tools/postgres.sh stop FOLDER  stops it and removes the folder
#   tools/postgres.sh crash FOLDER   stops it without a checkpoint, as when the machine dies; revive FOLDER starts it again on its port
#   tools/postgres.sh run COMMAND  starts it, runs the command with AUTH_AGENT_TEST_POSTGRES set, stops it
set -eu

bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -1 || true)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb)" 2>/dev/null) || true
[ -n "$bin" ] || { echo "postgres.sh: no initdb found; install postgresql" >&2; exit 1; }

# Postgres refuses to run as root.
as_owner() {
  if [ "$(id -u)" = 0 ]; then (cd / && setpriv --reuid=postgres --regid=postgres --init-groups "$@"); else "$@"; fi
}

launch() {
  as_owner "$bin/pg_ctl" --pgdata "$1/data" --log "$1/log" --wait --silent \
    --options "-c listen_addresses=127.0.0.1 -c port=$2 -c unix_socket_directories= -c max_connections=200" start >/dev/null
}

start() {
  folder=$(mktemp -d "${TMPDIR:-/tmp}/auth-agent-postgres.XXXXXX")
  [ "$(id -u)" != 0 ] || chown postgres "$folder"
  as_owner "$bin/initdb" --pgdata "$folder/data" --username postgres --auth trust --encoding UTF8 --no-locale >"$folder/initdb.log" 2>&1 || { cat "$folder/initdb.log" >&2; exit 1; }
  for attempt in 1 2 3 4 5; do
    port=$(node -e "const s=require('net').createServer().listen(0,'127.0.0.1',()=>{console.log(s.address().port);s.close()})")
    if launch "$folder" "$port"; then echo "$port" >"$folder/port"; return 0; fi
  done
  cat "$folder/log" >&2
  exit 1
}

stop() {
  as_owner "$bin/pg_ctl" --pgdata "$1/data" --mode immediate --silent stop >/dev/null 2>&1 || true
  rm -rf "$1"
}

case "${1:-}" in
  start)
    start
    echo "AUTH_AGENT_TEST_POSTGRES=postgres://postgres@127.0.0.1:$port/postgres"
    echo "AUTH_AGENT_TEST_POSTGRES_FOLDER=$folder"
    ;;
  crash) as_owner "$bin/pg_ctl" --pgdata "${2:?the folder that start printed}/data" --mode immediate --silent stop >/dev/null ;;
  revive) launch "${2:?the folder that start printed}" "$(cat "$2/port")" ;;
  stop) stop "${2:?the folder that start printed}" ;;
  run)
    shift
    start
    trap 'stop "$folder"' EXIT
    trap 'exit 1' INT TERM
    AUTH_AGENT_TEST_POSTGRES="postgres://postgres@127.0.0.1:$port/postgres" "$@"
    ;;
  *) sed -n '2,6p' "$0" >&2; exit 2 ;;
esac
