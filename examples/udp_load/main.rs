//! A load for a server that sends datagrams back: it counts what is lost, and how long the others
//! take.
//!
//! ```text
//! cargo run --example udp_load                       on Windows
//! ./wine cargo run --example udp_load -- --help      on Linux
//! ```
//!
//! The files to read are `load.rs`, what is sent and received, and `ledger.rs`, what becomes of it.

#[cfg(windows)]
mod arguments;
#[cfg(windows)]
#[path = "../shared/ctrl_c.rs"]
mod ctrl_c;
#[cfg(windows)]
#[path = "../udp_echo/echo.rs"]
mod echo;
#[cfg(windows)]
mod ledger;
#[cfg(windows)]
#[path = "../shared/listen.rs"]
mod listen;
#[cfg(windows)]
mod load;
#[cfg(windows)]
#[path = "../shared/program.rs"]
mod program;
#[cfg(windows)]
mod times;
#[cfg(windows)]
#[path = "../shared/words.rs"]
mod words;

use std::process::ExitCode;

#[cfg(windows)]
const NAME: &str = "udp_load";

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
    use std::net::ToSocketAddrs;

    let Some(target) = &options.target else { return run_with_a_server(options) };
    let mut addresses = target.to_socket_addrs().map_err(|error| format!("{target}: {error}"))?;
    let target = addresses.next().ok_or_else(|| format!("{target} has no address"))?;
    load(target, options)
}

/// With a server of our own, in a thread, which ends when the load has.
#[cfg(windows)]
fn run_with_a_server(options: &arguments::Options) -> Result<(), Box<dyn std::error::Error>> {
    let queue = overlapped::CompletionQueue::new()?;
    let (server, target) = echo::Echo::new(&queue, "127.0.0.1:0", options.size)?;
    std::thread::scope(|scope| {
        let serving = scope.spawn(|| server.serve(|_| {}));
        let loaded = load(target, options);
        queue.shut_down()?;
        let served = serving.join().expect("no handler panics");
        loaded.and(served.map(|_| ()).map_err(Into::into))
    })
}

#[cfg(windows)]
fn load(
    target: std::net::SocketAddr,
    options: &arguments::Options,
) -> Result<(), Box<dyn std::error::Error>> {
    use program::{count, print};

    let queue = overlapped::CompletionQueue::new()?;
    let mut load = load::Load::new(&queue, target, options)?;
    ctrl_c::shuts_down(queue.waker())?;
    let (size, rate) = (count(options.size, "byte"), options.rate);
    print(&format!("sending {size} to {target}, {rate} times in a second\n"))?;
    load.run(print)?;

    let (ledger, seconds) = (&load.ledger, load.seconds());
    let share = 100.0 * ledger.lost() as f64 / ledger.sent.max(1) as f64;
    print(&format!(
        "sent {}, {} back, {} lost ({share:.2} %), {} twice, {} out of order, {} strange, {}; {}; {} in \
         flight\nround trips {}\n",
        count(ledger.sent, "datagram"),
        ledger.back,
        ledger.lost(),
        ledger.twice,
        ledger.late,
        ledger.strange,
        count(load.errors, "error"),
        load::rate(ledger.back, options.size, seconds),
        count(queue.in_flight(), "operation"),
        load.times.text(),
    ))?;
    match (ledger.back, load.unreachable, &load.trouble) {
        (0, 0, Some(trouble)) => Err(format!("nothing came back from {target}: {trouble}").into()),
        (0, 0, None) => Err(format!("nothing came back from {target}; is a server there?").into()),
        (0, ..) => Err(format!("nothing came back: nobody is at {target}").into()),
        _ => Ok(()),
    }
}

#[cfg(not(windows))]
fn main() -> ExitCode {
    eprintln!(
        "udp_load: this shows completion ports, which only Windows has, so run it in Wine with \
         `./wine cargo run --example udp_load`"
    );
    ExitCode::from(2)
}
