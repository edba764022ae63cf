//! What pipes make of calls that fail, that come late, and that fail although they have begun. No
//! buffer is lost, exactly one completion comes, and afterwards all goes on.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::fmt::Debug;
use std::io::{ErrorKind, Write};
use std::thread;

use overlapped::ffi::constants::*;
use overlapped::{Buffer, Completion, CompletionQueue, Content, Key, NamedPipe};

mod support;
use support::{assert_quiet, collect, one};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls, ERROR_NO_SYSTEM_RESOURCES, Fault, Gate, assert_code};

#[path = "support/pages.rs"]
mod pages;

/// So a write to memory that was freed is a fault, and not another one's trouble.
#[global_allocator]
static ALLOCATOR: pages::Pages = pages::Pages;

#[path = "support/pipes.rs"]
mod pipes;
use pipes::*;

const NO_RESOURCES: Fault = Fault::fails(ERROR_NO_SYSTEM_RESOURCES);

fn queue() -> CompletionQueue {
    CompletionQueue::new().expect("a queue")
}

#[track_caller]
fn assert_nothing_is_left<B: Buffer + Debug>(queue: &CompletionQueue<B>) {
    assert_quiet(queue);
    assert_eq!(queue.in_flight(), 0);
}

#[test]
fn a_read_or_a_write_that_fails_gives_its_buffer_back_and_the_next_one_works() {
    let (calls, queue) = (Calls::watch(), queue());
    let (near, far) = connected(&queue, &messages());
    calls.spoil(Call::WriteFile, 1, NO_RESOURCES);
    let rejected = far.write(b"hello".to_vec()).expect_err("the call fails");
    assert_code(&rejected.error, ERROR_NO_SYSTEM_RESOURCES);
    assert_eq!((far.in_flight(), &rejected.returned[..]), (0, &b"hello"[..]));

    calls.spoil(Call::ReadFile, 1, NO_RESOURCES);
    let rejected = near.read(b"buffer: ".to_vec().tap_reserve(5)).expect_err("the call fails");
    assert_code(&rejected.error, ERROR_NO_SYSTEM_RESOURCES);
    assert_eq!((near.in_flight(), &rejected.returned[..]), (0, &b"buffer: "[..]));
    assert_nothing_is_left(&queue);

    near.read(rejected.returned).expect("submitted");
    far.write(b"hello".to_vec()).expect("submitted");
    assert_eq!(read_and_written(&queue).1, b"buffer: hello");
}

/// A vector with so much room behind what it holds.
trait TapReserve {
    fn tap_reserve(self, room: usize) -> Self;
}

impl TapReserve for Vec<u8> {
    fn tap_reserve(mut self, room: usize) -> Self {
        self.reserve_exact(room);
        self
    }
}

#[test]
fn a_connect_that_fails_says_so_and_the_next_one_works() {
    let (calls, queue) = (Calls::watch(), queue());
    let name = new_name();
    let near = server(&queue, Key(1), &name, &bytes());
    calls.spoil(Call::ConnectNamedPipe, 1, NO_RESOURCES);
    assert_code(&near.connect_client().expect_err("the call fails"), ERROR_NO_SYSTEM_RESOURCES);
    assert_nothing_is_left(&queue);
    near.connect_client().expect("submitted");
    let _far = client(&queue, Key(2), &name, &bytes());
    one_client(&queue).expect("a client");
}

/// The packets of these ends are posted by the layer itself.
#[test]
fn an_end_that_cannot_be_told_gives_the_buffer_back_and_is_told_the_next_time() {
    let (calls, queue) = (Calls::watch(), queue());
    let name = new_name();
    let near = server(&queue, Key(1), &name, &bytes());
    let far = client(&queue, Key(2), &name, &bytes());
    calls.spoil(Call::PostQueuedCompletionStatus, 1, NO_RESOURCES);
    let error = near.connect_client().expect_err("there is no memory for a packet");
    assert_code(&error, ERROR_NO_SYSTEM_RESOURCES);
    assert_nothing_is_left(&queue);
    near.connect_client().expect("submitted");
    one_client(&queue).expect("a client");

    drop(far);
    calls.spoil(Call::PostQueuedCompletionStatus, 1, NO_RESOURCES);
    let rejected = near.read(Vec::with_capacity(9)).expect_err("there is no memory for a packet");
    assert_code(&rejected.error, ERROR_NO_SYSTEM_RESOURCES);
    assert_eq!(rejected.returned.capacity(), 9);
    assert_nothing_is_left(&queue);
    near.read(rejected.returned).expect("submitted");
    let read = one_read(&queue);
    assert_eq!((read.result.expect("it is read"), read.buffer.capacity()), (Content::End, 9));
}

