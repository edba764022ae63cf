#!/usr/bin/env bash
# Runs the example `pipe_chat` in Wine as people do: a server and several who join, each a program of
# its own. Fails if a line does not come to all others, comes back to who has typed it, or a program
# does not end in order when it gets Ctrl-C or its input ends.
#
# usage: tests/real_chat.sh        WINE names another Wine, as for ./wine

set -euo pipefail

if [ -z "${CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER-}" ]; then
    exec "$(dirname -- "$(readlink -f -- "$0")")/../wine" bash "$(readlink -f -- "$0")" "$@"
fi
cd "$(dirname -- "$0")/.."

# shellcheck source=tests/support/real.sh
. tests/support/real.sh

name=overlapped-chat-$$

cargo build --quiet --example pipe_chat || fail 'the example does not compile'
program=$examples/pipe_chat.exe

# Starts one of the programs, WHO ARGUMENT..., which reads from a pipe of that name. Sets `pid`.
start() {
    local who=$1
    shift
    mkfifo "$work/$who"
    "$CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER" "$program" "$@" \
        <"$work/$who" >"$work/$who.out" 2>"$work/$who.log" &
    pid=$!
    pids+=("$pid")
}

says() {
    eventually grep -qF -- "$2" "$work/$1.out" || fail "$1 has not got ${2@Q}"
}

ends() {
    local status=0
    eventually is_gone "$2" || fail "$1 does not end"
    wait "$2" || status=$?
    [ "$status" = "${3-0}" ] || fail "$1 ended with status $status"
}

start server --serve "$name"
server=$pid
exec 3>"$work/server"
says server "serving $name"
start ada "$name" --as Ada
ada=$pid
exec 4>"$work/ada"
says ada '1 is here'
start bob "$name" --as Bob
bob=$pid
exec 5>"$work/bob"
start cleo "$name" --as Cleo
cleo=$pid
exec 6>"$work/cleo"
for who in ada bob cleo; do
    says "$who" '3 are here'
done
say 'ok: three have joined'

echo 'good morning' >&4
says bob 'Ada: good morning'
says cleo 'Ada: good morning'
echo 'and to you' >&5
says ada 'Bob: and to you'
says cleo 'Bob: and to you'
! grep -q 'Ada: good' "$work/ada.out" || fail 'what Ada types comes back to her'
say 'ok: what one types comes to all others'

exec 6>&-
ends cleo "$cleo"
says ada '2 are here'
kill -INT "$bob"
ends bob "$bob"
says ada '1 is here'
say 'ok: the end of the input ends one, and Ctrl-C another'

kill -INT "$server"
says ada 'the chat has ended'
ends ada "$ada"
ends server "$server"
says server 'served 3 clients; 0 operations in flight'
for log in "$work"/*.log; do
    [ ! -s "$log" ] || fail "${log##*/}: somebody has complained"
done
say 'ok: Ctrl-C ends the server, and with it who is there'

start late "$name"
exec 7>"$work/late"
ends late "$pid" 1
grep -q 'no pipe of that name' "$work/late.log" || fail 'who comes late is not told why'
say 'ok: who comes late is told so'
