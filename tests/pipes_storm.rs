//! Pipes on which everything happens at once: four threads wait, clients come and go, messages are
//! cut, and system calls fail, are held up and return late by chance. Each message comes once,
//! whole and in its order, and at the end nothing is left.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::fmt::Debug;
use std::io::{self, ErrorKind};
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use overlapped::{Completion, CompletionQueue, Completions, Content, Key, NamedPipe, Rejected};

mod support;
use support::DEADLINE;

#[path = "support/calls.rs"]
mod calls;
use calls::{Calls, ERROR_NO_SYSTEM_RESOURCES};

#[path = "support/pages.rs"]
mod pages;

/// So a write to memory that was freed is a fault, and not another one's trouble.
#[global_allocator]
static ALLOCATOR: pages::Pages = pages::Pages;

#[path = "support/pipes.rs"]
mod pipes;
use pipes::{Pipe, messages, new_name, server};

const PIPES: usize = 6;
/// How many messages go through each, from one client after the other.
const MESSAGES: u64 = 400;
const OF_ONE_CLIENT: u64 = 20;

/// One end that serves, and the client that it has. The key of the first is even, that of the
/// second the next number.
struct Link {
    number: usize,
    name: String,
    near: Pipe,
    far: Option<Pipe>,
    /// The number of the next message to write, and to read.
    next: [u64; 2],
}

/// A message of its own length, by its number.
fn message(number: u64) -> Vec<u8> {
    let mut bytes = number.to_ne_bytes().to_vec();
    bytes.resize(8 + number as usize * 7 % 90, number as u8);
    bytes
}

/// Does what a fault can make fail, until it does not.
fn insist<T, E: Debug>(mut what: impl FnMut() -> Result<T, E>, is_fault: impl Fn(&E) -> bool) -> T {
    loop {
        match what() {
            Ok(done) => return done,
            Err(error) => assert!(is_fault(&error), "{error:?}"),
        }
    }
}

fn is_fault(error: &io::Error) -> bool {
    error.raw_os_error() == Some(ERROR_NO_SYSTEM_RESOURCES as i32)
}

fn insist_on(buffer: Vec<u8>, mut submit: impl FnMut(Vec<u8>) -> Result<(), Rejected<Vec<u8>>>) {
    let mut buffer = Some(buffer);
    while let Some(given) = buffer.take() {
        if let Err(Rejected { error, returned, .. }) = submit(given) {
            assert!(is_fault(&error), "{error}");
            buffer = Some(returned);
        }
    }
}

impl Link {
    fn new(queue: &CompletionQueue, number: usize) -> Self {
        let name = new_name();
        let near = server(queue, Key(2 * number), &name, &messages().buffer_sizes(64, 64));
        Self { number, name, near, far: None, next: [0; 2] }
    }

    /// The next client comes, before the server waits for it or after.
    fn meet(&mut self, queue: &CompletionQueue) {
        let early = self.next[0] == 0;
        if !early {
            insist(|| self.near.connect_client(), is_fault);
        }
        let open = || NamedPipe::client(&self.name, &messages());
        let pipe = insist(open, |error| error.kind() == ErrorKind::ResourceBusy);
        let mut pipe = Some(pipe);
        let far = loop {
            match queue.register(pipe.take().expect("given back"), Key(2 * self.number + 1)) {
                Ok(far) => break far,
                Err(rejected) => {
                    assert!(is_fault(&rejected.error), "{rejected}");
                    pipe = Some(rejected.returned);
                }
            }
        };
        insist_on(message(self.next[0]), |buffer| far.write(buffer).map(|_| ()));
        self.far = Some(far);
        if early {
            insist(|| self.near.connect_client(), is_fault);
        }
    }

    fn read(&self, buffer: Vec<u8>) {
        insist_on(buffer, |buffer| self.near.read(buffer).map(|_| ()));
    }

    /// Goes on after a completion. Says whether it was the last.
    fn go_on(&mut self, queue: &CompletionQueue, completion: Completion) -> bool {
        match completion {
            Completion::ClientConnected { result, .. } => {
                result.expect("a client");
                self.read(Vec::with_capacity(40));
            }
            Completion::Written { buffer, count, result, .. } => {
                result.expect("it is written");
                assert_eq!((count, &buffer), (buffer.len(), &message(self.next[0])));
                self.next[0] += 1;
                if self.next[0] % OF_ONE_CLIENT == 0 {
                    self.far = None; // it has said all, and goes
                } else {
                    let far = self.far.as_ref().expect("it writes");
                    insist_on(message(self.next[0]), |buffer| far.write(buffer).map(|_| ()));
                }
            }
            Completion::Read { mut buffer, result, .. } => match result.expect("it is read") {
                Content::Part(_) => {
                    buffer.reserve_exact(100);
                    self.read(buffer);
                }
                Content::Message(_) => {
                    assert_eq!(buffer, message(self.next[1]), "message {}", self.next[1]);
                    self.next[1] += 1;
                    self.read(Vec::with_capacity(40));
                }
                Content::End => {
                    assert_eq!((buffer.len(), self.next[1] % OF_ONE_CLIENT), (0, 0));
                    if self.next[1] == MESSAGES {
                        return true;
                    }
                    // The client has gone when its last write was told.
                    assert!(self.far.is_none() && self.next[0] == self.next[1]);
                    self.near.disconnect().expect("nothing is in flight on this end");
                    self.meet(queue);
                }
                Content::Bytes(_) => panic!("the pipe carries messages"),
            },
            other => panic!("nobody has caused this: {other:?}"),
        }
        false
    }
}

#[test]
fn each_message_comes_once_whole_and_in_its_order() {
    let calls = Calls::watch();
    let queue = CompletionQueue::new().expect("a queue");
    let links: Vec<_> = (0..PIPES).map(|number| Mutex::new(Link::new(&queue, number))).collect();
    calls.spoil_at_random(7, 10);
    let (done, start) = (AtomicU64::new(0), Instant::now());
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mut batch = Completions::with_capacity(4);
                while done.load(SeqCst) < PIPES as u64 {
                    assert!(start.elapsed() < 3 * DEADLINE, "{done:?} links are done");
                    let Ok(batch) = queue.wait(&mut batch, Some(Duration::from_millis(10))) else {
                        continue;
                    };
                    for completion in batch {
                        if let Completion::Foreign(packet) = completion {
                            assert_eq!(packet.key(), Key(calls::STRANGER));
                            continue;
                        }
                        let key = completion.key().expect("of an operation").0;
                        let mut link = links[key / 2].lock().expect("no panic");
                        done.fetch_add(link.go_on(&queue, completion).into(), SeqCst);
                    }
                }
            });
        }
        for link in &links {
            link.lock().expect("no panic").meet(&queue);
        }
    });
    calls.spare();
    drop(links);
    while queue.in_flight() > 0 {
        queue.wait(&mut Completions::with_capacity(8), Some(DEADLINE)).expect("waiting");
    }
    println!("{} messages in {:?}", PIPES as u64 * MESSAGES, start.elapsed());
}
