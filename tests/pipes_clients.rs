//! Named pipes through the queue: how clients come and go, and what is at the other end.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write};
use std::os::windows::io::OwnedHandle;
use std::thread;

use overlapped::ffi::constants::{ERROR_PIPE_LISTENING, ERROR_PIPE_NOT_CONNECTED};
use overlapped::{Completion, CompletionQueue, Content, Failure, Key};

mod support;
use support::{assert_quiet, collect, one, within_deadline};

#[path = "support/pipes.rs"]
mod pipes;
use pipes::*;

fn queue() -> CompletionQueue {
    CompletionQueue::new().expect("a queue")
}

#[test]
fn a_client_that_was_there_first_is_told_once() {
    let queue = queue();
    let name = new_name();
    let near = server(&queue, Key(7), &name, &bytes());
    let far = client(&queue, Key(2), &name, &bytes());
    let id = near.connect_client().expect("submitted");
    let Completion::ClientConnected { key, id: of, result } = one(&queue) else {
        panic!("another")
    };
    result.expect("a client");
    assert_eq!((key, of), (Key(7), id));
    assert_quiet(&queue);
    assert_eq!(queue.in_flight(), 0);
    write(&queue, &far, b"hello");
    assert_eq!(read(&queue, &near, 9), (Content::Bytes(5), b"hello".to_vec()));
}

#[test]
fn a_client_that_came_and_went_is_one_and_what_it_said_can_be_read() {
    let queue = queue();
    let name = new_name();
    let near = server(&queue, Key(1), &name, &messages());
    let far = client(&queue, Key(2), &name, &messages());
    write(&queue, &far, b"hello");
    drop(far);
    near.connect_client().expect("submitted");
    one_client(&queue).expect("a client");
    assert_quiet(&queue);
    assert_eq!(read(&queue, &near, 9), (Content::Message(5), b"hello".to_vec()));
    assert_eq!(read(&queue, &near, 9), (Content::End, Vec::new()));
}

#[test]
fn one_end_serves_a_client_after_the_other() {
    let queue = queue();
    let name = new_name();
    let near = server(&queue, Key(1), &name, &messages());
    for number in 0..20_u8 {
        near.connect_client().expect("submitted");
        let far = client(&queue, Key(2), &name, &messages());
        one_client(&queue).expect("a client");
        write(&queue, &far, &[number]);
        assert_eq!(read(&queue, &near, 9), (Content::Message(1), vec![number]));
        drop(far);
        assert_eq!(read(&queue, &near, 9).0, Content::End);
        near.disconnect().expect("the client is gone");
    }
}

#[test]
fn nobody_is_disconnected_while_something_is_in_flight() {
    let queue = queue();
    let (near, far) = connected(&queue, &bytes());
    near.read(Vec::with_capacity(9)).expect("submitted");
    let error = near.disconnect().expect_err("a read is pending");
    assert_eq!(error.kind(), ErrorKind::ResourceBusy);
    assert!(error.to_string().contains("in flight"), "{error}");
    // Nothing has happened to it.
    write(&queue, &near, b"still here");
    assert_eq!(read(&queue, &far, 100).0, Content::Bytes(10));

    near.cancel_all().expect("cancelled");
    let cancelled = collect(&queue, 1);
    assert!(matches!(cancelled[..], [Completion::Read { result: Err(Failure::Cancelled), .. }]));
    near.disconnect().expect("nothing is in flight");
}

#[test]
fn after_a_disconnect_both_ends_say_so() {
    let queue = queue();
    let (near, far) = connected(&queue, &bytes());
    let gone = ERROR_PIPE_NOT_CONNECTED as i32;
    far.read(Vec::with_capacity(9)).expect("submitted");
    near.disconnect().expect("nothing is in flight here");
    // What was pending there is told by its completion.
    assert_eq!(code(one_read(&queue).result), gone);
    for pipe in [&near, &far] {
        let rejected = pipe.read(Vec::with_capacity(9)).expect_err("nobody is there");
        assert_eq!((rejected.error.raw_os_error(), rejected.returned.capacity()), (Some(gone), 9));
        let rejected = pipe.write(b"hello".to_vec()).expect_err("nobody is there");
        assert_eq!(rejected.error.raw_os_error(), Some(gone));
        assert_eq!(rejected.returned, b"hello");
    }
    assert_eq!(queue.in_flight(), 0);
}

