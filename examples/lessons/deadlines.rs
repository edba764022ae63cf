//! Many questions at a time, each with a moment by which it is to be answered.
//!
//! The program asks peers, on threads of its own, over connections to itself. Half of them answer at
//! once, some say nothing, and some send a little again and again and never come to an end. It
//! prints who has answered and whose time was up, and ends when nothing is in flight.
//!
//! ```text
//! cargo run --example lesson_deadlines               on Windows
//! ./wine cargo run --example lesson_deadlines        on Linux
//! ```
//!
//! The files to read are `deadlines/client.rs`, with the loop, and `deadlines/heap.rs`.

use std::process::ExitCode;

#[cfg(windows)]
#[path = "deadlines/ask.rs"]
mod ask;
#[cfg(windows)]
#[path = "deadlines/client.rs"]
mod client;
#[cfg(windows)]
#[path = "deadlines/heap.rs"]
mod heap;
#[cfg(windows)]
#[path = "deadlines/peers.rs"]
mod peers;
#[cfg(windows)]
#[allow(dead_code, reason = "nothing is counted here")]
#[path = "../shared/program.rs"]
mod program;

#[cfg(windows)]
const NAME: &str = "lesson_deadlines";

#[cfg(windows)]
const HELP: &str = "\
Asks 24 peers at the same time, and gives each a moment by which it is to answer.

    lesson_deadlines

It takes no options. The peers are threads of this program, and no network is needed.
The status is 0 if each question was answered or its time was up, and 1 if one failed.
";

#[cfg(windows)]
fn main() -> ExitCode {
    let words: Vec<_> = std::env::args_os().skip(1).collect();
    let done = match words.first() {
        Some(_) if words.iter().any(|word| word == "--help" || word == "-h") => {
            program::print(HELP)
        }
        Some(word) => {
            return program::misunderstood(NAME, &format!("there is no use for {word:?}"));
        }
        None => ask::ask_all().and_then(|report| program::print(&report)),
    };
    program::exit_code(NAME, done)
}

#[cfg(not(windows))]
fn main() -> ExitCode {
    eprintln!(
        "lesson_deadlines: this shows completion ports, which only Windows has, so run it in Wine \
         with `./wine cargo run --example lesson_deadlines`"
    );
    ExitCode::from(2)
}
