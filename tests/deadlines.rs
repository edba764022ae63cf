//! The example `lesson_deadlines`: its parts are compiled here as they are, and the program is this
//! one, started once more.
//!
//! The heap has the earliest on top, and passes over what does not count any more. And whatever
//! happens at the moment of a deadline, a question has one outcome, and nothing stays in flight.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::TcpStream;
use std::process::{Command, exit};
use std::sync::mpsc::channel;
use std::thread;
use std::time::{Duration, Instant};

use overlapped::{CompletionQueue, Completions, Key};

mod support;
use support::{NO_SOCKET, pair, within_deadline};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::gather_in_port;

#[path = "support/programs.rs"]
mod programs;
#[path = "support/spawn.rs"]
mod spawn;
use programs::{ended, started};

#[path = "../examples/lessons/deadlines/ask.rs"]
mod ask;
#[path = "../examples/lessons/deadlines/client.rs"]
mod client;
#[path = "../examples/lessons/deadlines/heap.rs"]
mod heap;
#[path = "../examples/lessons/deadlines/peers.rs"]
mod peers;

use client::Outcome::{Answered, TimedOut};
use client::{Client, Outcome};
use heap::Deadlines;

const THE_PROGRAM: &str = "DEADLINES_THE_PROGRAM";

/// Neither the clock nor a peer comes to this.
const FAR: Duration = Duration::from_secs(3600);

/// The program, where it is started as such. As a test it does nothing.
#[test]
fn the_program() {
    if std::env::var_os(THE_PROGRAM).is_some() {
        let report = within_deadline(|| ask::ask_all().map_err(|error| error.to_string()));
        let report = report.expect("each question has an outcome");
        print!("\n{report}");
        exit(0);
    }
}

#[test]
fn the_program_says_who_has_answered_and_whose_time_was_up() {
    let mut program = Command::new(std::env::current_exe().expect("the path of this program"));
    program.args(["--exact", "the_program", "--nocapture", "--test-threads=1"]);
    let ended = ended(started(program.env(THE_PROGRAM, "1")));
    let text = |bytes| String::from_utf8(bytes).expect("text").replace('\r', "");
    let (out, err) = (text(ended.stdout), text(ended.stderr));
    println!("{out}\n{err}");
    assert_eq!(ended.status.code(), Some(0));
    assert!(out.ends_with(
        "
time was up for 19 21 23 13 15 17 7 9 11 1 3 5
answered:       0 2 4 6 8 10 12 14 16 18 20 22
timed out:      1 3 5 7 9 11 13 15 17 19 21 23
in flight:      0
"
    ));
}

/// Everybody whose moment has come, in the order in which the heap gives them out.
fn all_due(deadlines: &mut Deadlines<u32>, now: Instant) -> Vec<u32> {
    std::iter::from_fn(|| deadlines.next_due(now, |_, _| true)).collect()
}

#[test]
fn the_earliest_comes_first_in_whatever_order_they_were_put_in() {
    let (start, second) = (Instant::now(), Duration::from_secs(1));
    for order in [[1, 2, 3], [1, 3, 2], [2, 1, 3], [2, 3, 1], [3, 1, 2], [3, 2, 1]] {
        let mut deadlines = Deadlines::new();
        for number in order {
            deadlines.insert(start + number * second, number);
        }
        assert_eq!(deadlines.earliest(|_, _| true), Some(start + second));
        assert_eq!(all_due(&mut deadlines, start + 2 * second), [1, 2], "{order:?}");
        assert_eq!(deadlines.earliest(|_, _| true), Some(start + 3 * second));
        assert_eq!(all_due(&mut deadlines, start + 3 * second), [3], "{order:?}");
        assert_eq!(deadlines.earliest(|_, _| true), None);
    }
}

#[test]
fn at_the_same_moment_all_are_due_once_and_the_moment_itself_counts() {
    let (start, mut deadlines) = (Instant::now(), Deadlines::new());
    [4, 2, 3, 1].into_iter().for_each(|number| deadlines.insert(start, number));
    assert_eq!(all_due(&mut deadlines, start - Duration::from_nanos(100)), []);
    assert_eq!(all_due(&mut deadlines, start), [1, 2, 3, 4]);
    assert_eq!(all_due(&mut deadlines, start + FAR), []);
}

