//! What a receive delivers: the bytes, in order, behind what the buffer holds; the end of the
//! stream; and the same buffer that was lent, whatever its type.
#![cfg(windows)]

use std::collections::HashSet;
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::Mutex;
use std::thread;

use overlapped::{Completion, CompletionQueue, Key};

mod support;
use support::{
    Received, assert_quiet, bytes_by_id, collect, gather, one, one_received, pair, registered,
};

#[test]
fn a_receive_brings_the_byte_its_key_its_id_and_the_buffer_that_was_lent() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(7));
    let buffer = Vec::with_capacity(64);
    let memory = buffer.as_ptr();

    let id = stream.receive(buffer)?;
    assert_quiet(&queue);
    peer.write_all(b"!")?;

    let received = one_received(&queue);
    assert_eq!((received.key, received.id, received.count()), (Key(7), id, 1));
    assert_eq!((received.buffer.as_slice(), received.buffer.as_ptr()), (&b"!"[..], memory));
    Ok(())
}

#[test]
fn a_receive_finds_the_bytes_that_were_there_before_it() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, mut peer) = pair();
    peer.write_all(b"early")?;
    near.peek(&mut [0])?; // returns when bytes have arrived, and leaves them there
    let stream = queue.register(near, Key(0))?;

    // It succeeds at once, and all the same its completion comes from the queue.
    assert_eq!(gather(&queue, &stream, Vec::with_capacity(64), 5), b"early");
    assert_eq!((stream.in_flight(), queue.in_flight()), (0, 0));
    Ok(())
}

#[test]
fn bytes_are_appended_behind_what_the_buffer_holds() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let mut buffer = Vec::with_capacity(64);
    buffer.extend_from_slice(b"head ");

    peer.write_all(b"tail")?;

    assert_eq!(gather(&queue, &stream, buffer, 9), b"head tail");
    Ok(())
}

#[test]
fn a_message_sent_byte_by_byte_gathers_in_one_buffer_that_never_moves() -> io::Result<()> {
    let message: Vec<u8> = (0..100).collect();
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let buffer = Vec::with_capacity(100);
    let memory = buffer.as_ptr();
    peer.set_nodelay(true)?;

    thread::scope(|scope| {
        scope.spawn(|| message.iter().for_each(|byte| peer.write_all(&[*byte]).unwrap()));
        let gathered = gather(&queue, &stream, buffer, 100);
        assert_eq!((gathered.as_ptr(), &gathered), (memory, &message));
    });
    Ok(())
}

#[test]
fn the_end_of_the_stream_is_zero_bytes_again_and_again() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, peer) = registered(&queue, Key(0));
    let mut buffer = Vec::with_capacity(64);
    drop(peer);
    for _ in 0..3 {
        stream.receive(buffer)?;
        let received = one_received(&queue);
        assert_eq!((received.count(), received.buffer.len()), (0, 0));
        buffer = received.buffer;
    }
    Ok(())
}

#[test]
fn a_peer_that_has_said_its_last_word_can_still_listen() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    peer.write_all(b"over")?;
    peer.shutdown(Shutdown::Write)?;

    let buffer = gather(&queue, &stream, Vec::with_capacity(64), 4);
    assert_eq!(buffer, b"over");
    stream.receive(buffer)?;
    assert_eq!(one_received(&queue).count(), 0);

    stream.get_ref().write_all(b"and out")?;
    let mut heard = [0; 7];
    peer.read_exact(&mut heard)?;
    assert_eq!(&heard, b"and out");
    Ok(())
}

#[test]
fn two_pending_receives_are_filled_in_the_order_of_their_submission() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let first = stream.receive(Vec::with_capacity(4))?;
    let second = stream.receive(Vec::with_capacity(4))?;
    assert_ne!(first, second);

    peer.write_all(b"01234567")?;

    let mut bytes = bytes_by_id(collect(&queue, 2));
    assert_eq!(bytes.remove(&first).as_deref(), Some(&b"0123"[..]));
    assert_eq!(bytes.remove(&second).as_deref(), Some(&b"4567"[..]));
    Ok(())
}

