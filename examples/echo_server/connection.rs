//! One connection: its stream, and what is on its way there.
//!
//! At any time one operation of it is in flight, or one thread has its completion in hand. So no
//! two threads ever submit to it at once; only the thread that stops the server looks in from
//! outside.

use std::io;
use std::net::{Shutdown, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use overlapped::{Inline, Registration, Submitted};

pub struct Connection {
    stream: Stream,
    receiving: AtomicBool,
    /// Whether the client has been told that nothing more will come.
    ending: AtomicBool,
}

/// The two ways in which a connection tells of operations that end at once.
pub enum Stream {
    Queued(Registration<TcpStream>),
    Inline(Registration<TcpStream, Vec<u8>, Inline>),
}

impl Connection {
    pub fn new(stream: Stream) -> Self {
        Self { stream, receiving: AtomicBool::new(false), ending: AtomicBool::new(false) }
    }

    /// Receives, at the beginning of the buffer.
    pub fn receive(&self, mut buffer: Vec<u8>) -> io::Result<Submitted> {
        buffer.clear();
        self.receiving.store(true, SeqCst);
        match &self.stream {
            Stream::Queued(stream) => Ok(Submitted::Pending(stream.receive(buffer)?)),
            Stream::Inline(stream) => Ok(stream.receive(buffer)?),
        }
    }

    pub fn send(&self, buffer: Vec<u8>) -> io::Result<Submitted> {
        self.receiving.store(false, SeqCst);
        match &self.stream {
            Stream::Queued(stream) => Ok(Submitted::Pending(stream.send(buffer)?)),
            Stream::Inline(stream) => Ok(stream.send(buffer)?),
        }
    }

    /// Tells the client that no more will come, and receives for the last time: to close a socket
    /// with something unreceived would reset it, and what the client has not received yet would be
    /// lost.
    pub fn end(&self, buffer: Vec<u8>) -> io::Result<Submitted> {
        self.ending.store(true, SeqCst);
        match &self.stream {
            Stream::Queued(stream) => stream.shutdown(Shutdown::Write)?,
            Stream::Inline(stream) => stream.shutdown(Shutdown::Write)?,
        }
        self.receive(buffer)
    }

    pub fn is_ending(&self) -> bool {
        self.ending.load(SeqCst)
    }

    /// Asks for the completion of a receive that waits for the client. A send goes on.
    pub fn cancel_receive(&self) {
        if self.receiving.load(SeqCst) && !self.is_ending() {
            // If this fails, the client has until the end of the farewell to send something.
            let _ = match &self.stream {
                Stream::Queued(stream) => stream.cancel_all(),
                Stream::Inline(stream) => stream.cancel_all(),
            };
        }
    }
}