#[test]
fn what_does_not_count_any_more_is_passed_over() {
    let (start, second) = (Instant::now(), Duration::from_secs(1));
    let mut deadlines = Deadlines::new();
    (1..=6).for_each(|number| deadlines.insert(start + number * second, number));
    let odd_and_large = |_, number| number % 2 == 1 && number > 1;
    // It does not shorten the wait,
    assert_eq!(deadlines.earliest(odd_and_large), Some(start + 3 * second));
    // and it is never due, be it before those that count or between them.
    assert_eq!(deadlines.next_due(start + 2 * second, odd_and_large), None);
    assert_eq!(deadlines.next_due(start + FAR, odd_and_large), Some(3));
    assert_eq!(deadlines.next_due(start + FAR, odd_and_large), Some(5));
    assert_eq!(deadlines.next_due(start + FAR, odd_and_large), None);
}

/// What came out of it, and whose time was up, when nothing is awaited and nothing in flight.
type Outcomes = (BTreeMap<Key, Outcome>, Vec<Key>);

/// Awaits something on connections that `begin` makes, and collects. Fails if that does not end.
#[track_caller]
fn collected(begin: impl FnOnce(&CompletionQueue, &mut Client) + Send + 'static) -> Outcomes {
    within_deadline(|| {
        let queue = CompletionQueue::new().expect("a queue");
        let mut client = Client::new(&queue);
        begin(&queue, &mut client);
        client.collect().expect("each has an outcome");
        assert_eq!(queue.in_flight(), 0);
        (client.outcomes, client.late)
    })
}

/// The peer of a connection on which an answer is awaited until then.
#[track_caller]
fn expect(client: &mut Client, key: Key, deadline: Instant) -> TcpStream {
    let (near, far) = pair();
    client.expect(near, key, deadline).expect(NO_SOCKET);
    far
}

/// The wait only looks then.
#[test]
fn a_deadline_in_the_past_is_over_at_once() {
    let (start, (sender, open)) = (Instant::now(), channel());
    let soon = start + Duration::from_millis(30);
    let (outcomes, late) = collected(move |_, client| {
        for (key, deadline) in [(1, soon), (2, start), (3, start)] {
            sender.send(expect(client, Key(key), deadline)).expect("it is kept open");
        }
    });
    assert_eq!(outcomes, [1, 2, 3].map(|key| (Key(key), TimedOut)).into());
    assert_eq!(late, [Key(2), Key(3), Key(1)]);
    assert!(start.elapsed() >= Duration::from_millis(30), "it was over too early");
    drop(open);
}

/// Its completion is in the port when its time is up. There is nothing left to cancel.
#[test]
fn an_answer_that_came_before_it_was_cancelled_is_an_answer() {
    let (outcomes, late) = collected(|queue, client| {
        let mut peer = expect(client, Key(7), Instant::now());
        peer.write_all(b"an answer\n").expect("sent");
        gather_in_port(queue, 1);
        client.cancel_what_is_due(Instant::now()).expect("nothing to cancel is no error");
    });
    assert_eq!((outcomes, late), (BTreeMap::from([(Key(7), Answered)]), vec![Key(7)]));
}

/// As above, of a part of an answer. Nothing more is received then, which nobody would cancel.
#[test]
fn a_part_of_an_answer_that_came_before_it_was_cancelled_is_the_last() {
    let (sender, open) = channel();
    let (outcomes, late) = collected(move |queue, client| {
        let mut peer = expect(client, Key(7), Instant::now());
        peer.write_all(b"a part").expect("sent");
        gather_in_port(queue, 1);
        client.cancel_what_is_due(Instant::now()).expect("nothing to cancel is no error");
        sender.send(peer).expect("it is kept open");
    });
    assert_eq!((outcomes, late), (BTreeMap::from([(Key(7), TimedOut)]), vec![Key(7)]));
    drop(open);
}

