//! A chat on a named pipe: messages, many clients, one thread, one completion queue.
//!
//! ```text
//! cargo run --example pipe_chat -- --serve              on Windows, and without --serve to join
//! ./wine cargo run --example pipe_chat -- --help        on Linux
//! ```
//!
//! The files to read are `server.rs`, who comes and goes, and `client.rs`, a keyboard and a pipe in
//! one loop.

#[cfg(windows)]
mod arguments;
#[cfg(windows)]
mod chat;
#[cfg(windows)]
mod client;
#[cfg(windows)]
#[path = "../shared/ctrl_c.rs"]
mod ctrl_c;
#[cfg(windows)]
#[path = "../shared/program.rs"]
mod program;
#[cfg(windows)]
mod server;
#[cfg(windows)]
#[path = "../shared/stdin.rs"]
mod stdin;
#[cfg(windows)]
#[path = "../shared/words.rs"]
#[allow(dead_code, reason = "each example takes what it needs")]
mod words;

use std::process::ExitCode;

#[cfg(windows)]
const NAME: &str = "pipe_chat";

#[cfg(windows)]
fn main() -> ExitCode {
    chat::run(std::env::args_os().skip(1))
}

#[cfg(not(windows))]
fn main() -> ExitCode {
    eprintln!(
        "pipe_chat: this shows completion ports, which only Windows has, so run it in Wine with \
         `./wine cargo run --example pipe_chat`"
    );
    ExitCode::from(2)
}
