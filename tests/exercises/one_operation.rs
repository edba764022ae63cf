//! Of the second part: one operation, from the call that starts it to its completion.

use std::io::{self, ErrorKind, Write};
use std::net::Shutdown;
use std::sync::Arc;

use overlapped::{Completion, CompletionQueue, Completions, Key};

use crate::support::{WSA_FLAG_OVERLAPPED, pair, registered, unconnected, within_deadline};

/// Lend a buffer to a socket that is not connected, and get the same memory back with the error.
#[test]
fn get_the_buffer_back_from_a_call_that_fails() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let stream = queue.register(unconnected(WSA_FLAG_OVERLAPPED), Key(1))?;
    let buffer = Vec::with_capacity(100);
    let memory = buffer.as_ptr();

    let rejected = stream.receive(buffer).expect_err("nobody is at the other end");
    assert_eq!(rejected.error.kind(), ErrorKind::NotConnected);
    assert_eq!(rejected.returned.as_ptr(), memory);
    assert_eq!(queue.in_flight(), 0); // so no completion will come
    Ok(())
}

/// Receive a stream to its end with one buffer, into which everything goes, and which never moves.
#[test]
fn gather_a_stream_in_one_buffer() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::new()?;
        let (stream, mut peer) = registered(&queue, Key(1));
        for word in ["one ", "two ", "three"] {
            peer.write_all(word.as_bytes())?;
        }
        peer.shutdown(Shutdown::Write)?;

        let buffer = Vec::with_capacity(1000);
        let memory = buffer.as_ptr();
        stream.receive(buffer)?;
        let mut batch = Completions::with_capacity(4);
        loop {
            for completion in queue.wait(&mut batch, None)? {
                let Completion::Received { buffer, result, .. } = completion else { continue };
                if result? == 0 {
                    assert_eq!(buffer, b"one two three");
                    assert_eq!(buffer.as_ptr(), memory);
                    return Ok(());
                }
                stream.receive(buffer)?; // what comes next goes behind what is there
            }
        }
    })
}

/// Tell apart, by their ids, two operations that have the same key and end in any order.
#[test]
fn tell_a_send_from_a_receive_by_its_id() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::new()?;
        let (stream, mut peer) = registered(&queue, Key(1));
        let receive = stream.receive(Vec::with_capacity(10))?;
        let send = stream.send(b"question".to_vec())?;
        peer.write_all(b"answer")?;

        let (mut batch, mut ended) = (Completions::with_capacity(4), Vec::new());
        while ended.len() < 2 {
            ended.extend(queue.wait(&mut batch, None)?.filter_map(|completion| completion.id()));
        }
        assert!(ended.contains(&receive) && ended.contains(&send), "{ended:?}");
        assert_ne!(receive, send);
        Ok(())
    })
}

/// Drop a registration while its receive is pending. When is the buffer dropped? Count its owners.
#[test]
fn see_when_a_buffer_is_dropped() -> io::Result<()> {
    within_deadline(|| {
        let message: Arc<[u8]> = vec![b'.'; 8 << 20].into();
        let queue = CompletionQueue::new()?;
        let (stream, peer) = registered(&queue, Key(1));
        stream.send(message.clone())?;
        drop(stream);
        drop(peer);
        // Gone is whoever would have been told, and the operation may have ended by now. But its
        // packet has not been taken out, so the buffer is there.
        assert_eq!(Arc::strong_count(&message), 2);
        let mut batch = Completions::with_capacity(4);
        while queue.in_flight() > 0 {
            assert!(queue.wait(&mut batch, None)?.next().is_none(), "nobody is told of it");
        }
        assert_eq!(Arc::strong_count(&message), 1);
        Ok(())
    })
}

/// Receive nothing at all: learn that bytes have come, and only then lend a buffer for them.
#[test]
fn lend_a_buffer_only_when_there_is_something() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::<Vec<u8>>::new()?;
        let (near, mut peer) = pair();
        let stream = queue.register(near, Key(1))?;
        stream.readable()?;
        peer.write_all(b"hello")?;

        let mut batch = Completions::with_capacity(4);
        loop {
            for completion in queue.wait(&mut batch, None)? {
                match completion {
                    Completion::Readable { result, .. } => {
                        result?;
                        stream.receive(Vec::with_capacity(64))?;
                    }
                    Completion::Received { buffer, result, .. } => {
                        assert!((1..=5).contains(&result?) && b"hello".starts_with(&buffer));
                        return Ok(());
                    }
                    _ => {}
                }
            }
        }
    })
}
