//! Cancelling: a request that hits one operation or all of a socket, and never a newer one. The
//! completion comes in any case, once, with the buffer.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::Instant;

use overlapped::{Completion, CompletionQueue, Completions, Failure, Key, OperationId};

mod support;
use support::{DEADLINE, Received, assert_quiet, collect, gather, one, one_received, registered};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{LARGE, heard, one_sent, with_send_buffer, without_send_buffer};

#[test]
fn a_cancelled_receive_comes_back_with_its_buffer() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, _peer) = registered(&queue, Key(7));
    let mut buffer = Vec::with_capacity(64);
    buffer.extend_from_slice(b"kept");
    let memory = buffer.as_ptr();
    let id = stream.receive(buffer)?;

    assert!(stream.cancel(id)?);

    let received = one_received(&queue);
    received.assert_cancelled();
    assert_eq!((received.key, received.id), (Key(7), id));
    assert_eq!((received.buffer.as_ptr(), received.buffer.as_slice()), (memory, &b"kept"[..]));
    assert_eq!((stream.in_flight(), queue.in_flight()), (0, 0));
    Ok(())
}

#[test]
fn a_cancelled_readable_says_so() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (stream, _peer) = registered(&queue, Key(0));
    let id = stream.readable()?;
    assert!(stream.cancel(id)?);
    let ended = one(&queue);
    let Completion::Readable { result: Err(failure @ Failure::Cancelled), .. } = ended else {
        panic!("a cancelled `Readable` was expected: {ended:?}");
    };
    // Windows' number for it comes out of std as `TimedOut`, which it is not.
    assert_eq!(io::Error::from(failure).kind(), ErrorKind::Interrupted);
    Ok(())
}

/// Windows cancels all receives that are pending on a stream with the one that is named, although
/// its page says that others are left alone; Wine leaves them alone. Each of them ends once either
/// way, and a byte that comes afterwards is for a receive that was not cancelled.
#[test]
fn of_two_pending_receives_the_one_that_was_meant_is_cancelled_and_each_ends_once() -> io::Result<()>
{
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let first = stream.receive(Vec::with_capacity(16))?;
    let second = stream.receive(Vec::with_capacity(16))?;

    assert!(stream.cancel(first)?);
    let mut ended = HashMap::new();
    receive_into(&mut ended, &queue, first);
    ended[&first].assert_cancelled();

    peer.write_all(b"!")?;
    receive_into(&mut ended, &queue, second);
    if ended[&second].result.is_err() {
        println!("this system cancels all receives of a stream with the one that was named");
        ended[&second].assert_cancelled();
        // The byte may have been lost with the receive; of two that are sent one comes.
        let third = stream.receive(Vec::with_capacity(16))?;
        peer.write_all(b"!")?;
        receive_into(&mut ended, &queue, third);
        assert!(ended[&third].count() > 0);
    } else {
        println!("this system cancels the receive that was named, and no other");
        assert_eq!(ended[&second].buffer, b"!");
    }
    assert_quiet(&queue);
    assert_eq!(queue.in_flight(), 0);
    Ok(())
}

/// Collects receives until this one has ended, each of them once.
#[track_caller]
fn receive_into(
    ended: &mut HashMap<OperationId, Received<Vec<u8>>>,
    queue: &CompletionQueue,
    id: OperationId,
) {
    while !ended.contains_key(&id) {
        for received in collect(queue, 1).into_iter().map(Received::of) {
            let twice = ended.insert(received.id, received);
            assert!(twice.is_none(), "it was completed twice: {twice:?}");
        }
    }
}

#[test]
fn a_send_goes_on_when_a_receive_of_the_same_stream_is_cancelled() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    without_send_buffer(stream.get_ref());
    let receive = stream.receive(Vec::with_capacity(16))?;
    let send = stream.send(vec![7; LARGE])?;
    assert_quiet(&queue);

    assert!(stream.cancel(receive)?);
    let received = one_received(&queue);
    received.assert_cancelled();
    assert_eq!((received.id, stream.in_flight()), (receive, 1));

    with_send_buffer(stream.get_ref());
    let reader = thread::spawn(move || heard(&mut peer, LARGE));
    let sent = one_sent(&queue);
    assert_eq!((sent.id, sent.count), (send, LARGE));
    assert!(reader.join().expect("reading") == sent.buffer, "other bytes than were sent");
    Ok(())
}

