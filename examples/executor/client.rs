//! Clients of an echo server, many at once, each in a task: every byte that one sends has to come
//! back.

#![forbid(unsafe_code)]

use std::io::{self, ErrorKind};
use std::net::{Shutdown, SocketAddr};
use std::panic::resume_unwind;
use std::rc::Rc;
use std::time::Duration;

use crate::combine::{First, Limit, first, join, spawn, timeout, until_shutdown};
use crate::executor::Executor;
use crate::operations::{Given, Stream};

/// How many connect at the same time: a listener keeps some 100 waiting, and refuses others.
const CONNECTING: usize = 50;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    pub clients: usize,
    /// How many each sends, one after the other.
    pub messages: u32,
    /// The bytes of a message.
    pub size: usize,
    /// How long a client waits for its connection, and for each message to come back.
    pub limit: Duration,
}

#[derive(Debug, Default)]
pub struct Totals {
    /// Of the clients that have all their messages back.
    pub complete: usize,
    /// Of those that the shutdown has stopped.
    pub interrupted: usize,
    /// Of those that have failed, and why the first of them did.
    pub failed: usize,
    pub error: Option<io::Error>,
}

/// Runs the clients until each has come to its end, or the queue is shut down.
pub async fn clients(executor: &Rc<Executor>, peer: SocketAddr, load: &Load) -> Totals {
    let connecting = Limit::new(CONNECTING);
    let client = |number: usize| {
        let (executor, load, connecting) = (Rc::clone(executor), load.clone(), connecting.clone());
        async move {
            let talk = talk(&executor, peer, number, &load, &connecting);
            first(talk, until_shutdown(&executor)).await
        }
    };
    let tasks: Vec<_> = (0..load.clients).map(|number| spawn(executor, client(number))).collect();
    let mut totals = Totals::default();
    for task in tasks {
        match task.await.unwrap_or_else(|panic| resume_unwind(panic)) {
            First::One(Ok(())) => totals.complete += 1,
            First::One(Err(error)) => {
                totals.failed += 1;
                totals.error.get_or_insert(error);
            }
            First::Other(()) => totals.interrupted += 1,
        }
    }
    totals
}

async fn talk(
    executor: &Executor,
    peer: SocketAddr,
    number: usize,
    load: &Load,
    connecting: &Limit,
) -> io::Result<()> {
    let place = connecting.enter().await;
    let stream = within(executor, load.limit, executor.connect(peer)).await?;
    drop(place);
    let _ = stream.get_ref().set_nodelay(true);
    for message in 0..load.messages {
        let bytes = message_of(number, message, load.size);
        within(executor, load.limit, exchange(executor, &stream, bytes)).await?;
    }
    stream.shutdown(Shutdown::Write)?;
    let end = async { Ok(executor.receive(&stream, Vec::with_capacity(1)).await?) };
    match within(executor, load.limit, end).await? {
        (0, _) => Ok(()),
        _ => Err(strange("more came back than was sent")),
    }
}

async fn within<T>(
    executor: &Executor,
    limit: Duration,
    future: impl Future<Output = io::Result<T>>,
) -> io::Result<T> {
    let late = || io::Error::new(ErrorKind::TimedOut, format!("nothing came within {limit:?}"));
    timeout(executor, limit, future).await.unwrap_or_else(|| Err(late()))
}

/// Sends and receives at the same time: a server that sends back what it has while more comes would
/// otherwise be waited for by who waits for it, when the message is longer than what is kept on the
/// way.
async fn exchange(executor: &Executor, stream: &Stream, bytes: Vec<u8>) -> io::Result<()> {
    let size = bytes.len();
    let (sent, back) = join(executor.send(stream, bytes), gather(executor, stream, size)).await;
    let ((_, sent), (_, back)) = (sent?, back?);
    if sent == back { Ok(()) } else { Err(strange("other bytes came back than were sent")) }
}

/// Receives so many bytes, which come in pieces.
async fn gather(executor: &Executor, stream: &Stream, size: usize) -> Given<Vec<u8>> {
    let mut buffer = Vec::with_capacity(size);
    while buffer.len() < size {
        let (count, returned) = executor.receive(stream, buffer).await?;
        buffer = returned;
        if count == 0 {
            let error = ErrorKind::UnexpectedEof.into();
            return Err(overlapped::Rejected { error, returned: buffer });
        }
    }
    Ok((size, buffer))
}

/// Bytes that no other message has at the same places, nearly.
fn message_of(client: usize, message: u32, size: usize) -> Vec<u8> {
    let mut state = (client as u64) << 32 | u64::from(message) | 1 << 63;
    let next = |_| {
        // One of Marsaglia's generators.
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 56) as u8
    };
    (0..size).map(next).collect()
}

fn strange(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what.to_string())
}
