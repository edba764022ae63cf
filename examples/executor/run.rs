//! The program: a server, clients, or both, on one executor.

use std::error::Error;
use std::ffi::OsString;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::arguments::{self, HELP, Mode, Options};
use crate::client::{self, Load, Totals};
use crate::combine::{join, sleep, timeout};
use crate::executor::{self, Executor};
use crate::listen::cannot_listen;
use crate::program::{self, count, print};
use crate::server::{Limits, Served, serve};
use crate::words::Request;
use crate::{NAME, ctrl_c, stdin};

type Done<T = ()> = Result<T, Box<dyn Error>>;

pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let done = match arguments::parse(arguments) {
        Ok(Request::Help) => print(HELP),
        Ok(Request::Run(options)) => executor::run(async |executor| {
            ctrl_c::shuts_down(executor.queue.waker())?;
            if options.until_stdin_ends {
                stdin::end_shuts_down(executor.queue.waker())?;
            }
            run_on(&executor, &options).await
        })
        .unwrap_or_else(|error| Err(error.into())),
        Err(sentence) => return program::misunderstood(NAME, &sentence),
    };
    program::exit_code(NAME, done)
}

async fn run_on(executor: &Rc<Executor>, options: &Options) -> Done {
    match &options.mode {
        Mode::Serve(place) => {
            let (listener, address) = listen(place)?;
            print(&format!("listening on {address}\n"))?;
            let served = serve_on(executor, listener, options).await?;
            settle(executor).await;
            print(&format!("{}{}\n", told(&served), in_flight(executor)))
        }
        Mode::Clients(place) => {
            let mut peers = place.to_socket_addrs().map_err(|error| format!("{place}: {error}"))?;
            let peer = peers.next().ok_or_else(|| format!("{place} has no address"))?;
            let (text, totals) = load(executor, peer, options).await;
            settle(executor).await;
            print(&format!("{text}{}\n", in_flight(executor)))?;
            judged(totals)
        }
        Mode::Both => {
            let (listener, address) = listen("127.0.0.1:0")?;
            let loading = async {
                let loaded = load(executor, address, options).await;
                // It fails if there is no memory to wake a thread, and this one is awake.
                let _ = executor.queue.shut_down();
                loaded
            };
            let serving = serve_on(executor, listener, options);
            let (served, (text, totals)) = join(serving, loading).await;
            let served = served?;
            settle(executor).await;
            print(&format!("{text}; {}{}\n", told(&served), in_flight(executor)))?;
            judged(totals)
        }
    }
}

fn listen(place: &str) -> Done<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind(place).map_err(|error| cannot_listen(place, &error))?;
    let address = listener.local_addr()?;
    Ok((listener, address))
}

async fn serve_on(
    executor: &Rc<Executor>,
    listener: TcpListener,
    options: &Options,
) -> Done<Rc<Served>> {
    let (limits, served) =
        (Limits { clients: options.clients, idle: options.limit }, Rc::<Served>::default());
    serve(executor, listener, &limits, &served).await?;
    Ok(served)
}

/// Runs the clients, and says what became of them.
async fn load(executor: &Rc<Executor>, peer: SocketAddr, options: &Options) -> (String, Totals) {
    let Options { clients, messages, size, limit, .. } = *options;
    let (start, load) = (Instant::now(), Load { clients, messages, size, limit });
    let totals = client::clients(executor, peer, &load).await;
    let text = format!(
        "{} of {} had all back, {} each of {}, in {:.2} s; {} stopped, {} failed",
        totals.complete,
        count(clients, "client"),
        count(messages, "message"),
        count(size, "byte"),
        start.elapsed().as_secs_f64(),
        totals.interrupted,
        totals.failed,
    );
    (text, totals)
}

fn told(served: &Served) -> String {
    let (clients, bytes) = (count(served.clients.get(), "client"), served.bytes.get());
    format!("served {clients}, {}; {} silent", count(bytes, "byte"), served.idle.get())
}

fn in_flight(executor: &Executor) -> String {
    format!("; {} in flight", count(executor.queue.in_flight(), "operation"))
}

fn judged(totals: Totals) -> Done {
    totals
        .error
        .map_or(Ok(()), |error| Err(format!("the first client that failed: {error}").into()))
}

/// What was cancelled comes back in a moment.
async fn settle(executor: &Executor) {
    let empty = async {
        while executor.queue.in_flight() > 0 {
            sleep(executor, Duration::from_millis(1)).await;
        }
    };
    timeout(executor, Duration::from_secs(2), empty).await;
}
