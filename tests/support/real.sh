# What the scripts `tests/real_*.sh` share: a folder that goes with them, sentences, an end of whatever
# they have started, and waiting. They read this file when they are in the checkout's folder and have
# what `./wine` sets.

work=$(mktemp -d)
began=$SECONDS
pids=()
examples=$CARGO_TARGET_DIR/$CARGO_BUILD_TARGET/debug/examples

say() {
    printf '%s: %s\n' "$(basename -- "$0" .sh)" "$*"
}

fail() {
    for log in "$work"/*.out "$work"/*.log; do
        [ ! -s "$log" ] || { echo "--- ${log##*/}" && tail -n 20 "$log"; } >&2
    done
    say "FAILED: $*" >&2
    exit 1
}

step() {
    say "ok, $((SECONDS - began)) s: $*"
}

# For a script that has something else to undo before the folder goes.
undo() {
    :
}

# What was started here is ended here, by its id, whatever has happened.
clean_up() {
    for pid in "${pids[@]}"; do
        kill -KILL "$pid" 2>/dev/null || true
        wait "$pid" 2>/dev/null || true
    done
    undo
    rm -rf "$work"
}
trap clean_up EXIT
trap 'fail "interrupted"' INT TERM

# Waits until a command succeeds, for at most 20 seconds.
eventually() {
    local deadline=$((SECONDS + 20))
    until "$@" >/dev/null 2>&1; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.1
    done
}

# Whether a process is gone, or a zombie that waits for `wait`.
is_gone() {
    ! grep -q '^State:[[:space:]]*[^Z]' "/proc/$1/status" 2>/dev/null
}
