//! After ten thousand connections nothing of them is left: no operation, no handle, no socket.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Instant;

use overlapped::{Completion, CompletionQueue, Completions, Key, Registration};

mod support;
use support::{DEADLINE, NO_SOCKET, reset};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{V4, accepts, crowded, listening, sweep};

#[path = "support/handles.rs"]
mod handles;
use handles::{LAZY_HANDLES, handles, more_handles_than};

const SIZE: usize = 64;
const AT_ONCE: usize = 32;
const LISTENER: Key = Key(0);

/// A server that echoes one message for each client and then hangs up, and its clients, on one
/// queue. A client's key is its number, from 1, and the server's end of a connection has a number
/// above those.
struct Echo {
    queue: CompletionQueue,
    listener: Registration<TcpListener>,
    address: SocketAddr,
    streams: HashMap<usize, Registration<TcpStream>>,
    clients: usize,
    next_key: usize,
    over: usize,
}

impl Echo {
    fn new(clients: usize) -> io::Result<Self> {
        let queue = CompletionQueue::new()?;
        let (listener, address) = listening(&queue, LISTENER, V4);
        let next_key = clients + 1;
        Ok(Self { queue, listener, address, streams: HashMap::new(), clients, next_key, over: 0 })
    }

    fn run(mut self) -> io::Result<()> {
        let at_once = AT_ONCE.min(self.clients);
        accepts(&self.listener, at_once);
        (1..=at_once).for_each(|key| self.connect(key));
        let mut batch = Completions::with_capacity(64);
        while self.over < self.clients {
            self.queue.wait(&mut batch, Some(DEADLINE))?;
            assert!(!batch.is_empty(), "{} of {} are over, and no more", self.over, self.clients);
            for completion in &mut batch {
                self.handle(completion)?;
            }
        }
        assert!(self.streams.is_empty());
        drop(self.listener);
        sweep(&self.queue);
        Ok(())
    }

    fn connect(&mut self, key: usize) {
        let (stream, _) = self.queue.connect(self.address, Key(key)).expect(NO_SOCKET);
        self.streams.insert(key, stream);
    }

    fn handle(&mut self, completion: Completion) -> io::Result<()> {
        match completion {
            Completion::Accepted { result, .. } => {
                let stream = self.queue.register(result?.0, Key(self.next_key))?;
                stream.receive(Vec::with_capacity(SIZE))?;
                self.streams.insert(self.next_key, stream);
                self.next_key += 1;
                self.listener.accept().expect(NO_SOCKET);
            }
            Completion::Connected { key, result, .. } => {
                result?;
                self.streams[&key.0].send(vec![key.0 as u8; SIZE])?;
            }
            Completion::Sent { key, mut buffer, result, .. } if key.0 <= self.clients => {
                result?;
                buffer.clear();
                self.streams[&key.0].receive(buffer)?;
            }
            Completion::Sent { key, result, .. } => {
                result?;
                // The server ends first. So the ports of the clients are free at once; the system
                // keeps that of whoever ends first for a while.
                self.streams.remove(&key.0);
            }
            Completion::Received { key, buffer, result, .. } => {
                self.received(key, buffer, result?)?
            }
            other => panic!("{other:?}"),
        }
        Ok(())
    }

    fn received(&mut self, key: Key, mut buffer: Vec<u8>, count: usize) -> io::Result<()> {
        let of_client = key.0 <= self.clients;
        match (of_client, count, buffer.len()) {
            (true, 0, SIZE) => {
                assert!(
                    buffer.iter().all(|byte| *byte == key.0 as u8),
                    "client {key:?}: {buffer:?}"
                );
                self.streams.remove(&key.0);
                self.over += 1;
                if key.0 + AT_ONCE <= self.clients {
                    self.connect(key.0 + AT_ONCE);
                }
            }
            (_, 0, length) => panic!("{key:?}: the stream ended after {length} bytes"),
            (false, _, SIZE) => drop(self.streams[&key.0].send(buffer)?),
            _ => {
                buffer.reserve(SIZE);
                self.streams[&key.0].receive(buffer)?;
            }
        }
        Ok(())
    }
}

fn listener_dropped_with_accepts_pending() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (listener, address) = listening(&queue, LISTENER, V4);
    accepts(&listener, 64);
    // Some have been accepted by then, and nobody takes them.
    let clients: Vec<_> = (0..8).map(|_| TcpStream::connect(address)).collect();
    drop(listener);
    sweep(&queue);
    drop(clients);
    Ok(())
}

fn accepts_cancelled_and_clients_reset() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (listener, address) = listening(&queue, LISTENER, V4);
    for _ in 0..8 {
        listener.accept()?;
        reset(TcpStream::connect(address)?);
    }
    listener.cancel_all()?;
    let mut batch = Completions::with_capacity(64);
    while queue.in_flight() > 0 {
        let ended = queue
            .wait(&mut batch, Some(DEADLINE))?
            .all(|completion| matches!(completion, Completion::Accepted { .. }));
        assert!(ended);
    }
    Ok(())
}

fn connects_given_up(address: SocketAddr) -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let connect = |key| queue.connect(address, Key(key));
    let streams: Vec<_> = (0..16).map(connect).collect::<io::Result<_>>()?;
    drop(streams);
    sweep(&queue);
    Ok(())
}

fn queue_dropped_before_all_else(address: SocketAddr) -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (listener, _) = listening(&queue, LISTENER, V4);
    listener.accept()?;
    let (stream, _) = queue.connect(address, Key(1))?;
    drop(queue);
    drop((listener, stream));
    Ok(())
}

/// All is in one test, for the handles are those of the process.
#[test]
fn nothing_is_left_of_connections_however_they_ended() -> io::Result<()> {
    const CONNECTIONS: usize = 10_000;
    let crowd = crowded();
    // The first ones have the system load what it needs, once.
    Echo::new(100)?.run()?;
    let before = handles();

    let endings: [(&str, &dyn Fn() -> io::Result<()>); 4] = [
        ("a listener dropped with accepts pending", &listener_dropped_with_accepts_pending),
        ("accepts cancelled, and clients that are gone", &accepts_cancelled_and_clients_reset),
        ("connects given up", &|| connects_given_up(crowd.address)),
        ("the queue dropped before all else", &|| queue_dropped_before_all_else(crowd.address)),
    ];
    // So often that a handle for each time is more than what a system may have made for itself.
    const TIMES: usize = LAZY_HANDLES + 2;
    for (what, ending) in endings {
        for _ in 0..TIMES {
            ending()?;
        }
        let more = more_handles_than(before);
        println!("{what}: {more} handles more");
        assert!(more <= LAZY_HANDLES, "{what}: {more} handles more");
    }

    let start = Instant::now();
    Echo::new(CONNECTIONS)?.run()?;
    let (took, more) = (start.elapsed(), more_handles_than(before));
    println!("{CONNECTIONS} connections in {took:?}: {more} handles more");
    // One or two threads of the system's own may have started or ended meanwhile. A handle for each
    // connection would be thousands.
    assert!(more <= LAZY_HANDLES, "{more} handles more after {CONNECTIONS} connections");
    Ok(())
}
