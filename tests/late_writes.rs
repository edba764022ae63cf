//! What a call can still write is nobody else's until that call has returned. Microsoft's page of
//! `WSARecv` says that an operation which completes at once updates the count and the flags; that
//! is the call's doing, at any moment until it returns. The packet may be dequeued before, on
//! another thread, and the program may have submitted the next operations long ago.
//!
//! Wine writes early. So a hook stands in the place of the calls, holds each until the others have
//! done their part, and then writes: whoever has lent a buffer finds it as it was.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use overlapped::{Completion, CompletionQueue, Completions, Inline, Key, Registration, Submitted};

mod support;
use support::{DEADLINE, collect, leave_together, one, pair, registered};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls, Fault, Gate};

#[path = "support/pages.rs"]
mod pages;

/// So a write to memory that was freed is a fault, and not another one's trouble.
#[global_allocator]
static ALLOCATOR: pages::Pages = pages::Pages;

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{V4, listening};

const SIZE: usize = 64;

/// Starts an operation whose call writes late: when its packet has been dequeued and four
/// operations more are in flight, of which the first would have the same slot. All their buffers
/// come back as they were lent.
fn others_are_untouched<T: Send>(
    calls: &Calls,
    call: Call,
    queue: &CompletionQueue,
    stream: &Registration<TcpStream>,
    start: impl FnOnce() -> T + Send,
) -> (T, Completion) {
    let gate = Gate::default();
    calls.spoil(call, 1, Fault::writes_at(&gate));
    let (started, completion, lent, ended) = thread::scope(|scope| {
        let starter = scope.spawn(start);
        gate.reached();
        let completion = one(queue);
        let (mut lent, (idle, _peer)) = (Vec::new(), registered(queue, Key(99)));
        for (number, on) in [(1, stream), (2, stream), (3, &idle), (4, &idle)] {
            let buffer = vec![number; SIZE];
            lent.push((buffer.as_ptr(), number));
            on.send(buffer).expect("submitted");
        }
        gate.open();
        let started = starter.join().expect("the call returns");
        (started, completion, lent, collect(queue, 4))
    });
    for completion in ended {
        let Completion::Sent { buffer, result: Ok(()), .. } = completion else {
            panic!("the end of a send was expected: {completion:?}");
        };
        let known = lent
            .iter()
            .any(|(address, number)| *address == buffer.as_ptr() && buffer == [*number; SIZE]);
        assert!(known, "a buffer came back that nobody has lent: {:p} {}", &*buffer, buffer.len());
    }
    (started, completion)
}

#[test]
fn a_readable_that_writes_late_touches_no_later_operation() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(1));
    peer.write_all(b"hello")?;
    let readable = || stream.readable().expect("submitted");
    let (id, ended) = others_are_untouched(&calls, Call::WSARecv, &queue, &stream, readable);
    assert!(matches!(ended, Completion::Readable { id: of, result: Ok(()), .. } if of == id));
    Ok(())
}

#[test]
fn a_receive_that_writes_late_touches_no_later_operation() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(1));
    peer.write_all(b"hello")?;
    let receive = || stream.receive(Vec::with_capacity(SIZE)).expect("submitted");
    let (id, ended) = others_are_untouched(&calls, Call::WSARecv, &queue, &stream, receive);
    let Completion::Received { id: of, buffer, result: Ok(5), .. } = ended else {
        panic!("five bytes were expected: {ended:?}");
    };
    assert_eq!((of, buffer.as_slice()), (id, b"hello".as_slice()));
    Ok(())
}

/// The next one is a receive into a vector, after a receive of no bytes.
#[test]
fn a_receive_after_a_readable_that_writes_late_gets_its_buffer_back() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(1));
    peer.write_all(b"hello")?;
    let gate = Gate::default();
    calls.spoil(Call::WSARecv, 1, Fault::writes_at(&gate));
    let buffer = Vec::with_capacity(SIZE);
    let (address, capacity) = (buffer.as_ptr(), buffer.capacity());
    thread::scope(|scope| {
        let starter = scope.spawn(|| stream.readable().expect("submitted"));
        gate.reached();
        assert!(matches!(one(&queue), Completion::Readable { result: Ok(()), .. }));
        let id = stream.receive(buffer).expect("submitted");
        gate.open();
        assert_ne!(starter.join().expect("the call returns"), id);
    });
    let Completion::Received { buffer, result: Ok(5), .. } = one(&queue) else {
        panic!("five bytes were expected");
    };
    assert_eq!((buffer.as_ptr(), buffer.capacity()), (address, capacity));
    assert_eq!(buffer, b"hello");
    Ok(())
}

#[test]
fn an_accept_that_writes_late_touches_no_later_operation() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (listener, address) = listening(&queue, Key(1), V4);
    let (stream, _peer) = registered(&queue, Key(2));
    let client = TcpStream::connect(address)?;
    let accept = || listener.accept().expect("submitted");
    let (id, ended) = others_are_untouched(&calls, Call::AcceptEx, &queue, &stream, accept);
    let Completion::Accepted { id: of, result: Ok((_, peer)), .. } = ended else {
        panic!("a connection was expected: {ended:?}");
    };
    assert_eq!((of, peer), (id, client.local_addr()?));
    Ok(())
}

