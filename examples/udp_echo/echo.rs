//! The server: a socket, and buffers that go round.
//!
//! ```text
//!   receive_from ──▶ ReceivedFrom ──▶ send_to ──▶ Sent ──▶ receive_from ...
//! ```
//!
//! Each buffer is in one of these places, so there are never more operations than buffers, and
//! nothing is allocated for a datagram. What goes wrong with one datagram is nothing to the next:
//! it is counted, and its buffer receives again.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::time::{Duration, Instant};

use overlapped::{
    Completion, CompletionQueue, Completions, Datagram, Failure, Key, Registration, Rejected,
};

use crate::listen::cannot_listen;

/// How many go round. While as many are being sent, or looked at, the system keeps what comes.
const BUFFERS: usize = 64;

/// How long may be collected what is in flight at the end.
const PATIENCE: Duration = Duration::from_secs(2);

/// How often in a row a receive may be refused with news about the past. There can be some for each
/// datagram that was sent before.
const NEWS: usize = 64;

#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    /// What was sent back.
    pub datagrams: u64,
    pub bytes: u64,
    /// What was longer than the room.
    pub cut: u64,
    /// Receives and sends that have failed.
    pub errors: u64,
}

pub struct Echo<'a> {
    queue: &'a CompletionQueue,
    socket: Registration<UdpSocket>,
    /// Buffers that could not be lent, because the system was out of something.
    idle: Vec<Vec<u8>>,
    totals: Totals,
    ending: bool,
}

impl<'a> Echo<'a> {
    /// Listens, with room for datagrams of so many bytes.
    pub fn new(
        queue: &'a CompletionQueue,
        address: &str,
        room: usize,
    ) -> io::Result<(Self, SocketAddr)> {
        let socket = UdpSocket::bind(address).map_err(|error| cannot_listen(address, &error))?;
        let bound = socket.local_addr()?;
        let socket = queue.register(socket, Key(0))?;
        // That one client has gone is nothing to the others.
        socket.report_unreachable(false)?;
        let idle = (0..BUFFERS).map(|_| Vec::with_capacity(room)).collect();
        let totals = Totals::default();
        Ok((Self { queue, socket, idle, totals, ending: false }, bound))
    }

    /// Serves until the queue is shut down, and returns when nothing is in flight any more.
    pub fn serve(mut self, mut each_second: impl FnMut(&Totals)) -> io::Result<Totals> {
        let mut batch = Completions::with_capacity(BUFFERS);
        let mut second = Instant::now() + Duration::from_secs(1);
        while !self.ending {
            self.lend_the_idle();
            for completion in self.queue.wait_until(&mut batch, second)? {
                self.handle(completion);
            }
            if Instant::now() >= second {
                each_second(&self.totals);
                second += Duration::from_secs(1);
            }
        }
        // What is being sent goes on; the receives come back.
        self.socket.cancel_all()?;
        let until = Instant::now() + PATIENCE;
        while self.queue.in_flight() > 0 {
            for completion in self.queue.wait_until(&mut batch, until)? {
                self.handle(completion);
            }
            if Instant::now() >= until {
                return Err(io::Error::other("operations are still in flight"));
            }
        }
        Ok(self.totals)
    }

    fn handle(&mut self, completion: Completion) {
        match completion {
            Completion::ReceivedFrom { buffer, result, .. } => self.received(buffer, result),
            Completion::Sent { buffer, result, .. } => {
                match result {
                    Ok(()) => {
                        self.totals.datagrams += 1;
                        self.totals.bytes += buffer.len() as u64;
                    }
                    Err(_) => self.totals.errors += 1,
                }
                self.receive(buffer);
            }
            Completion::ShutDown => self.ending = true,
            _ => {}
        }
    }

    fn received(&mut self, buffer: Vec<u8>, result: Result<Datagram, Failure>) {
        match result {
            Ok(Datagram { truncated: false, from, .. }) => {
                if let Err(rejected) = self.socket.send_to(buffer, from) {
                    self.totals.errors += 1;
                    self.receive(rejected.returned);
                }
                return;
            }
            Ok(_) => self.totals.cut += 1,
            Err(Failure::Cancelled) => {}
            Err(_) => self.totals.errors += 1,
        }
        self.receive(buffer);
    }

    /// Lends a buffer to receive into again.
    fn receive(&mut self, mut buffer: Vec<u8>) {
        if self.ending {
            return;
        }
        buffer.clear();
        for _ in 0..NEWS {
            match self.socket.receive_from(buffer) {
                Ok(_) => return,
                Err(Rejected { error, returned, .. }) => {
                    self.totals.errors += 1;
                    buffer = returned;
                    if error.kind() != io::ErrorKind::ConnectionReset {
                        break;
                    }
                }
            }
        }
        self.idle.push(buffer);
    }

    /// After each batch, and once a second: then there may be room again.
    fn lend_the_idle(&mut self) {
        for buffer in std::mem::take(&mut self.idle) {
            self.receive(buffer);
        }
    }
}
