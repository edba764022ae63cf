//! The pipes of child processes through the queue.
#![cfg(windows)]

mod support;

use std::process::{Command, Stdio};

use overlapped::{Completion, CompletionQueue, Content, Key};
use support::collect;

#[test]
fn what_a_child_prints_is_read_to_the_end() {
    let queue = CompletionQueue::new().expect("a queue");
    let mut child = Command::new("cmd")
        .args(["/c", "echo out& echo err>&2"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("a child");
    let stdout = queue.register(child.stdout.take().expect("piped"), Key(1)).expect("registered");
    let stderr = queue.register(child.stderr.take().expect("piped"), Key(2)).expect("registered");
    stdout.read(Vec::with_capacity(100)).expect("a read");
    stderr.read(Vec::with_capacity(100)).expect("a read");
    let (mut out, mut err, mut ends) = (Vec::new(), Vec::new(), 0);
    while ends < 2 {
        for completion in collect(&queue, 1) {
            let Completion::Read { key, buffer, result, .. } = completion else { panic!("a read") };
            match (result.expect("it is read"), key) {
                (Content::End, Key(1)) => (out, ends) = (buffer, ends + 1),
                (Content::End, _) => (err, ends) = (buffer, ends + 1),
                (Content::Bytes(_), Key(1)) => drop(stdout.read(buffer).expect("another read")),
                (Content::Bytes(_), _) => drop(stderr.read(buffer).expect("another read")),
                (other, _) => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((&out[..], &err[..]), (&b"out\r\n"[..], &b"err\r\n"[..]));
    assert!(child.wait().expect("its end").success());
}