#[test]
fn an_id_that_is_out_of_date_does_not_hit_the_operation_that_reuses_its_place() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let old = stream.receive(Vec::with_capacity(16))?;
    peer.write_all(b"1")?;
    let mut buffer = one_received(&queue).buffer;
    assert!(!stream.cancel(old)?, "it is over");

    // One connection, one operation at a time: it gets the same place in memory again.
    buffer.clear();
    let new = stream.receive(buffer)?;
    assert_ne!(new, old);
    assert!(!stream.cancel(old)?, "there is nothing to cancel under this id");

    peer.write_all(b"2")?;
    let received = one_received(&queue);
    assert_eq!((received.id, received.buffer.as_slice()), (new, &b"2"[..]));
    Ok(())
}

#[test]
fn an_id_of_another_registration_cancels_nothing() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (one, mut peer_of_one) = registered(&queue, Key(1));
    let (other, mut peer_of_other) = registered(&queue, Key(2));
    let of_one = one.receive(Vec::with_capacity(16))?;
    let of_other = other.receive(Vec::with_capacity(16))?;

    assert!(!one.cancel(of_other)?);
    assert!(!other.cancel(of_one)?);
    assert_quiet(&queue);

    peer_of_one.write_all(b"1")?;
    assert_eq!(one_received(&queue).buffer, b"1");
    peer_of_other.write_all(b"2")?;
    assert_eq!(one_received(&queue).buffer, b"2");
    Ok(())
}

#[test]
fn an_id_of_another_queue_cancels_nothing() -> io::Result<()> {
    let (queue, other_queue) = (CompletionQueue::new()?, CompletionQueue::new()?);
    let (stream, mut peer) = registered(&queue, Key(0));
    let (other_stream, mut other_peer) = registered(&other_queue, Key(0));
    // Each is the first operation of its queue, so the two have the same place in their tables.
    let id = stream.receive(Vec::with_capacity(16))?;
    let other_id = other_stream.receive(Vec::with_capacity(16))?;
    assert_ne!(id, other_id);

    assert!(!stream.cancel(other_id)?);
    assert!(!other_stream.cancel(id)?);
    assert_quiet(&queue);
    assert_quiet(&other_queue);

    peer.write_all(b"1")?;
    assert_eq!(one_received(&queue).buffer, b"1");
    other_peer.write_all(b"2")?;
    assert_eq!(one_received(&other_queue).buffer, b"2");
    Ok(())
}

#[test]
fn cancel_all_is_for_one_registration() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, _peer) = registered(&queue, Key(1));
    let (other, mut peer_of_other) = registered(&queue, Key(2));
    for _ in 0..3 {
        stream.receive(Vec::with_capacity(16))?;
    }
    other.receive(Vec::with_capacity(16))?;

    assert!(stream.cancel_all()?);

    for received in collect(&queue, 3).into_iter().map(Received::of) {
        received.assert_cancelled();
        assert_eq!(received.key, Key(1));
    }
    assert_eq!((stream.in_flight(), other.in_flight()), (0, 1));
    peer_of_other.write_all(b"!")?;
    assert_eq!(one_received(&queue).key, Key(2));
    Ok(())
}

#[test]
fn cancelling_when_nothing_is_pending_is_no_error_and_does_no_harm() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    if stream.cancel_all()? {
        println!("this system says that it has cancelled something, as Wine does up to version 8");
    }
    assert_quiet(&queue);
    stream.receive(Vec::with_capacity(16))?;
    peer.write_all(b"!")?;
    assert_eq!(one_received(&queue).buffer, b"!");
    Ok(())
}

