//! A message pipe, for the one promise about `WSARecv` and its kin that sockets alone cannot show.
#![allow(unsafe_code, reason = "it makes a pipe, and reads from it as the port wants it")]

use std::ffi::c_void;
use std::fs::OpenOptions;
use std::io::Write;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::null_mut;

use overlapped::ffi::constants::{ERROR_MORE_DATA, INVALID_HANDLE_VALUE};
use overlapped::ffi::ntstatus::STATUS_BUFFER_OVERFLOW;
use overlapped::ffi::types::{BOOL, DWORD, HANDLE, OVERLAPPED};

use super::kernel::{Answer, Operation, Port, last_error};

/// The end that reads of a new pipe that carries messages, made for overlapped operations.
fn reading_end(name: &str) -> OwnedHandle {
    const PIPE_ACCESS_INBOUND_OVERLAPPED: DWORD = 0x4000_0001;
    const PIPE_TYPE_AND_READMODE_MESSAGE: DWORD = 0x6;
    let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
    let (access, mode) = (PIPE_ACCESS_INBOUND_OVERLAPPED, PIPE_TYPE_AND_READMODE_MESSAGE);
    // SAFETY: the name ends with a 0 and is there during the call.
    let pipe = unsafe { CreateNamedPipeW(name.as_ptr(), access, mode, 1, 64, 64, 0, null_mut()) };
    assert_ne!(pipe, INVALID_HANDLE_VALUE, "error {}", last_error());
    // SAFETY: the handle is new and nobody else's.
    unsafe { OwnedHandle::from_raw_handle(pipe) }
}

/// (30, 65) A message that is longer than the room is an error, 234, or pending, and the packet
/// comes either way, with the beginning. The rest of the message is there for the next read.
/// <https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile>
#[test]
fn a_message_that_is_cut_at_once_is_an_error_and_a_packet() {
    let name = format!(r"\\.\pipe\overlapped-contract-{}", std::process::id());
    let (port, near) = (Port::new(), reading_end(&name));
    port.associate(near.as_raw_handle(), 7);
    let mut far = OpenOptions::new().write(true).open(name).expect("the other end");
    far.write_all(b"messages").expect("sent");

    for (expected, cut) in [(b"mess", true), (b"ages", false)] {
        let operation = Operation::new(vec![0; 4], 0, null_mut());
        let (buffer, overlapped) = (operation.buffer().cast(), operation.overlapped());
        let pipe = near.as_raw_handle();
        // SAFETY: the pipe is open. The room and the operation stay where they are until the packet
        // was dequeued, or for ever; nobody touches them before.
        let answer = Answer::of(unsafe { ReadFile(pipe, buffer, 4, null_mut(), overlapped) } != 0);
        println!("the call says {answer:?}");
        let more = answer == Answer::Failed(ERROR_MORE_DATA as i32);
        let told = more && cut && operation.has_begun();
        assert!(told || matches!(answer, Answer::AtOnce | Answer::Pending));
        let end = port.end(operation);
        assert_eq!((end.status == STATUS_BUFFER_OVERFLOW, &end.bytes[..]), (cut, &expected[..]));
    }
    port.assert_empty();
}

#[link(name = "kernel32")]
unsafe extern "system" {
    fn CreateNamedPipeW(
        name: *const u16,
        open_mode: DWORD,
        pipe_mode: DWORD,
        instances: DWORD,
        out_size: DWORD,
        in_size: DWORD,
        timeout: DWORD,
        attributes: *mut c_void,
    ) -> HANDLE;
    fn ReadFile(
        file: HANDLE,
        buffer: *mut c_void,
        length: DWORD,
        count: *mut DWORD,
        overlapped: *mut OVERLAPPED,
    ) -> BOOL;
}
