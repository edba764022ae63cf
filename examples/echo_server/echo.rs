//! What happens to a connection: receive, send, receive into the same buffer again, until the
//! client has ended its side.
//!
//! Nothing is received before the last bytes are sent. So a client that sends and never receives is
//! not received from any more either, and costs one buffer, however much it has to say.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Once};

use overlapped::{Completion, CompletionQueue, Failure, Key, Submitted};

use crate::NAME;
use crate::arguments::Options;
use crate::connection::{Connection, Stream};
use crate::shared::acceptor::Acceptor;
use crate::shared::program::complain;
use crate::shared::serve::Service;
use crate::shared::statistics::Statistics;
use crate::shared::table::Table;

/// The connections are counted from 1.
const LISTENER: Key = Key(0);

/// The buffer of a connection.
const ROOM: usize = 64 << 10;

/// After so many operations that ended at once it is the turn of others.
const TURN: usize = 16;

pub struct Echo<'a> {
    queue: &'a CompletionQueue,
    acceptor: Acceptor,
    connections: Table<Connection>,
    inline: bool,
    statistics: &'a Statistics,
    /// Whether the server is to end, and its connections with it.
    stopping: AtomicBool,
}

impl<'a> Echo<'a> {
    /// Listens at the address that is returned.
    pub fn new(
        queue: &'a CompletionQueue,
        options: &Options,
        threads: u32,
        statistics: &'a Statistics,
    ) -> io::Result<(Self, SocketAddr)> {
        let (acceptor, address) = Acceptor::new(NAME, queue, LISTENER, &options.address, threads)?;
        let (connections, stopping) = (Table::new(), AtomicBool::new(false));
        let inline = options.inline;
        Ok((Self { queue, acceptor, connections, inline, statistics, stopping }, address))
    }

    fn begin(&self, stream: TcpStream) -> Option<Completion> {
        self.statistics.connection_begins();
        let number = self.connections.new_number();
        // Without this, the end of a message could wait for the acknowledgement of its beginning.
        let _ = stream.set_nodelay(true);
        let Ok(stream) = self.register(stream, Key(number)) else {
            // Out of memory: the stream is closed, and the client sees that.
            self.statistics.connection_ends();
            return None;
        };
        // In the table before the first receive, whose completion can come before that returns.
        let connection = Arc::new(Connection::new(stream));
        self.connections.insert(number, Arc::clone(&connection));
        let received = connection.receive(Vec::with_capacity(ROOM));
        self.go_on(number, &connection, received.map(Some))
    }

    fn register(&self, stream: TcpStream, key: Key) -> io::Result<Stream> {
        let stream = self.queue.register(stream, key)?;
        if !self.inline {
            return Ok(Stream::Queued(stream));
        }
        Ok(stream.inline().map(Stream::Inline).unwrap_or_else(|rejected| {
            static TOLD: Once = Once::new();
            TOLD.call_once(|| complain(NAME, &rejected.to_string()));
            Stream::Queued(rejected.returned)
        }))
    }

    /// An operation has ended.
    fn ended(&self, number: usize, completion: Completion) -> Option<Completion> {
        let connection = self.connections.get(number)?;
        let step = self.next(&connection, completion);
        self.go_on(number, &connection, step)
    }

    /// Goes on while operations end at once. Returns what to go on with after the turn of others.
    fn go_on(
        &self,
        number: usize,
        connection: &Connection,
        mut step: io::Result<Option<Submitted>>,
    ) -> Option<Completion> {
        let mut turns = 0;
        loop {
            match step {
                Ok(Some(Submitted::Pending(_))) => {
                    // `stop` may have passed this connection by, before there was something to
                    // cancel.
                    if self.stopping.load(SeqCst) {
                        connection.cancel_receive();
                    }
                    return None;
                }
                Ok(Some(Submitted::Done(completion))) if turns == TURN => return Some(completion),
                Ok(Some(Submitted::Done(completion))) => step = self.next(connection, completion),
                // The client has ended its side and has been sent everything, or it has gone.
                Ok(None) | Err(_) => {
                    self.remove(number);
                    return None;
                }
            }
            turns += 1;
        }
    }

    /// Submits what follows an operation that has ended; `None` if that was the last.
    fn next(&self, connection: &Connection, ended: Completion) -> io::Result<Option<Submitted>> {
        let stopping = self.stopping.load(SeqCst);
        let submitted = match ended {
            Completion::Received { result: Ok(0), .. } => return Ok(None),
            Completion::Received { buffer, result: Ok(_), .. } => {
                if connection.is_ending() {
                    connection.receive(buffer)
                } else {
                    connection.send(buffer)
                }
            }
            Completion::Received { buffer, result: Err(Failure::Cancelled), .. } if stopping => {
                connection.end(buffer)
            }
            Completion::Sent { buffer, count, result: Ok(()), .. } => {
                self.statistics.sent(count);
                if stopping { connection.end(buffer) } else { connection.receive(buffer) }
            }
            Completion::Received { result: Err(failure), .. }
            | Completion::Sent { result: Err(failure), .. } => Err(failure.into()),
            other => unreachable!("a connection does nothing else: {other:?}"),
        };
        submitted.map(Some)
    }

    fn remove(&self, number: usize) {
        if self.connections.remove(number).is_some() {
            self.statistics.connection_ends();
        }
    }
}

impl Service for Echo<'_> {
    fn handle(&self, completion: Completion) -> Option<Completion> {
        match completion {
            Completion::Accepted { result, .. } => self.begin(self.acceptor.accepted(result)?),
            Completion::Received { key, .. } | Completion::Sent { key, .. } => {
                self.ended(key.0, completion)
            }
            // The server starts nothing else that could complete.
            _ => None,
        }
    }

    fn each_second(&self) {
        self.acceptor.try_again();
    }

    fn stop(&self) {
        self.stopping.store(true, SeqCst);
        self.acceptor.close();
        for (_, connection) in self.connections.all() {
            connection.cancel_receive();
        }
    }

    fn close(&self) {
        for (number, _) in self.connections.all() {
            self.remove(number);
        }
    }
}
