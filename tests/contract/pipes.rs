//! Named pipes: a server that waits for its client, and how what passes between them ends.
#![allow(unsafe_code, reason = "it makes the calls that the tests are about")]

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::null;

use overlapped::ffi;
use overlapped::ffi::constants::{
    ERROR_BROKEN_PIPE, ERROR_FILE_NOT_FOUND, ERROR_NO_DATA, ERROR_PIPE_BUSY, ERROR_PIPE_CONNECTED,
    ERROR_PIPE_LISTENING, ERROR_PIPE_NOT_CONNECTED, ERROR_SEM_TIMEOUT, FALSE, FILE_FLAG_OVERLAPPED,
    GENERIC_READ, GENERIC_WRITE, OPEN_EXISTING, PIPE_ACCESS_DUPLEX, PIPE_REJECT_REMOTE_CLIENTS,
    PIPE_TYPE_BYTE, SECURITY_IDENTIFICATION, SECURITY_SQOS_PRESENT,
};
use overlapped::ffi::ntstatus::{
    STATUS_CANCELLED, STATUS_PIPE_BROKEN, STATUS_PIPE_DISCONNECTED, STATUS_SUCCESS,
};
use overlapped::ffi::types::DWORD;

use super::handles::{
    duplicate, is_synchronous, made, open, pending_read, pipe_name, read, read_all, wide, write,
};
use super::kernel::{Answer, Operation, Port, last_error};
use super::start::cancel_on;

/// `CreateNamedPipeW`, of a pipe that carries bytes or messages, with as many instances as are
/// said.
pub fn server(name: &str, kind: DWORD, instances: DWORD) -> OwnedHandle {
    let name = wide(name);
    let access = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED;
    let kind = kind | PIPE_REJECT_REMOTE_CLIENTS;
    // SAFETY: the name ends with a 0 and is there during the call.
    let handle = unsafe {
        ffi::kernel32::CreateNamedPipeW(name.as_ptr(), access, kind, instances, 64, 64, 0, null())
    };
    // SAFETY: it is what the call has just made.
    unsafe { made(handle) }.expect("a pipe")
}

/// `CreateFileW`, of a client that a port can have.
fn client(name: &str) -> Result<OwnedHandle, DWORD> {
    let flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
    open(name, GENERIC_READ | GENERIC_WRITE, OPEN_EXISTING, flags)
}

/// A client that waits for what it does.
pub fn plain_client(name: &str) -> File {
    OpenOptions::new().read(true).write(true).open(name).expect("the client's end")
}

/// The server's end of a new pipe of bytes, on a port, and the pipe's name.
fn listening() -> (Port, OwnedHandle, String) {
    let (port, name) = (Port::new(), pipe_name());
    let near = server(&name, PIPE_TYPE_BYTE, 1);
    port.associate(near.as_raw_handle(), 7);
    (port, near, name)
}

/// Both ends of a pipe of bytes, the server's on a port.
fn pair() -> (Port, OwnedHandle, File) {
    let (port, near, name) = listening();
    let far = plain_client(&name);
    (port, near, far)
}

/// `ConnectNamedPipe`.
pub fn connect(pipe: &OwnedHandle) -> (Operation, Answer) {
    let operation = Operation::new(Vec::new(), 0, std::ptr::null_mut());
    let (pipe, overlapped) = (pipe.as_raw_handle(), operation.overlapped());
    // SAFETY: the pipe is open, and the operation stays where it is until its packet was dequeued,
    // or for ever.
    let answer = Answer::of(unsafe { ffi::kernel32::ConnectNamedPipe(pipe, overlapped) } != FALSE);
    (operation, answer)
}

/// `DisconnectNamedPipe`.
fn disconnect(pipe: &OwnedHandle) {
    // SAFETY: the pipe is open during the call.
    let answer = unsafe { ffi::kernel32::DisconnectNamedPipe(pipe.as_raw_handle()) };
    assert_ne!(answer, FALSE, "error {}", last_error());
}

/// (91) A server that waits is told when its client comes.
/// <https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-connectnamedpipe>
#[test]
fn a_server_waits_for_its_client() {
    let (port, near, name) = listening();
    let (operation, answer) = connect(&near);
    assert_eq!(answer, Answer::Pending);
    port.assert_empty();
    let _far = client(&name).expect("the client's end");
    let end = port.end(operation);
    assert_eq!((end.key, end.status), (7, STATUS_SUCCESS));
}

