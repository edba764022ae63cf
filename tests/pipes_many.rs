//! Thousands of pipes and children come and go, and no handle is left. All is in one test, for
//! handles are those of the process.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::process::{Child, Command, Stdio};
use std::time::Instant;

use overlapped::{Completion, CompletionQueue, Content, Key};

mod support;
use support::{DEADLINE, collect};

#[path = "support/spawn.rs"]
mod spawn;
use spawn::spawned;

#[path = "support/pipes.rs"]
mod pipes;
use pipes::{bytes, connected, messages, one_read};

#[path = "support/handles.rs"]
mod handles;
use handles::{LAZY_HANDLES, handles, more_handles_than};

const PIPES: usize = 10_000;

/// Making a process takes Wine some milliseconds. So there are as many as come in this time, up to
/// this number, and at least so many that each one's leak would show.
const CHILDREN: usize = 1_000;
const LEAST_CHILDREN: usize = 50;

#[test]
fn ten_thousand_pipes_and_a_thousand_children_leave_no_handle() {
    let queue = CompletionQueue::new().expect("a queue");
    a_pipe(&queue, 0);
    a_child(&queue);
    let before = handles();
    (0..PIPES).for_each(|number| a_pipe(&queue, number));
    let more = more_handles_than(before);
    assert!(more <= LAZY_HANDLES, "{more} handles are left of {PIPES} pipes");

    let (start, mut children) = (Instant::now(), 0);
    while children < CHILDREN && (children < LEAST_CHILDREN || start.elapsed() < DEADLINE) {
        a_child(&queue);
        children += 1;
    }
    let more = more_handles_than(before);
    println!("{PIPES} pipes, and {children} children in {:?}", start.elapsed());
    assert!(more <= LAZY_HANDLES, "{more} handles are left of {children} children");
}

/// Two ends of one pipe, with a read pending in three cases of four, and dropped in either order.
fn a_pipe(queue: &CompletionQueue, number: usize) {
    let options = if number % 8 < 4 { bytes() } else { messages() };
    let (near, far) = connected(queue, &options);
    match number % 4 {
        0 => {}
        1 => {
            near.read(Vec::with_capacity(9)).expect("submitted");
            drop(far);
            assert_eq!(one_read(queue).result.expect("it is read"), Content::End);
            near.disconnect().expect("the client is gone");
        }
        _ => {
            near.read(Vec::with_capacity(9)).expect("submitted");
            drop((near, far));
            while queue.in_flight() > 0 {
                let mut batch = overlapped::Completions::with_capacity(4);
                let told = queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").count();
                assert_eq!(told, 0, "it is gone");
            }
        }
    }
}

/// A child that ends at once.
fn started() -> Child {
    let mut command = Command::new("cmd");
    command
        .args(["/c", "exit"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    spawned(&mut command)
}

fn a_child(queue: &CompletionQueue) {
    let mut child = started();
    let stdin = queue.register(child.stdin.take().expect("piped"), Key(1)).expect("registered");
    let stdout = queue.register(child.stdout.take().expect("piped"), Key(2)).expect("registered");
    let stderr = queue.register(child.stderr.take().expect("piped"), Key(3)).expect("registered");
    stdout.read(Vec::with_capacity(9)).expect("submitted");
    stderr.read(Vec::with_capacity(9)).expect("submitted");
    let mut ends = 0;
    while ends < 2 {
        for completion in collect(queue, 1) {
            let Completion::Read { result, .. } = completion else { panic!("{completion:?}") };
            assert_eq!(result.expect("it is read"), Content::End, "it prints nothing");
            ends += 1;
        }
    }
    child.wait().expect("its end");
    drop((stdin, stdout, stderr));
}
