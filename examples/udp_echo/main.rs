//! A server that sends each datagram back: one thread, one completion queue, several receives.
//!
//! ```text
//! cargo run --example udp_echo                       on Windows
//! ./wine cargo run --example udp_echo -- --help      on Linux
//! ```
//!
//! The file to read is `echo.rs`. `udp_load` is a client for it.

#[cfg(windows)]
mod arguments;
#[cfg(windows)]
#[path = "../shared/ctrl_c.rs"]
mod ctrl_c;
#[cfg(windows)]
mod echo;
#[cfg(windows)]
#[path = "../shared/listen.rs"]
mod listen;
#[cfg(windows)]
#[path = "../shared/program.rs"]
mod program;
#[cfg(windows)]
#[path = "../shared/stdin.rs"]
mod stdin;
#[cfg(windows)]
#[path = "../shared/words.rs"]
mod words;

use std::process::ExitCode;

#[cfg(windows)]
const NAME: &str = "udp_echo";

#[cfg(windows)]
fn main() -> ExitCode {
    use words::Request;

    let done = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Request::Help) => program::print(arguments::HELP),
        Ok(Request::Run(options)) => run(&options),
        Err(sentence) => return program::misunderstood(NAME, &sentence),
    };
    program::exit_code(NAME, done)
}

#[cfg(windows)]
fn run(options: &arguments::Options) -> Result<(), Box<dyn std::error::Error>> {
    use std::io::{IsTerminal, Write, stderr};

    use program::{count, print};

    let queue = overlapped::CompletionQueue::new()?;
    let (echo, address) = echo::Echo::new(&queue, &options.address, options.room)?;
    ctrl_c::shuts_down(queue.waker())?;
    if options.until_stdin_ends {
        stdin::end_shuts_down(queue.waker())?;
    }
    print(&format!("listening on {address}\n"))?;

    let (somebody_looks, mut shown) = (stderr().is_terminal(), 0);
    let mut write_over = |text: &str| {
        // Spaces, since not every Windows console understands the sequences that clear a line.
        let _ = stderr().write_all(format!("\r{text:<shown$}\r").as_bytes());
        shown = text.len();
    };
    let totals = echo.serve(|totals| {
        if somebody_looks {
            let (datagrams, bytes) =
                (count(totals.datagrams, "datagram"), count(totals.bytes, "byte"));
            write_over(&format!("{datagrams}, {bytes}"));
        }
    })?;
    if somebody_looks {
        write_over("");
    }
    print(&format!(
        "echoed {}, {}; {} cut, {}; {} in flight\n",
        count(totals.datagrams, "datagram"),
        count(totals.bytes, "byte"),
        totals.cut,
        count(totals.errors, "error"),
        count(queue.in_flight(), "operation"),
    ))
}

#[cfg(not(windows))]
fn main() -> ExitCode {
    eprintln!(
        "udp_echo: this shows completion ports, which only Windows has, so run it in Wine with \
         `./wine cargo run --example udp_echo`"
    );
    ExitCode::from(2)
}
