//! A server that sends much to a client that does not read for a while: once without a limit for
//! what is in flight, and once with one.
//!
//! ```text
//! cargo run --example lesson_slow_client                     on Windows
//! ./wine cargo run --example lesson_slow_client -- --help    on Linux
//! ```
//!
//! The file to read is `slow_client/sending.rs`, which keeps to the limit.

#[cfg(windows)]
#[allow(dead_code, reason = "this program has no nouns to count")]
#[path = "../shared/program.rs"]
pub(crate) mod program;
#[cfg(windows)]
#[allow(dead_code, reason = "the tests look at more of it")]
#[path = "slow_client/sending.rs"]
pub(crate) mod sending;
#[cfg(windows)]
#[path = "slow_client/transfer.rs"]
pub(crate) mod transfer;
#[cfg(windows)]
#[allow(dead_code, reason = "this program takes no address")]
#[path = "../shared/words.rs"]
pub(crate) mod words;

use std::process::ExitCode;

#[cfg(windows)]
fn main() -> ExitCode {
    const NAME: &str = "lesson_slow_client";
    let done = match transfer::parse(std::env::args_os().skip(1)) {
        Ok(words::Request::Help) => program::print(transfer::HELP),
        Ok(words::Request::Run((total, most))) => transfer::run(total, most),
        Err(sentence) => return program::misunderstood(NAME, &sentence),
    };
    program::exit_code(NAME, done)
}

#[cfg(not(windows))]
fn main() -> ExitCode {
    eprintln!(
        "lesson_slow_client: this shows completion ports, which only Windows has, so run it in \
         Wine with `./wine cargo run --example lesson_slow_client`"
    );
    ExitCode::from(2)
}
