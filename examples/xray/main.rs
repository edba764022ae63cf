//! Prints the life of an operation while it happens: whose its memory is, what stands in its
//! `OVERLAPPED`, what the packet says, and on which thread.
//!
//! ```text
//! cargo run --example xray -- waiting             on Windows
//! ./wine cargo run --example xray -- --help       on Linux
//! ```
//!
//! Each scene is a file of its name. The file to read first is `by_hand.rs`, the memory of an
//! operation that the layer has no part in.

// With a path, so that a test can take it in with all its parts.
#[cfg(windows)]
#[path = "run.rs"]
mod run;

use std::process::ExitCode;

#[cfg(windows)]
fn main() -> ExitCode {
    ExitCode::from(run::run(std::env::args_os().skip(1)))
}

#[cfg(not(windows))]
fn main() -> ExitCode {
    eprintln!(
        "xray: this shows completion ports, which only Windows has, so run it in Wine with \
         `./wine cargo run --example xray`"
    );
    ExitCode::from(2)
}
