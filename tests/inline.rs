//! Inline completion: an operation that ends at once is told at once, and no packet of it goes
//! through the port; one that does not is told by the queue, as always.
#![cfg(windows)]

use std::collections::HashSet;
use std::io::{self, ErrorKind, Write};
use std::net::{Shutdown, TcpStream};

use overlapped::ffi::constants::WSAESHUTDOWN;
use overlapped::{Completion, CompletionQueue, Inline, Key, OperationId, Registration, Submitted};

mod support;
use support::{
    Received, WSA_FLAG_OVERLAPPED, assert_quiet, collect, one, one_received, registered, reset,
    unconnected,
};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{LARGE, Sent, heard, one_sent, without_send_buffer};

type InlineStream = Registration<TcpStream, Vec<u8>, Inline>;

fn inline(queue: &CompletionQueue, key: Key) -> (InlineStream, TcpStream) {
    let (stream, peer) = registered(queue, key);
    (stream.inline().expect("a TCP socket of the system's own provider"), peer)
}

/// The completion of something that has ended at once, of which nothing is left.
#[track_caller]
fn done(queue: &CompletionQueue, submitted: Submitted) -> Completion {
    let Submitted::Done(completion) = submitted else { panic!("it is not done: {submitted:?}") };
    assert_quiet(queue);
    assert_eq!(queue.in_flight(), 0);
    completion
}

#[track_caller]
fn pending(submitted: Submitted) -> OperationId {
    let Submitted::Pending(id) = submitted else { panic!("it is not pending: {submitted:?}") };
    id
}

/// The completion, from wherever it comes.
#[track_caller]
fn ended(queue: &CompletionQueue, submitted: Submitted) -> Completion {
    match submitted {
        Submitted::Done(completion) => completion,
        Submitted::Pending(_) => one(queue),
    }
}

#[test]
fn a_receive_that_finds_its_bytes_is_done_and_no_packet_comes() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = inline(&queue, Key(7));
    peer.write_all(b"!")?;
    stream.get_ref().peek(&mut [0])?; // it has arrived
    let mut buffer = Vec::with_capacity(64);
    buffer.extend_from_slice(b"kept");
    let memory = buffer.as_ptr();

    let received = Received::of(done(&queue, stream.receive(buffer)?));

    assert_eq!((received.key, received.count()), (Key(7), 1));
    assert_eq!((received.buffer.as_ptr(), received.buffer.as_slice()), (memory, &b"kept!"[..]));
    assert_eq!(stream.in_flight(), 0);
    Ok(())
}

#[test]
fn a_send_that_the_system_takes_at_once_is_done_and_no_packet_comes() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = inline(&queue, Key(7));
    let buffer = b"hello".to_vec();
    let memory = buffer.as_ptr();
    let sent = Sent::of(done(&queue, stream.send(buffer)?));
    assert!(sent.result.is_ok());
    assert_eq!((sent.key, sent.count), (Key(7), 5));
    assert_eq!((sent.buffer.as_ptr(), sent.buffer.as_slice()), (memory, &b"hello"[..]));
    assert_eq!(heard(&mut peer, 5), b"hello");
    Ok(())
}

#[test]
fn readable_is_done_when_there_is_something() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = inline(&queue, Key(7));
    peer.write_all(b"!")?;
    stream.get_ref().peek(&mut [0])?;
    let readable = done(&queue, stream.readable()?);
    assert!(
        matches!(readable, Completion::Readable { key: Key(7), result: Ok(()), .. }),
        "{readable:?}"
    );
    let received = Received::of(done(&queue, stream.receive(Vec::with_capacity(16))?));
    assert_eq!(received.buffer, b"!");
    Ok(())
}

#[test]
fn the_end_of_the_stream_is_done_with_no_bytes() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, peer) = inline(&queue, Key(0));
    drop(peer);
    stream.get_ref().peek(&mut [0])?;
    for _ in 0..2 {
        let received = Received::of(done(&queue, stream.receive(Vec::with_capacity(16))?));
        assert_eq!(received.count(), 0);
    }
    Ok(())
}

#[test]
fn what_does_not_end_at_once_comes_from_the_queue() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = inline(&queue, Key(7));
    let receive = pending(stream.receive(Vec::with_capacity(16))?);
    assert_quiet(&queue);
    peer.write_all(b"!")?;
    let received = one_received(&queue);
    assert_eq!((received.key, received.id, received.buffer), (Key(7), receive, b"!".to_vec()));

    let readable = pending(stream.readable()?);
    peer.write_all(b"!")?;
    let ended = one(&queue);
    assert!(
        matches!(ended, Completion::Readable { id, result: Ok(()), .. } if id == readable),
        "{ended:?}"
    );
    assert_quiet(&queue);
    assert_eq!(queue.in_flight(), 0);
    Ok(())
}

