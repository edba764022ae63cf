#!/usr/bin/env bash
# Follows the sections "A first program" and "Vendor it" of README.md to the letter, in packages made
# for that: the program as it stands there, and then libraries and programs, of the editions 2021 and
# 2024, that have the crate as a module or as a dependency by path. Each denies warnings, uses the layer, and has a test of its own; a library has an example in
# its documentation too. Cargo checks, tests and documents each of them, natively and for Windows.
#
# usage: tests/vendored.sh        WINE names another Wine, as for ./wine
#
# The commands and the code are taken from the README, so that what a reader is told is what is
# tested. Needs git, rustfmt and clippy. It fails if it takes more than fifteen minutes.

set -euo pipefail

root=$(dirname -- "$(dirname -- "$(readlink -f -- "$0")")")
limit=900

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
trap 'exit 1' INT TERM
log=$scratch/log

say() {
    printf 'vendored: %s\n' "$*"
}

fail() {
    say "FAILED: $*" >&2
    exit 1
}

# Runs a command in the folder of the package, which shall end in time, well, and without a warning.
# What it prints is left in the log.
run() {
    local left=$((limit - SECONDS)) status=0
    [ "$left" -gt 0 ] || fail "this has taken more than $limit s"
    (cd "$scratch/$package" && timeout --kill-after=10 "$left" "$@") >"$log" 2>&1 </dev/null ||
        status=$?
    if [ "$status" != 0 ] || grep -q '^warning' "$log"; then
        cat "$log" >&2
        fail "with warnings or status $status, in $package: $*"
    fi
}

# Fails unless what the last command printed has a line like this.
told() {
    grep -Eq -- "$1" "$log" && return
    cat "$log" >&2
    fail "in $package nothing like this was printed: $1"
}

# A code block of a section: the one of a language that has this number among them.
block() {
    local section=${3:-Vendor it}
    awk -v fence='```'"$1" -v wanted="$2" -v heading="## $section" '
        /^## / { inside = $0 == heading }
        !inside { next }
        $0 == "```" { copying = 0 }
        copying { print; printed = 1 }
        $0 == fence { copying = ++seen == wanted }
        END { exit !printed }' "$root/README.md" ||
        fail "the section \"$section\" of README.md has no block $2 of $1"
}

copy_crate=$(block sh 1)
copy_module=$(block sh 2)
show_what_is_new=$(block sh 3)
take_tcp=$(block sh 4)
take_a_part=$(block sh 5)
dependency=$(block toml 1)
declaration=$(block text 1)


# The checkout that the README asks for. It has one commit, with the files as they are now, be they
# committed here or not.

git -C "$root" rev-parse --git-dir >/dev/null 2>&1 || fail "$root is not a git checkout"
git init --quiet "$scratch/overlapped"
git -C "$root" ls-files -z --cached --others --exclude-standard |
    tar -c -C "$root" --null --ignore-failed-read --files-from=- 2>/dev/null |
    tar -x -C "$scratch/overlapped"
git -C "$scratch/overlapped" add --all
git -C "$scratch/overlapped" -c user.name=test -c user.email=test@localhost -c commit.gpgsign=false \
    commit --quiet --message='The files as they are'
commit=$(git -C "$scratch/overlapped" rev-parse HEAD)


# The first program.

package=.
run bash -euo pipefail -c "$(block sh 1 'A first program')"
package=hello
block rust 1 'A first program' >"$scratch/hello/src/main.rs"
CARGO_TARGET_DIR=$scratch/target/windows run bash -euo pipefail -c "$(block sh 2 'A first program')"
told '^Key\(7\): 5 bytes: hello'
grep -q 'It prints `Key(7): 5 bytes: hello`' "$root/README.md" || fail 'README.md says otherwise'
say "ok, $SECONDS s: the first program"


# The packages.

# The whole source of a library or of a program. As a module the crate is there on all systems, and
# as a dependency only for Windows. It is named wherever names are resolved before types: in
# imports, also of a variant, in a constant, a signature, and an implementation of a trait.
source_of() {
    local declared=$declaration where='' elsewhere='Ok(Message(bytes.to_vec()).filled(0).to_vec())'
    local public='pub ' main=''
    if [ "$way" = crate ]; then
        declared='' where='#[cfg(windows)]' elsewhere='Ok(bytes.to_vec())'
    fi
    if [ "$kind" = program ]; then
        public=''
        main='fn main() -> io::Result<()> {
    println!("{} byte", echo(b"h")?.len());
    Ok(())
}'
    fi

    # A line with a space before it is to be there only if its attribute is.
    sed 's/^ #/#/; /^ $/d' <<END
