//! What a program does with sockets, as futures: each submits one operation when it is polled
//! first, and waits for its end. A buffer comes back with what has become of it. The sockets are those
//! of the executor's queue: who waits for an operation of another queue waits in vain, until it is
//! dropped.

#![forbid(unsafe_code)]

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};

use overlapped::{Buffer, Completion, Key, OperationId, Registration, Rejected};

use crate::executor::{End, Executor};

/// A number of bytes and the buffer, or an error and the buffer. With `?` the latter is dropped.
pub type Given<B> = Result<(usize, B), Rejected<B>>;

pub type Stream<B = Vec<u8>> = Registration<TcpStream, B>;

/// Ids say whose a completion is, so one key is enough for all.
pub const KEY: Key = Key(0);

impl<B: Buffer> Executor<B> {
    /// Receives once, behind what is in the buffer; 0 is the end of the stream. If it is dropped at
    /// the moment when bytes come, they are lost.
    pub async fn receive(&self, on: &Stream<B>, buffer: B) -> Given<B> {
        self.transfer(on, on.receive(buffer)?).await
    }

    /// Sends what is in the buffer. If it is dropped, nobody knows how much of that was sent.
    pub async fn send(&self, on: &Stream<B>, buffer: B) -> Given<B> {
        self.transfer(on, on.send(buffer)?).await
    }

    async fn transfer(&self, on: &Stream<B>, id: OperationId) -> Given<B> {
        let (result, returned) = match (End { executor: self, on, id }).await {
            Completion::Received { result, buffer, .. } => (result, buffer),
            Completion::Sent { result, count, buffer, .. } => (result.map(|()| count), buffer),
            _ => unreachable!("the id is of one of these"),
        };
        match result {
            Ok(count) => Ok((count, returned)),
            Err(failure) => Err(Rejected { error: failure.into(), returned }),
        }
    }

    /// Waits until there is something to receive. Nothing is lent and nothing taken, so it can be
    /// dropped at any moment.
    pub async fn readable(&self, on: &Stream<B>) -> io::Result<()> {
        match (End { executor: self, on, id: on.readable()? }).await {
            Completion::Readable { result, .. } => Ok(result?),
            _ => unreachable!("the id is of this"),
        }
    }

    /// Accepts once. If it is dropped at the moment when a client comes, that connection is closed.
    pub async fn accept(&self, on: &Registration<TcpListener, B>) -> io::Result<Stream<B>> {
        match (End { executor: self, on, id: on.accept()? }).await {
            Completion::Accepted { result, .. } => Ok(self.queue.register(result?.0, KEY)?),
            _ => unreachable!("the id is of this"),
        }
    }

    /// Connects. If it is dropped, the connection is closed, or is none.
    pub async fn connect(&self, peer: SocketAddr) -> io::Result<Stream<B>> {
        let (stream, id) = self.queue.connect(peer, KEY)?;
        match (End { executor: self, on: &stream, id }).await {
            Completion::Connected { result, .. } => Ok(result.map(|()| stream)?),
            _ => unreachable!("the id is of this"),
        }
    }
}
