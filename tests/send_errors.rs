//! How a send fails, or does not end: a peer that never receives, one that breaks off in the
//! middle, and a stream that cannot send. In each case the buffer comes back, or is dropped once.
#![cfg(windows)]
#![allow(unsafe_code, reason = "the buffers that count are shared with other tests")]

use std::io::{self, ErrorKind, Write};
use std::net::Shutdown;
use std::time::Instant;

use overlapped::ffi::constants::{WSAECONNRESET, WSAENOTCONN, WSAESHUTDOWN};
use overlapped::{CompletionQueue, Failure, Key};

mod support;
use support::{
    DEADLINE, WSA_FLAG_OVERLAPPED, assert_quiet, collect, one, one_received, registered, reset,
    unconnected,
};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{
    LARGE, Sent, heard, heard_to_the_end, is_broken_off, one_sent, sweep, without_send_buffer,
};

#[path = "support/counted.rs"]
mod counted;
use counted::{Counted, Drops};

fn large(drops: &Drops) -> Counted {
    let mut buffer = drops.buffer();
    buffer.bytes = vec![7; LARGE];
    buffer
}

#[test]
fn a_send_to_a_peer_that_never_receives_can_be_cancelled() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, _peer) = registered(&queue, Key(7));
    without_send_buffer(stream.get_ref());
    let buffer = vec![7; LARGE];
    let memory = buffer.as_ptr();
    let id = stream.send(buffer)?;
    assert_quiet(&queue);
    assert_eq!(queue.in_flight(), 1);

    assert!(stream.cancel(id)?);

    let sent = Sent::of(one(&queue));
    assert!(matches!(sent.result, Err(Failure::Cancelled)), "{:?}", sent.result);
    assert_eq!((sent.key, sent.id), (Key(7), id));
    assert_eq!((sent.buffer.as_ptr(), sent.buffer.len()), (memory, LARGE));
    // How many went before it was cancelled, the system may say or keep to itself.
    println!("{} bytes went", sent.count);
    assert!(sent.count <= LARGE);
    Ok(())
}

#[test]
fn a_stream_dropped_in_the_middle_of_a_send_drops_the_buffer_once_when_the_packet_has_come()
-> io::Result<()> {
    let (queue, drops) = (CompletionQueue::<Counted>::new()?, Drops::default());
    let (stream, _peer) = registered(&queue, Key(0));
    without_send_buffer(stream.get_ref());
    stream.send(large(&drops))?;

    drop(stream);

    assert_eq!((drops.count(), queue.in_flight()), (0, 1), "closed is not given back");
    sweep(&queue);
    assert_eq!(drops.count(), 1);
    Ok(())
}

#[test]
fn a_queue_dropped_in_the_middle_of_a_send_takes_the_buffer_back() -> io::Result<()> {
    let (queue, drops) = (CompletionQueue::<Counted>::new()?, Drops::default());
    let (stream, _peer) = registered(&queue, Key(0));
    without_send_buffer(stream.get_ref());
    stream.send(large(&drops))?;
    let start = Instant::now();
    drop(queue);
    assert_eq!(drops.count(), 1);
    assert!(start.elapsed() < DEADLINE);
    drop(stream);
    assert_eq!(drops.count(), 1);
    Ok(())
}

#[test]
fn a_peer_that_breaks_off_in_the_middle_of_a_send_fails_it_and_the_count_is_what_went()
-> io::Result<()> {
    const HEARD: usize = 100_000;
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(7));
    let buffer = vec![7; LARGE];
    let memory = buffer.as_ptr();
    without_send_buffer(stream.get_ref());
    let id = stream.send(buffer)?;
    heard(&mut peer, HEARD);

    reset(peer);

    let sent = Sent::of(one(&queue));
    assert_eq!((sent.key, sent.id), (Key(7), id));
    assert_eq!((sent.buffer.as_ptr(), sent.buffer.len()), (memory, LARGE));
    let Err(Failure::Error(error)) = sent.result else { panic!("{:?}", sent.result) };
    assert!(is_broken_off(&error), "{error}");
    // Windows may say 0. What it does say is never more than there was.
    println!("{error}; {} bytes went, of which {HEARD} were heard", sent.count);
    assert!(sent.count <= LARGE);
    Ok(())
}