#[test]
fn each_of_many_streams_speaks_under_its_own_key() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    // More than a batch holds, and more than the first block of the table.
    let mut streams: Vec<_> = (0..100).map(|key| registered(&queue, Key(key))).collect();
    for (stream, _) in &streams {
        stream.receive(Vec::with_capacity(16))?;
    }
    assert_eq!(queue.in_flight(), 100);

    for (key, (_, peer)) in (0..100).zip(&mut streams).rev() {
        peer.write_all(&[key])?;
    }

    let mut seen = [false; 100];
    for received in collect(&queue, 100).into_iter().map(Received::of) {
        let key = received.key.0;
        assert_eq!((received.count(), usize::from(received.buffer[0])), (1, key));
        assert!(!std::mem::replace(&mut seen[key], true), "key {key} came twice");
    }
    assert_eq!(queue.in_flight(), 0);
    Ok(())
}

#[test]
fn streams_may_share_a_key_and_are_then_told_apart_by_id() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (one, mut peer_of_one) = registered(&queue, Key(5));
    let (other, mut peer_of_other) = registered(&queue, Key(5));
    let of_one = one.receive(Vec::with_capacity(16))?;
    let of_other = other.receive(Vec::with_capacity(16))?;

    peer_of_other.write_all(b"2")?;
    peer_of_one.write_all(b"1")?;

    let mut bytes = bytes_by_id(collect(&queue, 2));
    assert_eq!(bytes.remove(&of_one).as_deref(), Some(&b"1"[..]));
    assert_eq!(bytes.remove(&of_other).as_deref(), Some(&b"2"[..]));
    Ok(())
}

#[test]
fn no_key_is_reserved() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    for key in [Key(0), Key(1), Key(usize::MAX - 1), Key(usize::MAX)] {
        let (stream, mut peer) = registered(&queue, key);
        stream.receive(Vec::with_capacity(16))?;
        peer.write_all(b"!")?;
        assert_eq!((stream.key(), one_received(&queue).key), (key, key));
    }
    Ok(())
}

/// The threads stay until all has come: Wine loses a receive if the thread that submitted it ends
/// in the moment in which its bytes arrive. (The packet then says `STATUS_ALERTED`, and the
/// `OVERLAPPED` says "pending" for ever.)
#[test]
fn several_threads_submit_on_one_registration_and_each_byte_comes_once() -> io::Result<()> {
    let message: Vec<u8> = (0..128).collect();
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let (ids, open_at_the_end) = (Mutex::new(HashSet::new()), Mutex::new(()));

    let mut bytes = thread::scope(|scope| {
        let closed = open_at_the_end.lock();
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..16 {
                    let id = stream.receive(Vec::with_capacity(1)).unwrap();
                    ids.lock().unwrap().insert(id);
                }
                drop(open_at_the_end.lock());
            });
        }
        peer.write_all(&message).unwrap();
        let bytes = bytes_by_id(collect(&queue, 128));
        drop(closed);
        bytes
    });

    bytes.retain(|id, _| ids.lock().unwrap().contains(id));
    let mut gathered: Vec<u8> = bytes.into_values().flatten().collect();
    gathered.sort_unstable();
    assert_eq!(gathered, message);
    Ok(())
}

#[test]
fn the_non_blocking_mode_of_a_socket_makes_no_difference() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    stream.get_ref().set_nonblocking(true)?;
    stream.receive(Vec::with_capacity(16))?; // pending, and not WouldBlock
    assert_quiet(&queue);
    peer.write_all(b"!")?;
    assert_eq!(one_received(&queue).buffer, b"!");
    Ok(())
}

#[test]
fn readable_waits_for_bytes_and_leaves_them_there() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (stream, mut peer) = registered(&queue, Key(7));
    let id = stream.readable()?;
    assert_quiet(&queue);
    peer.write_all(b"!")?;

    let Completion::Readable { key, id: completed, result: Ok(()) } = one(&queue) else {
        panic!("something else than `Readable` came");
    };
    assert_eq!((key, completed), (Key(7), id));
    assert_eq!(gather(&queue, &stream, Vec::with_capacity(16), 1), b"!");
    Ok(())
}

#[test]
fn readable_ends_at_the_end_of_the_stream() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, peer) = registered(&queue, Key(0));
    stream.readable()?;
    drop(peer);
    let readable = one(&queue);
    assert!(matches!(readable, Completion::Readable { result: Ok(()), .. }), "{readable:?}");
    // It looks the same as bytes would. Only a receive with room tells which of the two it is.
    stream.receive(Vec::with_capacity(16))?;
    assert_eq!(one_received(&queue).count(), 0);
    Ok(())
}
