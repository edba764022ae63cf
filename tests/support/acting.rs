//! A buffer that does what a test wants where the crate runs a buffer's own code: when it is told
//! what was received, and when it is dropped.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "a buffer of one's own takes it")]

use std::fmt;
use std::io::Write;
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::sync::Once;

use overlapped::{Buffer, Completion, CompletionQueue, Completions, Key, Registration};

use super::support::registered;
use super::tcp::gather_in_port;

type Act = Box<dyn FnOnce() + Send>;

/// Has panics print one line each, and no trace of the calls: they are on purpose here, and a Wine
/// for programs of 32 bits can fail while it looks up the names for a trace.
fn panics_in_one_line() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_hook(Box::new(|panic| eprintln!("{panic}"))));
}

/// A vector that acts once.
pub struct Acting {
    pub bytes: Vec<u8>,
    in_advance: Option<Act>,
    in_drop: Option<Act>,
}

impl Acting {
    /// One that does nothing.
    pub fn idle() -> Self {
        Self::new(None, None)
    }

    pub fn in_advance(act: impl FnOnce() + Send + 'static) -> Self {
        Self::new(Some(Box::new(act)), None)
    }

    pub fn in_drop(act: impl FnOnce() + Send + 'static) -> Self {
        Self::new(None, Some(Box::new(act)))
    }

    fn new(in_advance: Option<Act>, in_drop: Option<Act>) -> Self {
        panics_in_one_line();
        Self { bytes: Vec::with_capacity(16), in_advance, in_drop }
    }
}

impl Drop for Acting {
    fn drop(&mut self) {
        if let Some(act) = self.in_drop.take() {
            act();
        }
    }
}

impl fmt::Debug for Acting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes.fmt(f)
    }
}

// SAFETY: the memory is that of the vector, which nothing else can reach, and what else happens
// here does not touch it.
unsafe impl Buffer for Acting {
    fn filled(&self, part: usize) -> &[u8] {
        self.bytes.filled(part)
    }

    fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>] {
        self.bytes.spare(part)
    }

    unsafe fn advance(&mut self, count: usize) {
        if let Some(act) = self.in_advance.take() {
            act();
        }
        // SAFETY: the caller's promise, passed on.
        unsafe { self.bytes.advance(count) }
    }
}

pub type Queue = CompletionQueue<Acting>;
pub type Connection = (Registration<TcpStream, Acting>, TcpStream);

/// Receives into each of the buffers on a connection of its own, whose key is the number of the
/// buffer, and has the packets in the port, in this order.
#[track_caller]
pub fn received(queue: &Queue, buffers: impl IntoIterator<Item = Acting>) -> Vec<Connection> {
    let mut connections = Vec::new();
    for (number, buffer) in buffers.into_iter().enumerate() {
        let (stream, mut peer) = registered(queue, Key(number));
        stream.receive(buffer).expect("submitted");
        peer.write_all(b"!").expect("sent");
        gather_in_port(queue, number + 1);
        connections.push((stream, peer));
    }
    connections
}

/// What a batch gives out, up to its end, in a word each: a panic comes out of it too.
#[track_caller]
pub fn told(batch: &mut Completions<Acting>) -> Vec<&'static str> {
    const MANY: usize = 100;
    let mut told = Vec::new();
    while told.len() < MANY {
        told.push(match catch_unwind(AssertUnwindSafe(|| batch.next())) {
            Ok(None) => return told,
            Ok(Some(Completion::Received { .. })) => "received",
            Ok(Some(Completion::Posted { .. })) => "posted",
            Ok(Some(Completion::Woken)) => "woken",
            Ok(Some(Completion::ShutDown)) => "shut down",
            Ok(Some(other)) => panic!("{other:?}"),
            Err(_) => "a panic",
        });
    }
    panic!("a batch without an end: {told:?}");
}