/// (91) A client that was there first is an error that says so, without a packet: the pipe is
/// connected.
/// <https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-connectnamedpipe>
#[test]
fn a_client_that_was_there_first_is_connected_without_a_packet() {
    let (port, near, mut far) = pair();
    port.refused(connect(&near), &[ERROR_PIPE_CONNECTED]);
    far.write_all(b"hello").expect("sent");
    assert_eq!(port.end_of(read(&near, 16)).bytes, b"hello");
}

/// (91) One that came, wrote and went counts as connected too: what it has written can be read, and
/// then comes the end.
/// <https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-connectnamedpipe>
#[test]
fn a_client_that_came_and_went_has_left_its_bytes() {
    let (port, near, mut far) = pair();
    far.write_all(b"hello").expect("sent");
    drop(far);
    port.refused(connect(&near), &[ERROR_NO_DATA]);
    assert_eq!(port.end_of(read(&near, 16)).bytes, b"hello");
    port.refused(read(&near, 16), &[ERROR_BROKEN_PIPE]);
}

/// (92) A server that gives up waiting can wait again.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func>
#[test]
fn a_server_that_gives_up_can_wait_again() {
    let (port, near, name) = listening();
    let (operation, answer) = connect(&near);
    assert_eq!(answer, Answer::Pending);
    assert_eq!(cancel_on(near.as_raw_handle(), Some(&operation)), Ok(()));
    assert_eq!(port.end(operation).status, STATUS_CANCELLED);
    let (operation, answer) = connect(&near);
    assert_eq!(answer, Answer::Pending);
    let _far = client(&name).expect("the client's end");
    assert_eq!(port.end(operation).status, STATUS_SUCCESS);
}

/// (64, 93) Before there is a client nothing can be read.
/// <https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile>
#[test]
fn a_pipe_without_a_client_cannot_be_read() {
    let (port, near, _name) = listening();
    port.refused(read(&near, 16), &[ERROR_PIPE_LISTENING]);
    port.refused(write(&near, b"!"), &[ERROR_PIPE_LISTENING]);
}

/// (93) Disconnecting ends what is pending, on both ends, and refuses what comes later. What nobody
/// had read is gone. The server can wait for another client.
/// <https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-disconnectnamedpipe>
#[test]
fn a_pipe_that_is_disconnected_ends_on_both_sides_and_serves_another_client() {
    let (port, near, name) = listening();
    let far = client(&name).expect("the client's end");
    port.associate(far.as_raw_handle(), 8);
    let (reading, answering) = (pending_read(&near, 16), pending_read(&far, 16));
    disconnect(&near);
    // The order in which they end is not promised.
    let mut ended = [port.packet().operation, port.packet().operation];
    let mut started = [reading.address(), answering.address()];
    ended.sort_unstable();
    started.sort_unstable();
    assert_eq!(ended, started);
    assert_eq!([reading.status(), answering.status()], [STATUS_PIPE_DISCONNECTED; 2]);
    for end in [&near, &far] {
        port.refused(read(end, 16), &[ERROR_PIPE_NOT_CONNECTED]);
    }

    let (operation, answer) = connect(&near);
    assert_eq!(answer, Answer::Pending);
    let mut far = plain_client(&name);
    assert_eq!(port.end(operation).status, STATUS_SUCCESS);
    far.write_all(b"unread").expect("sent");
    disconnect(&near);
    let (operation, answer) = connect(&near);
    assert_eq!(answer, Answer::Pending);
    let mut far = plain_client(&name);
    assert_eq!(port.end(operation).status, STATUS_SUCCESS);
    far.write_all(b"read").expect("sent");
    assert_eq!(port.end_of(read(&near, 16)).bytes, b"read");
}

/// (94) When the peer closes its end, what is pending ends with a status that says so; so does what
/// comes later, at once and without a packet. That is the end of the stream.
/// <https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile>
#[test]
fn the_end_of_a_pipe_is_an_error() {
    let (port, near, far) = pair();
    let operation = pending_read(&near, 16);
    drop(far);
    let end = port.end(operation);
    assert_eq!((end.status, end.count), (STATUS_PIPE_BROKEN, 0));
    port.refused(read(&near, 16), &[ERROR_BROKEN_PIPE]);
    port.refused(write(&near, b"!"), &[ERROR_NO_DATA]);
}

