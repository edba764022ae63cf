//! Pipes: what cannot be done is refused with a sentence that says why, and nothing is lost.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::net::{TcpListener, UdpSocket};
use std::os::windows::io::{
    AsHandle, AsRawHandle, AsRawSocket, FromRawHandle, IntoRawSocket, OwnedHandle,
};
use std::process::{ChildStderr, ChildStdin, ChildStdout};
use std::time::{Duration, Instant};

use overlapped::{CompletionQueue, Content, Key, NamedPipe, Source};

mod support;
use support::{DEADLINE, NO_SOCKET, start_winsock, within_deadline};

#[path = "support/pipes.rs"]
mod pipes;
use pipes::*;

fn queue() -> CompletionQueue {
    CompletionQueue::new().expect("a queue")
}

/// The error of a kind, which says so much.
#[track_caller]
fn assert_says(error: &io::Error, kind: ErrorKind, what: &str) {
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(what), "{error}");
}

/// It cannot be registered, and comes back.
#[track_caller]
fn refused<S: Source + AsHandle>(source: S, what: &str) -> S {
    let handle = source.as_handle().as_raw_handle();
    let Err(rejected) = queue().register(source, Key(1)) else { panic!("it was registered") };
    assert_says(&rejected.error, ErrorKind::InvalidInput, what);
    assert_eq!(rejected.returned.as_handle().as_raw_handle(), handle);
    rejected.returned
}

#[test]
fn a_name_that_is_none_is_refused_before_any_call() {
    for (name, why) in [
        ("", "empty"),
        ("a\0b", "NUL"),
        (r"a\b", "backslashes"),
        (r"\\.\file\a", "no whole name"),
        (r"\\.\pipe\..\nul", "`..`"),
        ("a/../../C:/file", "`..`"),
        (&"n".repeat(300), "256"),
    ] {
        let server = NamedPipe::server(name, &bytes()).expect_err(name);
        let client = NamedPipe::client(name, &bytes()).expect_err(name);
        let wait = NamedPipe::wait(name, DEADLINE).expect_err(name);
        for error in [server, client, wait] {
            assert_says(&error, ErrorKind::InvalidInput, why);
            assert!(error.raw_os_error().is_none(), "the system was asked: {error}");
        }
    }
    let elsewhere = NamedPipe::server(r"\\host\pipe\name", &bytes()).expect_err("on a host");
    assert_says(&elsewhere, ErrorKind::InvalidInput, "on this machine");
}

#[test]
fn nobody_there_and_nobody_free_are_told_apart() {
    let name = new_name();
    let nobody = NamedPipe::client(&name, &bytes()).expect_err("nobody has made it");
    assert_says(&nobody, ErrorKind::NotFound, "no pipe of that name");
    let start = Instant::now();
    let nobody = NamedPipe::wait(&name, DEADLINE).expect_err("nobody has made it");
    assert_says(&nobody, ErrorKind::NotFound, "no pipe of that name");
    assert!(start.elapsed() < DEADLINE, "it is said at once");

    let near = NamedPipe::server(&name, &bytes()).expect("a server");
    let far = NamedPipe::client(&name, &bytes()).expect("a client");
    let busy = NamedPipe::client(&name, &bytes()).expect_err("it has a client");
    assert_says(&busy, ErrorKind::ResourceBusy, "busy");
    let waited = NamedPipe::wait(&name, Duration::from_millis(30)).expect("there is a server");
    assert!(!waited, "nobody is free");
    drop((near, far));
}

#[test]
fn who_waits_for_a_busy_pipe_is_told_when_it_is_free() {
    let (queue, name) = (queue(), new_name());
    let near = server(&queue, Key(1), &name, &bytes());
    let far = client(&queue, Key(2), &name, &bytes());
    let waiting = {
        let name = name.clone();
        std::thread::spawn(move || NamedPipe::wait(&name, DEADLINE))
    };
    near.connect_client().expect("submitted");
    one_client(&queue).expect("a client");
    drop(far);
    near.disconnect().expect("nothing is in flight");
    near.connect_client().expect("submitted");
    assert!(waiting.join().expect("no panic").expect("there is a server"));
    let _far = client(&queue, Key(2), &name, &bytes());
    one_client(&queue).expect("a client");
}

