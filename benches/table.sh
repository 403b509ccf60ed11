#!/bin/sh
# Runs the performance table beside its contenders, in turn, and prints it: each line is a job and
# what the load client says of it. Medians over the rounds are for docs/performance.md.
#   LAB=/path/to/lab/target/release benches/table.sh [rounds]
# Needs the lab's programs (load, hello), redis-server, and a release build of rechat.
set -eu
lab=${LAB:?the folder of the programs load and hello}
rechat=${RECHAT:-$(dirname "$0")/../target/release/rechat}
rounds=${1:-3}
secs=${SECS:-3}
work=$(mktemp -d)
trap 'kill $(cat "$work"/*.pid) 2>/dev/null; rm -rf "$work"' EXIT

XDG_DATA_HOME=$work XDG_CONFIG_HOME=$work "$rechat" serve --listen 127.0.0.1:7180 2>"$work/log" &
echo $! >"$work/rechat.pid"
redis-server --port 7181 --bind 127.0.0.1 --dir "$work" --appendonly yes --appendfsync always \
    --save '' >/dev/null &
echo $! >"$work/redis.pid"
"$lab/hello" --port 7182 >/dev/null 2>&1 &
echo $! >"$work/hello.pid"
until curl -sf http://127.0.0.1:7180/api/health >/dev/null; do sleep 0.05; done

run() {
    name=$1 pid=$(cat "$work/$2.pid")
    shift 2
    echo "$name $("$lab/load" "$@" --pid "$pid" --secs "$secs")"
}
api=http://127.0.0.1:7180/api
for _ in $(seq "$rounds"); do
    for conns in 64 256; do
        run "post-$conns" rechat post --url "$api/messages" --collect "$work/ids" --conns "$conns"
        run "xadd-$conns" redis xadd --url tcp://127.0.0.1:7181 --conns "$conns"
    done
    run get rechat get --url "$api/messages/{}" --ids "$work/ids"
    run hello hello get --url http://127.0.0.1:7182/
    run stats rechat get --url "$api/stats"
    run list rechat get --url "$api/messages"
done