/// (94) What was written before the end is read before it.
/// <https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile>
#[test]
fn what_was_written_before_the_end_of_a_pipe_is_read_before_it() {
    let (port, near, mut far) = pair();
    far.write_all(b"the last words").expect("sent");
    drop(far);
    assert_eq!(port.end_of(read(&near, 8)).bytes, b"the last");
    assert_eq!(port.end_of(read(&near, 8)).bytes, b" words");
    port.refused(read(&near, 8), &[ERROR_BROKEN_PIPE]);
}

/// (38, 95) A read outlives the handle that it was started with, as long as there is a duplicate;
/// and the peer's end is open as long as one of its duplicates is.
/// <https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-duplicatehandle>
#[test]
fn a_duplicate_keeps_a_pipe_open() {
    let (port, near, far) = pair();
    let (again, far_again) = (duplicate(&near), duplicate(&far));
    let operation = pending_read(&near, 16);
    drop(near);
    drop(far);
    port.assert_empty();
    File::from(far_again).write_all(b"hello").expect("sent");
    assert_eq!(port.end(operation).bytes, b"hello");
    // The last handle of the peer is closed by now.
    port.refused(read(&again, 16), &[ERROR_BROKEN_PIPE]);
}

/// (96) On a pipe of bytes nobody sees a write of none; a read without room waits for bytes, and
/// leaves them there.
/// <https://learn.microsoft.com/en-us/windows/win32/ipc/named-pipe-type-read-and-wait-modes>
#[test]
fn no_bytes_are_nothing_on_a_pipe_of_bytes() {
    let (port, near, mut far) = pair();
    let operation = pending_read(&near, 16);
    assert_eq!(far.write(b"").expect("nothing, sent"), 0);
    port.assert_empty();
    far.write_all(b"x").expect("sent");
    assert_eq!(port.end(operation).bytes, b"x");

    let operation = pending_read(&near, 0);
    far.write_all(b"hello").expect("sent");
    let end = port.end(operation);
    assert_eq!((end.status, end.count), (STATUS_SUCCESS, 0));
    assert_eq!(port.end_of(read(&near, 16)).bytes, b"hello");
}

/// (96) What is more than the pipe holds waits until it has been read.
/// <https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-createnamedpipew>
#[test]
fn a_write_beyond_the_quota_waits_for_the_reader() {
    const LONG: usize = 1 << 20;
    let (port, near, far) = pair();
    let (operation, answer) = write(&near, &[1; LONG]);
    assert_eq!(answer, Answer::Pending);
    port.assert_empty();
    assert_eq!(read_all(&far, LONG), [1; LONG]);
    let end = port.end(operation);
    assert_eq!((end.status, end.count), (STATUS_SUCCESS, LONG as u32));
}

/// (100) Nobody at a name is one error, nobody free is another, and waiting for somebody who is
/// free has an end.
/// <https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-waitnamedpipew>
#[test]
fn a_pipe_can_be_missing_or_busy() {
    let name = pipe_name();
    assert_eq!(client(&name).err(), Some(ERROR_FILE_NOT_FOUND));
    let _near = server(&name, PIPE_TYPE_BYTE, 1);
    let _far = client(&name).expect("the client's end");
    assert_eq!(client(&name).err(), Some(ERROR_PIPE_BUSY));
    let wide = wide(&name);
    // SAFETY: the name ends with a 0 and is there until the call returns.
    let answer = unsafe { ffi::kernel32::WaitNamedPipeW(wide.as_ptr(), 10) };
    assert_eq!((answer, last_error()), (FALSE, ERROR_SEM_TIMEOUT));
}

/// (7, 85) A pipe's end that was not opened for overlapped operations cannot be put on a port, and
/// how it was opened says why.
/// <https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntifs/ns-ntifs-_file_mode_information>
#[test]
fn how_a_pipe_was_opened_tells_why_a_port_refuses_it() {
    let (_port, near, far) = pair();
    assert_eq!([is_synchronous(&near), is_synchronous(&far)], [false, true]);
}