/// Microsoft lets a call that has begun an operation fail with a warning. Should it fail so with
/// one of the errors that say how an operation has ended, the packet comes all the same, and
/// counts.
#[test]
fn what_has_begun_is_told_by_its_packet_whatever_the_call_says() {
    let (calls, queue) = (Calls::watch(), queue());
    let (near, far) = connected(&queue, &messages());
    for error in [ERROR_MORE_DATA, ERROR_BROKEN_PIPE, ERROR_HANDLE_EOF, ERROR_ACCESS_DENIED] {
        write(&queue, &far, b"hello");
        calls.spoil(Call::ReadFile, 1, Fault::fails_though_begun(error));
        assert_eq!(read(&queue, &near, 9), (Content::Message(5), b"hello".to_vec()), "{error}");
        assert_nothing_is_left(&queue);
    }
    // A message that is cut is a warning, and so is told by its packet.
    write(&queue, &far, b"hello");
    calls.spoil(Call::ReadFile, 1, Fault::fails_though_begun(ERROR_MORE_DATA));
    assert_eq!(read(&queue, &near, 4), (Content::Part(4), b"hell".to_vec()));
    assert_eq!(read(&queue, &near, 4), (Content::Message(1), b"o".to_vec()));
    assert_nothing_is_left(&queue);
    // So it is, too, while nothing of that stands in the operation yet.
    calls.spoil(Call::ReadFile, 1, Fault::fails_though_pending(ERROR_MORE_DATA));
    near.read(Vec::with_capacity(9)).expect("submitted");
    far.write(b"later".to_vec()).expect("submitted");
    assert_eq!(read_and_written(&queue), (Content::Message(5), b"later".to_vec()));
}

/// With a warning the operation has run, and the system may write how it ended only when the packet
/// is dequeued. So none is taken for a refusal because "pending" is still written there.
#[test]
fn a_warning_of_any_kind_is_waited_for() {
    let (calls, queue) = (Calls::watch(), queue());
    let (near, far) = connected(&queue, &bytes());
    for warning in [ERROR_MORE_DATA, 299, 1110] {
        calls.spoil(Call::ReadFile, 1, Fault::fails_though_pending(warning));
        near.read(Vec::with_capacity(5)).expect("a packet comes");
        assert_eq!((near.in_flight(), queue.in_flight()), (1, 1), "{warning}");
        far.write(b"hello".to_vec()).expect("submitted");
        assert_eq!(read_and_written(&queue).1, b"hello");
        assert_nothing_is_left(&queue);
    }
}

/// An end that has been disconnected can be opened when it waits for a client, and not before.
#[test]
fn a_client_that_comes_although_the_call_says_it_was_there_is_told_once() {
    let (calls, queue) = (Calls::watch(), queue());
    let name = new_name();
    let near = server(&queue, Key(1), &name, &bytes());
    let mut far = client(&queue, Key(2), &name, &bytes());
    for error in [ERROR_PIPE_CONNECTED, ERROR_NO_DATA, ERROR_ACCESS_DENIED] {
        near.disconnect().expect("nothing is in flight");
        calls.spoil(Call::ConnectNamedPipe, 1, Fault::fails_though_begun(error));
        let next = thread::scope(|scope| {
            let submitting = scope.spawn(|| near.connect_client());
            let far = loop {
                match NamedPipe::client(&name, &bytes()) {
                    Ok(far) => break far,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::ResourceBusy),
                }
                thread::yield_now();
            };
            submitting.join().expect("the call returns").expect("submitted");
            far
        });
        one_client(&queue).expect("a client");
        assert_nothing_is_left(&queue);
        far = queue.register(next, Key(2)).expect("a new pipe");
    }
    drop(far);
}

/// Starts an operation whose call returns late: when its packet has been dequeued and four more
/// operations are in flight, of which the first would have the same slot.
fn others_are_untouched(
    calls: &Calls,
    call: Call,
    fault: impl FnOnce(&Gate) -> Fault,
    queue: &CompletionQueue,
    start: impl FnOnce() + Send,
) -> Completion {
    let (idle, _far) = connected(queue, &messages());
    let gate = Gate::default();
    calls.spoil(call, 1, fault(&gate));
    let ended = thread::scope(|scope| {
        let starter = scope.spawn(start);
        gate.reached();
        let ended = one(queue);
        for number in 1..=4 {
            idle.read(vec![number; 64].tap_reserve(usize::from(number))).expect("submitted");
        }
        gate.open();
        starter.join().expect("the call returns");
        ended
    });
    idle.cancel_all().expect("cancelled");
    let mut cancelled = collect(queue, 4);
    cancelled.sort_by_key(|completion| match completion {
        Completion::Read { buffer, .. } => buffer.first().copied(),
        other => panic!("{other:?}"),
    });
    for (number, completion) in (1_u8..).zip(cancelled) {
        let read = Read::of(completion);
        assert!(read.result.expect_err("cancelled").is_cancelled());
        assert_eq!(read.buffer, [number; 64], "{} bytes", read.buffer.len());
    }
    ended
}

