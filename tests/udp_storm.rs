//! Datagrams whose calls all write late, by the thousand: none comes with another one's sender.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::net::{SocketAddr, UdpSocket};
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use overlapped::{Completion, CompletionQueue, Completions, Key, Registration};

mod support;
use support::{DEADLINE, leave_together};

#[path = "support/calls.rs"]
mod calls;
use calls::{Calls, Fault};

#[path = "support/pages.rs"]
mod pages;

#[path = "support/udp.rs"]
mod udp;
use udp::{Got, V4, V6, datagrams, whole};

#[global_allocator]
static ALLOCATOR: pages::Pages = pages::Pages;

const SIZE: usize = 64;

fn room() -> Vec<u8> {
    Vec::with_capacity(SIZE)
}

/// Two sockets that throw a datagram to each other, answering to the address that it came from.
/// Whoever waits submits the next operation of whichever has come. So calls of one socket are under
/// way on several threads, and each datagram has to come with the sender of its own game.
struct Game {
    ends: [(Registration<UdpSocket>, SocketAddr); 2],
}

impl Game {
    fn new(queue: &CompletionQueue, number: usize) -> Self {
        let on = [V4, V6][number % 2];
        Self { ends: [0, 1].map(|end| datagrams(queue, Key(2 * number + end), on)) }
    }

    fn begin(&self, number: usize) {
        for (near, _) in &self.ends {
            for _ in 0..3 {
                near.receive_from(room()).expect("submitted");
            }
        }
        let bytes = vec![number as u8; SIZE];
        self.ends[0].0.send_to(bytes, self.ends[1].1).expect("submitted");
    }

    /// Goes on after a completion of one end, in the game of this number.
    fn go_on(&self, number: usize, completion: Completion) {
        let end = completion.key().expect("of an operation").0 % 2;
        match completion {
            Completion::Sent { buffer, result, .. } => {
                result.expect("sent");
                assert_eq!(buffer, [number as u8; SIZE]);
            }
            completion => {
                let got = Got::of(completion);
                assert_eq!(got.datagram(), whole(self.ends[1 - end].1, SIZE));
                assert_eq!(got.buffer, [number as u8; SIZE]);
                let near = &self.ends[end].0;
                near.send_to(got.buffer.clone(), got.datagram().from).expect("submitted");
                near.receive_from(room()).expect("submitted");
            }
        }
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
                        let number = completion.key().expect("of an operation").0 / 2;
                        games[number].go_on(number, completion);
                        ended.fetch_add(1, SeqCst);
                    }
                }
                leave_together(&left, THREADS);
            });
        }
        games.iter().enumerate().for_each(|(number, game)| game.begin(number));
    });
    println!("{ended:?} operations in {:?}", start.elapsed());
}

#[test]
fn thousands_of_calls_that_write_late_mix_up_no_senders() {
    play(3_000, 3 * DEADLINE);
}

#[test]
#[ignore = "it takes minutes"]
fn a_million_calls_that_write_late_mix_up_no_senders() {
    play(1_000_000, Duration::from_secs(3_600));
}
