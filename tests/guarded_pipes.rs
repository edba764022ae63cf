//! Pipes under the allocator of `support/pages.rs`, as in `guarded_layer.rs`: with operations of
//! every kind in flight all is ended, in one way after the other, and then nothing of what was lent
//! is left. Were something freed while the kernel has it, an operation would end with an error that
//! nobody expects, or a thread would stop at the fault.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::thread;

use overlapped::{Completion, CompletionQueue, Completions, Failure, Key, NamedPipe};

mod support;
use support::{DEADLINE, within_deadline};

#[path = "support/pipes.rs"]
mod pipes;
use pipes::{Pipe, bytes, connected, messages, new_name, server};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{gather_in_port, sweep};

#[path = "support/pages.rs"]
mod pages;
use pages::{PAGE, Pages, live};

#[global_allocator]
static ALLOCATOR: Pages = Pages;

/// Operations lend three pieces of memory, of which one is larger than a page.
type Parts = [Vec<u8>; 3];

fn room() -> Parts {
    [0, 2 * PAGE + 1, 40].map(Vec::with_capacity)
}

fn filled(count: usize) -> Parts {
    [Vec::new(), vec![2; count], Vec::with_capacity(40)]
}

/// A queue and pipes on it, all with operations in flight; some have ended by now, and their
/// packets lie in the port.
struct House {
    queue: CompletionQueue<Parts>,
    near: Pipe<Parts>,
    far: Pipe<Parts>,
    narrow: Pipe<Parts>,
    waiting: Pipe<Parts>,
    _peer: NamedPipe,
}

/// How many packets there are.
const ENDED: usize = 5;

fn house() -> House {
    let queue = CompletionQueue::new().expect("a queue");
    let (near, far) = connected(&queue, &messages());
    let (waiting, name) = (server(&queue, Key(3), &new_name(), &bytes()), new_name());
    waiting.connect_client().expect("submitted");
    let narrow = server(&queue, Key(4), &name, &bytes().buffer_sizes(64, 64));
    let peer = NamedPipe::client(&name, &bytes()).expect("a client");
    // One whose end the layer tells itself, a message that is cut, and one that is whole.
    narrow.connect_client().expect("submitted");
    far.write(filled(3 * PAGE)).expect("submitted");
    near.read(room()).expect("submitted");
    near.read(room()).expect("submitted");
    far.write(filled(PAGE)).expect("submitted");
    gather_in_port(&queue, ENDED);

    far.write(filled(100)).expect("submitted");
    for _ in 0..3 {
        near.read(room()).expect("submitted");
        far.read(room()).expect("submitted");
    }
    narrow.write(filled(300_000)).expect("submitted");
    House { queue, near, far, narrow, waiting, _peer: peer }
}

fn assert_sound(completion: &Completion<Parts>) {
    let sound = match completion {
        Completion::Read { buffer, result, .. } => match result {
            Ok(content) => {
                buffer[1].len() == content.count() && buffer[1].iter().all(|it| *it == 2)
            }
            Err(failure) => failure.is_cancelled(),
        },
        Completion::Written { result, .. } => {
            matches!(result, Ok(()) | Err(Failure::Cancelled))
                || matches!(result, Err(Failure::Error(error))
                    if error.kind() == std::io::ErrorKind::BrokenPipe)
        }
        Completion::ClientConnected { result, .. } => {
            matches!(result, Ok(()) | Err(Failure::Cancelled))
        }
        _ => false,
    };
    assert!(sound, "{completion:?}");
}

fn collect_all(queue: &CompletionQueue<Parts>) {
    let mut batch = Completions::with_capacity(64);
    while queue.in_flight() > 0 {
        for completion in queue.wait(&mut batch, Some(DEADLINE)).expect("waiting") {
            assert_sound(&completion);
        }
    }
}

fn the_queue_first(house: House) {
    drop(house.queue);
}

fn the_registrations_first(house: House) {
    drop((house.near, house.far, house.narrow, house.waiting));
    sweep(&house.queue);
}

fn one_end_first(house: House) {
    drop((house.far, house.narrow, house.waiting));
    collect_all(&house.queue);
    drop(house.near);
}

fn taken_out(house: House) {
    let pipes = [house.near, house.far, house.narrow, house.waiting]
        .map(overlapped::Registration::into_inner);
    sweep(&house.queue);
    drop(pipes);
}

fn cancelled_all_at_once(house: House) {
    for pipe in [&house.near, &house.far, &house.narrow, &house.waiting] {
        pipe.cancel_all().expect("cancelled");
    }
    collect_all(&house.queue);
    house.near.disconnect().expect("nothing is in flight");
}

fn cancelled_while_messages_come(house: House) {
    let ids = [(); 50].map(|()| house.near.read(room()).expect("submitted"));
    thread::scope(|scope| {
        scope.spawn(|| (0..60).for_each(|_| drop(house.far.write(filled(100)))));
        for id in ids.into_iter().rev() {
            house.near.cancel(id).expect("cancelled");
        }
    });
    cancelled_all_at_once(house);
}

fn a_batch_half_read_and_dropped(house: House) {
    let mut batch = Completions::with_capacity(64);
    house.queue.wait(&mut batch, Some(DEADLINE)).expect("waiting");
    assert!(batch.len() >= ENDED);
    batch.by_ref().take(2).for_each(|completion| assert_sound(&completion));
    drop(house);
    drop(batch);
}

type Ending = (&'static str, fn(House));

/// All is in one test, for the count is of the whole process.
#[test]
fn however_pipes_are_ended_nothing_is_left_of_what_was_lent() {
    let endings: [Ending; 7] = [
        ("the queue first", the_queue_first),
        ("the registrations first", the_registrations_first),
        ("one end first", one_end_first),
        ("the pipes taken out", taken_out),
        ("cancelled all at once", cancelled_all_at_once),
        ("cancelled while messages come", cancelled_while_messages_come),
        ("a batch half read", a_batch_half_read_and_dropped),
    ];
    for (what, ending) in endings {
        println!("{what}");
        // The first time the system and std may load what they need, once.
        within_deadline(move || ending(house()));
        let before = live();
        within_deadline(move || ending(house()));
        assert_eq!(live() as isize - before as isize, 0, "{what}");
    }
}
