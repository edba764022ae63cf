//! How a receive fails: with the Winsock error that a socket programmer knows, and with the buffer.
#![cfg(windows)]

use std::io::{self, ErrorKind, Write};
use std::net::Shutdown;

use overlapped::ffi::constants::{WSAECONNRESET, WSAENOTCONN, WSAESHUTDOWN};
use overlapped::{Completion, CompletionQueue, Failure, Key};

mod support;
use support::{
    Received, WSA_FLAG_OVERLAPPED, assert_quiet, collect, one, one_received, registered, reset,
    unconnected,
};

#[test]
fn a_reset_ends_a_pending_receive_with_connection_reset() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, peer) = registered(&queue, Key(7));
    let mut buffer = Vec::with_capacity(16);
    buffer.extend_from_slice(b"kept");
    let memory = buffer.as_ptr();
    let id = stream.receive(buffer)?;

    reset(peer);

    let received = one_received(&queue);
    assert_eq!((received.key, received.id), (Key(7), id));
    assert_eq!((received.buffer.as_ptr(), received.buffer.as_slice()), (memory, &b"kept"[..]));
    let error = received.error();
    // The kernel's own translation says 64, "the network name is no longer available".
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert_eq!(error.raw_os_error(), Some(WSAECONNRESET));
    Ok(())
}

#[test]
fn a_peer_that_closes_without_having_read_everything_resets_the_connection() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, peer) = registered(&queue, Key(0));
    stream.receive(Vec::with_capacity(16))?;
    stream.get_ref().write_all(b"never read")?;
    peer.peek(&mut [0])?; // it has arrived

    drop(peer);

    assert_eq!(one_received(&queue).error().kind(), ErrorKind::ConnectionReset);
    Ok(())
}

/// Wine up to version 8 tells one of them of the reset, and the others of the end of the stream.
#[test]
fn a_reset_ends_all_pending_receives() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, peer) = registered(&queue, Key(0));
    for _ in 0..3 {
        stream.receive(Vec::with_capacity(16))?;
    }

    reset(peer);

    let mut resets = 0;
    for received in collect(&queue, 3).into_iter().map(Received::of) {
        match received.result {
            Ok(count) => assert_eq!(count, 0, "bytes from a connection that is gone"),
            Err(failure) => {
                assert_eq!(io::Error::from(failure).kind(), ErrorKind::ConnectionReset);
                resets += 1;
            }
        }
    }
    assert!((1..=3).contains(&resets), "{resets} of 3 receives were told of the reset");
    assert_eq!(queue.in_flight(), 0);
    Ok(())
}

#[test]
fn a_reset_ends_readable_too() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (stream, peer) = registered(&queue, Key(0));
    stream.readable()?;
    reset(peer);
    match one(&queue) {
        Completion::Readable { result: Err(Failure::Error(error)), .. } => {
            assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        }
        other => panic!("a failed `Readable` was expected: {other:?}"),
    }
    Ok(())
}

/// Windows answers each receive on a connection that was reset with the error, at once. Wine up to
/// version 8 tells of it once, and from then on of the end of the stream.
#[test]
fn a_receive_after_the_reset_brings_no_bytes_and_gives_the_buffer_back() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, peer) = registered(&queue, Key(0));
    stream.receive(Vec::with_capacity(16))?;
    reset(peer);
    let buffer = one_received(&queue).buffer;
    let memory = buffer.as_ptr();

    let buffer = match stream.receive(buffer) {
        Err(rejected) => {
            println!("it is refused: {}", rejected.error);
            assert_eq!(rejected.error.kind(), ErrorKind::ConnectionReset);
            assert_quiet(&queue);
            rejected.returned
        }
        Ok(_) => match one_received(&queue) {
            Received { result: Ok(0), buffer, .. } => {
                println!("it is the end of the stream, as in old versions of Wine");
                buffer
            }
            Received { result: Err(Failure::Error(error)), buffer, .. } => {
                println!("it fails: {error}");
                assert_eq!(error.kind(), ErrorKind::ConnectionReset);
                buffer
            }
            other => panic!("bytes from a connection that is gone: {other:?}"),
        },
    };
    assert_eq!((buffer.as_ptr(), buffer.len()), (memory, 0));
    Ok(())
}

#[test]
fn a_socket_that_is_not_connected_refuses_and_the_buffer_comes_back() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let stream = queue.register(unconnected(WSA_FLAG_OVERLAPPED), Key(0))?;
    let buffer = Vec::with_capacity(16);
    let memory = buffer.as_ptr();

    let rejected = stream.receive(buffer).expect_err("there is nobody to receive from");

    assert_eq!(rejected.error.kind(), ErrorKind::NotConnected);
    assert_eq!(rejected.error.raw_os_error(), Some(WSAENOTCONN));
    assert_eq!(rejected.returned.as_ptr(), memory);
    assert_eq!(stream.readable().expect_err("as above").kind(), ErrorKind::NotConnected);
    // No packet follows, and the slots are free again.
    assert_quiet(&queue);
    assert_eq!((stream.in_flight(), queue.in_flight()), (0, 0));
    Ok(())
}

#[test]
fn a_stream_that_was_shut_down_for_reading_refuses_and_can_still_send() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, peer) = registered(&queue, Key(0));
    stream.get_ref().shutdown(Shutdown::Read)?;
    let buffer = Vec::with_capacity(16);
    let memory = buffer.as_ptr();

    let rejected = stream.receive(buffer).expect_err("it is closed for reading");

    assert_eq!(rejected.error.raw_os_error(), Some(WSAESHUTDOWN));
    assert_eq!(rejected.returned.as_ptr(), memory);
    assert_quiet(&queue);
    assert_eq!(queue.in_flight(), 0);
    stream.get_ref().write_all(b"!")?;
    assert_eq!(peer.peek(&mut [0])?, 1);
    Ok(())
}

#[test]
fn a_registration_that_outlives_its_queue_refuses_and_the_buffer_comes_back() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, _peer) = registered(&queue, Key(0));
    drop(queue);
    let buffer = Vec::with_capacity(16);
    let memory = buffer.as_ptr();

    let rejected = stream.receive(buffer).expect_err("nobody could be told");

    assert_eq!(rejected.error.kind(), ErrorKind::BrokenPipe);
    assert_eq!(rejected.returned.as_ptr(), memory);
    assert_eq!(stream.readable().expect_err("as above").kind(), ErrorKind::BrokenPipe);
    Ok(())
}
