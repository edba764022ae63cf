//! Reading and writing files when calls fail, end early or are late: each operation ends once, and
//! each buffer comes back. And what one costs in calls and allocations.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls and of the allocator")]

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::windows::io::OwnedHandle;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use overlapped::ffi::constants::*;
use overlapped::{
    Completion, CompletionQueue, Completions, Content, Key, Registration, Rejected, Submitted,
};

mod support;
use support::{DEADLINE, assert_quiet, one};

#[path = "support/allocations.rs"]
mod allocations;
use allocations::{allocations_of, count_this_thread};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls, Fault, Gate, Numbers, assert_code};

#[path = "support/files.rs"]
mod files;
use files::{Folder, one_read, one_written, registered_file};

#[path = "support/raw.rs"]
mod raw;

fn scene() -> (Folder, CompletionQueue, Registration<File>) {
    let (folder, queue) = (Folder::new(), CompletionQueue::new().expect("a queue"));
    let file = registered_file(&queue, Key(1), &folder, b"0123456789");
    (folder, queue, file)
}

#[test]
fn a_disk_that_is_full_gives_the_buffer_back() -> io::Result<()> {
    let calls = Calls::watch();
    let (_folder, queue, file) = scene();
    for start in
        [Registration::append, |file: &Registration<File>, buffer| file.write_at(3, buffer)]
    {
        calls.spoil(Call::WriteFile, 1, Fault::fails(ERROR_DISK_FULL));
        let Rejected { error, returned } = start(&file, b"!".to_vec()).expect_err("refused");
        assert_eq!((error.kind(), returned), (ErrorKind::StorageFull, b"!".to_vec()));
    }
    assert_quiet(&queue);
    assert_eq!((queue.in_flight(), file.in_flight()), (0, 0));
    file.write_at(0, b"!".to_vec())?;
    assert_eq!(one_written(&queue).1, 1, "and goes on when there is room again");
    Ok(())
}

#[test]
fn a_read_that_is_refused_gives_the_buffer_back() -> io::Result<()> {
    let calls = Calls::watch();
    let (_folder, queue, file) = scene();
    for code in [ERROR_NO_SYSTEM_RESOURCES, ERROR_IO_DEVICE, ERROR_LOCK_VIOLATION] {
        calls.spoil(Call::ReadFile, 1, Fault::fails(code));
        let Rejected { error, returned } = file.read_at(0, Vec::with_capacity(7)).expect_err("no");
        assert_code(&error, code);
        assert_eq!(returned.capacity(), 7);
    }
    assert_quiet(&queue);
    assert_eq!((queue.in_flight(), file.in_flight()), (0, 0));
    Ok(())
}

/// What Windows can do, and Wine does not: error 38 from the call, and no packet.
#[test]
fn an_end_that_is_told_at_once_comes_as_a_completion() -> io::Result<()> {
    let calls = Calls::watch();
    let (_folder, queue, file) = scene();
    calls.spoil(Call::ReadFile, 1, Fault::fails(ERROR_HANDLE_EOF));
    let id = file.read_at(10, Vec::with_capacity(7))?;
    assert_eq!((queue.in_flight(), file.in_flight()), (1, 1));
    let Completion::Read { key: Key(1), id: of, buffer, result } = one(&queue) else {
        panic!("the end of a read was expected");
    };
    assert_eq!((of, buffer.capacity(), result?), (id, 7, Content::End));
    assert_quiet(&queue);
    assert_eq!((queue.in_flight(), file.in_flight()), (0, 0));
    Ok(())
}

#[test]
fn an_end_that_is_told_at_once_and_inline_is_done() -> io::Result<()> {
    let calls = Calls::watch();
    let (_folder, queue, file) = scene();
    let file = file.inline()?;
    calls.spoil(Call::ReadFile, 1, Fault::fails(ERROR_HANDLE_EOF));
    let Submitted::Done(Completion::Read { buffer, result, .. }) =
        file.read_at(10, Vec::with_capacity(7))?
    else {
        panic!("the call has said so");
    };
    assert_eq!((buffer.capacity(), result?), (7, Content::End));
    assert_quiet(&queue);
    assert_eq!((queue.in_flight(), file.in_flight()), (0, 0));
    Ok(())
}

