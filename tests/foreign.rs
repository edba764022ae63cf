//! No packet is trusted: whatever address it carries, it is either that of an operation which has
//! ended, or handed over as it came. Nothing is read through it, and nothing pending is touched.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it posts packets with addresses that mean nothing")]

use std::io::{self, Write};
use std::ptr::{NonNull, without_provenance_mut};

use overlapped::ffi::types::{OVERLAPPED, OVERLAPPED_ENTRY};
use overlapped::{BorrowedPort, Completion, CompletionQueue, Key, Packet};

mod support;
use support::{assert_quiet, collect, dequeue_by_hand, one, one_received, registered};

/// Posts a packet that carries this address. Most of them are lies.
fn post(port: BorrowedPort<'_>, key: Key, bytes: u32, address: *mut OVERLAPPED) {
    // SAFETY: a queue dequeues here, which finds out what an address means before it follows it.
    // Where it is that of an operation in flight, either the kernel is done with that, and its own
    // packet has been taken out; or it pends throughout, and that is what the queue finds out.
    unsafe { port.post_overlapped(key, bytes, address) }.expect("memory for a packet");
}

/// Posts a packet that must come out as it went in.
#[track_caller]
fn assert_foreign(queue: &CompletionQueue, address: *mut OVERLAPPED) {
    let (key, bytes) = (Key(usize::MAX), u32::MAX);
    post(queue.port(), key, bytes, address);
    let packet = one_foreign(queue);
    assert_eq!((packet.key(), packet.bytes(), packet.overlapped()), (key, bytes, address));
}

#[track_caller]
fn one_foreign(queue: &CompletionQueue) -> Packet {
    match one(queue) {
        Completion::Foreign(packet) => packet,
        other => panic!("a packet of nobody's was expected: {other:?}"),
    }
}

/// Takes the packet of a finished operation from under the queue's nose, to learn its address.
fn take_packet(queue: &CompletionQueue) -> Taken {
    Taken(dequeue_by_hand(&queue.port(), 1)[0])
}

/// A packet that was taken out by hand.
struct Taken(OVERLAPPED_ENTRY);

impl Taken {
    fn key(&self) -> Key {
        Key(self.0.lpCompletionKey)
    }

    fn bytes(&self) -> u32 {
        self.0.dwNumberOfBytesTransferred
    }

    fn overlapped(&self) -> *mut OVERLAPPED {
        self.0.lpOverlapped
    }
}

#[test]
fn addresses_of_nothing_are_foreign() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    for address in [0, 1, 7, 8, 0x1000, usize::MAX / 2, usize::MAX - 7, usize::MAX] {
        assert_foreign(&queue, without_provenance_mut(address));
    }
    Ok(())
}

#[test]
fn addresses_of_other_memory_are_foreign_and_nothing_is_written_there() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let mut on_the_stack = [0xA5_u8; 64];
    let mut on_the_heap = Box::new([0xA5_u8; 64]);
    for memory in [&mut on_the_stack, &mut *on_the_heap] {
        // Of every alignment.
        for byte in memory.iter_mut() {
            assert_foreign(&queue, (&raw mut *byte).cast());
        }
        assert_eq!(memory, &[0xA5; 64]);
    }
    assert_foreign(&queue, NonNull::dangling().as_ptr());
    Ok(())
}

#[test]
fn a_packet_that_was_taken_out_by_hand_can_be_put_back() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(7));
    let buffer = Vec::with_capacity(16);
    let memory = buffer.as_ptr();
    let id = stream.receive(buffer)?;
    peer.write_all(b"!")?;

    let packet = take_packet(&queue);
    assert_eq!((packet.key(), packet.bytes()), (Key(7), 1));
    // The kernel is done with it, but the queue does not know.
    assert_quiet(&queue);
    assert_eq!((stream.in_flight(), queue.in_flight()), (1, 1));

    post(queue.port(), packet.key(), packet.bytes(), packet.overlapped());
    let received = one_received(&queue);
    assert_eq!((received.id, received.key, received.count()), (id, Key(7), 1));
    assert_eq!((received.buffer.as_ptr(), received.buffer.as_slice()), (memory, &b"!"[..]));
    assert_eq!(queue.in_flight(), 0);
    Ok(())
}

