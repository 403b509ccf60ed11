# Sourced by the scripts here: makes a folder for a server and starts one, whose address is then in
# $address and whose folder in $home; both end with the script.
# RECHAT names the binary; without it the debug build is taken.
target=${CARGO_TARGET_DIR:-$PWD/target}
if [ -z "${RECHAT:-}" ]; then
    cargo build --quiet
    RECHAT=$target/debug/rechat
fi
for name in $(env | sed -n 's/^\(RECHAT_[A-Z_]*\)=.*/\1/p'); do unset "$name"; done
home=$(mktemp -d)
server=
trap 'kill $server 2>/dev/null || true; rm -rf "$home"' EXIT
export XDG_DATA_HOME="$home" XDG_CONFIG_HOME="$home" NO_COLOR=1
"$RECHAT" serve --listen 127.0.0.1:0 --loopback 2>"$home/log" &
server=$!
until address=$(sed -n 's/.*serving address=\([^ ]*\).*/\1/p' "$home/log") && [ -n "$address" ]; do
    kill -0 "$server" 2>/dev/null || { cat "$home/log" >&2; exit 1; }
    sleep 0.05
done

# Makes a Python environment with these packages, once; prints its folder.
python_with() {
    folder=$target/$(echo "$*" | tr ' =' '--')
    if [ ! -e "$folder/ready" ]; then
        python3 -m venv --clear "$folder"
        "$folder/bin/pip" install --quiet --disable-pip-version-check "$@" >&2
        touch "$folder/ready"
    fi
    echo "$folder"
}

# Makes a Node folder with these packages, once; prints it.
node_with() {
    folder=$target/node-$(echo "$*" | tr ' @/' '----')
    if [ ! -e "$folder/ready" ]; then
        rm -rf "$folder" && mkdir -p "$folder"
        npm install --silent --no-audit --no-fund --prefix "$folder" "$@" >&2
        touch "$folder/ready"
    fi
    echo "$folder"
}