#[test]
fn an_end_that_cannot_be_posted_gives_the_buffer_back() -> io::Result<()> {
    let calls = Calls::watch();
    let (_folder, queue, file) = scene();
    calls.spoil(Call::ReadFile, 1, Fault::fails(ERROR_HANDLE_EOF));
    let fails = Fault::fails(ERROR_NO_SYSTEM_RESOURCES);
    calls.spoil(Call::PostQueuedCompletionStatus, 1, fails);
    let Rejected { error, returned } = file.read_at(10, Vec::with_capacity(7)).expect_err("no");
    assert_code(&error, ERROR_NO_SYSTEM_RESOURCES);
    assert_eq!(returned.capacity(), 7);
    assert_quiet(&queue);
    assert_eq!((queue.in_flight(), file.in_flight()), (0, 0));
    Ok(())
}

/// The call says 38, and all the same its operation has run and a packet is there.
#[test]
fn an_end_at_once_with_a_packet_is_told_once() -> io::Result<()> {
    let calls = Calls::watch();
    let (_folder, queue, file) = scene();
    calls.spoil(Call::ReadFile, 1, Fault::fails_though_begun(ERROR_HANDLE_EOF));
    file.read_at(4, Vec::with_capacity(3))?;
    let (buffer, result) = one_read(&queue);
    assert_eq!((buffer, result?), (b"456".to_vec(), Content::Bytes(3)));
    assert_quiet(&queue);
    Ok(())
}

/// As above, where what succeeds at once brings no packet. In Wine the read is pending.
#[test]
fn an_end_at_once_with_a_packet_is_told_once_inline_too() -> io::Result<()> {
    let calls = Calls::watch();
    let (_folder, queue, file) = scene();
    let file = file.inline()?;
    calls.spoil(Call::ReadFile, 1, Fault::fails_unless_at_once(ERROR_HANDLE_EOF));
    let completion = match file.read_at(4, Vec::with_capacity(3))? {
        Submitted::Pending(_) => one(&queue),
        Submitted::Done(completion) => completion,
    };
    let Completion::Read { buffer, result, .. } = completion else { panic!("{completion:?}") };
    assert_eq!((buffer, result?), (b"456".to_vec(), Content::Bytes(3)));
    assert_quiet(&queue);
    Ok(())
}