#[test]
fn cancelling_twice_completes_once() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, _peer) = registered(&queue, Key(0));
    let id = stream.receive(Vec::with_capacity(16))?;
    assert!(stream.cancel(id)?);
    // Whether the first request has been carried out by now is not known, so neither is what the
    // next two answer.
    stream.cancel(id)?;
    stream.cancel_all()?;

    one_received(&queue).assert_cancelled();
    assert_quiet(&queue);
    assert!(!stream.cancel(id)?);
    Ok(())
}

#[test]
fn after_a_cancelled_receive_the_stream_goes_on() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let id = stream.receive(Vec::with_capacity(16))?;
    stream.cancel(id)?;
    let buffer = one_received(&queue).buffer;
    peer.write_all(b"after")?;
    assert_eq!(gather(&queue, &stream, buffer, 5), b"after");
    Ok(())
}

/// Bytes and a request to cancel are under way at the same time. Which of them wins is open. That
/// one of them does, and once, is not.
#[test]
fn a_receive_that_is_cancelled_while_bytes_come_completes_exactly_once() -> io::Result<()> {
    const ROUNDS: usize = 300;
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    stream.get_ref().set_nonblocking(true)?; // for `read`, below
    let (mut cancelled, mut buffer) = (0, Vec::with_capacity(64));
    for round in 0..ROUNDS {
        buffer.clear();
        let memory = buffer.as_ptr();
        let id = stream.receive(buffer)?;
        let (written, asked) = thread::scope(|scope| {
            let writer = scope.spawn(|| peer.write_all(b"!"));
            // A different moment in each round.
            (0..round % 20).for_each(|_| thread::yield_now());
            let asked = stream.cancel(id);
            (writer.join().expect("writing"), asked)
        });
        written?;
        asked?;

        let received = one_received(&queue);
        assert_eq!((received.id, received.buffer.as_ptr()), (id, memory));
        match received.result {
            Ok(count) => assert_eq!(received.buffer, vec![b'!'; count]),
            Err(Failure::Cancelled) => {
                cancelled += 1;
                assert!(received.buffer.is_empty());
                // The byte is still there, or lost with the receive.
                let _ = stream.get_ref().read(&mut [0; 64]);
            }
            Err(failure) => return Err(failure.into()),
        }
        assert_quiet(&queue);
        assert_eq!(queue.in_flight(), 0);
        buffer = received.buffer;
    }
    println!("{cancelled} of {ROUNDS} were cancelled");
    Ok(())
}

/// A thread that does nothing but cancel goes on naming an operation after it has ended. The next
/// one often has the same place in memory, and must not be hit.
#[test]
fn a_request_that_comes_late_never_hits_the_operation_that_follows() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let (named, start, done) = (Mutex::new(None), Instant::now(), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(SeqCst) && start.elapsed() < DEADLINE {
                let id = *named.lock().unwrap();
                if let Some(id) = id {
                    stream.cancel(id).unwrap();
                }
            }
        });
        for _ in 0..300 {
            let id = stream.receive(Vec::with_capacity(64)).unwrap();
            *named.lock().unwrap() = Some(id);
            one_received(&queue).assert_cancelled();

            stream.receive(Vec::with_capacity(64)).unwrap();
            peer.write_all(b"!").unwrap();
            assert_eq!(one_received(&queue).buffer, b"!");
        }
        done.store(true, SeqCst);
    });
    Ok(())
}

#[test]
fn into_inner_gives_a_socket_that_std_can_use() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    stream.receive(Vec::with_capacity(16))?;

    let mut socket = stream.into_inner();

    // Its operation is cancelled and not told of. When the kernel has given it back, nobody but
    // std receives on the socket.
    let mut batch = Completions::with_capacity(8);
    assert_eq!(queue.wait(&mut batch, Some(DEADLINE))?.count(), 0);
    assert_eq!(queue.in_flight(), 0);

    let mut bytes = [0; 4];
    peer.write_all(b"ping")?;
    socket.read_exact(&mut bytes)?;
    assert_eq!(&bytes, b"ping");
    socket.write_all(b"pong")?;
    peer.read_exact(&mut bytes)?;
    assert_eq!(&bytes, b"pong");
    // What std does on it does not show in the queue.
    assert_quiet(&queue);
    Ok(())
}
