//! Named pipes through the queue: what is read, how a client comes and goes, and how it all ends.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::fs::File;
use std::io::{ErrorKind, Read as _, Write};
use std::os::windows::io::OwnedHandle;
use std::thread;

use overlapped::ffi::constants::{ERROR_PIPE_LISTENING, ERROR_PIPE_NOT_CONNECTED};
use overlapped::{Completion, CompletionQueue, Content, Failure, Key, NamedPipe, PipeOptions};

mod support;
use support::{assert_quiet, collect, one, within_deadline};

#[path = "support/pipes.rs"]
mod pipes;
use pipes::*;

fn queue() -> CompletionQueue {
    CompletionQueue::new().expect("a queue")
}

#[test]
fn bytes_go_both_ways_until_the_end() {
    let queue = queue();
    let (near, far) = connected(&queue, &bytes());
    for (from, to) in [(&near, &far), (&far, &near)] {
        write(&queue, from, b"hello");
        assert_eq!(read(&queue, to, 100), (Content::Bytes(5), b"hello".to_vec()));
    }
    write(&queue, &far, b"the last words");
    drop(far);
    assert_eq!(read(&queue, &near, 9), (Content::Bytes(9), b"the last ".to_vec()));
    assert_eq!(read(&queue, &near, 9), (Content::Bytes(5), b"words".to_vec()));
    assert_eq!(read(&queue, &near, 9), (Content::End, Vec::new()));
    assert_eq!(read(&queue, &near, 9), (Content::End, Vec::new()), "and that stays so");
}

#[test]
fn a_read_that_is_pending_is_told_of_the_end() {
    let queue = queue();
    for options in [bytes(), messages()] {
        let (near, far) = connected(&queue, &options);
        near.read(Vec::with_capacity(9)).expect("submitted");
        drop(far);
        assert_eq!(one_read(&queue).result.expect("it is read"), Content::End);
    }
}

#[test]
fn several_reads_end_in_their_order_and_append_to_what_is_there() {
    let queue = queue();
    let (near, far) = connected(&queue, &messages());
    for first in b"abc" {
        let mut buffer = Vec::with_capacity(9);
        buffer.push(*first);
        near.read(buffer).expect("submitted");
    }
    for message in ["1", "22", "333"] {
        far.write(message.into()).expect("submitted");
    }
    let read = collect(&queue, 6).into_iter().filter_map(|completion| match completion {
        Completion::Read { buffer, result, .. } => Some((buffer, result.expect("read").count())),
        _ => None,
    });
    let expected = [("a1", 1), ("b22", 2), ("c333", 3)].map(|(text, count)| (text.into(), count));
    assert_eq!(read.collect::<Vec<_>>(), expected);
}

#[test]
fn a_message_comes_whole_or_in_parts_and_an_empty_one_is_not_the_end() {
    let queue = queue();
    let (near, far) = connected(&queue, &messages());
    for message in [&b"a message"[..], b"", b"next", b"12345678"] {
        write(&queue, &far, message);
    }
    drop(far);
    assert_eq!(read(&queue, &near, 4), (Content::Part(4), b"a me".to_vec()));
    assert_eq!(read(&queue, &near, 4), (Content::Part(4), b"ssag".to_vec()));
    assert_eq!(read(&queue, &near, 4), (Content::Message(1), b"e".to_vec()));
    assert_eq!(read(&queue, &near, 4), (Content::Message(0), Vec::new()));
    assert_eq!(read(&queue, &near, 4), (Content::Message(4), b"next".to_vec()));
    assert_eq!(read(&queue, &near, 100), (Content::Message(8), b"12345678".to_vec()));
    assert_eq!(read(&queue, &near, 4), (Content::End, Vec::new()));
}

#[test]
fn a_message_that_comes_later_is_cut_in_the_same_way() {
    let queue = queue();
    let (near, far) = connected(&queue, &messages());
    near.read(Vec::with_capacity(4)).expect("submitted");
    far.write(b"message".to_vec()).expect("submitted");
    // The write may end before the rest is read, or after.
    let mut completions = collect(&queue, 1);
    near.read(Vec::with_capacity(4)).expect("submitted");
    completions.extend(collect(&queue, 3 - completions.len()));
    let read = completions.into_iter().filter_map(|completion| match completion {
        Completion::Read { buffer, result, .. } => Some((result.expect("it is read"), buffer)),
        _ => None,
    });
    let expected = [(Content::Part(4), b"mess".to_vec()), (Content::Message(3), b"age".to_vec())];
    assert_eq!(read.collect::<Vec<_>>(), expected);
}

#[test]
fn a_client_may_read_messages_as_bytes() {
    let queue = queue();
    let name = new_name();
    let near = server(&queue, Key(1), &name, &messages());
    let far = client(&queue, Key(2), &name, &bytes());
    for message in ["one", "two"] {
        write(&queue, &near, message.as_bytes());
    }
    assert_eq!(read(&queue, &far, 2), (Content::Bytes(2), b"on".to_vec()));
    let (content, _) = read(&queue, &far, 100);
    assert!(matches!(content, Content::Bytes(1 | 4)), "{content:?}");
}

