//! A forwarder of TCP connections: two sockets for each, a few threads, one completion queue.
//!
//! ```text
//! cargo run --example tcp_proxy -- 127.0.0.1:8080 example.com:80      on Windows
//! ./wine cargo run --example tcp_proxy -- --help                      on Linux
//! ```
//!
//! The files to read are `pair.rs`, what happens between two sockets, `proxy.rs`, how they come to
//! be a pair, and `shared/serve.rs`, the threads and their end.

#[cfg(windows)]
mod arguments;
#[cfg(windows)]
mod pair;
#[cfg(windows)]
mod proxy;
#[cfg(windows)]
mod reset;
#[cfg(windows)]
#[path = "../shared/mod.rs"]
mod shared;
#[cfg(windows)]
#[path = "../shared/words.rs"]
mod words;

use std::process::ExitCode;

#[cfg(windows)]
const NAME: &str = "tcp_proxy";

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
    let (proxy, address) = proxy::Proxy::new(&queue, options, threads, &statistics)?;
    ctrl_c::shuts_down(queue.waker())?;
    if options.until_stdin_ends {
        stdin::end_shuts_down(queue.waker())?;
    }
    print(&format!("listening on {address}\n"))?;

    let mut line = statistics::Line::new(&statistics);
    serve::serve(&queue, threads, &proxy, || line.update())?;
    drop(line);
    print(&format!(
        "served {}, {}; {} to connect, {}; {} in flight\n",
        count(statistics.connections(), "connection"),
        count(statistics.bytes(), "byte"),
        count(proxy.failed_to_connect(), "failure"),
        count(proxy.resets(), "reset"),
        count(queue.in_flight(), "operation"),
    ))
}

#[cfg(not(windows))]
fn main() -> ExitCode {
    eprintln!(
        "tcp_proxy: this shows completion ports, which only Windows has, so run it in Wine with \
         `./wine cargo run --example tcp_proxy`"
    );
    ExitCode::from(2)
}