/// An error that is a warning: the operation has run, whatever its status reads by then.
#[test]
fn a_warning_at_once_is_no_refusal() -> io::Result<()> {
    let calls = Calls::watch();
    let (_folder, queue, file) = scene();
    calls.spoil(Call::ReadFile, 1, Fault::fails_though_begun(ERROR_MORE_DATA));
    file.read_at(4, Vec::with_capacity(3))?;
    assert_eq!(one_read(&queue).0, b"456");
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn what_is_dequeued_before_its_call_returns_is_told_once() -> io::Result<()> {
    let calls = Calls::watch();
    let (_folder, queue, file) = scene();
    for (call, count) in [(Call::ReadFile, 3), (Call::WriteFile, 2)] {
        let gate = Gate::default();
        calls.spoil(call, 1, Fault::returns_at(&gate));
        thread::scope(|scope| {
            let start = scope.spawn(|| match call {
                Call::ReadFile => file.read_at(4, Vec::with_capacity(3)),
                _ => file.write_at(0, b"ab".to_vec()),
            });
            gate.reached();
            let (id, buffer) = match one(&queue) {
                Completion::Read { id, buffer, .. } | Completion::Written { id, buffer, .. } => {
                    (id, buffer)
                }
                other => panic!("{other:?}"),
            };
            assert_eq!(buffer.len(), count);
            // Others come and go meanwhile, also in what was the first one's place.
            for _ in 0..10 {
                file.read_at(0, Vec::with_capacity(1)).expect("submitted");
                assert_eq!(one_read(&queue).0.len(), 1);
            }
            gate.open();
            assert_eq!(start.join().expect("returns").expect("submitted"), id);
        });
    }
    Ok(())
}

/// std waits for the file itself in some of its calls, so that is signalled as it always was; and
/// of packets nothing is left out until `inline` says so.
#[test]
fn nothing_is_left_out_at_the_end_of_operations_until_inline_says_so() -> io::Result<()> {
    let calls = Calls::watch();
    let (folder, queue, file) = scene();
    let handle = OwnedHandle::from(files::overlapped().open(folder.at("file"))?);
    let _raw = queue.register(handle, Key(2))?;
    assert_eq!(calls.count(Call::SetFileCompletionNotificationModes), 0);

    let fails = Fault::fails(ERROR_NO_SYSTEM_RESOURCES);
    calls.spoil(Call::SetFileCompletionNotificationModes, 1, fails);
    let Rejected { error, returned: file } = file.inline().expect_err("the system refuses");
    assert_code(&error, ERROR_NO_SYSTEM_RESOURCES);
    file.read_at(4, Vec::with_capacity(3))?;
    assert_eq!(one_read(&queue).0, b"456", "it goes on as it was");

    let _file = file.inline()?;
    assert_eq!(calls.count(Call::SetFileCompletionNotificationModes), 2);
    Ok(())
}

#[test]
fn a_read_and_a_write_cost_one_call_each_and_no_allocation() -> io::Result<()> {
    const ROUNDS: u64 = 1_000;
    let calls = Calls::watch();
    let (_folder, queue, file) = scene();
    let mut batch = Completions::with_capacity(64);
    let mut buffers = Some((Vec::with_capacity(8), b"01234567".to_vec()));
    let mut round = || {
        let (to_read, to_write) = buffers.take().expect("they came back");
        file.read_at(2, to_read).expect("submitted");
        file.write_at(2, to_write).expect("submitted");
        let (mut read, mut written) = (None, None);
        while read.is_none() || written.is_none() {
            for completion in queue.wait(&mut batch, Some(DEADLINE)).expect("waiting") {
                match completion {
                    Completion::Read { mut buffer, result: Ok(Content::Bytes(8)), .. } => {
                        buffer.clear();
                        read = Some(buffer);
                    }
                    Completion::Written { buffer, count: 8, .. } => written = Some(buffer),
                    other => panic!("{other:?}"),
                }
            }
        }
        buffers = read.zip(written);
    };
    round();
    count_this_thread();
    let before = calls.counts();
    let allocations = allocations_of(|| (0..ROUNDS).for_each(|_| round()));
    let made = Call::ALL.into_iter().zip(calls.counts()).zip(before);
    let made = made.map(|((call, after), before)| (call, after - before));
    let made: Vec<_> = made.filter(|(_, count)| *count > 0).collect();
    let [(Call::GetQueuedCompletionStatusEx, dequeues), others @ ..] = &made[..] else {
        panic!("{made:?}");
    };
    assert_eq!(others, [(Call::ReadFile, ROUNDS), (Call::WriteFile, ROUNDS)]);
    assert!(*dequeues <= 2 * ROUNDS, "{dequeues}");
    assert_eq!(allocations, 0);
    Ok(())
}

#[test]
fn a_raw_operation_costs_its_call_and_no_allocation() -> io::Result<()> {
    const ROUNDS: u64 = 1_000;
    let calls = Calls::watch();
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = OwnedHandle::from(files::overlapped().open(folder.file(b"0123456789"))?);
    let file = queue.register(file, Key(1))?;
    let mut batch = Completions::with_capacity(64);
    let mut buffer = Some(Vec::with_capacity(4));
    let mut round = || {
        raw::read(&file, buffer.take().expect("it came back")).expect("submitted");
        for completion in queue.wait(&mut batch, Some(DEADLINE)).expect("waiting") {
            let Completion::Raw { buffer: back, count: 4, .. } = completion else {
                panic!("{completion:?}");
            };
            buffer = Some(back);
        }
    };
    round();
    count_this_thread();
    calls.start_again();
    let allocations = allocations_of(|| (0..ROUNDS).for_each(|_| round()));
    let wait = Call::GetQueuedCompletionStatusEx;
    assert_eq!((calls.count(Call::ReadFile), calls.count(wait)), (ROUNDS, ROUNDS));
    assert_eq!((calls.counts().iter().sum::<u64>(), allocations), (2 * ROUNDS, 0));
    Ok(())
}

/// Four threads read and write one file while calls fail, are held up, end first and write late, by
/// chance: each buffer comes back, with the bytes of its place.
#[test]
fn thousands_of_operations_among_faults_lose_nothing() {
    const OPERATIONS: usize = 4_000;
    const IN_FLIGHT: usize = 32;
    let calls = Calls::watch();
    let (_folder, queue, file) = scene();
    file.get_ref().set_len(0).expect("empty");
    file.get_ref().set_len(256 * 64).expect("all zeros");
    // Those that the threads begin with are counted before, for a thread may begin when the others
    // have done all the rest.
    let (started, ended) = (AtomicUsize::new(IN_FLIGHT), AtomicUsize::new(0));
    calls.spoil_at_random(11, 5);
    let begin = |numbers: &mut Numbers, mut buffer: Vec<u8>| {
        buffer.clear();
        let (place, reads) = (numbers.below(256), numbers.below(2) == 0);
        if !reads {
            buffer.resize(64, place as u8);
        }
        loop {
            let submitted = if reads {
                file.read_at(place * 64, buffer)
            } else {
                file.write_at(place * 64, buffer)
            };
            let Err(Rejected { error, returned }) = submitted else { return };
            assert_code(&error, ERROR_NO_SYSTEM_RESOURCES);
            assert_eq!(returned.capacity(), 64);
            buffer = returned;
        }
    };
    let start = Instant::now();
    thread::scope(|scope| {
        for thread in 0..4 {
            let (queue, started, ended, begin) = (&queue, &started, &ended, &begin);
            scope.spawn(move || {
                let mut numbers = Numbers::new(thread);
                for _ in 0..IN_FLIGHT / 4 {
                    begin(&mut numbers, Vec::with_capacity(64));
                }
                let mut batch = Completions::with_capacity(4);
                while ended.load(SeqCst) < OPERATIONS {
                    assert!(start.elapsed() < DEADLINE, "{ended:?}");
                    let moment = Some(Duration::from_millis(10));
                    for completion in queue.wait(&mut batch, moment).expect("waiting") {
                        let Some(buffer) = told(completion) else { continue };
                        ended.fetch_add(1, SeqCst);
                        if started.fetch_add(1, SeqCst) < OPERATIONS {
                            begin(&mut numbers, buffer);
                        } else {
                            started.fetch_sub(1, SeqCst);
                        }
                    }
                }
            });
        }
    });
    calls.spare();
    assert_eq!((queue.in_flight(), file.in_flight()), (0, 0));
    assert_eq!(ended.load(SeqCst), OPERATIONS);
}

/// The buffer of an operation, whose bytes are those of one place. None for packets of nobody.
fn told(completion: Completion) -> Option<Vec<u8>> {
    let buffer = match completion {
        Completion::Read { buffer, result: Ok(Content::Bytes(64)), .. } => buffer,
        Completion::Written { buffer, count: 64, result: Ok(()), .. } => buffer,
        Completion::Foreign(_) => return None,
        other => panic!("{other:?}"),
    };
    // A place may be written while it is read: then some bytes are old, and old ones are zeros.
    let new = buffer.iter().find(|byte| **byte != 0).copied().unwrap_or(0);
    assert!(buffer.iter().all(|byte| [0, new].contains(byte)), "{buffer:?}");
    Some(buffer)
}