#[test]
fn a_write_of_no_bytes_is_nothing_to_a_pipe_of_bytes() {
    let queue = queue();
    let (near, far) = connected(&queue, &bytes());
    far.write(Vec::new()).expect("submitted");
    one_written(&queue).1.expect("it is written");
    far.write(b"hello".to_vec()).expect("submitted");
    near.read(Vec::with_capacity(100)).expect("submitted");
    let mut completions = collect(&queue, 2);
    completions.retain(|completion| matches!(completion, Completion::Read { .. }));
    // Windows hands such a write to a read that waits for it.
    if let [Completion::Read { result: Ok(Content::Bytes(0)), .. }] = &completions[..] {
        assert_eq!(read(&queue, &near, 100).0, Content::Bytes(5));
    } else {
        let Some(Completion::Read { buffer, .. }) = completions.pop() else { panic!("a read") };
        assert_eq!(buffer, b"hello");
    }
}

#[test]
fn a_write_beyond_what_the_pipe_keeps_waits_for_a_read() {
    let queue = queue();
    let (near, far) = connected(&queue, &bytes().buffer_sizes(64, 64));
    far.write(vec![7; 300_000]).expect("submitted");
    assert_quiet(&queue);
    let (mut got, mut written) = (Vec::with_capacity(300_000), false);
    while got.len() < 300_000 || !written {
        if got.len() < 300_000 {
            near.read(std::mem::take(&mut got)).expect("submitted");
        }
        for completion in collect(&queue, 1) {
            match completion {
                Completion::Read { buffer, .. } => got = buffer,
                Completion::Written { count, result: Ok(()), .. } => {
                    written = true;
                    assert_eq!(count, 300_000);
                }
                other => panic!("{other:?}"),
            }
        }
        if got.capacity() == 0 {
            got = Read::of(one(&queue)).buffer;
        }
    }
    assert!(got.iter().all(|byte| *byte == 7));
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
fn a_write_to_nobody_gives_the_bytes_back() {
    let queue = queue();
    let (near, far) = connected(&queue, &bytes());
    drop(far);
    let rejected = near.write(b"hello".to_vec()).expect_err("nobody is there");
    assert_eq!(rejected.error.kind(), ErrorKind::BrokenPipe);
    assert_eq!(rejected.returned, b"hello");
}

#[test]
fn a_write_that_is_pending_when_the_other_end_closes_fails() {
    let queue = queue();
    let (near, far) = connected(&queue, &bytes().buffer_sizes(64, 64));
    near.write(vec![7; 300_000]).expect("submitted");
    drop(far);
    let Completion::Written { buffer, result, .. } = one(&queue) else { panic!("a write") };
    assert_eq!(result.expect_err("nobody reads").kind(), ErrorKind::BrokenPipe);
    assert_eq!(buffer.len(), 300_000);
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
fn a_cancelled_read_gives_its_buffer_back_and_the_pipe_goes_on() {
    let queue = queue();
    let (near, far) = connected(&queue, &messages());
    let id = near.read(Vec::with_capacity(9)).expect("submitted");
    near.read(Vec::with_capacity(8)).expect("submitted");
    assert!(near.cancel(id).expect("cancelled"));
    let cancelled = one_read(&queue);
    assert!(matches!(cancelled.result, Err(Failure::Cancelled)), "{cancelled:?}");
    assert_eq!((cancelled.buffer.len(), cancelled.buffer.capacity()), (0, 9));
    far.write(b"hello".to_vec()).expect("submitted");
    assert_eq!(read_and_written(&queue), (Content::Message(5), b"hello".to_vec()));
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
fn an_end_is_for_one_direction_if_that_is_asked() {
    let queue = queue();
    let name = new_name();
    let near = server(&queue, Key(1), &name, &messages().outbound());
    let far = client(&queue, Key(2), &name, &messages().inbound());
    near.connect_client().expect("submitted");
    one_client(&queue).expect("a client");
    write(&queue, &near, b"hello");
    write(&queue, &near, b"again");
    assert_eq!(read(&queue, &far, 100), (Content::Message(5), b"hello".to_vec()));
    let denied = far.write(b"no".to_vec()).expect_err("it only reads");
    assert_eq!(
        (denied.error.kind(), &denied.returned[..]),
        (ErrorKind::PermissionDenied, &b"no"[..])
    );
    let denied = near.read(Vec::with_capacity(9)).expect_err("it only writes");
    assert_eq!(denied.error.kind(), ErrorKind::PermissionDenied);
    let denied = NamedPipe::client(&name, &bytes()).expect_err("not in both directions");
    assert!(matches!(denied.kind(), ErrorKind::PermissionDenied | ErrorKind::ResourceBusy));

    let log = new_name();
    let near = server(&queue, Key(1), &log, &PipeOptions::new().inbound());
    let far = client(&queue, Key(2), &log, &PipeOptions::new().outbound());
    write(&queue, &far, b"a line");
    assert_eq!(read(&queue, &near, 100).0, Content::Bytes(6));
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
