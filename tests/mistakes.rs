//! What the guide's chapter on mistakes tells of other projects, where no other test is about it.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::io;
use std::time::Instant;

use overlapped::ffi::constants::JOB_OBJECT_MSG_NEW_PROCESS;
use overlapped::{Completion, CompletionQueue, Completions, Job, Key};

mod support;
use support::{DEADLINE, collect, dequeue_by_hand, within_deadline};

#[path = "support/idle.rs"]
mod idle;
#[path = "support/spawn.rs"]
mod spawn;
use idle::Idle;

const JOB: Key = Key(1);
const PROCESS: Key = Key(2);

/// The system promises no message of a job. So one is taken away here, as if it had been lost: the
/// end of the process is told all the same, by its handle, and neither the shutdown nor the drop of
/// the queue waits for what does not come.
#[test]
fn a_message_of_a_job_that_is_lost_holds_up_nothing() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let job = queue.register(Job::new()?, JOB)?;
    let mut idle = Idle::new()?;
    job.get_ref().assign(&idle.child)?;
    let lost = dequeue_by_hand(&queue.port(), 1)[0];
    assert_eq!(lost.dwNumberOfBytesTransferred, JOB_OBJECT_MSG_NEW_PROCESS);
    assert_eq!(lost.lpOverlapped.addr(), idle.child.id() as usize);

    let ended = queue.watch(&idle.child, PROCESS)?;
    job.get_ref().terminate(7)?;
    // What else the job tells differs from one system to the next.
    let is_the_end = |completion: &Completion| match completion {
        Completion::Signalled { key: PROCESS, result, .. } => result.is_ok(),
        Completion::Job { key: JOB, .. } => false,
        other => panic!("nothing else was begun: {other:?}"),
    };
    while !collect(&queue, 1).iter().any(is_the_end) {}
    assert_eq!(idle.child.wait()?.code(), Some(7));
    assert_eq!((ended.in_flight(), queue.in_flight()), (0, 0));

    queue.shut_down()?;
    let (mut batch, start) = (Completions::with_capacity(8), Instant::now());
    while !queue.wait(&mut batch, Some(DEADLINE))?.is_empty() {
        batch.by_ref().for_each(drop);
    }
    within_deadline(move || drop((queue, job, ended)));
    assert!(start.elapsed().as_secs() < 2, "it took {:?}", start.elapsed());
    Ok(())
}
