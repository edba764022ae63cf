//! What a send does: the bytes go out in the order of submission, from one part or from many, and
//! the buffer comes back as it was, with the count of bytes that went.
#![cfg(windows)]

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;

use overlapped::{Completion, CompletionQueue, Key, Registration};

mod support;
use support::{assert_quiet, collect, one, one_received, registered};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{LARGE, Sent, heard, one_sent, with_send_buffer, without_send_buffer};

#[test]
fn the_bytes_arrive_and_the_buffer_comes_back_as_it_was() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(7));
    let buffer = b"hello".to_vec();
    let memory = buffer.as_ptr();

    let id = stream.send(buffer)?;

    assert_eq!(heard(&mut peer, 5), b"hello");
    let sent = one_sent(&queue);
    assert_eq!((sent.key, sent.id, sent.count), (Key(7), id, 5));
    assert_eq!((sent.buffer.as_ptr(), sent.buffer.as_slice()), (memory, &b"hello"[..]));
    assert_eq!((stream.in_flight(), queue.in_flight()), (0, 0));
    Ok(())
}

#[test]
fn what_is_spare_in_a_buffer_is_not_sent() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let mut buffer = Vec::with_capacity(1024);
    buffer.extend_from_slice(b"short");
    stream.send(buffer)?;
    let sent = one_sent(&queue);
    assert_eq!((sent.count, sent.buffer.len()), (5, 5));
    drop(stream);
    let mut all = Vec::new();
    peer.read_to_end(&mut all)?;
    assert_eq!(all, b"short");
    Ok(())
}

#[test]
fn several_pending_sends_go_out_in_the_order_of_their_submission() -> io::Result<()> {
    const SENDS: usize = 32;
    const SIZE: usize = LARGE / SENDS;
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    without_send_buffer(stream.get_ref());
    let mut ids = Vec::new();
    for number in 0..SENDS {
        ids.push(stream.send(vec![number as u8; SIZE])?);
    }

    with_send_buffer(stream.get_ref());
    let reader = thread::spawn(move || heard(&mut peer, SENDS * SIZE));
    for sent in collect(&queue, SENDS).into_iter().map(Sent::of) {
        assert!(sent.result.is_ok() && sent.count == SIZE, "{:?}: {}", sent.result, sent.count);
        let number = usize::from(sent.buffer[0]);
        assert_eq!(sent.id, ids[number], "the buffer of another send, or one that came twice");
        ids[number] = ids[SENDS - 1];
    }

    let bytes = reader.join().expect("reading");
    for (number, piece) in bytes.chunks(SIZE).enumerate() {
        assert!(piece == vec![number as u8; SIZE], "disorder in {number}");
    }
    Ok(())
}

#[test]
fn the_parts_of_a_buffer_go_out_one_after_the_other() -> io::Result<()> {
    let queue = CompletionQueue::<[Vec<u8>; 2]>::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    stream.send([b"head ".to_vec(), b"body".to_vec()])?;
    assert_eq!(heard(&mut peer, 9), b"head body");
    let sent = one_sent(&queue);
    assert_eq!((sent.count, sent.buffer), (9, [b"head ".to_vec(), b"body".to_vec()]));
    Ok(())
}

#[test]
fn parts_may_be_empty_and_arrays_may_hold_arrays() -> io::Result<()> {
    let queue = CompletionQueue::<[[Vec<u8>; 2]; 3]>::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let part = |bytes: &str| bytes.as_bytes().to_vec();
    stream.send([[part("a"), part("")], [part("bc"), part("d")], [part(""), part("e")]])?;
    assert_eq!(heard(&mut peer, 5), b"abcde");
    assert_eq!(one_sent(&queue).count, 5);
    Ok(())
}

/// A buffer of so many parts of different lengths, and all its bytes in a row.
fn parts<const N: usize>() -> ([Vec<u8>; N], Vec<u8>) {
    let parts: [Vec<u8>; N] = std::array::from_fn(|n| vec![n as u8; 100 * n + 1]);
    let bytes = parts.concat();
    (parts, bytes)
}

#[test]
fn sixteen_parts_are_sent_in_one_operation() -> io::Result<()> {
    let queue = CompletionQueue::<[Vec<u8>; 16]>::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let (buffer, bytes) = parts();
    stream.send(buffer)?;
    assert_eq!(heard(&mut peer, bytes.len()), bytes);
    assert_eq!(one_sent(&queue).count, bytes.len());
    Ok(())
}

#[test]
fn of_twenty_parts_sixteen_are_sent_and_the_count_says_so() -> io::Result<()> {
    let queue = CompletionQueue::<[Vec<u8>; 20]>::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let (buffer, bytes) = parts();
    let sixteen = buffer[..16].iter().map(Vec::len).sum();
    stream.send(buffer)?;
    let sent = one_sent(&queue);
    assert_eq!((sent.count, sent.buffer.concat()), (sixteen, bytes));
    drop(stream);
    let mut all = Vec::new();
    peer.read_to_end(&mut all)?;
    assert_eq!(all, sent.buffer[..16].concat());
    Ok(())
}

