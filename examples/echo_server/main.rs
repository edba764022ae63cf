//! A server that sends everything back: many connections, a few threads, one completion queue.
//!
//! ```text
//! cargo run --example echo_server                       on Windows
//! ./wine cargo run --example echo_server -- --help      on Linux
//! ```
//!
//! The files to read are `echo.rs`, what happens to a connection, and `shared/serve.rs`, the
//! threads and their end.

#[cfg(windows)]
mod arguments;
#[cfg(windows)]
mod connection;
#[cfg(windows)]
mod echo;
#[cfg(windows)]
#[path = "../shared/mod.rs"]
mod shared;
#[cfg(windows)]
#[path = "../shared/words.rs"]
mod words;

use std::process::ExitCode;

#[cfg(windows)]
const NAME: &str = "echo_server";

#[cfg(windows)]
fn main() -> ExitCode {
    use shared::program;
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
    use shared::program::{count, print};
    use shared::{ctrl_c, serve, statistics, stdin};

    let threads = serve::threads(options.threads);
    let queue = overlapped::CompletionQueue::with_concurrency(threads)?;
    let statistics = statistics::Statistics::default();
    let (echo, address) = echo::Echo::new(&queue, options, threads, &statistics)?;
    ctrl_c::shuts_down(queue.waker())?;
    if options.until_stdin_ends {
        stdin::end_shuts_down(queue.waker())?;
    }
    print(&format!("listening on {address}\n"))?;

    let mut line = statistics::Line::new(&statistics);
    serve::serve(&queue, threads, &echo, || line.update())?;
    drop(line);
    print(&format!(
        "served {}, {}; {} in flight\n",
        count(statistics.connections(), "connection"),
        count(statistics.bytes(), "byte"),
        count(queue.in_flight(), "operation"),
    ))
}

#[cfg(not(windows))]
fn main() -> ExitCode {
    eprintln!(
        "echo_server: this shows completion ports, which only Windows has, so run it in Wine with \
         `./wine cargo run --example echo_server`"
    );
    ExitCode::from(2)
}
