//! What a message through a pipe costs, counted as in `economy.rs`: one call for each read and each
//! write, its share of a dequeue, and no allocation.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls and of the allocator")]

use std::process::{Command, Stdio};

use overlapped::{Completion, CompletionQueue, Completions, Content, Key, NamedPipe};

mod support;
use support::DEADLINE;

#[path = "support/spawn.rs"]
mod spawn;
use spawn::spawned;

#[path = "support/allocations.rs"]
mod allocations;
use allocations::{allocations_of, count_this_thread};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls};

#[path = "support/pipes.rs"]
mod pipes;
use pipes::{Pipe, bytes, connected, messages, new_name, server};

const ROUNDS: u64 = 1_000;
const SIZE: usize = 64;

/// Does something, and says which calls it has made, how often, and how many allocations.
fn cost_of(calls: &Calls, work: impl FnOnce()) -> (Vec<(Call, u64)>, usize) {
    let before = calls.counts();
    let allocations = allocations_of(work);
    let made = Call::ALL.into_iter().zip(calls.counts()).zip(before);
    let made = made.map(|((call, after), before)| (call, after - before));
    (made.filter(|(_, count)| *count > 0).collect(), allocations)
}

/// One end writes 64 bytes, the other reads them.
fn pass(
    queue: &CompletionQueue,
    batch: &mut Completions,
    (from, to): (&Pipe, &Pipe),
    buffers: &mut [Vec<u8>; 2],
) -> u64 {
    let [to_read, to_write] = buffers;
    to.read(std::mem::take(to_read)).expect("submitted");
    from.write(std::mem::take(to_write)).expect("submitted");
    let (mut left, mut packets) = (2, 0);
    while left > 0 {
        queue.wait(batch, Some(DEADLINE)).expect("waiting");
        for completion in &mut *batch {
            (left, packets) = (left - 1, packets + 1);
            match completion {
                Completion::Read { mut buffer, result, .. } => {
                    assert_eq!(result.expect("it is read").count(), SIZE);
                    buffer.clear();
                    buffers[0] = buffer;
                }
                Completion::Written { buffer, count: SIZE, .. } => buffers[1] = buffer,
                other => panic!("{other:?}"),
            }
        }
    }
    packets
}

#[test]
fn a_round_trip_costs_two_calls_for_each_side_and_at_most_one_dequeue_for_a_packet() {
    let calls = Calls::watch();
    for options in [bytes(), messages()] {
        let queue = CompletionQueue::new().expect("a queue");
        let (near, far) = connected(&queue, &options);
        let mut batch = Completions::with_capacity(64);
        let mut buffers = [Vec::with_capacity(SIZE), vec![7; SIZE]];
        pass(&queue, &mut batch, (&near, &far), &mut buffers);
        count_this_thread();
        let mut packets = 0;
        let (made, allocations) = cost_of(&calls, || {
            for _ in 0..ROUNDS {
                for ends in [(&near, &far), (&far, &near)] {
                    packets += pass(&queue, &mut batch, ends, &mut buffers);
                }
            }
        });
        let [(Call::GetQueuedCompletionStatusEx, dequeues), messages @ ..] = &made[..] else {
            panic!("{made:?}");
        };
        assert_eq!(messages, [(Call::ReadFile, 2 * ROUNDS), (Call::WriteFile, 2 * ROUNDS)]);
        assert_eq!((packets, allocations), (4 * ROUNDS, 0));
        assert!(*dequeues <= packets, "{dequeues} dequeues");
    }
}

/// The first client is quicker than the server, whose end is told by a packet of the layer's.
#[test]
fn a_client_costs_a_fixed_small_number_of_calls_and_no_allocation() {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new().expect("a queue");
    let name = new_name();
    let near = server(&queue, Key(1), &name, &bytes());
    // Its handle goes on being signalled, for it can be made a `File`, and then std waits for that.
    assert_eq!(calls.count(Call::SetFileCompletionNotificationModes), 0);
    let mut batch = Completions::with_capacity(4);
    let mut client = NamedPipe::client(&name, &bytes()).expect("a client");
    for round in 0..3 {
        count_this_thread();
        let (made, allocations) = cost_of(&calls, || {
            near.connect_client().expect("submitted");
        });
        let quicker = [(Call::PostQueuedCompletionStatus, 1), (Call::ConnectNamedPipe, 1)];
        assert_eq!(made, quicker[usize::from(round > 0)..]);
        assert!(round == 0 || allocations == 0, "{allocations} allocations");
        if round > 0 {
            client = NamedPipe::client(&name, &bytes()).expect("a client");
        }
        let made = cost_of(&calls, || {
            let ended = queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").next();
            assert!(matches!(ended, Some(Completion::ClientConnected { result: Ok(()), .. })));
        });
        assert_eq!(made, (vec![(Call::GetQueuedCompletionStatusEx, 1)], 0));
        let made = cost_of(&calls, || near.disconnect().expect("nothing is in flight"));
        assert_eq!(made, (vec![(Call::DisconnectNamedPipe, 1)], 0));
    }
    drop(client);
}

#[test]
fn the_pipe_of_a_child_costs_two_calls_to_register_and_one_for_each_read() {
    let calls = Calls::watch();
    let queue = CompletionQueue::new().expect("a queue");
    let mut child = spawned(Command::new("cmd").args(["/c", "echo hello"]).stdout(Stdio::piped()));
    let stdout = child.stdout.take().expect("it is piped");
    count_this_thread();
    let mut registered = None;
    let (made, _) = cost_of(&calls, || registered = queue.register(stdout, Key(1)).ok());
    assert_eq!(made, [(Call::CreateIoCompletionPort, 1), (Call::getsockopt, 1)]);
    let stdout = registered.expect("an overlapped pipe");
    let (mut batch, mut buffer, mut reads) =
        (Completions::with_capacity(4), Some(Vec::with_capacity(SIZE)), 0);
    let (made, allocations) = cost_of(&calls, || {
        while let Some(to_read) = buffer.take() {
            stdout.read(to_read).expect("submitted");
            reads += 1;
            let ended = queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").next();
            let Some(Completion::Read { buffer: read, result, .. }) = ended else {
                panic!("{ended:?}");
            };
            buffer = (result.expect("it is read") != Content::End).then_some(read);
        }
    });
    assert_eq!(
        made.iter().find(|(call, _)| *call == Call::ReadFile),
        Some(&(Call::ReadFile, reads))
    );
    assert!(allocations <= 1, "the table is made once, and {allocations} were");
    child.wait().expect("its end");
}