//! Receives what it has sent to itself.
#![deny(warnings)]
#![deny(unused, missing_docs, unsafe_code, unreachable_pub, clippy::pedantic)]

$declared

use std::io;

 $where
use overlapped::Buffer;
#[cfg(windows)]
use overlapped::{Completion, Completion::Received, CompletionQueue, Completions, Key};

#[cfg(windows)]
const KEY: Key = Key(7);

/// A buffer of the package's own.
 $where
struct Message(Vec<u8>);

 $where
#[allow(unsafe_code)]
// SAFETY: the methods are those of the vector, which nothing else can reach.
unsafe impl Buffer for Message {
    fn filled(&self, part: usize) -> &[u8] {
        self.0.filled(part)
    }

    fn spare(&mut self, part: usize) -> &mut [std::mem::MaybeUninit<u8>] {
        self.0.spare(part)
    }

    unsafe fn advance(&mut self, count: usize) {
        // SAFETY: the caller's promise, passed on.
        unsafe { self.0.advance(count) }
    }
}

/// What has been received of a completion, if it is one of that kind.
#[cfg(windows)]
fn received(completion: Completion<Message>) -> Option<io::Result<Message>> {
    match completion {
        Received { buffer, result, .. } => Some(result.map(|_| buffer).map_err(io::Error::from)),
        _ => None,
    }
}

/// Sends bytes to itself, at least one, and returns the first that come.
///
/// \`\`\`
/// assert_eq!($package::echo(b"h").unwrap(), b"h");
/// \`\`\`
///
/// # Errors
///
/// Those of the system.
#[cfg(windows)]
${public}fn echo(bytes: &[u8]) -> io::Result<Vec<u8>> {
    use std::io::Write;
    use std::net::{TcpListener, TcpStream};

    let listener = TcpListener::bind("127.0.0.1:0")?;
    let queue = CompletionQueue::new()?;
    let stream = queue.register(TcpStream::connect(listener.local_addr()?)?, KEY)?;
    stream.receive(Message(Vec::with_capacity(bytes.len())))?;
    listener.accept()?.0.write_all(bytes)?;

    let mut batch = Completions::with_capacity(4);
    loop {
        if let Some(message) = queue.wait(&mut batch, None)?.find_map(received) {
            return Ok(message?.0);
        }
    }
}

/// Where there is no port the bytes are echoed without.
///
/// \`\`\`
/// assert_eq!($package::echo(b"h").unwrap(), b"h");
/// \`\`\`
///
/// # Errors
///
/// None.
#[cfg(not(windows))]
#[allow(clippy::unnecessary_wraps)]
${public}fn echo(bytes: &[u8]) -> io::Result<Vec<u8>> {
    $elsewhere
}

$main

#[cfg(test)]
mod tests {
    #[test]
    fn a_byte_comes_back() {
        assert_eq!(super::echo(b"h").expect("a byte"), b"h");
    }
}
END
}

# Makes a package, and copies the crate into it, twice: an update leaves nothing of the version
# before.
make_package() {
    local root_file=lib copy=$copy_module
    [ "$kind" = library ] || root_file=main
    [ "$way" = module ] || copy=$copy_crate

    mkdir -p "$scratch/$package/src" "$scratch/$package/vendor/overlapped/src"
    : >"$scratch/$package/vendor/overlapped/src/of_the_version_before.rs"
    source_of | cat -s >"$scratch/$package/src/$root_file.rs"
    printf '%s\n' '[package]' "name = \"$package\"" 'version = "0.1.0"' "edition = \"$edition\"" \
        >"$scratch/$package/Cargo.toml"
    # In a workspace a dependency below it is a member, and needs all files that its manifest names.
    [ "$kind" = program ] || printf '\n[workspace]\n' >>"$scratch/$package/Cargo.toml"
    [ "$way" = module ] || printf '\n%s\n' "$dependency" >>"$scratch/$package/Cargo.toml"

    run bash -euo pipefail -c "$copy"
    run bash -euo pipefail -c "$show_what_is_new"
    [ ! -s "$log" ] || fail "a copy of the newest version is not the newest: $(cat "$log")"
    (
        cd "$scratch/$package/vendor/overlapped"
        [ "$(cat COMMIT)" = "$commit" ] || fail "COMMIT does not name the version copied"
        [ -s LICENSE-MIT ] && [ -s LICENSE-APACHE ] || fail "the licences are not in the copy"
        [ ! -e src/of_the_version_before.rs ] || fail "a file of the version before is still there"
    )
}

