#!/usr/bin/env bash
# Runs the examples `copy_file` and `watch_dir` in Wine, on files that other programs have made, and
# looks at what they have done with other programs: cmp, tail, touch, mv, rm. Fails if a byte differs,
# a change is not told, a program does not end in order when it gets Ctrl-C, or something stays behind.
#
# usage: tests/real_files.sh        WINE names another Wine, as for ./wine
#
# It takes about half a minute. With LARGE=1 a file of 5 GiB is copied as well, most of it zeros, which
# takes a minute more and as much room on the disk.

set -euo pipefail

if [ -z "${CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER-}" ]; then
    exec "$(dirname -- "$(readlink -f -- "$0")")/../wine" bash "$(readlink -f -- "$0")" "$@"
fi
cd "$(dirname -- "$0")/.."

# shellcheck source=tests/support/real.sh
. tests/support/real.sh

mounted=
undo() {
    [ -z "$mounted" ] || umount "$mounted" || true
}

cargo build --quiet --example copy_file --example watch_dir || fail "the examples do not compile"

# A path as the programs take it.
there() {
    printf 'Z:%s' "$1" | tr / '\\'
}

# Runs a program to its end, STATUS-PATTERN PROGRAM ARGUMENT...
run() {
    local expected=$1 program=$2 status=0
    shift 2
    timeout 300 "$CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER" "$examples/$program.exe" "$@" \
        </dev/null >"$work/run.out" 2>"$work/run.log" || status=$?
    # shellcheck disable=SC2053 # What is expected is a pattern.
    [[ $status == $expected ]] || fail "$program $* ended with status $status and not $expected"
}

# The last run has said this on stderr, in one line.
says() {
    grep -q -- "$1" "$work/run.log" && [ "$(wc -l <"$work/run.log")" = 1 ] || fail "no word of $1"
}

# Starts a program, NAME PROGRAM ARGUMENT..., and leaves its id in `pid`.
start() {
    local name=$1 program=$2
    shift 2
    "$CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER" "$examples/$program.exe" "$@" \
        </dev/null >"$work/$name.out" 2>"$work/$name.log" &
    pid=$!
    pids+=("$pid")
}

# Waits for the end of what was started, NAME PID EXPECTED-STATUS.
ends() {
    local name=$1 pid=$2 status=0
    eventually is_gone "$pid" || fail "$name does not end"
    wait "$pid" || status=$?
    [ "$status" = "$3" ] || fail "$name ended with status $status and not $3"
}


copies() {
    local size copies=0 source=$work/source target=$work/target
    for size in 0 1 4095 4096 4097 1048577 20000000; do
        head -c "$size" /dev/urandom >"$source"
        for options in '' '--in-flight 1 --block 1000003' '--block 4096 --in-flight 64' --unbuffered \
            '--unbuffered --block 64K --in-flight 3'
        do
            [ "$size" -lt 10000000 ] || [ "$options" != '--block 4096 --in-flight 64' ] || continue
            # shellcheck disable=SC2086 # Each option is a word of its own.
            run 0 copy_file "$(there "$source")" "$(there "$target")" $options
            cmp "$source" "$target" || fail "$size bytes with the options '$options'"
            [ ! -e "$target.partial" ] || fail 'a part stays behind'
            rm "$target"
            copies=$((copies + 1))
        done
    done
    head -c 10007 "$source" >"$work/odd"
    run 0 copy_file "$(there "$work/odd")" "$(there "$target")" --block 1 --in-flight 200
    cmp "$work/odd" "$target" || fail 'blocks of 1 byte'
    step "cmp: each byte of $copies copies is the same, of 0 to 20000000 bytes, unbuffered and not"

    run 1 copy_file "$(there "$source")" "$(there "$target")"
    says 'is there already'
    cmp "$work/odd" "$target" || fail 'what was there was touched'
    run 0 copy_file "$(there "$source")" "$(there "$target")" --overwrite
    cmp "$source" "$target" || fail 'what was there was not replaced'
    mkdir "$work/folder"
    run 0 copy_file "$(there "$source")" "$(there "$work/folder")"
    cmp "$source" "$work/folder/source" || fail 'into a folder'
    run 1 copy_file "$(there "$source")" "$(there "$source")" --overwrite
    says 'the same file'
    run 1 copy_file "$(there "$source")" "$(there "$work/folder/../source")" --overwrite
    says 'the same file'
    run 1 copy_file "$(there "$work/none")" "$(there "$work/copy")"
    says 'cannot open'
    run 1 copy_file "$(there "$work/folder")" "$(there "$work/copy")"
    says 'is a folder'
    run 1 copy_file "$(there "$source")" "$(there "$work/no/copy")"
    says 'cannot make'
    run 1 copy_file "$(there "$source")" "$(there "$work/copy")" --from 20000001
    says 'beyond the end'
    touch "$work/copy.partial"
    run 1 copy_file "$(there "$source")" "$(there "$work/copy")"
    says 'another copy is under way'
    rm "$work/copy.partial"
    [ ! -e "$work/copy" ] || fail 'there is a copy of nothing'
    for options in '' 'a' 'a b c' 'a b --block 0' 'a b --in-flight 257' 'a b --unbuffered --block 5' \
        'a b --no'
    do
        # shellcheck disable=SC2086 # As above.
        run 2 copy_file $options
    done
    step 'what cannot be copied has a sentence each, and touches nothing'
}