/// What a packet says besides the address is not believed either: the count is the kernel's, which
/// stands in the operation.
#[test]
fn a_packet_that_was_put_back_with_another_count_gains_no_bytes() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(7));
    stream.receive(Vec::with_capacity(16))?;
    peer.write_all(b"!")?;
    let packet = take_packet(&queue);

    post(queue.port(), Key(8), 1_000_000, packet.overlapped());

    let received = one_received(&queue);
    assert_eq!((received.key, received.count()), (Key(7), 1));
    assert_eq!(received.buffer, b"!");
    Ok(())
}

#[test]
fn an_address_inside_an_operation_is_foreign_even_when_that_has_ended() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(7));
    stream.receive(Vec::with_capacity(16))?;
    peer.write_all(b"!")?;
    let packet = take_packet(&queue);
    let operation = packet.overlapped();

    for offset in [1, 2, 4, 8, 16, 24, 32, 40, 48, 64] {
        assert_foreign(&queue, operation.wrapping_byte_add(offset));
        assert_foreign(&queue, operation.wrapping_byte_sub(offset));
    }

    // It still waits for its own packet.
    assert_eq!(queue.in_flight(), 1);
    post(queue.port(), packet.key(), packet.bytes(), operation);
    assert_eq!(one_received(&queue).buffer, b"!");
    Ok(())
}

#[test]
fn a_second_packet_for_one_operation_is_foreign() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(7));
    stream.receive(Vec::with_capacity(16))?;
    peer.write_all(b"!")?;
    let operation = take_packet(&queue).overlapped();

    // The two are in one batch.
    post(queue.port(), Key(1), 1, operation);
    post(queue.port(), Key(2), 2, operation);
    let came = collect(&queue, 2);
    let [Completion::Received { buffer, .. }, Completion::Foreign(second)] = &came[..] else {
        panic!("{came:?}");
    };
    assert_eq!((buffer.as_slice(), second.key()), (&b"!"[..], Key(2)));

    // Nor does one that comes much later mean anything.
    assert_foreign(&queue, operation);
    assert_eq!(queue.in_flight(), 0);
    Ok(())
}

#[test]
fn a_packet_for_a_pending_operation_is_foreign_and_does_it_no_harm() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(7));
    stream.receive(Vec::with_capacity(16))?;
    peer.write_all(b"1")?;
    let packet = take_packet(&queue);
    post(queue.port(), packet.key(), packet.bytes(), packet.overlapped());
    let mut buffer = one_received(&queue).buffer;

    // The next operation of a connection has the place of the one before.
    buffer.clear();
    let id = stream.receive(buffer)?;
    assert_foreign(&queue, packet.overlapped());
    assert_eq!((stream.in_flight(), queue.in_flight()), (1, 1));

    peer.write_all(b"2")?;
    let second = take_packet(&queue);
    assert_eq!(second.overlapped(), packet.overlapped(), "so this has shown nothing");
    post(queue.port(), second.key(), second.bytes(), second.overlapped());
    let received = one_received(&queue);
    assert_eq!((received.id, received.buffer.as_slice()), (id, &b"2"[..]));
    Ok(())
}

#[test]
fn the_place_of_a_cancelled_operation_is_as_free_as_any() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, _peer) = registered(&queue, Key(7));
    stream.receive(Vec::with_capacity(16))?;
    stream.cancel_all()?;
    let packet = take_packet(&queue);

    post(queue.port(), packet.key(), packet.bytes(), packet.overlapped());
    one_received(&queue).assert_cancelled();
    assert_foreign(&queue, packet.overlapped());
    Ok(())
}
