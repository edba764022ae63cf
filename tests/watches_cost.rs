//! What a wait costs, and that nothing is left of it.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls and of the allocator")]

use std::io;

use overlapped::{Completion, CompletionQueue, Completions, Key};

mod support;
use support::{DEADLINE, assert_quiet, one};

#[path = "support/allocations.rs"]
mod allocations;
use allocations::{allocations_of, count_this_thread};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls};

#[path = "support/events.rs"]
mod events;
use events::{Event, signalled};

#[path = "support/handles.rs"]
mod handles;
use handles::handles;

const DUPLICATE: Call = Call::DuplicateHandle;
const REGISTER: Call = Call::RegisterWaitForSingleObject;
const UNREGISTER: Call = Call::UnregisterWaitEx;
const POST: Call = Call::PostQueuedCompletionStatus;

type Queue = CompletionQueue<Vec<u8>>;

/// Each wait is one call to begin, one to take it back, one packet and one dequeue.
#[test]
fn a_wait_costs_four_calls_and_no_allocation() -> io::Result<()> {
    const ROUNDS: u64 = 1_000;
    let calls = Calls::watch();
    let (queue, event) = (Queue::new()?, Event::new(true));
    let watch = queue.watch(&event, Key(7))?;
    let mut batch = Completions::with_capacity(8);
    let mut round = || {
        event.set();
        let told = queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").next();
        assert!(matches!(told, Some(Completion::Signalled { result: Ok(()), .. })), "{told:?}");
        watch.again().expect("it can begin");
    };
    round();
    count_this_thread();
    calls.start_again();
    let allocations = allocations_of(|| (0..ROUNDS).for_each(|_| round()));
    let counts = [REGISTER, UNREGISTER, POST, DUPLICATE].map(|call| calls.count(call));
    assert_eq!(counts, [ROUNDS, ROUNDS, ROUNDS, 0]);
    assert!(calls.count(Call::GetQueuedCompletionStatusEx) >= ROUNDS);
    assert_eq!(allocations, 0, "of ours: what the pool allocates is the system's");
    Ok(())
}

/// Each is told, cancelled, or dropped while it waits.
#[test]
fn ten_thousand_watches_leave_no_handle() -> io::Result<()> {
    const MANY: usize = 10_000;
    const FEW: usize = 20;
    let _calls = Calls::watch();
    let (queue, event) = (Queue::new()?, Event::new(false));
    let mut before = 0;
    for number in 0..MANY {
        if number == 100 {
            before = handles();
        }
        let watch = queue.watch(&event, Key(number))?;
        match number % 3 {
            0 => {
                event.set();
                signalled(one(&queue)).2?;
                event.reset();
            }
            1 => {
                watch.cancel_all()?;
                drop(one(&queue));
            }
            _ => {}
        }
    }
    assert_quiet(&queue);
    assert_eq!(queue.in_flight(), 0);
    let after = handles();
    assert!(after < before + FEW, "{before} handles before, {after} after");
    Ok(())
}
