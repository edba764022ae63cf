//! Threads that wait, each with its batch, and others that post, submit, cancel and shut down
//! meanwhile, by chance: everybody is told once and comes to the end, and nothing is left behind.
#![cfg(windows)]

use std::io::Write;
use std::net::TcpStream;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::{Duration, Instant};

use overlapped::{Completion, CompletionQueue, Completions, Key, Registration};

mod support;
use support::{registered, within_deadline};

type Queue = CompletionQueue<Vec<u8>>;

const THREADS: usize = 6;
const CONNECTIONS: usize = 8;
const POSTS: Key = Key(CONNECTIONS);

struct Storm {
    queue: Queue,
    connections: Vec<(Registration<TcpStream>, TcpStream)>,
    /// What was posted and has not come.
    posted: AtomicUsize,
    round: usize,
}

impl Storm {
    fn new(round: usize) -> Self {
        let queue = Queue::with_concurrency([1, 0, 2][round % 3]).expect("a queue");
        let connections: Vec<_> =
            (0..CONNECTIONS).map(|key| registered(&queue, Key(key))).collect();
        for (stream, _) in &connections {
            stream.receive(Vec::with_capacity(1)).expect("submitted");
        }
        Self { queue, connections, posted: AtomicUsize::new(0), round }
    }

    /// One of the threads that wait, up to the empty batch.
    fn wait(&self, capacity: usize) {
        let (mut batch, mut told) = (Completions::with_capacity(capacity), 0);
        while !self.queue.wait(&mut batch, None).expect("waiting").is_empty() {
            for completion in batch.by_ref() {
                match completion {
                    Completion::Posted { .. } => drop(self.posted.fetch_sub(1, SeqCst)),
                    Completion::ShutDown => told += 1,
                    Completion::Received { key, .. } if self.submits(key) => {
                        self.connections[key.0].0.send(vec![1]).expect("submitted");
                    }
                    _ => {}
                }
            }
        }
        assert_eq!(told, 1, "the shutdown is told once");
    }

    /// In every other round some submit, while others come to the end.
    fn submits(&self, key: Key) -> bool {
        self.round % 2 == 0 && key.0 < CONNECTIONS / 2
    }

    fn post(&self, count: usize) {
        for _ in 0..count {
            self.posted.fetch_add(1, SeqCst);
            self.queue.post(POSTS, 1).expect("posted");
        }
    }

    fn blow(&self) {
        self.post(7 * self.round);
        self.queue.shut_down().expect("shut down");
        self.post(3 * self.round);
        for (stream, peer) in &self.connections {
            let mut peer = peer;
            if stream.key().0 % 2 == 0 {
                peer.write_all(b"!").expect("sent");
            } else {
                stream.cancel_all().expect("cancelled");
            }
        }
    }

    /// Threads with batches for one completion, and others with batches for many.
    fn run(&self) {
        thread::scope(|scope| {
            let wait = |number| scope.spawn(move || self.wait([1, 8][usize::from(number > 3)]));
            let threads: Vec<_> = (0..THREADS).map(wait).collect();
            self.blow();
            threads.into_iter().for_each(|one| one.join().expect("it comes to the end"));
        });
        let left = (self.queue.in_flight(), self.posted.load(SeqCst));
        assert_eq!(left, (0, 0), "in flight and posted, in round {}", self.round);
    }
}

#[test]
fn in_a_storm_each_thread_is_told_and_comes_to_the_end() {
    let start = Instant::now();
    for round in 0..60 {
        if start.elapsed() > Duration::from_secs(2) {
            break;
        }
        within_deadline(move || Storm::new(round).run());
    }
}