#[test]
fn a_time_to_wait_is_never_for_ever_and_never_what_the_server_likes() {
    let name = new_name();
    let _near = NamedPipe::server(&name, &bytes()).expect("a server");
    let _far = NamedPipe::client(&name, &bytes()).expect("a client");
    let free = within_deadline(move || NamedPipe::wait(&name, Duration::ZERO));
    assert!(!free.expect("there is a server"));
}

#[test]
fn as_many_instances_as_were_allowed() {
    let name = new_name();
    let options = bytes().max_instances(2);
    let _two = [(); 2].map(|()| NamedPipe::server(&name, &options).expect("an instance"));
    let third = NamedPipe::server(&name, &options).expect_err("one too many");
    assert_says(&third, ErrorKind::ResourceBusy, "max_instances");
    // Which of the two rules the system looks at first is its own affair.
    let first = NamedPipe::server(&name, &options.first_instance(true)).expect_err("it is not");
    assert!([ErrorKind::ResourceBusy, ErrorKind::PermissionDenied].contains(&first.kind()));
}

#[test]
fn the_first_instance_is_the_first() {
    let name = new_name();
    let first = bytes().first_instance(true);
    let _near = NamedPipe::server(&name, &first).expect("the first");
    // Wine 8 and 10 take no notice of it. That the system is told is a test beside the options.
    if let Err(second) = NamedPipe::server(&name, &first) {
        assert_says(&second, ErrorKind::PermissionDenied, "already");
    }
    let _another = NamedPipe::server(&name, &bytes()).expect("it did not ask to be the first");
}

#[test]
fn who_asks_bytes_for_messages_is_told() {
    let (queue, name) = (queue(), new_name());
    let near = server(&queue, Key(1), &name, &bytes());
    let error = NamedPipe::client(&name, &messages()).expect_err("it carries bytes");
    assert_says(&error, ErrorKind::InvalidInput, "carries bytes");
    // The pipe had to be opened to learn it, so the server has had a client.
    near.connect_client().expect("submitted");
    one_client(&queue).expect("it has come, and gone");
    assert_eq!(read(&queue, &near, 9).0, Content::End);
}

#[test]
fn a_client_is_no_server() {
    let queue = queue();
    let (near, far) = connected(&queue, &bytes());
    assert!(near.get_ref().is_server() && !far.get_ref().is_server());
    let error = far.connect_client().expect_err("a client");
    assert_says(&error, ErrorKind::InvalidInput, "client's end");
    let error = far.disconnect().expect_err("a client");
    assert_says(&error, ErrorKind::InvalidInput, "only a server");
    // Nothing has happened to it.
    write(&queue, &far, b"hello");
    assert_eq!(read(&queue, &near, 9).0, Content::Bytes(5));
}

#[test]
fn a_buffer_without_room_or_in_pieces_comes_back() {
    let queue = CompletionQueue::new().expect("a queue");
    let (near, _far) = connected(&queue, &bytes());
    let full = near.read([Vec::new(), Vec::from(*b"full")]).expect_err("no room");
    assert_says(&full.error, ErrorKind::InvalidInput, "no spare room");
    assert_eq!(full.returned[1], b"full");
    let pieces = near.write([b"one".to_vec(), b"two".to_vec()]).expect_err("two parts");
    assert_says(&pieces.error, ErrorKind::InvalidInput, "several parts");
    assert_eq!(pieces.returned, [b"one", b"two"]);
    assert_eq!((queue.in_flight(), near.in_flight()), (0, 0));
}

