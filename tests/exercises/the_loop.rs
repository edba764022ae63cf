//! Of the third part: threads, deadlines, and a proper end.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use overlapped::{Completion, CompletionQueue, Completions, Key};

use crate::support::{registered, within_deadline};

/// Let three threads share a hundred values, each of which one of them gets, and end all three.
#[test]
fn share_a_hundred_values_among_three_threads() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::<Vec<u8>>::new()?;
        let (sender, done) = mpsc::channel();
        thread::scope(|scope| -> io::Result<()> {
            for _ in 0..3 {
                let sender = sender.clone();
                scope.spawn(|| work(&queue, sender).expect("the work of a thread"));
            }
            for value in 0..100 {
                queue.post(Key(0), value)?;
            }
            // What was posted before is still handed out.
            queue.shut_down()
        })?;
        drop(sender);
        let values: Vec<u32> = done.iter().collect();
        assert_eq!(values.len(), 100);
        assert_eq!(values.into_iter().collect::<BTreeSet<_>>(), (0..100).collect());
        Ok(())
    })
}

/// One thread of many: it goes on until a batch comes back empty.
fn work(queue: &CompletionQueue, values: mpsc::Sender<u32>) -> io::Result<()> {
    let mut batch = Completions::with_capacity(8);
    while !queue.wait(&mut batch, None)?.is_empty() {
        for completion in batch.by_ref() {
            if let Completion::Posted { value, .. } = completion {
                values.send(value).expect("somebody reads them");
            }
        }
    }
    Ok(())
}

/// Give a receive 50 milliseconds, and have its buffer back after them.
#[test]
fn give_a_receive_fifty_milliseconds() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::new()?;
        let (stream, _silent) = registered(&queue, Key(1));
        let id = stream.receive(Vec::with_capacity(16))?;
        let due = Instant::now() + Duration::from_millis(50);

        let mut batch = Completions::with_capacity(4);
        // A wait can bring something else before the time is up, so it is asked for again.
        while Instant::now() < due {
            assert!(queue.wait_until(&mut batch, due)?.next().is_none(), "the peer says nothing");
        }
        stream.cancel(id)?; // a request: what it has led to is in the completion
        let ended = queue.wait(&mut batch, None)?.next();
        let Some(Completion::Received { result, .. }) = ended else { panic!("{ended:?}") };
        assert!(result.is_err_and(|failure| failure.is_cancelled()));
        Ok(())
    })
}

/// Read what has come, although the time was up: a cancel can be too late, and that is no error.
#[test]
fn keep_what_came_before_the_cancel() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::new()?;
        let (stream, mut peer) = registered(&queue, Key(1));
        let id = stream.receive(Vec::with_capacity(16))?;
        peer.write_all(b"just in time")?;

        // The receive has ended at some moment before or after this, and only its completion tells.
        stream.cancel(id)?;
        let mut batch = Completions::with_capacity(4);
        let ended = queue.wait(&mut batch, None)?.next();
        let Some(Completion::Received { buffer, result, .. }) = ended else { panic!("{ended:?}") };
        match result {
            Ok(count) => assert_eq!(&buffer[..], &b"just in time"[..count]),
            Err(failure) => assert!(failure.is_cancelled() && buffer.is_empty()),
        }
        assert!(!stream.cancel(id)?, "there is nothing left to cancel");
        Ok(())
    })
}

/// End with ten receives pending: tell the loop to stop, and get all ten buffers back.
#[test]
fn end_with_ten_receives_pending() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::new()?;
        let streams: Vec<_> = (0..10).map(|number| registered(&queue, Key(number))).collect();
        for (stream, _) in &streams {
            stream.receive(Vec::with_capacity(1 << 10))?;
        }
        let waker = queue.waker();
        let other = thread::spawn(move || waker.shut_down());

        let (mut batch, mut buffers) = (Completions::with_capacity(4), Vec::new());
        while !queue.wait(&mut batch, None)?.is_empty() {
            for completion in batch.by_ref() {
                if let Completion::ShutDown = completion {
                    for (stream, _) in &streams {
                        stream.cancel_all()?;
                    }
                }
                buffers.extend(completion.into_buffer());
            }
        }
        assert_eq!((buffers.len(), queue.in_flight()), (10, 0));
        other.join().expect("shutting down does not panic")
    })
}
