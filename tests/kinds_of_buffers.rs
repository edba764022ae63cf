//! The types of buffers that come with the crate, each lent to the system: what has no room is
//! sent, and turned away by a receive; and one queue serves two types.
#![cfg(windows)]

use std::fmt::Debug;
use std::io::{self, ErrorKind, Write};
use std::sync::Arc;

use overlapped::{Buffer, Completion, CompletionQueue, Either, Key};

mod support;
use support::{assert_quiet, collect, one_received, registered};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{heard, one_sent};

const PAGE: &[u8] = b"a page";

/// Sends the buffer, and tries to receive into it. Returns it as it came back from both.
#[track_caller]
fn sent_and_refused<B: Buffer + Debug>(buffer: B) -> B {
    let queue = CompletionQueue::new().expect("a queue");
    let (stream, mut peer) = registered(&queue, Key(7));
    stream.send(buffer).expect("a send");
    assert_eq!(heard(&mut peer, PAGE.len()), PAGE);
    let sent = one_sent(&queue);
    assert_eq!((sent.key, sent.count), (Key(7), PAGE.len()));

    let rejected = stream.receive(sent.buffer).expect_err("there is no room");
    assert_eq!(rejected.error.kind(), ErrorKind::InvalidInput);
    assert_quiet(&queue);
    rejected.returned
}

#[test]
fn bytes_without_room_are_sent_and_are_not_received_into() {
    assert_eq!(sent_and_refused(PAGE).as_ptr(), PAGE.as_ptr());

    let boxed = Box::<[u8]>::from(PAGE);
    let address = boxed.as_ptr();
    let boxed = sent_and_refused(boxed);
    assert_eq!((boxed.as_ptr(), &*boxed), (address, PAGE));

    let shared = Arc::<[u8]>::from(PAGE);
    assert!(Arc::ptr_eq(&shared, &sent_and_refused(Arc::clone(&shared))));
}

#[test]
fn one_message_is_sent_to_many_without_a_copy() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let message = Arc::<[u8]>::from(PAGE);
    let mut members: Vec<_> = (0..5).map(|number| registered(&queue, Key(number))).collect();
    for (stream, _) in &members {
        stream.send(Arc::clone(&message))?;
    }
    for (_, peer) in &mut members {
        assert_eq!(heard(peer, PAGE.len()), PAGE);
    }
    for sent in collect(&queue, members.len()) {
        let Completion::Sent { buffer, .. } = sent else { panic!("not a send: {sent:?}") };
        assert!(Arc::ptr_eq(&buffer, &message));
    }
    assert_eq!(Arc::strong_count(&message), 1, "all of them have come back");
    Ok(())
}

#[test]
fn a_box_of_buffers_is_sent_and_filled_part_by_part() -> io::Result<()> {
    let queue = CompletionQueue::<Box<[Vec<u8>]>>::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    stream.send(PAGE.chunks(4).map(<[u8]>::to_vec).collect())?;
    assert_eq!(heard(&mut peer, PAGE.len()), PAGE);
    assert_eq!(one_sent(&queue).count, PAGE.len());

    stream.receive([0, 4].map(Vec::with_capacity).into())?;
    peer.write_all(b"x")?;
    let received = one_received(&queue);
    assert_eq!((received.count(), received.buffer.concat()), (1, b"x".to_vec()));
    Ok(())
}

#[test]
fn one_queue_receives_into_vectors_and_sends_pages() -> io::Result<()> {
    let queue = CompletionQueue::<Either<Vec<u8>, &'static [u8]>>::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    stream.receive(Either::Left(Vec::with_capacity(16)))?;
    peer.write_all(b"!")?;
    let received = one_received(&queue);
    assert_eq!((received.count(), received.buffer), (1, Either::Left(b"!".to_vec())));

    stream.send(Either::Right(PAGE))?;
    assert_eq!(heard(&mut peer, PAGE.len()), PAGE);
    assert_eq!(one_sent(&queue).buffer, Either::Right(PAGE));

    let rejected = stream.receive(Either::Right(PAGE)).expect_err("there is no room");
    assert_eq!(rejected.returned, Either::Right(PAGE));
    Ok(())
}
