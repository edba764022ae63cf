//! Jobs through the queue: what they tell, and that nobody takes it for something else.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it posts packets of its own, and makes events through `ffi`")]

use std::io::{self, ErrorKind, Write};
use std::os::windows::io::{AsHandle, AsRawHandle};
use std::time::Instant;

use overlapped::ffi::constants::JOB_OBJECT_MSG_NEW_PROCESS;
use overlapped::ffi::types::OVERLAPPED;
use overlapped::{Completion, CompletionQueue, Completions, Job, JobMessage, Key, Registration};

mod support;
use support::{
    DEADLINE, Received, assert_quiet, collect, dequeue_by_hand, one, registered, within_deadline,
};

#[path = "support/events.rs"]
mod events;
use events::{Event, signalled};

#[path = "support/idle.rs"]
mod idle;
#[path = "support/spawn.rs"]
mod spawn;
use idle::Idle;

type Queue = CompletionQueue<Vec<u8>>;

fn job() -> io::Result<(Queue, Registration<Job>)> {
    let queue = Queue::new()?;
    let job = queue.register(Job::new()?, Key(5))?;
    Ok((queue, job))
}

/// What a job has told, under the key of the tests.
#[track_caller]
fn message(completion: Completion) -> JobMessage {
    match completion {
        Completion::Job { key: Key(5), message } => message,
        other => panic!("a message was expected: {other:?}"),
    }
}

/// What a job tells until it is empty. Other systems may tell more, so what is meant is looked for.
#[track_caller]
fn messages_to_the_end(queue: &Queue) -> Vec<JobMessage> {
    let mut told = Vec::new();
    while !told.contains(&JobMessage::Empty) {
        told.extend(collect(queue, 1).into_iter().map(message));
    }
    told
}

#[test]
fn a_job_tells_of_its_processes() -> io::Result<()> {
    let (queue, job) = job()?;
    let mut idle = Idle::new()?;
    let number = idle.child.id();
    assert_quiet(&queue);
    job.get_ref().assign(&idle.child)?;
    assert_eq!(message(one(&queue)), JobMessage::NewProcess(number));
    idle.end()?;
    let told = messages_to_the_end(&queue);
    let ended = [JobMessage::Exited(number), JobMessage::Failed(number)];
    assert!(told.iter().any(|message| ended.contains(message)), "{told:?}");
    // It is no operation: there is nothing in flight, and nothing to cancel.
    assert_eq!((job.in_flight(), queue.in_flight(), job.cancel_all()?), (0, 0, false));
    Ok(())
}

#[test]
fn processes_that_are_in_the_job_already_are_told_as_new() -> io::Result<()> {
    let (job, queue) = (Job::new()?, Queue::new()?);
    let idle = [Idle::new()?, Idle::new()?];
    idle.iter().try_for_each(|idle| job.assign(&idle.child))?;
    let job = queue.register(job, Key(5))?;
    let mut told: Vec<_> = collect(&queue, 2).into_iter().map(message).collect();
    told.sort_by_key(|message| format!("{message:?}"));
    let mut new = idle.each_ref().map(|idle| JobMessage::NewProcess(idle.child.id()));
    new.sort_by_key(|message| format!("{message:?}"));
    assert_eq!(told, new);
    drop(job);
    Ok(())
}

#[test]
fn what_a_process_of_the_job_starts_is_told_too() -> io::Result<()> {
    let (queue, job) = job()?;
    let mut idle = Idle::new()?;
    job.get_ref().assign(&idle.child)?;
    let input = idle.input.as_mut().expect("it is open");
    input.write_all(b"cmd /c exit 0\r\n")?;
    idle.end()?;
    let told = messages_to_the_end(&queue);
    let new = told.iter().filter(|message| matches!(message, JobMessage::NewProcess(_))).count();
    // Wine starts a process of its own for each console, which is in the job or not.
    assert!(new >= 2, "{told:?}");
    Ok(())
}

#[test]
fn terminating_ends_all_processes_with_the_code() -> io::Result<()> {
    let (queue, job) = job()?;
    let mut idle = [Idle::new()?, Idle::new()?];
    idle.iter().try_for_each(|idle| job.get_ref().assign(&idle.child))?;
    job.get_ref().terminate(77)?;
    for idle in &mut idle {
        assert_eq!(idle.child.wait()?.code(), Some(77));
    }
    drop(messages_to_the_end(&queue));
    Ok(())
}

#[test]
fn a_job_that_kills_on_close_ends_its_processes_when_its_registration_is_dropped() -> io::Result<()>
{
    let (queue, job) = job()?;
    job.get_ref().kill_on_close()?;
    let mut idle = Idle::new()?;
    job.get_ref().assign(&idle.child)?;
    let watch = queue.watch(&idle.child, Key(6))?;
    drop(job);
    let (key, _, result) = signalled(one(&queue));
    assert_eq!(key, Key(6));
    result?;
    // Its input is open still: it was ended.
    assert!(idle.child.try_wait()?.is_some());
    drop(watch);
    Ok(())
}

