//! The pipes of child processes through the queue.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::io::{ErrorKind, Read};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use overlapped::{Completion, CompletionQueue, Completions, Content, Key, ReadEnd, Registration};

mod support;
use support::{collect, one};

#[path = "support/spawn.rs"]
mod spawn;
use spawn::spawned;

fn queue() -> CompletionQueue {
    CompletionQueue::new().expect("a queue")
}

fn child(arguments: &[&str]) -> Child {
    let mut command = Command::new("cmd");
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    spawned(&mut command)
}

/// Reads to the end, with one buffer.
fn read_all<S: ReadEnd>(queue: &CompletionQueue, end: &Registration<S>) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(7);
    loop {
        buffer.reserve(7);
        end.read(buffer).expect("submitted");
        let Completion::Read { buffer: read, result, .. } = one(queue) else { panic!("a read") };
        buffer = read;
        match result.expect("it is read") {
            Content::End => return buffer,
            Content::Bytes(count) => assert!(count > 0),
            other => panic!("{other:?}"),
        }
    }
}

/// Writes to a child what it waits for, and reads what it makes of that.
#[test]
fn a_child_is_talked_with() {
    let queue = queue();
    let mut child = child(&["/v:on", "/c", "set /p line=& echo it was !line!"]);
    let stdin = queue.register(child.stdin.take().expect("piped"), Key(1)).expect("registered");
    let stdout = queue.register(child.stdout.take().expect("piped"), Key(2)).expect("registered");
    stdin.write(b"hello\r\n".to_vec()).expect("submitted");
    let Completion::Written { key: Key(1), count: 7, result, .. } = one(&queue) else {
        panic!("the end of the write");
    };
    result.expect("it is written");
    let text = read_all(&queue, &stdout);
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains("it was hello"), "{text}");
    assert!(child.wait().expect("its end").success());
    // Nobody reads any more.
    let rejected = stdin.write(b"again".to_vec()).expect_err("it has ended");
    assert_eq!(rejected.error.kind(), ErrorKind::BrokenPipe);
    assert_eq!(rejected.returned, b"again");
}

/// A child waits for the end of its stdin, which the drop of the registration is.
#[test]
fn a_registration_that_is_dropped_ends_the_stdin_of_its_child() {
    let queue = queue();
    let mut child = child(&["/c", "set /p line= & echo done"]);
    let stdin = queue.register(child.stdin.take().expect("piped"), Key(1)).expect("registered");
    let stdout = queue.register(child.stdout.take().expect("piped"), Key(2)).expect("registered");
    drop(stdin);
    assert!(String::from_utf8_lossy(&read_all(&queue, &stdout)).contains("done"));
    child.wait().expect("its end");
}

#[test]
fn a_child_that_is_killed_ends_its_pipes() {
    let queue = queue();
    let mut child = child(&["/c", "set /p line="]);
    let stdout = queue.register(child.stdout.take().expect("piped"), Key(2)).expect("registered");
    stdout.read(Vec::with_capacity(9)).expect("submitted");
    child.kill().expect("killed");
    let Completion::Read { result, .. } = one(&queue) else { panic!("a read") };
    assert_eq!(result.expect("it is read"), Content::End);
    child.wait().expect("its end");
}

/// It belongs to the port for life, and std, which does not know that, does no harm.
#[test]
fn std_can_wait_for_the_output_of_an_end_that_was_taken_out() {
    let queue = queue();
    let mut child = child(&["/c", "echo out"]);
    let stdout = queue.register(child.stdout.take().expect("piped"), Key(1)).expect("registered");
    let mut stdout = stdout.into_inner();
    let error = stdout.read(&mut [0; 9]).expect_err("its end would go to the port");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);

    child.stdout = Some(stdout);
    let output = child.wait_with_output().expect("its output");
    assert_eq!(output.stdout, b"out\r\n");
    let mut batch = Completions::with_capacity(64);
    for completion in queue.wait(&mut batch, Some(Duration::ZERO)).expect("a look") {
        assert!(matches!(completion, Completion::Foreign(_)), "{completion:?}");
    }
}

/// Reads stdout and stderr to their ends, both at the same time.
fn read_both(child: &mut Child) -> (Vec<u8>, Vec<u8>) {
    let queue = queue();
    let stdout = queue.register(child.stdout.take().expect("piped"), Key(1)).expect("registered");
    let stderr = queue.register(child.stderr.take().expect("piped"), Key(2)).expect("registered");
    stdout.read(Vec::with_capacity(100)).expect("a read");
    stderr.read(Vec::with_capacity(100)).expect("a read");
    let (mut out, mut err, mut ends) = (Vec::new(), Vec::new(), 0);
    while ends < 2 {
        for completion in collect(&queue, 1) {
            let Completion::Read { key, mut buffer, result, .. } = completion else {
                panic!("a read")
            };
            match (result.expect("it is read"), key) {
                (Content::End, Key(1)) => (out, ends) = (buffer, ends + 1),
                (Content::End, _) => (err, ends) = (buffer, ends + 1),
                (Content::Bytes(_), key) => {
                    buffer.reserve(4096);
                    match key {
                        Key(1) => drop(stdout.read(buffer).expect("another read")),
                        _ => drop(stderr.read(buffer).expect("another read")),
                    }
                }
                (other, _) => panic!("{other:?}"),
            }
        }
    }
    (out, err)
}

#[test]
fn what_a_child_prints_is_read_to_the_end() {
    let mut child = child(&["/c", "echo out& echo err>&2"]);
    drop(child.stdin.take());
    let (out, err) = read_both(&mut child);
    assert_eq!((&out[..], &err[..]), (&b"out\r\n"[..], &b"err\r\n"[..]));
    assert!(child.wait().expect("its end").success());
}

/// It prints more to each than a pipe keeps, in turn. Who read one to its end first would wait for
/// a child that waits for the other to be read.
#[test]
fn a_child_that_fills_both_of_its_pipes_goes_on() {
    let (line, lines) = ("x".repeat(500), 300);
    let both = format!("for /l %i in (1,1,{lines}) do (echo {line}& echo {line}>&2)");
    let mut child = child(&["/q", "/c", &both]);
    drop(child.stdin.take());
    let (out, err) = read_both(&mut child);
    let printed = |text: &[u8]| String::from_utf8_lossy(text).matches(&line).count();
    assert_eq!((printed(&out), printed(&err)), (lines, lines));
    assert!(out.len() > 2 * 64 * 1024 && err.len() > 2 * 64 * 1024, "more than a pipe keeps");
    assert!(child.wait().expect("its end").success());
}
