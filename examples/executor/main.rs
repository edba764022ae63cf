//! Async and await on a completion queue: an echo server and its clients, on one thread.
//!
//! ```text
//! cargo run --example executor                       on Windows
//! ./wine cargo run --example executor -- --help      on Linux
//! ```
//!
//! The files to read are `executor.rs`, which runs tasks, `operations.rs`, what they wait for, and
//! `server.rs`, which is written with both.

#[cfg(windows)]
mod arguments;
#[cfg(windows)]
mod client;
#[cfg(windows)]
mod combine;
#[cfg(windows)]
#[path = "../shared/ctrl_c.rs"]
mod ctrl_c;
#[cfg(windows)]
mod executor;
#[cfg(windows)]
#[path = "../shared/listen.rs"]
mod listen;
#[cfg(windows)]
mod operations;
#[cfg(windows)]
#[path = "../shared/program.rs"]
mod program;
#[cfg(windows)]
mod run;
#[cfg(windows)]
mod server;
#[cfg(windows)]
#[path = "../shared/stdin.rs"]
mod stdin;
#[cfg(windows)]
#[path = "../shared/words.rs"]
mod words;

use std::process::ExitCode;

#[cfg(windows)]
const NAME: &str = "executor";

#[cfg(windows)]
fn main() -> ExitCode {
    run::run(std::env::args_os().skip(1))
}

#[cfg(not(windows))]
fn main() -> ExitCode {
    eprintln!(
        "executor: this shows completion ports, which only Windows has, so run it in Wine with \
         `./wine cargo run --example executor`"
    );
    ExitCode::from(2)
}
