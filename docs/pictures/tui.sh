#!/usr/bin/env bash
# Makes docs/pictures/tui.png: a server with some conversations, the client in tmux, a picture of it.
# Needs tmux, chromium, a font with emoji (fonts-noto-color-emoji), python3 with wcwidth and websockets,
# and a built rechat on the PATH.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
work="$(mktemp -d)"
columns=112 rows=30 port="${PORT:-18473}"
export XDG_DATA_HOME="$work/data" XDG_CONFIG_HOME="$work/config" LANG=C.UTF-8
unset NO_COLOR
terminal() { tmux -L "rechat-$port" -f /dev/null "$@"; }

rechat serve --listen "127.0.0.1:$port" --loopback >"$work/log" 2>&1 &
server=$!
python3 "$here/chat.py" "$port" &
chat=$!
trap 'terminal kill-server 2>/dev/null || true; kill $chat $server; rm -rf "$work"' EXIT
sleep 4

terminal new-session -d -x "$columns" -y "$rows" "rechat tui"
sleep 2
terminal send-keys j
sleep 1
terminal send-keys i
sleep 1
terminal send-keys "The crane is ours from five on." Enter
sleep 2
terminal send-keys "Shall I bring the charts? 我也可以带上"
sleep 5
terminal capture-pane -e -p | python3 "$here/screen.py" dark >"$work/page.html"
chromium --headless --no-sandbox --disable-gpu --hide-scrollbars \
    --window-size="$((columns * 9 + 46)),$((rows * 20 + 28))" \
    --screenshot="$here/tui.png" "file://$work/page.html" 2>"$work/chromium.log"