#[test]
fn a_receive_fills_part_after_part() -> io::Result<()> {
    let queue = CompletionQueue::<[Vec<u8>; 3]>::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let mut buffer = [4, 0, 64].map(Vec::with_capacity);
    let room = [buffer[0].capacity(), buffer[1].capacity()];
    let bytes: Vec<u8> = (0..40).collect();
    peer.write_all(&bytes)?;
    while buffer.concat().len() < bytes.len() {
        stream.receive(buffer)?;
        let received = one_received(&queue);
        assert_ne!(received.count(), 0, "the stream has ended");
        buffer = received.buffer;
    }
    assert_eq!(buffer.concat(), bytes);
    assert_eq!([buffer[0].len(), buffer[1].len()], room, "the first are full before the last");
    Ok(())
}

#[test]
fn a_send_of_no_bytes_completes_and_the_peer_sees_nothing_of_it() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    let id = stream.send(Vec::new())?;
    let sent = one_sent(&queue);
    assert_eq!((sent.id, sent.count), (id, 0));
    stream.send(b"!".to_vec())?;
    assert_eq!(heard(&mut peer, 1), b"!");
    assert_eq!(one_sent(&queue).count, 1);
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn a_send_and_a_receive_are_pending_on_one_stream_at_once() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    without_send_buffer(stream.get_ref());
    let receive = stream.receive(Vec::with_capacity(16))?;
    let send = stream.send(vec![b'.'; LARGE])?;
    assert_eq!(stream.in_flight(), 2);

    peer.write_all(b"!")?;
    let received = one_received(&queue);
    assert_eq!((received.id, received.buffer.as_slice()), (receive, &b"!"[..]));

    with_send_buffer(stream.get_ref());
    let reader = thread::spawn(move || heard(&mut peer, LARGE));
    let sent = one_sent(&queue);
    assert_eq!((sent.id, sent.count), (send, LARGE));
    assert!(reader.join().expect("reading") == sent.buffer, "other bytes than were sent");
    Ok(())
}

const SIZE: usize = 64;

/// One end of a conversation in which both speak at the same time.
struct End {
    stream: Registration<TcpStream>,
    heard: usize,
    pending: Option<Vec<u8>>,
}

impl End {
    /// Sends message `number` and waits for one of the peer.
    fn turn(&self, number: usize) -> io::Result<()> {
        self.stream.send(vec![number as u8; SIZE])?;
        self.stream.receive(Vec::with_capacity(SIZE))?;
        Ok(())
    }

    /// Counts a message when all of it has come.
    fn received(&mut self, buffer: Vec<u8>) -> io::Result<()> {
        if buffer.len() < SIZE {
            self.stream.receive(buffer)?;
            return Ok(());
        }
        assert!(buffer[..SIZE].iter().all(|byte| *byte == self.heard as u8), "message {buffer:?}");
        self.heard += 1;
        self.pending = Some(buffer);
        Ok(())
    }
}

/// Both send a message and receive one, a thousand times, without waiting for their turn.
#[test]
fn two_streams_talk_to_each_other_in_both_directions_at_once() -> io::Result<()> {
    const MESSAGES: usize = 1_000;
    let queue = CompletionQueue::new()?;
    let (near, far) = registered(&queue, Key(0));
    let far = queue.register(far, Key(1))?;
    let mut ends = [near, far].map(|stream| End { stream, heard: 0, pending: None });
    for number in 0..MESSAGES {
        let mut sent = 0;
        for end in &ends {
            end.turn(number)?;
        }
        while sent < 2 || ends.iter().any(|end| end.pending.is_none()) {
            for completion in collect(&queue, 1) {
                match completion {
                    Completion::Sent { count: SIZE, result: Ok(()), .. } => sent += 1,
                    Completion::Received { key, buffer, result: Ok(1..), .. } => {
                        ends[key.0].received(buffer)?;
                    }
                    other => panic!("message {number}: {other:?}"),
                }
            }
        }
        ends.iter_mut().for_each(|end| end.pending = None);
    }
    assert_eq!((queue.in_flight(), ends[0].heard, ends[1].heard), (0, MESSAGES, MESSAGES));
    Ok(())
}

#[test]
fn the_side_that_was_shut_down_for_receiving_can_still_send() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    stream.shutdown(Shutdown::Read)?;
    stream.send(b"still here".to_vec())?;
    assert!(matches!(one(&queue), Completion::Sent { count: 10, result: Ok(()), .. }));
    assert_eq!(heard(&mut peer, 10), b"still here");
    Ok(())
}

/// What Winsock makes of no parts at all is not documented, so it is given one, of no bytes.
#[test]
fn a_buffer_without_parts_sends_no_bytes_and_has_no_room() -> io::Result<()> {
    let queue = CompletionQueue::<[Vec<u8>; 0]>::new()?;
    let (stream, _peer) = registered(&queue, Key(1));
    stream.send([])?;
    assert_eq!(tcp::one_sent(&queue).count, 0);
    let rejected = stream.receive([]).expect_err("there is no room");
    assert_eq!(rejected.error.kind(), io::ErrorKind::InvalidInput);
    Ok(())
}
