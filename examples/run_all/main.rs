//! Runs commands side by side: pipes, waits and a job on one completion queue, and one thread.
//!
//! ```text
//! cargo run --example run_all -- "here=dir" "there=ping -t 127.0.0.1"     on Windows
//! ./wine cargo run --example run_all -- --help                            on Linux
//! ```
//!
//! The files to read are `run.rs`, the loop in which everything that the commands do comes
//! together, and `start.rs`, how a command comes into the job before it does anything.

#[cfg(windows)]
mod arguments;
#[cfg(windows)]
mod commands;
#[cfg(windows)]
#[path = "../shared/ctrl_c.rs"]
mod ctrl_c;
#[cfg(windows)]
mod lines;
#[cfg(windows)]
#[path = "../shared/program.rs"]
mod program;
#[cfg(windows)]
mod run;
#[cfg(windows)]
mod start;
#[cfg(windows)]
#[path = "../shared/stdin.rs"]
mod stdin;
#[cfg(windows)]
mod terminal;
#[cfg(windows)]
#[allow(dead_code, reason = "this program takes no address and no number")]
#[path = "../shared/words.rs"]
mod words;

use std::process::ExitCode;

#[cfg(windows)]
const NAME: &str = "run_all";

#[cfg(windows)]
fn main() -> ExitCode {
    use words::Request;

    let options = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Request::Help) => {
            return program::exit_code(NAME, program::print(arguments::HELP));
        }
        Ok(Request::Run(options)) => options,
        Err(sentence) => return program::misunderstood(NAME, &sentence),
    };
    let commands = match commands::all(&options) {
        Ok(commands) => commands,
        Err(sentence) => return program::misunderstood(NAME, &sentence),
    };
    match run(&options, &commands) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => program::exit_code(NAME, Err(error)),
    }
}

/// Whether all commands have succeeded.
#[cfg(windows)]
fn run(
    options: &arguments::Options,
    commands: &[commands::Command],
) -> Result<bool, Box<dyn std::error::Error>> {
    let queue = overlapped::CompletionQueue::new()?;
    ctrl_c::shuts_down(queue.waker())?;
    if options.until_stdin_ends {
        stdin::end_shuts_down(queue.waker())?;
    }
    run::Run::start(&queue, options, commands)?.until_the_end()
}

#[cfg(not(windows))]
fn main() -> ExitCode {
    eprintln!(
        "run_all: this shows completion ports, which only Windows has, so run it in Wine with \
         `./wine cargo run --example run_all`"
    );
    ExitCode::from(2)
}