#[test]
fn nothing_is_read_or_written_before_a_client_has_come() {
    let queue = queue();
    let near = server(&queue, Key(1), &new_name(), &bytes());
    let early = Some(ERROR_PIPE_LISTENING as i32);
    let rejected = near.read(Vec::with_capacity(9)).expect_err("nobody is there");
    assert_eq!((rejected.error.raw_os_error(), rejected.returned.capacity()), (early, 9));
    let rejected = near.write(b"hello".to_vec()).expect_err("nobody is there");
    assert_eq!((rejected.error.raw_os_error(), &rejected.returned[..]), (early, &b"hello"[..]));
    assert_quiet(&queue);
}

#[test]
fn a_connect_is_cancelled_and_a_new_one_works() {
    let queue = queue();
    let name = new_name();
    let near = server(&queue, Key(1), &name, &bytes());
    let id = near.connect_client().expect("submitted");
    assert!(near.cancel(id).expect("cancelled"));
    assert!(one_client(&queue).expect_err("nobody came").is_cancelled());
    near.connect_client().expect("submitted");
    let _far = open_by_std(&name).expect("the other end");
    one_client(&queue).expect("a client");
}

#[test]
fn nothing_is_said_about_a_pipe_that_is_gone() {
    let queue = queue();
    let (near, far) = connected(&queue, &bytes());
    let waiting = server(&queue, Key(3), &new_name(), &bytes());
    waiting.connect_client().expect("submitted");
    near.read(Vec::with_capacity(9)).expect("submitted");
    far.read(Vec::with_capacity(9)).expect("submitted");
    drop((near, waiting));
    let read = one_read(&queue);
    assert_eq!((read.key, read.result.expect("it is read")), (Key(2), Content::End));
    while queue.in_flight() > 0 {
        assert_quiet(&queue);
    }
}

/// std knows nothing of overlapped operations, as most programs at the other end of a pipe.
#[test]
fn a_program_with_std_is_at_the_other_end() {
    let queue = queue();
    let (near, mut far) = connected_to_std(&queue, &bytes());
    far.write_all(b"a question").expect("written");
    assert_eq!(read(&queue, &near, 100), (Content::Bytes(10), b"a question".to_vec()));
    let answering = thread::spawn(move || {
        let mut answer = [0; 9];
        far.read_exact(&mut answer).map(|()| answer)
    });
    write(&queue, &near, b"an answer");
    assert_eq!(&answering.join().expect("no panic").expect("it is read"), b"an answer");
    assert_eq!(read(&queue, &near, 100).0, Content::End);
}

/// The handle's own event is set at the end of an operation, so std, which waits for it, gets what
/// it reads; nothing comes out of the queue.
#[test]
fn a_pipe_that_was_taken_out_can_be_read_by_std() {
    let queue = queue();
    let (near, far) = connected(&queue, &bytes());
    let handle = OwnedHandle::from(near.into_inner());
    let bytes = within_deadline(move || {
        let reading = thread::spawn(move || {
            let mut bytes = [0; 5];
            File::from(handle).read(&mut bytes).map(|_| bytes)
        });
        write(&queue, &far, b"hello");
        let bytes = reading.join().expect("no panic");
        assert_quiet(&queue);
        bytes
    });
    assert_eq!(&bytes.expect("it is read"), b"hello");
}

#[test]
fn a_queue_that_is_dropped_takes_everything_back() {
    let queue = queue();
    let (near, far) = connected(&queue, &bytes().buffer_sizes(64, 64));
    let waiting = server(&queue, Key(3), &new_name(), &bytes());
    waiting.connect_client().expect("submitted");
    near.read(Vec::with_capacity(9)).expect("submitted");
    near.write(vec![7; 300_000]).expect("submitted");
    drop(queue);
    let rejected = far.read(Vec::with_capacity(9)).expect_err("nobody collects");
    assert_eq!(rejected.error.kind(), ErrorKind::BrokenPipe);
    assert_eq!(
        waiting.connect_client().expect_err("nobody collects").kind(),
        ErrorKind::BrokenPipe
    );
}