# What cargo makes of a package. The arguments are what runs cargo.
try_package() {
    run "$@" cargo check
    run "$@" cargo clippy --all-targets
    RUSTDOCFLAGS='-D warnings' run "$@" cargo doc

    run "$@" cargo test
    told '^test tests::a_byte_comes_back \.\.\. ok'
    [ "$way" = crate ] || told '^test overlapped::.*::tests::.* \.\.\. ok'
    if [ "$kind" = library ]; then
        # The package's own example, and no other, whatever became of it.
        told '^test src/lib\.rs - echo \(line [0-9]+\) \.\.\. ok'
        [ "$(grep -c '^test .* (line [0-9]*)' "$log")" = 1 ] ||
            fail "in $package there are other examples than its own: $(grep '(line' "$log")"
    else
        run "$@" cargo run
        told '^1 byte'
    fi
}

# All packages build in one folder for each system, in which std too is built once, where it has to
# be.
export CARGO_INCREMENTAL=0

for way in module crate; do
    for kind in library program; do
        for edition in 2021 2024; do
            package=${kind}_${edition}_$way
            make_package
            run cargo fmt --check
            CARGO_TARGET_DIR=$scratch/target/native try_package env
            CARGO_TARGET_DIR=$scratch/target/windows try_package "$root/wine"
            if [ "$way" = module ]; then
                (cd "$scratch/$package" && cargo package --list --allow-dirty 2>/dev/null) >"$log"
                for file in src/module.rs ffi/mod.rs LICENSE-MIT LICENSE-APACHE COMMIT; do
                    told "^vendor/overlapped/$file\$"
                done
            fi
            say "ok, $SECONDS s: a $kind of edition $edition that has it as a $way"
        done
    done
done


# The part of it that is TCP, and of that the part that is receiving, sending and waking.

way=module kind=library edition=2024 package=a_part
make_package
copy=$scratch/$package/vendor/overlapped/src

# Takes a part, for which so many files and folders are to go, and so many lines are to change.
take_part() {
    rm -rf "$scratch/whole"
    cp -r "$copy" "$scratch/whole"
    run bash -euo pipefail -c "$1"
    local changed removed
    changed=$(diff -r "$scratch/whole" "$copy" | grep -c '^[<>]') || true
    removed=$(diff -rq "$scratch/whole" "$copy" | grep -c '^Only in') || true
    [ "$removed" = "$2" ] && [ "$changed" = "$3" ] && [ "$changed" -le 15 ] ||
        fail "a part is without $removed files and folders, and $changed lines are changed"
}

cat >>"$scratch/$package/src/lib.rs" <<'END'

#[cfg(all(test, windows))]
mod a_part {
    use super::overlapped::{Completion, CompletionQueue, Completions, Key};
    use std::net::{TcpListener, TcpStream};

    #[test]
    fn it_sends_and_wakes() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let stream = TcpStream::connect(listener.local_addr().expect("bound")).expect("connected");
        let queue = CompletionQueue::new().expect("a queue");
        let stream = queue.register(stream, Key(1)).expect("registered");
        let mut batch = Completions::with_capacity(4);
        stream.send(b"hello".to_vec()).expect("submitted");
        let sent = queue.wait(&mut batch, None).expect("waiting").next();
        assert!(matches!(sent, Some(Completion::Sent { count: 5, .. })));
        queue.waker().wake().expect("woken");
        let woken = queue.wait(&mut batch, None).expect("waiting").next();
        assert!(matches!(woken, Some(Completion::Woken)));
    }
}
END
try_part() {
    CARGO_TARGET_DIR=$scratch/target/native run cargo test
    CARGO_TARGET_DIR=$scratch/target/windows run "$root/wine" cargo test
    told '^test a_part::it_sends_and_wakes \.\.\. ok'
}

take_part "$take_tcp" 9 11
try_part
say "ok, $SECONDS s: TCP alone"
take_part "$take_a_part" 6 14
try_part
say "ok, $SECONDS s: receiving, sending and waking alone"
