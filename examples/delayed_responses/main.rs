//! Many connections, one thread, one completion queue: responses in the order of their completion.
//!
//! The program asks an HTTP server for several paths at the same time. It lends one buffer for each
//! connection to the kernel, sleeps in one place, and prints each response when it is complete. At
//! last a second thread wakes it and shuts its queue down.
//!
//! ```text
//! cargo run --example delayed_responses                       on Windows
//! ./wine cargo run --example delayed_responses -- --help      on Linux
//! ```
//!
//! The file to read is `client.rs`. In the others are the server that it asks unless told
//! otherwise, the question whether a response is complete, the options, and the lines printed.

#[cfg(windows)]
mod arguments;
#[cfg(windows)]
mod client;
#[cfg(windows)]
mod host;
#[cfg(windows)]
#[path = "../shared/program.rs"]
mod program;
#[cfg(windows)]
mod report;
#[cfg(windows)]
mod response;
#[cfg(windows)]
mod server;
#[cfg(windows)]
#[path = "../shared/words.rs"]
mod words;

use std::process::ExitCode;

#[cfg(windows)]
const NAME: &str = "delayed_responses";

#[cfg(windows)]
fn main() -> ExitCode {
    use words::Request;

    let done = match arguments::parse(std::env::args_os().skip(1)) {
        Ok(Request::Help) => program::print(arguments::HELP),
        Ok(Request::Run(options)) => ask(&options),
        Err(sentence) => return program::misunderstood(NAME, &sentence),
    };
    program::exit_code(NAME, done)
}

/// Finds the server that is to be asked, or starts one.
#[cfg(windows)]
fn ask(options: &arguments::Options) -> Result<(), Box<dyn std::error::Error>> {
    let host = match &options.server {
        Some(server) => host::Host::find(server)?,
        None => server::start()?.into(),
    };
    client::ask_all(host, &options.paths, options.timeout)
}

#[cfg(not(windows))]
fn main() -> ExitCode {
    eprintln!(
        "delayed_responses: this shows completion ports, which only Windows has, so run it in Wine \
         with `./wine cargo run --example delayed_responses`"
    );
    ExitCode::from(2)
}
