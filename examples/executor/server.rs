//! A server that sends back what it receives: one task accepts, and each client has a task.

#![forbid(unsafe_code)]

use std::cell::Cell;
use std::io::{self, ErrorKind};
use std::net::{Shutdown, TcpListener};
use std::rc::Rc;
use std::time::Duration;

use overlapped::Registration;

use crate::NAME;
use crate::combine::{First, Limit, first, sleep, spawn, timeout, until_shutdown};
use crate::executor::Executor;
use crate::operations::{KEY, Stream};
use crate::program::complain;

/// How much of a client is received at a time.
const ROOM: usize = 16 << 10;
/// How long clients have to close when the server ends.
const FAREWELL: Duration = Duration::from_secs(2);

pub struct Limits {
    /// How many clients are served at the same time.
    pub clients: usize,
    /// How long a client may be silent, or not receive.
    pub idle: Duration,
}

#[derive(Default)]
pub struct Served {
    pub clients: Cell<u64>,
    pub bytes: Cell<u64>,
    /// How many clients were closed because they were silent.
    pub idle: Cell<u64>,
}

/// Serves until the queue is shut down, and then until the clients have closed. An error is of the
/// listener, before anybody is served.
pub async fn serve(
    executor: &Rc<Executor>,
    listener: TcpListener,
    limits: &Limits,
    served: &Rc<Served>,
) -> io::Result<()> {
    let listener = executor.queue.register(listener, KEY)?;
    let places = Limit::new(limits.clients);
    let accepting = accept_all(executor, &listener, &places, limits.idle, served);
    first(until_shutdown(executor), accepting).await;
    drop(listener);
    places.until_empty().await;
    Ok(())
}

/// Does not end by itself.
async fn accept_all(
    executor: &Rc<Executor>,
    listener: &Registration<TcpListener>,
    places: &Limit,
    idle: Duration,
    served: &Rc<Served>,
) {
    loop {
        // As long as there is none, clients wait in the listener.
        let place = places.enter().await;
        match executor.accept(listener).await {
            Ok(stream) => {
                count(&served.clients, 1);
                let client = Client { executor: Rc::clone(executor), stream, idle };
                let served = Rc::clone(served);
                // Nobody waits for it. A panic ends this client and no other.
                spawn(executor, async move {
                    // An error is the client's, who has gone.
                    let _ = first(client.echo(&served), client.late()).await;
                    drop(place);
                });
            }
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                complain(NAME, &format!("cannot accept, and will try again: {error}"));
                sleep(executor, Duration::from_secs(1)).await;
            }
        }
    }
}

/// Whether a client came and went before it was accepted. Wine 8 then finds it not connected.
fn is_the_clients(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionReset, NotConnected};
    matches!(error.kind(), ConnectionReset | ConnectionAborted | NotConnected)
}

fn count(counter: &Cell<u64>, more: usize) {
    counter.set(counter.get() + more as u64);
}

struct Client {
    executor: Rc<Executor>,
    stream: Stream,
    idle: Duration,
}

/// What a client has done.
enum Heard {
    Bytes(Vec<u8>),
    End,
    /// Nothing so far, and the server is to end.
    ShutDown,
}

impl Client {
    /// Sends back what comes, until the client ends its side, is silent too long, or the server
    /// ends.
    async fn echo(&self, served: &Served) -> io::Result<()> {
        // Without this, the end of a message could wait for the acknowledgement of its beginning.
        let _ = self.stream.get_ref().set_nodelay(true);
        let mut buffer = Vec::with_capacity(ROOM);
        loop {
            buffer.clear();
            let heard = match timeout(&self.executor, self.idle, self.hear(buffer)).await {
                Some(heard) => heard?,
                None => return self.close_idle(served),
            };
            let bytes = match heard {
                Heard::Bytes(bytes) => bytes,
                Heard::End => return Ok(()),
                Heard::ShutDown => return self.farewell().await,
            };
            let sending = self.executor.send(&self.stream, bytes);
            let Some(sent) = timeout(&self.executor, self.idle, sending).await else {
                return self.close_idle(served);
            };
            let (sent, returned) = sent?;
            count(&served.bytes, sent);
            buffer = returned;
        }
    }

    /// The shutdown may come at any moment, and then this waits no more. A receive that is dropped
    /// can lose what has come; so only that is dropped which takes nothing.
    async fn hear(&self, buffer: Vec<u8>) -> io::Result<Heard> {
        let readable = self.executor.readable(&self.stream);
        match first(until_shutdown(&self.executor), readable).await {
            First::One(()) => return Ok(Heard::ShutDown),
            First::Other(ready) => ready?,
        }
        match self.executor.receive(&self.stream, buffer).await? {
            (0, _) => Ok(Heard::End),
            (_, bytes) => Ok(Heard::Bytes(bytes)),
        }
    }

    /// The end of the time that a client has when the server ends.
    async fn late(&self) {
        until_shutdown(&self.executor).await;
        sleep(&self.executor, FAREWELL).await;
    }

    fn close_idle(&self, served: &Served) -> io::Result<()> {
        count(&served.idle, 1);
        self.stream.shutdown(Shutdown::Write)
    }

    /// Tells the client that no more will come, and waits until it has closed: to close a socket
    /// with something unreceived would reset it, and what is on its way could be lost.
    async fn farewell(&self) -> io::Result<()> {
        self.stream.shutdown(Shutdown::Write)?;
        let mut buffer = Vec::with_capacity(ROOM);
        loop {
            buffer.clear();
            match self.executor.receive(&self.stream, buffer).await? {
                (0, _) => return Ok(()),
                (_, returned) => buffer = returned,
            }
        }
    }
}
