//! Many jobs at one queue, one after the other and at once, and what is spoilt for them.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it counts the handles of this process, and spoils system calls")]

use std::io;

use overlapped::{Completion, CompletionQueue, Job, JobMessage, Key};

mod support;
use support::{assert_quiet, collect, one};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls, ERROR_NO_SYSTEM_RESOURCES, Fault, assert_code};

#[path = "support/handles.rs"]
mod handles;
use handles::handles;

#[path = "support/idle.rs"]
mod idle;
#[path = "support/spawn.rs"]
mod spawn;
use idle::Idle;

type Queue = CompletionQueue<Vec<u8>>;

#[test]
fn a_thousand_jobs_are_told_apart() -> io::Result<()> {
    let _calls = Calls::watch();
    let queue = Queue::new()?;
    let jobs: Vec<_> = (0..1_000)
        .map(|key| Ok(queue.register(Job::new()?, Key(key))?))
        .collect::<io::Result<_>>()?;
    for key in [0, 7, 8, 9, 23, 24, 500, 999] {
        let idle = Idle::new()?;
        jobs[key].get_ref().assign(&idle.child)?;
        let told = one(&queue);
        let new = JobMessage::NewProcess(idle.child.id());
        assert!(
            matches!(told, Completion::Job { key: Key(of), message } if of == key && message == new),
            "{key}: {told:?}",
        );
        jobs[key].get_ref().terminate(0)?;
        let mut told = Vec::new();
        while !told.contains(&Some(JobMessage::Empty)) {
            told.extend(collect(&queue, 1).into_iter().map(|completion| match completion {
                Completion::Job { message, .. } => Some(message),
                _ => None,
            }));
        }
    }
    Ok(())
}

#[test]
fn ten_thousand_jobs_leave_no_handle() -> io::Result<()> {
    const MANY: usize = 10_000;
    const FEW: usize = 20;
    let _calls = Calls::watch();
    let queue = Queue::new()?;
    let before = handles();
    for number in 0..MANY {
        let job = queue.register(Job::new()?, Key(number))?;
        if number % 2 == 0 {
            drop(job.into_inner());
        }
    }
    assert_quiet(&queue);
    let after = handles();
    assert!(after < before + FEW, "{before} handles before, {after} after");

    // The next one is found behind all those.
    let (job, idle) = (queue.register(Job::new()?, Key(1))?, Idle::new()?);
    job.get_ref().assign(&idle.child)?;
    let told = one(&queue);
    assert!(matches!(told, Completion::Job { key: Key(1), .. }), "{told:?}");
    Ok(())
}

#[test]
fn a_job_that_gets_no_port_comes_back_and_can_be_registered_later() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = Queue::new()?;
    calls.spoil(Call::SetInformationJobObject, 1, Fault::fails(ERROR_NO_SYSTEM_RESOURCES));
    let rejected = queue.register(Job::new()?, Key(5)).expect_err("spoilt");
    assert_code(&rejected.error, ERROR_NO_SYSTEM_RESOURCES);
    assert_eq!(calls.count(Call::SetInformationJobObject), 1, "what it has is left alone");
    let job = queue.register(rejected.returned, Key(6))?;
    let idle = Idle::new()?;
    job.get_ref().assign(&idle.child)?;
    let told = one(&queue);
    assert!(matches!(told, Completion::Job { key: Key(6), .. }), "{told:?}");

    calls.spoil(Call::SetInformationJobObject, 1, Fault::fails(ERROR_NO_SYSTEM_RESOURCES));
    assert_code(&job.get_ref().kill_on_close().expect_err("spoilt"), ERROR_NO_SYSTEM_RESOURCES);
    // Where a job keeps its port, nobody gets what it sends.
    calls.spoil(Call::SetInformationJobObject, 1, Fault::fails(ERROR_NO_SYSTEM_RESOURCES));
    let job = job.into_inner();
    let another = Idle::new()?;
    job.assign(&another.child)?;
    assert_quiet(&queue);
    Ok(())
}
