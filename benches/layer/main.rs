//! What the layer costs: the same work done by hand on the bindings, and through the layer.
//!
//! ```text
//! cargo bench --bench layer                      on Windows: checks that both sides do the work
//! ./wine cargo bench --bench layer -- --help     on Linux
//! benches/count                                  on Linux: counts instructions, and prints a table
//! ```
//!
//! Nothing is measured in here, for clocks say little where the program does not run on Windows.
//! Each side does as many rounds of a workload as it is told to, in one thread, and something
//! outside counts what that takes. `by_hand.rs` is written as a careful programmer would write it
//! in C, with operations and buffers that are used again; `layer.rs` as a program that uses this
//! crate. Both sides of a workload make the same calls of the system, so what differs is the layer.

#[cfg(windows)]
mod arguments;
#[cfg(windows)]
mod by_hand;
#[cfg(windows)]
mod check;
#[cfg(windows)]
mod layer;
#[cfg(windows)]
mod message;
#[cfg(windows)]
#[path = "../../examples/shared/program.rs"]
mod program;
#[cfg(windows)]
mod workload;

use std::process::ExitCode;

#[cfg(windows)]
const NAME: &str = "layer";

#[cfg(windows)]
fn main() -> ExitCode {
    use arguments::Request;

    let done = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Request::Help) => program::print(&arguments::help()),
        Ok(Request::Check) => check::all(),
        Ok(Request::Run(workload, who, count, others)) => workload
            .run(who, count, others)
            .map_err(Into::into)
            .and_then(|waits| check::report(workload, who, count, waits)),
        Err(sentence) => return program::misunderstood(NAME, &sentence),
    };
    program::exit_code(NAME, done)
}

/// `cargo bench` starts it here as well, and shall not fail for what cannot be had; who asks for
/// something in particular is told by the status that it was not done.
#[cfg(not(windows))]
fn main() -> ExitCode {
    eprintln!(
        "layer: this drives completion ports, which only Windows has, so run it in Wine with \
         `./wine cargo bench --bench layer`, or count its instructions with `benches/count`"
    );
    let asked = std::env::args_os().skip(1).any(|word| word != "--bench");
    ExitCode::from(if asked { 2 } else { 0 })
}
