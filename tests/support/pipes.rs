//! What the tests of pipes share.

#![allow(dead_code, reason = "each test file takes what it needs")]

use std::fmt::Debug;
use std::fs::{File, OpenOptions};
use std::io;
use std::sync::atomic::AtomicU32;
use std::sync::atomic::Ordering::Relaxed;

use overlapped::{
    Buffer, Completion, CompletionQueue, Content, Failure, Key, NamedPipe, PipeOptions,
    Registration,
};

use super::support::{collect, one};

pub type Pipe<B = Vec<u8>> = Registration<NamedPipe, B>;

/// A name that no other test has.
pub fn new_name() -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    format!("overlapped-test-{}-{}", std::process::id(), NEXT.fetch_add(1, Relaxed))
}

pub fn bytes() -> PipeOptions {
    PipeOptions::new()
}

pub fn messages() -> PipeOptions {
    PipeOptions::new().messages()
}

/// A server's end, registered.
#[track_caller]
pub fn server<B: Buffer>(
    queue: &CompletionQueue<B>,
    key: Key,
    name: &str,
    options: &PipeOptions,
) -> Pipe<B> {
    let pipe = NamedPipe::server(name, options).expect("a pipe can be made");
    queue.register(pipe, key).expect("a new pipe can be registered")
}

/// A client's end, registered.
#[track_caller]
pub fn client<B: Buffer>(
    queue: &CompletionQueue<B>,
    key: Key,
    name: &str,
    options: &PipeOptions,
) -> Pipe<B> {
    let pipe = NamedPipe::client(name, options).expect("the pipe can be opened");
    queue.register(pipe, key).expect("a new pipe can be registered")
}

/// A server's end that is connected to a client's: keys 1 and 2.
#[track_caller]
pub fn connected<B: Buffer + Debug>(
    queue: &CompletionQueue<B>,
    options: &PipeOptions,
) -> (Pipe<B>, Pipe<B>) {
    let name = new_name();
    let near = server(queue, Key(1), &name, options);
    near.connect_client().expect("submitted");
    let far = client(queue, Key(2), &name, options);
    one_client(queue).expect("a client");
    (near, far)
}

/// As [`connected`], to a file of std's, which only writes or only reads at a time.
#[track_caller]
pub fn connected_to_std(queue: &CompletionQueue, options: &PipeOptions) -> (Pipe, File) {
    let name = new_name();
    let near = server(queue, Key(1), &name, options);
    near.connect_client().expect("submitted");
    let far = open_by_std(&name).expect("the other end");
    one_client(queue).expect("a client");
    (near, far)
}

/// Opens a pipe as programs do that know nothing of overlapped operations.
pub fn open_by_std(name: &str) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(format!(r"\\.\pipe\{name}"))
}

/// The end of a connect, which comes alone.
#[track_caller]
pub fn one_client<B: Buffer + Debug>(queue: &CompletionQueue<B>) -> Result<(), Failure> {
    match one(queue) {
        Completion::ClientConnected { result, .. } => result,
        other => panic!("a client was expected: {other:?}"),
    }
}

/// The end of a read.
#[derive(Debug)]
pub struct Read<B = Vec<u8>> {
    pub key: Key,
    pub buffer: B,
    pub result: Result<Content, Failure>,
}

impl<B: Debug> Read<B> {
    #[track_caller]
    pub fn of(completion: Completion<B>) -> Self {
        match completion {
            Completion::Read { key, buffer, result, .. } => Self { key, buffer, result },
            other => panic!("the end of a read was expected: {other:?}"),
        }
    }
}

/// The end of a read, which comes alone.
#[track_caller]
pub fn one_read<B: Buffer + Debug>(queue: &CompletionQueue<B>) -> Read<B> {
    Read::of(one(queue))
}

/// Reads once, and says what came and what the buffer holds.
#[track_caller]
pub fn read(queue: &CompletionQueue, pipe: &Pipe, room: usize) -> (Content, Vec<u8>) {
    pipe.read(Vec::with_capacity(room)).expect("submitted");
    let Read { buffer, result, .. } = one_read(queue);
    (result.expect("it is read"), buffer)
}

/// The end of a write, which comes alone.
#[track_caller]
pub fn one_written<B: Buffer + Debug>(queue: &CompletionQueue<B>) -> (usize, Result<(), Failure>) {
    match one(queue) {
        Completion::Written { count, result, .. } => (count, result),
        other => panic!("the end of a write was expected: {other:?}"),
    }
}

/// Writes once, and waits until it is written.
#[track_caller]
pub fn write(queue: &CompletionQueue, pipe: &Pipe, bytes: &[u8]) {
    pipe.write(bytes.to_vec()).expect("submitted");
    let (count, result) = one_written(queue);
    result.expect("it is written");
    assert_eq!(count, bytes.len());
}

/// The end of a read among what comes next, when that of a write comes, too, in either order.
#[track_caller]
pub fn read_and_written(queue: &CompletionQueue) -> (Content, Vec<u8>) {
    let mut completions = collect(queue, 2);
    assert_eq!(completions.len(), 2, "{completions:?}");
    let at = completions.iter().position(|one| matches!(one, Completion::Read { .. }));
    let Read { buffer, result, .. } = Read::of(completions.swap_remove(at.expect("a read")));
    let Some(Completion::Written { result: Ok(()), .. }) = completions.pop() else {
        panic!("the end of a write was expected");
    };
    (result.expect("it is read"), buffer)
}

/// The code of a failure that is not that it was cancelled.
#[track_caller]
pub fn code<T: Debug>(result: Result<T, Failure>) -> i32 {
    match result {
        Err(Failure::Error(error)) => error.raw_os_error().expect("a code of the system"),
        other => panic!("an error was expected: {other:?}"),
    }
}