/// What was done at once is told at once, with the count that the call has written last.
#[test]
fn an_inline_operation_that_writes_late_is_told_with_its_count() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (near, mut far) = pair();
    let stream = queue.register(near, Key(1))?.inline()?;
    far.write_all(b"hello")?;
    for call in [Call::WSARecv, Call::WSASend] {
        calls.spoil(call, 1, Fault::writes_after(10));
    }
    let Submitted::Done(received) = stream.receive(Vec::with_capacity(SIZE))? else {
        panic!("the bytes were there");
    };
    assert!(matches!(received, Completion::Received { result: Ok(5), .. }), "{received:?}");
    let Submitted::Done(sent) = stream.send(vec![7; SIZE])? else {
        panic!("there was room for them");
    };
    assert!(matches!(sent, Completion::Sent { count: SIZE, .. }), "{sent:?}");
    Ok(())
}

/// Two ends of a connection that throw a message to each other. Whoever waits submits the next
/// operation of whichever connection has come, so calls of one connection are under way on several
/// threads.
enum Game {
    Queued([Registration<TcpStream>; 2]),
    Inline([Registration<TcpStream, Vec<u8>, Inline>; 2]),
}

/// The key of an end: the number of its game, and which end it is.
fn key(game: usize, end: usize) -> Key {
    Key(2 * game + end)
}

impl Game {
    fn new(queue: &CompletionQueue, number: usize) -> Self {
        let (near, far) = pair();
        let near = queue.register(near, key(number, 0)).expect("a new socket");
        let far = queue.register(far, key(number, 1)).expect("a new socket");
        if number % 2 == 0 {
            return Self::Queued([near, far]);
        }
        let inline = |stream: Registration<TcpStream>| stream.inline().expect("of the kernel");
        Self::Inline([inline(near), inline(far)])
    }

    fn readable(&self, end: usize) -> Option<Completion> {
        match self {
            Self::Queued(ends) => ends[end].readable().map(|_| None).expect("submitted"),
            Self::Inline(ends) => done(ends[end].readable().expect("submitted")),
        }
    }

    fn receive(&self, end: usize, buffer: Vec<u8>) -> Option<Completion> {
        match self {
            Self::Queued(ends) => ends[end].receive(buffer).map(|_| None).expect("submitted"),
            Self::Inline(ends) => done(ends[end].receive(buffer).expect("submitted")),
        }
    }

    fn send(&self, end: usize, buffer: Vec<u8>) -> Option<Completion> {
        match self {
            Self::Queued(ends) => ends[end].send(buffer).map(|_| None).expect("submitted"),
            Self::Inline(ends) => done(ends[end].send(buffer).expect("submitted")),
        }
    }

    /// Goes on after a completion, and so after each that is there at once.
    fn go_on(&self, completion: Completion) -> u64 {
        let (mut next, mut count) = (Some(completion), 0);
        while let Some(completion) = next {
            count += 1;
            let end = completion.key().expect("of an operation").0 % 2;
            next = match completion {
                Completion::Readable { result, .. } => {
                    result.expect("bytes");
                    self.receive(end, Vec::with_capacity(SIZE))
                }
                Completion::Received { buffer, result, .. } => {
                    let count = result.expect("bytes");
                    assert!(count > 0 && buffer.len() == count && buffer.capacity() == SIZE);
                    assert!(buffer.iter().all(|byte| *byte == 7), "{buffer:?}");
                    self.after_a_receive(end, buffer)
                }
                Completion::Sent { buffer, count, result, .. } => {
                    result.expect("sent");
                    assert_eq!((count, buffer.capacity()), (buffer.len(), SIZE));
                    assert!(buffer.iter().all(|byte| *byte == 7), "{buffer:?}");
                    None
                }
                other => panic!("nobody has caused this: {other:?}"),
            };
        }
        count
    }

    /// The bytes go back, and the next ones are waited for.
    fn after_a_receive(&self, end: usize, buffer: Vec<u8>) -> Option<Completion> {
        if let Some(sent) = self.send(end, buffer) {
            self.go_on(sent);
        }
        self.readable(end)
    }
}

fn done(submitted: Submitted) -> Option<Completion> {
    match submitted {
        Submitted::Done(completion) => Some(completion),
        Submitted::Pending(_) => None,
    }
}

const THREADS: u64 = 4;

/// Each call that succeeds at once writes late, and so many operations come and go.
fn play(operations: u64, limit: Duration) {
    const GAMES: usize = 8;
    let calls = Calls::watch();
    let queue = CompletionQueue::new().expect("a queue");
    let games: Vec<Game> = (0..GAMES).map(|number| Game::new(&queue, number)).collect();
    let (ended, left, start) = (AtomicU64::new(0), AtomicU64::new(0), Instant::now());
    calls.spoil_always(Fault::writes_after(3));
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut batch = Completions::with_capacity(4);
                while ended.load(SeqCst) < operations {
                    assert!(start.elapsed() < limit, "{ended:?} of {operations} in {limit:?}");
                    let moment = Some(Duration::from_millis(10));
                    for completion in queue.wait(&mut batch, moment).expect("waiting") {
                        let game = completion.key().expect("of an operation").0 / 2;
                        ended.fetch_add(games[game].go_on(completion), SeqCst);
                    }
                }
                leave_together(&left, THREADS);
            });
        }
        for game in &games {
            for end in 0..2 {
                let begun = [game.readable(end), game.send(end, vec![7; SIZE])];
                begun.into_iter().flatten().for_each(|completion| {
                    game.go_on(completion);
                });
            }
        }
    });
    println!("{ended:?} operations in {:?}", start.elapsed());
}

#[test]
fn thousands_of_calls_that_write_late_touch_nobodys_buffers() {
    play(3_000, 3 * DEADLINE);
}

#[test]
#[ignore = "it takes minutes"]
fn a_million_calls_that_write_late_touch_nobodys_buffers() {
    play(1_000_000, Duration::from_secs(3_600));
}