#[test]
fn all_sends_that_are_pending_fail_when_the_peer_breaks_off() -> io::Result<()> {
    const SENDS: usize = 4;
    let (queue, drops) = (CompletionQueue::<Counted>::new()?, Drops::default());
    let (stream, peer) = registered(&queue, Key(0));
    without_send_buffer(stream.get_ref());
    for _ in 0..SENDS {
        stream.send(large(&drops))?;
    }
    reset(peer);
    for sent in collect(&queue, SENDS).into_iter().map(Sent::of) {
        let Err(Failure::Error(error)) = sent.result else { panic!("{:?}", sent.result) };
        assert!(is_broken_off(&error), "{error}");
    }
    assert_eq!((drops.count(), queue.in_flight()), (SENDS, 0));
    Ok(())
}

#[test]
fn a_send_after_a_reset_fails_and_gives_the_buffer_back() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, peer) = registered(&queue, Key(0));
    stream.receive(Vec::with_capacity(16))?;
    reset(peer);
    assert_eq!(one_received(&queue).error().kind(), ErrorKind::ConnectionReset);

    let (error, buffer) = match stream.send(b"in vain".to_vec()) {
        Err(rejected) => (rejected.error, rejected.returned),
        Ok(_) => match Sent::of(one(&queue)) {
            Sent { buffer, result: Err(Failure::Error(error)), .. } => (error, buffer),
            other => panic!("there is nobody to send to: {other:?}"),
        },
    };
    println!("{error}");
    assert_eq!(buffer, b"in vain");
    assert!(is_broken_off(&error), "{error}");
    assert_quiet(&queue);
    assert_eq!(queue.in_flight(), 0);
    Ok(())
}

#[test]
fn a_stream_that_was_shut_down_for_sending_refuses_and_can_still_receive() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    stream.shutdown(Shutdown::Write)?;
    let buffer = b"too late".to_vec();
    let memory = buffer.as_ptr();

    let rejected = stream.send(buffer).expect_err("it is closed for sending");

    assert_eq!(rejected.error.raw_os_error(), Some(WSAESHUTDOWN));
    assert_eq!((rejected.returned.as_ptr(), rejected.returned.len()), (memory, 8));
    assert_quiet(&queue);
    assert_eq!(queue.in_flight(), 0);
    assert_eq!(heard_to_the_end(&mut peer).0, 0);
    peer.write_all(b"!")?;
    stream.receive(Vec::with_capacity(16))?;
    assert_eq!(one_received(&queue).buffer, b"!");
    Ok(())
}

/// Windows says that it is not connected. Wine, up to version 10 at least, asks Linux, which says
/// of such a socket what it says of one whose peer is gone.
#[test]
fn a_stream_that_is_not_connected_refuses_and_the_buffer_comes_back() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let stream = queue.register(unconnected(WSA_FLAG_OVERLAPPED), Key(0))?;
    let buffer = b"to nobody".to_vec();
    let memory = buffer.as_ptr();

    let rejected = stream.send(buffer).expect_err("there is nobody to send to");

    println!("{}", rejected.error);
    let code = rejected.error.raw_os_error();
    assert!(matches!(code, Some(WSAENOTCONN | WSAECONNRESET)), "{}", rejected.error);
    assert_eq!((rejected.returned.as_ptr(), rejected.returned.len()), (memory, 9));
    assert_quiet(&queue);
    assert_eq!((stream.in_flight(), queue.in_flight()), (0, 0));
    Ok(())
}

#[test]
fn a_stream_that_outlives_its_queue_refuses_and_the_buffer_comes_back() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, _peer) = registered(&queue, Key(0));
    drop(queue);
    let rejected = stream.send(b"who hears of it?".to_vec()).expect_err("nobody could be told");
    assert_eq!(rejected.error.kind(), ErrorKind::BrokenPipe);
    assert_eq!(rejected.returned, b"who hears of it?");
    Ok(())
}

/// Sending does not use the spare room, so a buffer without any is as good as another.
#[test]
fn a_buffer_that_is_full_can_be_sent() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let mut buffer = Vec::with_capacity(8);
    buffer.resize(buffer.capacity(), b'x');
    let count = buffer.len();
    stream.send(buffer)?;
    assert_eq!(one_sent(&queue).count, count);
    assert_eq!(heard(&mut peer, count), vec![b'x'; count]);
    Ok(())
}