#[test]
fn a_send_that_has_to_wait_comes_from_the_queue() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, peer) = inline(&queue, Key(0));
    without_send_buffer(stream.get_ref());
    let send = pending(stream.send(vec![7; LARGE])?);
    assert_quiet(&queue);
    reset(peer);
    let sent = Sent::of(one(&queue));
    assert!(sent.result.is_err());
    assert_eq!((sent.id, sent.buffer.len()), (send, LARGE));
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn a_pending_receive_can_be_cancelled() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, _peer) = inline(&queue, Key(0));
    let id = pending(stream.receive(Vec::with_capacity(16))?);
    assert!(stream.cancel(id)?);
    one_received(&queue).assert_cancelled();
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn each_operation_has_an_id_of_its_own_also_when_it_is_done_at_once() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, _peer) = inline(&queue, Key(0));
    let mut ids = HashSet::new();
    for _ in 0..100 {
        let sent = Sent::of(ended(&queue, stream.send(b"!".to_vec())?));
        assert!(ids.insert(sent.id) && !stream.cancel(sent.id)?);
    }
    Ok(())
}

#[test]
fn a_thousand_messages_go_back_and_forth() -> io::Result<()> {
    const SIZE: usize = 64;
    let queue = CompletionQueue::new()?;
    let (near, far) = inline(&queue, Key(0));
    let far = queue.register(far, Key(1))?.inline()?;
    let (mut buffer, mut at_once) = (Vec::with_capacity(SIZE), 0);
    for number in 0..1_000 {
        let (sender, receiver) = if number % 2 == 0 { (&near, &far) } else { (&far, &near) };
        buffer.clear();
        buffer.resize(SIZE, number as u8);
        let submitted = sender.send(buffer)?;
        at_once += usize::from(matches!(submitted, Submitted::Done(_)));
        let sent = Sent::of(ended(&queue, submitted));
        assert!(sent.result.is_ok() && sent.count == SIZE, "{sent:?}");
        buffer = sent.buffer;
        buffer.clear();
        while buffer.len() < SIZE {
            let submitted = receiver.receive(buffer)?;
            at_once += usize::from(matches!(submitted, Submitted::Done(_)));
            let received = Received::of(ended(&queue, submitted));
            assert_ne!(received.count(), 0, "the stream has ended");
            buffer = received.buffer;
        }
        assert!(buffer.iter().all(|byte| *byte == number as u8), "message {number}: {buffer:?}");
    }
    println!("{at_once} operations of 2000 or more were done at once");
    assert_quiet(&queue);
    assert_eq!(queue.in_flight(), 0);
    Ok(())
}

#[test]
fn errors_at_once_are_refusals_and_bring_no_packet() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, _peer) = inline(&queue, Key(0));
    stream.shutdown(Shutdown::Both)?;
    let rejected = stream.send(b"late".to_vec()).expect_err("it is closed for sending");
    assert_eq!((rejected.error.raw_os_error(), rejected.returned.len()), (Some(WSAESHUTDOWN), 4));
    let rejected = stream.receive(Vec::with_capacity(16)).expect_err("closed for receiving");
    assert_eq!(rejected.error.raw_os_error(), Some(WSAESHUTDOWN));
    let rejected = stream.receive(Vec::new()).expect_err("a buffer without room");
    assert_eq!(rejected.error.kind(), ErrorKind::InvalidInput);

    let stranger = queue.register(unconnected(WSA_FLAG_OVERLAPPED), Key(1))?.inline()?;
    let rejected = stranger.receive(Vec::with_capacity(16)).expect_err("there is nobody");
    assert_eq!(rejected.error.kind(), ErrorKind::NotConnected);
    assert_quiet(&queue);
    assert_eq!(queue.in_flight(), 0);
    Ok(())
}

#[test]
fn what_was_in_flight_before_comes_from_the_queue() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(7));
    let send = stream.send(b"ended, and its packet is in the port".to_vec())?;
    let receive = stream.receive(Vec::with_capacity(16))?;

    let stream = stream.inline()?;
    assert_eq!((stream.key(), stream.in_flight()), (Key(7), 2));
    peer.write_all(b"!")?;

    for completion in collect(&queue, 2) {
        match completion {
            Completion::Sent { id, result: Ok(()), .. } => assert_eq!(id, send),
            Completion::Received { id, result: Ok(1), .. } => assert_eq!(id, receive),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(stream.in_flight(), 0);
    done(&queue, stream.send(b"now".to_vec())?);
    Ok(())
}

#[test]
fn other_registrations_of_the_queue_go_on_as_before() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, _peer) = inline(&queue, Key(1));
    let (other, mut peer_of_other) = registered(&queue, Key(2));
    done(&queue, stream.send(b"!".to_vec())?);
    let id = other.send(b"!".to_vec())?;
    let sent = one_sent(&queue);
    assert_eq!((sent.key, sent.id), (Key(2), id));
    peer_of_other.write_all(b"!")?;
    other.get_ref().peek(&mut [0])?;
    other.receive(Vec::with_capacity(16))?;
    assert_eq!(one_received(&queue).key, Key(2));
    Ok(())
}
