//! Closing: what the peer sees of it. A conversation that is ended in order is heard to its end, a
//! side can be closed alone, and what happens to one that is broken off depends on the system.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;

use overlapped::{CompletionQueue, Key};

mod support;
use support::{assert_quiet, one_received, registered};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{LARGE, heard, heard_to_the_end, is_broken_off, one_sent, sweep, without_send_buffer};

/// The peer hears no more bytes, and then an end or a reset; says which.
#[track_caller]
fn assert_over(what: &str, peer: &mut TcpStream) {
    let (count, end) = heard_to_the_end(peer);
    match &end {
        Ok(()) => println!("{what}: the peer sees the end of the stream"),
        Err(error) => println!("{what}: the peer sees a reset: {error}"),
    }
    assert!(count == 0 && end.as_ref().err().is_none_or(is_broken_off), "{count} bytes, {end:?}");
}

#[test]
fn a_stream_shut_down_for_sending_and_dropped_is_heard_to_its_end() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    stream.send(b"goodbye".to_vec())?;
    one_sent(&queue);
    stream.shutdown(Shutdown::Write)?;
    drop(stream);
    assert_eq!(heard(&mut peer, 7), b"goodbye");
    assert_eq!(peer.read(&mut [0])?, 0);
    Ok(())
}

#[test]
fn a_stream_dropped_with_nothing_in_flight_ends_in_order() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    stream.send(b"goodbye".to_vec())?;
    one_sent(&queue);
    drop(stream);
    assert_eq!(heard(&mut peer, 7), b"goodbye");
    assert_eq!(peer.read(&mut [0])?, 0);
    Ok(())
}

#[test]
fn cancel_then_collect_then_drop_ends_in_order() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let receive = stream.receive(Vec::with_capacity(16))?;
    stream.send(b"goodbye".to_vec())?;
    one_sent(&queue);

    stream.shutdown(Shutdown::Write)?;
    assert!(stream.cancel(receive)?);
    one_received(&queue).assert_cancelled();
    assert_eq!(stream.in_flight(), 0);
    drop(stream);

    assert_eq!(heard(&mut peer, 7), b"goodbye");
    assert_eq!(peer.read(&mut [0])?, 0);
    Ok(())
}

/// A peer that answers until it has heard the end, as a polite one does, and then ends too: then
/// nothing has to be cancelled.
#[test]
fn a_conversation_that_both_sides_end_needs_no_cancelling() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    stream.receive(Vec::with_capacity(16))?;
    stream.shutdown(Shutdown::Write)?;
    assert_eq!(peer.read(&mut [0])?, 0);
    drop(peer);
    assert_eq!(one_received(&queue).count(), 0);
    assert_eq!(stream.in_flight(), 0);
    drop(stream);
    assert_quiet(&queue);
    Ok(())
}

/// Windows sends a reset, says Microsoft; other systems know of no receive that is pending.
#[test]
fn a_stream_dropped_with_a_receive_pending_is_over_for_the_peer() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    stream.receive(Vec::with_capacity(16))?;
    drop(stream);
    sweep(&queue);
    assert_over("dropped with a receive pending", &mut peer);
    Ok(())
}

#[test]
fn a_stream_dropped_with_bytes_that_it_has_not_received_is_over_for_the_peer() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    peer.write_all(b"never received")?;
    stream.get_ref().peek(&mut [0])?; // it has arrived
    drop(stream);
    assert_over("dropped with bytes not received", &mut peer);
    Ok(())
}

#[test]
fn the_side_for_sending_can_be_closed_alone() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let receive = stream.receive(Vec::with_capacity(16))?;
    stream.shutdown(Shutdown::Write)?;
    assert_eq!(peer.read(&mut [0])?, 0);
    assert_quiet(&queue);

    peer.write_all(b"!")?;
    let received = one_received(&queue);
    assert_eq!((received.id, received.buffer.as_slice()), (receive, &b"!"[..]));
    Ok(())
}

#[test]
fn the_peer_can_close_its_side_for_sending_alone() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    peer.shutdown(Shutdown::Write)?;
    stream.receive(Vec::with_capacity(16))?;
    assert_eq!(one_received(&queue).count(), 0);
    for number in 0..3 {
        stream.send(vec![number; 4])?;
        assert_eq!(one_sent(&queue).count, 4);
        assert_eq!(heard(&mut peer, 4), [number; 4]);
    }
    Ok(())
}

#[test]
fn the_socket_itself_can_be_shut_down_too() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    stream.get_ref().shutdown(Shutdown::Both)?;
    assert_eq!(peer.read(&mut [0])?, 0);
    assert!(stream.send(b"late".to_vec()).is_err() && stream.receive(vec![]).is_err());
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn what_the_system_has_taken_arrives_also_after_the_stream_was_dropped() -> io::Result<()> {
    const SIZE: usize = 1 << 20;
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    stream.send(vec![7; SIZE])?;
    let reader = thread::spawn(move || {
        let bytes = heard(&mut peer, SIZE);
        (bytes, peer.read(&mut [0]))
    });
    assert_eq!(one_sent(&queue).count, SIZE);
    drop(stream);
    let (bytes, end) = reader.join().expect("reading");
    assert!(bytes.iter().all(|byte| *byte == 7));
    assert_eq!(end?, 0);
    Ok(())
}

#[test]
fn of_what_is_still_being_sent_when_the_stream_is_dropped_a_beginning_arrives() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    without_send_buffer(stream.get_ref());
    stream.send(vec![7; LARGE])?;
    heard(&mut peer, 1_000);
    drop(stream);
    sweep(&queue);
    let (count, end) = heard_to_the_end(&mut peer);
    println!("{count} bytes more, and then {end:?}");
    assert!(count < LARGE - 1_000 && end.as_ref().err().is_none_or(is_broken_off), "{end:?}");
    Ok(())
}