#[cfg(target_pointer_width = "64")]
#[test]
fn a_message_that_one_operation_cannot_write_is_refused_whole() {
    let queue = CompletionQueue::new().expect("a queue");
    let (near, _far) = connected(&queue, &messages());
    let rejected = near.write(vec![0; (1 << 30) + 1]).expect_err("too long");
    assert_says(&rejected.error, ErrorKind::InvalidInput, "longer than 1 GiB");
    assert_eq!(rejected.returned.len(), (1 << 30) + 1);
}

/// Safe code can make the end of a child's pipe of any handle.
#[test]
fn what_is_no_pipe_is_turned_away() {
    let path = std::env::temp_dir().join(new_name());
    let file = File::create(&path).expect("a file");
    let again = |file: &File| OwnedHandle::from(file.try_clone().expect("a duplicate"));
    refused(ChildStdout::from(again(&file)), "no pipe");
    refused(ChildStderr::from(again(&file)), "no pipe");
    let back = refused(ChildStdin::from(again(&file)), "no pipe");
    File::from(OwnedHandle::from(back)).write_all(b"usable as before").expect("written");
    drop(file);
    fs::remove_file(path).expect("removed");
    let nul = OpenOptions::new().read(true).write(true).open("NUL").expect("NUL");
    refused(ChildStdin::from(OwnedHandle::from(nul)), "no pipe");
}

#[test]
fn a_socket_is_no_pipe() {
    start_winsock();
    let stream = TcpListener::bind("127.0.0.1:0").expect(NO_SOCKET);
    let datagrams = UdpSocket::bind("127.0.0.1:0").expect(NO_SOCKET);
    assert_ne!(stream.as_raw_socket(), datagrams.as_raw_socket());
    for socket in [stream.into_raw_socket(), datagrams.into_raw_socket()] {
        // SAFETY: the socket is open, and nobody else's any more. Closing its handle closes it.
        let handle = unsafe { OwnedHandle::from_raw_handle(socket as _) };
        refused(ChildStdout::from(handle), "socket");
    }
}

#[test]
fn a_pipe_that_is_not_overlapped_is_told_from_one_that_is_registered() {
    let name = new_name();
    let near = NamedPipe::server(&name, &bytes()).expect("a server");
    let far = open_by_std(&name).expect("the other end");
    let back = refused(ChildStdout::from(OwnedHandle::from(far)), "not opened for overlapped");
    // It is usable as before.
    let mut far = File::from(OwnedHandle::from(back));

    let handle = OwnedHandle::from(near);
    let again = handle.try_clone().expect("a duplicate");
    let (queue, other) = (queue(), CompletionQueue::<Vec<u8>>::new().expect("another queue"));
    let near = queue.register(ChildStdout::from(handle), Key(1)).expect("an overlapped pipe");
    for queue in [&queue, &other] {
        let again = again.try_clone().expect("a duplicate");
        let rejected = queue.register(ChildStdin::from(again), Key(2)).expect_err("registered");
        assert_says(&rejected.error, ErrorKind::InvalidInput, "registered already");
    }
    far.write_all(b"hello").expect("written");
    near.read(Vec::with_capacity(9)).expect("submitted");
    assert_eq!(one_read(&queue).result.expect("it is read"), Content::Bytes(5));

    // Nor can it be registered when the first registration has gone.
    drop(near);
    refused(ChildStdin::from(again), "registered already");
}

#[test]
fn what_a_pipe_is_follows_from_its_handle_and_not_from_its_rights() {
    let name = new_name();
    let _near = NamedPipe::server(&name, &bytes().inbound()).expect("a server");
    let far = NamedPipe::client(&name, &bytes().outbound()).expect("a client");
    let queue = queue();
    let far = ChildStdin::from(OwnedHandle::from(far));
    drop(queue.register(far, Key(1)).expect("an end that can only be written"));
}
