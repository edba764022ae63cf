//! Named pipes through the queue: what is read and written, and how the end is told.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::io::ErrorKind;

use overlapped::{Completion, CompletionQueue, Content, Failure, Key, NamedPipe, PipeOptions};

mod support;
use support::{assert_quiet, collect, one};

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