# The offset has 64 bits: around 4 GiB, and of a file that is larger.
large() {
    local source=$work/large target=$work/large.copy
    truncate -s $((4096 * 1048576 + 3000017)) "$source"
    head -c 6000000 "$work/source" |
        dd of="$source" bs=1M seek=4093 conv=notrunc iflag=fullblock status=none
    for options in '' --unbuffered; do
        # shellcheck disable=SC2086 # As above.
        run 0 copy_file "$(there "$source")" "$(there "$target")" --from 4092M $options
        [ "$(stat -c %s "$source")" = "$(stat -c %s "$target")" ] || fail 'another length'
        cmp <(tail -c 7194321 "$source") <(tail -c 7194321 "$target") || fail 'beyond 4 GiB'
        rm "$target"
    done
    step 'cmp: around 4 GiB each byte is the same'
    if [ -n "${LARGE-}" ]; then
        truncate -s 5G "$source"
        printf 'the end' | dd of="$source" bs=1 seek=5368709113 conv=notrunc status=none
        run 0 copy_file "$(there "$source")" "$(there "$target")"
        [ "$(sha256sum <"$source")" = "$(sha256sum <"$target")" ] || fail '5 GiB'
        step "sha256sum: 5 GiB are the same; $(tr -d '\r' <"$work/run.out")"
        rm "$target"
    fi
}

# A copy that takes for ever, and is stopped.
stopped() {
    truncate -s 1T "$work/endless"
    start stopped copy_file "$(there "$work/endless")" "$(there "$work/stopped")" --block 64K
    eventually test -s "$work/stopped.partial" || fail 'the copy does not begin'
    kill -INT "$pid" || fail 'it has ended by itself'
    ends stopped "$pid" 1
    grep -q 'it was stopped; there is no copy' "$work/stopped.log" || fail 'it does not say so'
    [ ! -e "$work/stopped" ] && [ ! -e "$work/stopped.partial" ] || fail 'a part stays behind'
    step 'Ctrl-C: it has ended, and nothing stays behind'
}

full() {
    mkdir "$work/small"
    if ! mount -t tmpfs -o size=1m none "$work/small" 2>/dev/null; then
        say 'no small disk can be made here, so nothing is said of a full one'
        return
    fi
    mounted=$work/small
    # A Wine server that has begun in another view of the file system does not see this one.
    run '[01]' copy_file "$(there "$work/odd")" "$(there "$work/small/odd")"
    if [ ! -e "$work/small/odd" ]; then
        say 'this Wine does not see a disk that comes while it runs, so nothing is said of a full one'
        return
    fi
    rm "$work/small/odd"
    run 1 copy_file "$(there "$work/source")" "$(there "$work/small/copy")"
    says 'there is no copy$'
    [ -z "$(ls "$work/small")" ] || fail 'a part stays behind'
    step "a full disk: $(tr -d '\r' <"$work/run.log")"
}

# A line of the watcher, which may come late.
tells() {
    eventually has_line "$1" || fail "it does not tell: $1"
}

has_line() {
    tr -d '\r' <"$work/watch.out" | grep -x -- "$1"
}

watches() {
    local watched=$work/watched
    mkdir "$watched" "$watched/inner"
    start watch watch_dir "$(there "$watched")"
    tells 'watching .*'
    touch "$watched/new"
    tells 'added    new'
    echo hello >>"$watched/new"
    tells 'changed  new'
    mv "$watched/new" "$watched/ähnlich 名前"
    tells 'renamed  new -> ähnlich 名前'
    mv "$watched/ähnlich 名前" "$work/elsewhere"
    tells 'removed  ähnlich 名前'
    mv "$work/elsewhere" "$watched/back"
    tells 'added    back'
    rm "$watched/back"
    tells 'removed  back'
    touch "$watched/inner/deep"
    for number in $(seq 100); do touch "$watched/number$number"; done
    eventually grep -q 'number100' "$work/watch.out" || grep -q lost "$work/watch.out" ||
        fail 'a hundred files are not told'
    ! grep -q deep "$work/watch.out" || fail 'it is not asked for what is deep'
    kill -INT "$pid" || fail 'it has ended by itself'
    ends watch "$pid" 0
    [ ! -s "$work/watch.log" ] || fail 'it has complained'
    step "watch_dir: $(wc -l <"$work/watch.out") lines, in order"

    start watch watch_dir --recursive "$(there "$watched")"
    tells 'watching .*'
    # Wine tells what is in folders only if they are made while it watches.
    mkdir "$watched/fresh"
    tells 'added    fresh'
    touch "$watched/fresh/deeper"
    tells 'added    fresh\\deeper'
    rm -r "$watched"
    ends watch "$pid" 1
    step "watch_dir: the folder has gone: $(tr -d '\r' <"$work/watch.log")"
    run 1 watch_dir "$(there "$watched")"
    says 'there is no folder'
    run 2 watch_dir a b
    run 2 watch_dir --no
    run 0 watch_dir --help
    run 0 copy_file --help
}

copies
large
stopped
full
watches