#[test]
fn a_job_without_processes_tells_nothing_and_ends_nothing() -> io::Result<()> {
    let (queue, job) = job()?;
    job.get_ref().kill_on_close()?;
    job.get_ref().terminate(1)?;
    drop(job);
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn what_is_no_process_or_has_ended_is_not_assigned() -> io::Result<()> {
    let job = Job::new()?;
    let error = job.assign(&Event::new(false)).expect_err("it is no process");
    assert_eq!(error.raw_os_error(), Some(6), "{error:?}");
    let mut idle = Idle::new()?;
    idle.end()?;
    // Wine accepts one that has ended.
    if let Err(error) = job.assign(&idle.child) {
        assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error:?}");
    }
    Ok(())
}

#[test]
fn nothing_is_said_about_a_job_that_is_gone() -> io::Result<()> {
    let (queue, job) = job()?;
    let mut idle = [Idle::new()?, Idle::new()?, Idle::new()?];
    idle[..2].iter().try_for_each(|idle| job.get_ref().assign(&idle.child))?;
    let mut batch = Completions::with_capacity(1);
    queue.wait(&mut batch, Some(DEADLINE))?;
    // One is in the batch, one in the port, and, where the job keeps its port, others come.
    let inner = job.into_inner();
    assert_eq!(batch.by_ref().count(), 0);
    inner.assign(&idle[2].child)?;
    idle.iter_mut().try_for_each(|idle| idle.end().map(drop))?;
    assert_quiet(&queue);

    // Since Windows 8 a job can get another port; before, and in Wine, it keeps its own.
    match queue.register(inner, Key(5)) {
        Ok(_) => {}
        Err(rejected) => {
            assert_eq!(rejected.error.kind(), ErrorKind::InvalidInput, "{rejected:?}");
            rejected.returned.terminate(0)?;
        }
    }
    Ok(())
}

#[test]
fn a_job_that_has_a_port_already_comes_back() -> io::Result<()> {
    let (queue, job) = (Queue::new()?, Job::new()?);
    let elsewhere = overlapped::CompletionPort::new(0)?;
    give_port(&job, &elsewhere);
    let rejected = queue.register(job, Key(5)).expect_err("it has a port");
    assert_eq!(rejected.error.kind(), ErrorKind::InvalidInput, "{rejected:?}");
    let idle = Idle::new()?;
    rejected.returned.assign(&idle.child)?;
    let told = dequeue_by_hand(&elsewhere, 1);
    assert_eq!(told[0].lpCompletionKey, 9, "it keeps the port that it has");
    assert_quiet(&queue);
    Ok(())
}

fn give_port(job: &Job, port: &impl AsHandle) {
    use overlapped::ffi::constants::JobObjectAssociateCompletionPortInformation as CLASS;
    use overlapped::ffi::types::JOBOBJECT_ASSOCIATE_COMPLETION_PORT;

    let port = JOBOBJECT_ASSOCIATE_COMPLETION_PORT {
        CompletionKey: std::ptr::without_provenance_mut(9),
        CompletionPort: port.as_handle().as_raw_handle(),
    };
    let size = size_of_val(&port) as u32;
    // SAFETY: the class is that of the struct, and nobody reads through addresses from this port.
    let set = unsafe {
        let job = job.as_handle().as_raw_handle();
        overlapped::ffi::kernel32::SetInformationJobObject(
            job,
            CLASS,
            (&raw const port).cast(),
            size,
        )
    };
    assert_ne!(set, 0, "{}", io::Error::last_os_error());
}

/// The key of a job's packets, which it has told once, and what an operation's packet was: both are
/// seen only by who takes packets out of the port.
fn key_in_the_port(queue: &Queue, job: &Registration<Job>) -> io::Result<Key> {
    let idle = Idle::new()?;
    job.get_ref().assign(&idle.child)?;
    let packet = dequeue_by_hand(&queue.port(), 1)[0];
    assert_eq!(packet.dwNumberOfBytesTransferred, JOB_OBJECT_MSG_NEW_PROCESS);
    let mut idle = idle;
    idle.end()?;
    drop(messages_to_the_end(queue));
    Ok(Key(packet.lpCompletionKey))
}

/// A process has the number that is the address of an operation, of which the system has written
/// that it has ended: nothing but the key tells its packet from that of the operation.
#[test]
fn a_process_whose_number_is_the_address_of_an_operation_is_a_process() -> io::Result<()> {
    let (queue, job) = job()?;
    let internal = key_in_the_port(&queue, &job)?;
    let (stream, mut peer) = registered(&queue, Key(1));
    let id = stream.receive(Vec::with_capacity(8))?;
    peer.write_all(b"!")?;
    let packet = dequeue_by_hand(&queue.port(), 1)[0];
    let (address, post) = (packet.lpOverlapped, |key, bytes, address: *mut OVERLAPPED| {
        // SAFETY: under the key of the job it is a number, and under that of the operation it is
        // the packet that was taken out above.
        unsafe { queue.port().post_overlapped(key, bytes, address) }
    });
    post(internal, JOB_OBJECT_MSG_NEW_PROCESS, address)?;
    assert_eq!(message(one(&queue)), JobMessage::NewProcess(address.addr() as u32));
    assert_eq!((queue.in_flight(), stream.in_flight()), (1, 1));
    // And so it is with one whose number is where a wake-up would be: whatever it is, it is told.
    for number in [0, 1, 4, usize::MAX] {
        let address = std::ptr::without_provenance_mut(number);
        post(internal, 99, address)?;
        assert_eq!(message(one(&queue)), JobMessage::Other(99, number as u32));
    }
    post(Key(packet.lpCompletionKey), packet.dwNumberOfBytesTransferred, address)?;
    let received = Received::of(one(&queue));
    assert_eq!((received.id, received.count()), (id, 1));
    Ok(())
}

