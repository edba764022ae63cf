//! A client and its connection upstream: what is received from one is sent to the other.
//!
//! Each direction is a *flow* of its own with one buffer and one operation at a time:
//!
//! ```text
//!            ┌──── receive from one ◀────┐
//!            │                           │ sent
//!            ├─ bytes ──▶ send to the other
//!            └─ the end of the stream ──▶ shut the other down for writing: ended
//! ```
//!
//! The pair is locked while it is dealt with, for its two flows may be in the hands of two threads.

use std::io;
use std::net::{Shutdown, TcpStream};

use overlapped::{Failure, OperationId, Registration};

use crate::reset::reset;

/// What is received into. One for each direction.
const ROOM: usize = 64 << 10;

pub type Stream = Registration<TcpStream>;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    Client,
    Upstream,
}

impl Side {
    pub fn other(self) -> Self {
        match self {
            Self::Client => Self::Upstream,
            Self::Upstream => Self::Client,
        }
    }
}

/// What one side has to say to the other.
#[derive(Clone, Copy)]
enum Flow {
    NotBegun,
    Receiving(OperationId),
    Sending,
    /// The other side has been told that no more will come, and what does is thrown away. To close
    /// a socket with something unreceived would reset it, and what its peer has not received yet
    /// would be lost.
    Discarding,
    Ended,
}

/// How a pair goes on. An error means that it is broken, and to be reset.
#[derive(PartialEq, Eq)]
pub enum Fate {
    GoesOn,
    /// Both sides have ended, in order.
    Ended,
}

pub struct Pair {
    /// Of the client and of the upstream. `None` before it is connected, and when it is closed.
    streams: [Option<Stream>; 2],
    /// What comes from the client and from the upstream.
    flows: [Flow; 2],
}

impl Pair {
    pub fn new(client: Stream) -> Self {
        Self { streams: [Some(client), None], flows: [Flow::NotBegun; 2] }
    }

    /// Whether it is still there: the completion of one flow may come on one thread while another
    /// thread closes the pair.
    pub fn is_open(&self) -> bool {
        self.streams[Side::Client as usize].is_some()
    }

    /// Keeps the upstream, which is being connected, in place of one that has failed.
    pub fn connecting(&mut self, upstream: Stream) {
        self.streams[Side::Upstream as usize] = Some(upstream);
    }

    /// Both sides are connected.
    pub fn begin(&mut self) -> io::Result<Fate> {
        // Without this, the end of a message could wait for the acknowledgement of its beginning.
        let _ = self.stream(Side::Upstream)?.get_ref().set_nodelay(true);
        self.receive(Side::Client, Vec::with_capacity(ROOM))?;
        self.receive(Side::Upstream, Vec::with_capacity(ROOM))?;
        Ok(Fate::GoesOn)
    }

    pub fn received(
        &mut self,
        from: Side,
        buffer: Vec<u8>,
        result: Result<usize, Failure>,
        stopping: bool,
    ) -> io::Result<Fate> {
        match (self.flows[from as usize], result) {
            (Flow::Discarding, Ok(0)) => self.flows[from as usize] = Flow::Ended,
            (Flow::Discarding, Ok(_)) => self.discard(from, buffer)?,
            (_, Ok(0)) => {
                self.stream(from.other())?.shutdown(Shutdown::Write)?;
                self.flows[from as usize] = Flow::Ended;
            }
            (_, Ok(_)) => {
                self.stream(from.other())?.send(buffer)?;
                self.flows[from as usize] = Flow::Sending;
            }
            (_, Err(Failure::Cancelled)) if stopping => self.end(from, buffer)?,
            (_, Err(failure)) => return Err(failure.into()),
        }
        let ended = self.flows.iter().all(|flow| matches!(flow, Flow::Ended));
        Ok(if ended { Fate::Ended } else { Fate::GoesOn })
    }

    pub fn sent(
        &mut self,
        to: Side,
        buffer: Vec<u8>,
        result: Result<(), Failure>,
        stopping: bool,
    ) -> io::Result<Fate> {
        result?;
        match stopping {
            true => self.end(to.other(), buffer)?,
            false => self.receive(to.other(), buffer)?,
        }
        Ok(Fate::GoesOn)
    }

    /// The proxy is to end. Cancels what waits for somebody to say something; what is being sent
    /// goes on. Without an upstream there is nothing to end.
    pub fn stop(&mut self) -> Fate {
        for (stream, flow) in self.streams.iter().zip(self.flows) {
            match (stream, flow) {
                // If this fails, they have until the end of the farewell to say something.
                (Some(stream), Flow::Receiving(id)) => drop(stream.cancel(id)),
                (_, Flow::NotBegun) => return Fate::Ended,
                _ => {}
            }
        }
        Fate::GoesOn
    }

    /// Closes both sides, in order if they have ended.
    pub fn close(&mut self) {
        self.streams = [None, None];
    }

    /// Resets both sides.
    pub fn reset(&mut self) {
        self.streams.iter_mut().filter_map(Option::take).for_each(reset);
    }

    /// Tells the other side that no more will come from this one, before this one has ended.
    fn end(&mut self, from: Side, buffer: Vec<u8>) -> io::Result<()> {
        self.stream(from.other())?.shutdown(Shutdown::Write)?;
        self.discard(from, buffer)
    }

    fn discard(&mut self, from: Side, buffer: Vec<u8>) -> io::Result<()> {
        self.receive(from, buffer)?;
        self.flows[from as usize] = Flow::Discarding;
        Ok(())
    }

    fn receive(&mut self, from: Side, mut buffer: Vec<u8>) -> io::Result<()> {
        buffer.clear();
        let id = self.stream(from)?.receive(buffer)?;
        self.flows[from as usize] = Flow::Receiving(id);
        Ok(())
    }

    fn stream(&self, side: Side) -> io::Result<&Stream> {
        self.streams[side as usize].as_ref().ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}
