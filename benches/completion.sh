#!/bin/sh
# How long a press of Tab takes on a large store, as zsh asks.
#
#   benches/completion.sh PROGRAM STORE
#
# Prints the milliseconds of five presses for each kind of value, and how many values came.
set -eu
program=$1 store=$2

press() {
    printf '%-36s' "rechat $*"
    for _ in 1 2 3 4 5; do
        began=$(date +%s%N)
        count=$(COMPLETE=zsh _CLAP_COMPLETE_INDEX=$(($# + 2)) _CLAP_IFS='
' "$program" -- rechat --db "$store" "$@" | wc -l)
        printf ' %4d ms (%d)' $((($(date +%s%N) - began) / 1000000)) "$count"
    done
    echo
}

press list -c ''
press list -c group_12
press list -p ''
press get ''
press get 0123
press list -c Gro
press list --sender A
press retry ''
