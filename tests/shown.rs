//! What the public types show with `{:?}`, which ends up in the logs of programs: each names itself
//! and its fields. And what the errors say of their causes.
#![cfg(windows)]

use std::error::Error;
use std::fmt::Debug;
use std::io::{self, ErrorKind};
use std::net::TcpListener;

use overlapped::{
    Completion, CompletionPort, CompletionQueue, Completions, Failure, Inline, Key, Queued,
    Rejected, Submitted,
};

mod support;
use support::{DEADLINE, pair, registered};

/// Each of the words is in what is shown.
#[track_caller]
fn shows(what: &impl Debug, words: &[&str]) {
    let shown = format!("{what:?}");
    for word in words {
        assert!(shown.contains(word), "{word:?} is not in {shown}");
    }
}

#[test]
fn what_a_program_holds_names_itself() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (stream, _peer) = registered(&queue, Key(7));
    let id = stream.receive(Vec::with_capacity(16))?;
    shows(&queue, &["CompletionQueue", "in_flight: 1"]);
    shows(&stream, &["Registration", "key: Key(7)", "source: TcpStream", "in_flight: 1"]);
    shows(&id, &["OperationId", "index: 0", "generation"]);
    shows(&queue.waker(), &["Waker"]);
    shows(&queue.port(), &["BorrowedPort"]);
    shows(&CompletionPort::new(0)?, &["CompletionPort", "handle"]);
    let listener = queue.register(TcpListener::bind("127.0.0.1:0")?, Key(8))?;
    shows(&listener, &["Registration", "Key(8)", "TcpListener"]);
    shows(&stream.inline()?, &["Registration", "Key(7)", "in_flight: 1"]);
    Ok(())
}

#[test]
fn what_comes_out_names_itself() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let mut batch = Completions::with_capacity(8);
    queue.port().post(Key(3), 4)?;
    queue.post(Key(1), 2)?;
    queue.waker().wake()?;
    queue.shut_down()?;
    queue.wait(&mut batch, Some(DEADLINE))?;
    shows(&batch, &["Completions", "len: 4"]);
    let all: Vec<_> = batch.collect();
    shows(&all[0], &["Foreign", "Packet", "key: Key(3)", "bytes: 4", "overlapped: 0x0"]);
    shows(&all[1], &["Posted", "key: Key(1)", "value: 2"]);
    shows(&all[2], &["Woken"]);
    shows(&all[3], &["ShutDown"]);

    let (stream, _peer) = registered(&queue, Key(5));
    let done = Submitted::Done(Completion::<Vec<u8>>::Woken);
    shows(&done, &["Done", "Woken"]);
    shows(&Submitted::<Vec<u8>>::Pending(stream.receive(Vec::with_capacity(1))?), &["Pending"]);
    // The two modes have no values; that they can be shown is for those who derive.
    fn can_be_shown<T: Debug>() {}
    can_be_shown::<Queued>();
    can_be_shown::<Inline>();
    Ok(())
}

/// What is given back may be large, or of no interest, and is not shown.
#[test]
fn a_rejection_shows_its_error_and_has_its_source() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (stream, _peer) = registered(&queue, Key(7));
    let rejected = stream.receive(Vec::new()).expect_err("it has no room");
    shows(&rejected, &["Rejected", "error", "no spare room"]);
    assert!(!format!("{rejected:?}").contains("returned"));
    assert!(rejected.source().is_none(), "a sentence of ours stands for itself");

    let (near, _far) = pair();
    let of_io = |error| Rejected { error, returned: near };
    let caused = of_io(io::Error::other(Failure::Error(io::Error::from_raw_os_error(10054))));
    // As an `io::Error` does, it gives the cause of what it shows.
    assert_eq!(caused.to_string(), io::Error::from_raw_os_error(10054).to_string());
    assert_eq!(
        caused.source().map(ToString::to_string),
        caused.error.source().map(ToString::to_string)
    );
    Ok(())
}

#[test]
fn a_failure_shows_what_it_is_and_has_its_source() {
    shows(&Failure::Cancelled, &["Cancelled"]);
    assert!(Failure::Cancelled.source().is_none());
    assert_eq!(Failure::Cancelled.to_string(), "the operation was cancelled");

    #[derive(Debug)]
    struct Outer(io::Error);
    impl std::fmt::Display for Outer {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("outer")
        }
    }
    impl Error for Outer {
        fn source(&self) -> Option<&(dyn Error + 'static)> {
            Some(&self.0)
        }
    }
    let inner = io::Error::from(ErrorKind::ConnectionReset);
    let failure = Failure::Error(io::Error::other(Outer(inner)));
    shows(&failure, &["Error", "Outer", "ConnectionReset"]);
    assert_eq!(failure.to_string(), "outer");
    let source = failure.source().expect("the cause of what it shows");
    assert_eq!(source.to_string(), io::Error::from(ErrorKind::ConnectionReset).to_string());

    let rejected = Rejected { error: io::Error::from(failure), returned: () };
    assert!(rejected.source().is_some(), "it is handed through");
    assert_eq!(io::Error::from(rejected).to_string(), "outer");
}