/// No key is reserved: what the program calls by the number that a job's packets have in the port
/// is the program's.
#[test]
fn a_key_that_equals_that_of_a_jobs_packets_hides_nothing() -> io::Result<()> {
    let (queue, job) = job()?;
    let internal = key_in_the_port(&queue, &job)?;
    queue.post(internal, 8)?;
    let posted = one(&queue);
    assert!(
        matches!(posted, Completion::Posted { key, value: 8 } if key == internal),
        "{posted:?}"
    );
    let (stream, mut peer) = registered(&queue, internal);
    stream.receive(Vec::with_capacity(8))?;
    peer.write_all(b"!")?;
    let received = Received::of(one(&queue));
    assert_eq!((received.key, received.count()), (internal, 1));
    let event = Event::new(false);
    event.set();
    let watch = queue.watch(&event, internal)?;
    let (key, _, result) = signalled(one(&queue));
    assert_eq!((key, result?), (internal, ()));
    assert_eq!(queue.in_flight(), 0);
    drop(watch);
    Ok(())
}

/// Keys are often addresses of what a program keeps for a connection, which is freed with that, and
/// then the memory can be anybody's. What was still to come under such a key is not a job's.
#[test]
fn the_key_of_a_jobs_packets_is_not_the_address_of_anything() -> io::Result<()> {
    const MANY: usize = 32;
    let queue = Queue::new()?;
    // As large as what a queue keeps of its first jobs, and not side by side, so that what is freed
    // fits that and nothing else.
    let (mut kept, mut between) = (Vec::new(), Vec::new());
    for _ in 0..MANY {
        kept.push(vec![0_usize; 16]);
        between.push(vec![0_usize; 16]);
    }
    let mut peers = Vec::new();
    for kept in &kept {
        let (stream, peer) = registered(&queue, Key(kept.as_ptr().addr()));
        stream.receive(Vec::with_capacity(8))?;
        queue.post(stream.key(), 8)?;
        peers.push(peer);
    }
    let job = Job::new()?;
    drop(kept);
    let _job = queue.register(job, Key(5))?;
    let told = collect(&queue, MANY);
    assert!(told.iter().all(|told| matches!(told, Completion::Posted { .. })), "{told:?}");
    assert_eq!((told.len(), queue.in_flight()), (MANY, 0));
    Ok(())
}

#[test]
fn messages_do_not_disturb_operations() -> io::Result<()> {
    let (queue, job) = job()?;
    let (stream, mut peer) = registered(&queue, Key(1));
    let (mut received, mut told) = (0, Vec::new());
    for _ in 0..10 {
        stream.receive(Vec::with_capacity(8))?;
        let mut idle = Idle::new()?;
        job.get_ref().assign(&idle.child)?;
        peer.write_all(b"!")?;
        idle.end()?;
        told.clear();
        let mut has_received = false;
        while !has_received || !told.contains(&JobMessage::Empty) {
            for completion in collect(&queue, 1) {
                match completion {
                    Completion::Received { result, .. } => {
                        received += result?;
                        has_received = true;
                    }
                    other => told.push(message(other)),
                }
            }
        }
        assert!(told.contains(&JobMessage::NewProcess(idle.child.id())), "{told:?}");
    }
    assert_eq!((received, queue.in_flight()), (10, 0));
    Ok(())
}

#[test]
fn a_job_holds_up_neither_the_end_of_a_shutdown_nor_the_drop_of_its_queue() -> io::Result<()> {
    let (queue, job) = job()?;
    let idle = Idle::new()?;
    job.get_ref().assign(&idle.child)?;
    assert_eq!(message(one(&queue)), JobMessage::NewProcess(idle.child.id()));
    queue.shut_down()?;
    let mut batch = Completions::with_capacity(4);
    let told: Vec<_> = queue.wait(&mut batch, Some(DEADLINE))?.collect();
    assert!(matches!(told[..], [Completion::ShutDown]), "{told:?}");
    assert!(queue.wait(&mut batch, Some(DEADLINE))?.is_empty());
    let start = Instant::now();
    within_deadline(move || drop(queue));
    assert!(start.elapsed().as_secs() < 2, "it took {:?}", start.elapsed());
    // It is a job still, though it has nobody to tell.
    job.get_ref().terminate(0)
}
