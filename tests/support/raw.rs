//! What the tests of raw calls share: pipes, directories, and calls on them.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "it makes calls of Windows that std does not make")]

use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use overlapped::ffi;
use overlapped::ffi::constants::*;
use overlapped::{
    Buffer, Completion, CompletionQueue, Failure, Key, OperationId, RawCall, Registration, Rejected,
};

use super::support::one;

/// The server's end of a new pipe of messages, with its name. One that is overlapped can be
/// registered, and one that is not is for std.
#[track_caller]
pub fn server(flags: u32) -> (OwnedHandle, String) {
    static PIPES: AtomicUsize = AtomicUsize::new(0);
    let number = PIPES.fetch_add(1, SeqCst);
    let name = format!(r"\\.\pipe\overlapped-raw-{}-{number}", std::process::id());
    let wide: Vec<u16> = name.encode_utf16().chain([0]).collect();
    let mode = PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE;
    let open = PIPE_ACCESS_DUPLEX | flags;
    // SAFETY: the name ends with 0, and the rest is numbers.
    let pipe = unsafe {
        ffi::kernel32::CreateNamedPipeW(wide.as_ptr(), open, mode, 1, 4096, 4096, 0, null())
    };
    assert_ne!(pipe, INVALID_HANDLE_VALUE, "{}", io::Error::last_os_error());
    // SAFETY: the handle is open, new, and nobody else's.
    (unsafe { OwnedHandle::from_raw_handle(pipe) }, name)
}

#[track_caller]
pub fn client(name: &str, flags: u32) -> File {
    let mut options = OpenOptions::new();
    options.read(true).write(true).custom_flags(flags).open(name).expect("the pipe is there")
}

/// A pipe whose client's end reads messages and is registered; the server's end is for std.
#[track_caller]
pub fn registered_client<B: Buffer>(
    queue: &CompletionQueue<B>,
    key: Key,
) -> (Registration<OwnedHandle, B>, File) {
    let (server, name) = server(0);
    let client = client(&name, FILE_FLAG_OVERLAPPED);
    let mode = PIPE_READMODE_MESSAGE;
    // SAFETY: the pipe is open, and the mode is there during the call.
    let set = unsafe {
        let handle = client.as_raw_handle();
        ffi::kernel32::SetNamedPipeHandleState(handle, &mode, null(), null())
    };
    assert_ne!(set, FALSE, "{}", io::Error::last_os_error());
    let client = queue.register(OwnedHandle::from(client), key).expect("it is overlapped");
    (client, File::from(server))
}

/// Reads a message from the pipe, which waits until there is one.
pub fn start_read(call: &RawCall<'_>) -> io::Result<()> {
    let ((room, length), handle) = (call.spare(), call.handle().as_raw_handle());
    // SAFETY: all this is lent, says whoever gives a `RawCall`.
    call.answer(unsafe {
        ffi::kernel32::ReadFile(handle, room.cast(), length, null_mut(), call.overlapped())
    })
}

/// Submits a read as a raw call.
#[track_caller]
pub fn read<B: Buffer>(
    pipe: &Registration<OwnedHandle, B>,
    buffer: B,
) -> Result<OperationId, Rejected<B>> {
    // SAFETY: it makes one call, with what it is given, and passes its answer on.
    unsafe { pipe.submit(0, buffer, start_read) }
}

/// The end of an operation that was started raw.
#[track_caller]
pub fn one_raw<B: Buffer + std::fmt::Debug>(
    queue: &CompletionQueue<B>,
) -> (B, usize, Result<(), Failure>) {
    match one(queue) {
        Completion::Raw { buffer, count, result, .. } => (buffer, count, result),
        other => panic!("the end of a raw operation was expected: {other:?}"),
    }
}

/// Opens a directory to watch it.
pub fn directory(path: &Path) -> OwnedHandle {
    let mut options = OpenOptions::new();
    options.access_mode(FILE_LIST_DIRECTORY);
    options.custom_flags(FILE_FLAG_OVERLAPPED | FILE_FLAG_BACKUP_SEMANTICS);
    OwnedHandle::from(options.open(path).expect("a directory"))
}