#[test]
fn a_call_that_returns_late_touches_no_later_operation() {
    let (calls, queue) = (Calls::watch(), queue());
    let (near, mut far) = connected_to_std(&queue, &messages());
    far.write_all(b"hello").expect("written");
    let read = || assert!(near.read(Vec::with_capacity(9)).is_ok());
    for late in [Fault::returns_at, Fault::writes_at] {
        let ended = others_are_untouched(&calls, Call::ReadFile, late, &queue, read);
        assert_eq!(Read::of(ended).buffer, b"hello");
        far.write_all(b"hello").expect("written");
    }
    let write = || assert!(near.write(b"hello".to_vec()).is_ok());
    let ended = others_are_untouched(&calls, Call::WriteFile, Fault::writes_at, &queue, write);
    assert!(matches!(ended, Completion::Written { count: 5, .. }), "{ended:?}");
}

#[test]
fn an_end_that_is_dequeued_before_it_is_posted_touches_no_later_operation() {
    let (calls, queue) = (Calls::watch(), queue());
    let post = Call::PostQueuedCompletionStatus;
    let name = new_name();
    let near = server(&queue, Key(1), &name, &bytes());
    let far = client(&queue, Key(2), &name, &bytes());
    let connect = || assert!(near.connect_client().is_ok());
    let ended = others_are_untouched(&calls, post, Fault::returns_at, &queue, connect);
    assert!(matches!(ended, Completion::ClientConnected { result: Ok(()), .. }), "{ended:?}");
    drop(far);
    let read = || assert!(near.read(Vec::with_capacity(9)).is_ok());
    let ended = others_are_untouched(&calls, post, Fault::returns_at, &queue, read);
    assert_eq!(Read::of(ended).result.expect("it is read"), Content::End);
}

#[test]
fn a_pipe_that_cannot_be_registered_comes_back() {
    let (calls, queue) = (Calls::watch(), queue());
    let name = new_name();
    let near = NamedPipe::server(&name, &bytes()).expect("a server");
    calls.spoil(Call::CreateIoCompletionPort, 1, NO_RESOURCES);
    let rejected = queue.register(near, Key(1)).expect_err("the call fails");
    assert_code(&rejected.error, ERROR_NO_SYSTEM_RESOURCES);
    assert!(rejected.returned.is_server());

    // When the system does not say what is wrong with it, both causes are named.
    let fails = Fault::fails(ERROR_INVALID_PARAMETER);
    calls.spoil(Call::CreateIoCompletionPort, 1, fails.clone());
    calls.spoil(Call::NtQueryInformationFile, 1, NO_RESOURCES);
    let rejected = queue.register(rejected.returned, Key(1)).expect_err("the call fails");
    for cause in ["registered already", "FILE_FLAG_OVERLAPPED"] {
        assert!(rejected.error.to_string().contains(cause), "{}", rejected.error);
    }
    // One that is overlapped can only be another port's.
    calls.spoil(Call::CreateIoCompletionPort, 1, fails);
    let rejected = queue.register(rejected.returned, Key(1)).expect_err("the call fails");
    assert!(!rejected.error.to_string().contains("not opened"), "{}", rejected.error);
    drop(queue.register(rejected.returned, Key(1)).expect("nothing was wrong with it"));
}

#[test]
fn a_client_gives_no_server_its_name_and_says_how_it_reads() {
    let calls = Calls::watch();
    let name = new_name();
    let _near = NamedPipe::server(&name, &messages()).expect("a server");
    calls.spoil(Call::SetNamedPipeHandleState, 1, NO_RESOURCES);
    let error = NamedPipe::client(&name, &messages()).expect_err("the call fails");
    assert_code(&error, ERROR_NO_SYSTEM_RESOURCES);
    assert_eq!(calls.count(Call::SetNamedPipeHandleState), 1);
    let flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
    assert_eq!(calls.opened_with(), flags);
}

#[test]
fn a_disconnect_that_fails_says_so_and_nothing_has_happened() {
    let (calls, queue) = (Calls::watch(), queue());
    let (near, far) = connected(&queue, &bytes());
    calls.spoil(Call::DisconnectNamedPipe, 1, NO_RESOURCES);
    assert_code(&near.disconnect().expect_err("the call fails"), ERROR_NO_SYSTEM_RESOURCES);
    write(&queue, &far, b"hello");
    assert_eq!(read(&queue, &near, 9).0, Content::Bytes(5));
    assert_eq!(calls.count(Call::DisconnectNamedPipe), 1);
    near.read(Vec::with_capacity(9)).expect("submitted");
    near.disconnect().expect_err("a read is pending");
    assert_eq!(calls.count(Call::DisconnectNamedPipe), 1, "the system was not asked");
    near.cancel_all().expect("cancelled");
    one_read(&queue);
}