/// The time limit is for the whole answer. One for each receive would never be over.
#[test]
fn a_peer_that_goes_on_sending_parts_does_not_put_its_deadline_off() {
    let start = Instant::now();
    let (outcomes, _) = collected(move |_, client| {
        let mut peer = expect(client, Key(7), start + Duration::from_millis(50));
        thread::spawn(move || while peer.write_all(b".").is_ok() {});
    });
    assert_eq!(outcomes, BTreeMap::from([(Key(7), TimedOut)]));
    assert!(start.elapsed() >= Duration::from_millis(50), "it was over too early");
}

/// Whichever comes first, it has one outcome, of which the client itself looks that no other comes.
#[test]
fn an_answer_at_the_moment_of_the_deadline_gives_one_outcome() {
    const ROUNDS: u32 = 200;
    let mut answered = 0;
    for round in 0..ROUNDS {
        let deadline = Instant::now() + Duration::from_millis(2);
        let (outcomes, _) = collected(move |_, client| {
            let mut peer = expect(client, Key(7), deadline);
            thread::spawn(move || {
                // A different moment in each round, before the deadline or after it.
                let moment = deadline + round % 20 * Duration::from_micros(40);
                while Instant::now() < moment {
                    std::hint::spin_loop();
                }
                // An error is that it has been closed by now.
                let _ = peer.write_all(b"an answer\n");
                let _ = io::Read::read(&mut peer, &mut [0]);
            });
        });
        assert_eq!(outcomes.keys().collect::<Vec<_>>(), [&Key(7)]);
        answered += u32::from(outcomes[&Key(7)] == Answered);
    }
    println!("{answered} of {ROUNDS} were answered");
}

/// The entry of the first question is still in the heap when the second is asked, below another.
#[test]
fn a_deadline_of_an_answered_question_is_not_that_of_the_next_under_its_key() {
    let (sender, open) = channel();
    let (outcomes, late) = collected(move |_, client| {
        let now = Instant::now();
        sender.send(expect(client, Key(1), now + FAR)).expect("it is kept open");
        let mut peer = expect(client, Key(7), now + 2 * FAR);
        peer.write_all(b"an answer\n").expect("sent");
        while client.outcomes.is_empty() {
            client.turn(&mut Completions::with_capacity(1)).expect("an answer");
        }
        client.outcomes.clear();
        let mut peer = expect(client, Key(7), now + 3 * FAR);
        client.cancel_what_is_due(now + 2 * FAR).expect("one is due");
        peer.write_all(b"an answer\n").expect("sent");
    });
    assert_eq!(outcomes, BTreeMap::from([(Key(1), TimedOut), (Key(7), Answered)]));
    assert_eq!(late, [Key(1)]);
    drop(open);
}

/// Both have an entry in the heap then, of the same key and moment, below that of another question.
#[test]
fn a_question_that_has_the_deadline_of_the_one_before_is_late_once() {
    let (sender, open) = channel();
    let (outcomes, late) = collected(move |_, client| {
        let (now, deadline) = (Instant::now(), Instant::now() + 2 * FAR);
        sender.send(expect(client, Key(1), now + FAR)).expect("it is kept open");
        let mut peer = expect(client, Key(7), deadline);
        peer.write_all(b"an answer\n").expect("sent");
        while client.outcomes.is_empty() {
            client.turn(&mut Completions::with_capacity(1)).expect("an answer");
        }
        client.outcomes.clear();
        sender.send(expect(client, Key(7), deadline)).expect("it is kept open");
        client.cancel_what_is_due(deadline).expect("both are due");
    });
    assert_eq!(outcomes, BTreeMap::from([(Key(1), TimedOut), (Key(7), TimedOut)]));
    assert_eq!(late, [Key(1), Key(7)]);
    drop(open);
}

/// Many other packets are before the answer. The clock is looked at between them, too.
#[test]
fn a_busy_queue_does_not_put_a_deadline_off() {
    const OTHERS: usize = 1_000;
    let (outcomes, late) = collected(|queue, client| {
        let mut peer = expect(client, Key(7), Instant::now());
        (0..OTHERS).for_each(|_| queue.post(Key(0), 0).expect("posted"));
        peer.write_all(b"an answer\n").expect("sent");
        gather_in_port(queue, OTHERS + 1);
    });
    assert_eq!((outcomes, late), (BTreeMap::from([(Key(7), Answered)]), vec![Key(7)]));
}
