//! What a program lends: the buffer comes back the same, of whatever type it is, and also when the
//! receive is refused.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it implements `Buffer` for types of its own")]

use std::io::{self, ErrorKind, Write};
use std::mem::MaybeUninit;
use std::sync::mpsc::{Sender, channel};

use overlapped::{Buffer, CompletionQueue, Key};

mod support;
use support::{assert_quiet, one_received, registered};

/// Memory that goes back to its pool when nobody wants it any more.
#[derive(Debug)]
struct Pooled {
    bytes: Box<[u8; 16]>,
    filled: usize,
    pool: Sender<Box<[u8; 16]>>,
}

impl Drop for Pooled {
    fn drop(&mut self) {
        // The pool may be gone, and then so is the memory.
        let _ = self.pool.send(std::mem::replace(&mut self.bytes, Box::new([0; 16])));
    }
}

// SAFETY: the bytes are in an allocation that `self` alone can reach, and that stays where it is
// when `self` moves. They are always initialised, so whatever is counted as filled is.
unsafe impl Buffer for Pooled {
    fn filled(&self, _: usize) -> &[u8] {
        &self.bytes[..self.filled]
    }

    fn spare(&mut self, _: usize) -> &mut [MaybeUninit<u8>] {
        let spare = &mut self.bytes[self.filled..];
        let (start, length) = (spare.as_mut_ptr().cast(), spare.len());
        // SAFETY: bytes may be seen as possibly not initialised ones, by those who then only write
        // bytes there, as the kernel does. The borrow of `self` goes on in the result.
        unsafe { std::slice::from_raw_parts_mut(start, length) }
    }

    unsafe fn advance(&mut self, count: usize) {
        self.filled += count;
    }
}

#[test]
fn a_buffer_of_ones_own_type_comes_back_as_the_same_object() -> io::Result<()> {
    let (pool, returned) = channel();
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let buffer = Pooled { bytes: Box::new([0; 16]), filled: 0, pool };
    let memory = buffer.bytes.as_ptr();

    stream.receive(buffer)?;
    peer.write_all(b"!")?;
    let received = one_received(&queue);

    assert_eq!((received.buffer.bytes.as_ptr(), received.buffer.filled(0)), (memory, &b"!"[..]));
    assert!(returned.try_recv().is_err(), "it has been dropped on the way");
    drop(received);
    assert_eq!(returned.try_recv().map(|bytes| bytes.as_ptr()), Ok(memory));
    assert!(returned.try_recv().is_err(), "it has been dropped twice");
    Ok(())
}

/// A buffer whose memory lies in the value itself, and moves with it. That is allowed: while it is
/// lent, the value rests.
#[derive(Debug)]
struct Inline {
    bytes: [MaybeUninit<u8>; 32],
    filled: usize,
}

// SAFETY: the bytes are where the value is, and nothing else reaches them. `advance` counts those
// that the caller vouches for.
unsafe impl Buffer for Inline {
    fn filled(&self, _: usize) -> &[u8] {
        let start = self.bytes.as_ptr().cast();
        // SAFETY: the first `filled` bytes have been written, says the contract of `advance`.
        unsafe { std::slice::from_raw_parts(start, self.filled) }
    }

    fn spare(&mut self, _: usize) -> &mut [MaybeUninit<u8>] {
        &mut self.bytes[self.filled..]
    }

    unsafe fn advance(&mut self, count: usize) {
        self.filled += count;
    }
}

#[test]
fn a_buffer_may_hold_its_memory_in_itself() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let mut buffer = Inline { bytes: [MaybeUninit::uninit(); 32], filled: 0 };
    for byte in *b"array" {
        stream.receive(buffer)?;
        peer.write_all(&[byte])?;
        buffer = one_received(&queue).buffer;
    }
    assert_eq!(buffer.filled(0), b"array");
    Ok(())
}

#[test]
fn a_buffer_without_room_is_refused_and_comes_back() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    peer.write_all(b"!")?;

    // Were it lent, it would receive 0 bytes, which is how the end of the stream looks.
    let rejected = stream.receive(Vec::new()).expect_err("a buffer without capacity");
    assert_eq!((rejected.error.kind(), rejected.returned), (ErrorKind::InvalidInput, Vec::new()));

    let mut full = Vec::with_capacity(8);
    full.resize(full.capacity(), b'x');
    let (memory, length) = (full.as_ptr(), full.len());
    let rejected = stream.receive(full).expect_err("a full buffer");
    assert_eq!(rejected.error.kind(), ErrorKind::InvalidInput);
    assert_eq!((rejected.returned.as_ptr(), rejected.returned.len()), (memory, length));
    assert!(rejected.returned.iter().all(|byte| *byte == b'x'));

    // Nothing came of either, and the byte is still to be had.
    assert_eq!((stream.in_flight(), queue.in_flight()), (0, 0));
    assert_quiet(&queue);
    stream.receive(Vec::with_capacity(1))?;
    assert_eq!(one_received(&queue).buffer, b"!");
    Ok(())
}

#[test]
fn one_byte_of_room_is_room() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let mut buffer = Vec::with_capacity(8);
    buffer.resize(buffer.capacity() - 1, b'x');
    let length = buffer.len();
    stream.receive(buffer)?;
    peer.write_all(b"more than that")?;
    let received = one_received(&queue);
    assert_eq!((received.count(), received.buffer.len()), (1, length + 1));
    assert_eq!(received.buffer.last(), Some(&b'm'));
    Ok(())
}
