//! Named pipes that carry messages: what one write has written, one read reads, or its beginning.
#![allow(unsafe_code, reason = "it makes the calls that the tests are about")]

use std::fs::File;
use std::io::Write;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};

use overlapped::ffi;
use overlapped::ffi::constants::{
    ERROR_BAD_PIPE, ERROR_BROKEN_PIPE, ERROR_MORE_DATA, FALSE, PIPE_READMODE_BYTE,
    PIPE_READMODE_MESSAGE, PIPE_SERVER_END, PIPE_TYPE_BYTE, PIPE_TYPE_MESSAGE,
};
use overlapped::ffi::ntstatus::{STATUS_BUFFER_OVERFLOW, STATUS_SUCCESS};
use overlapped::ffi::types::DWORD;

use super::handles::{pending_read, pipe_name, read, read_all, read_some, write};
use super::kernel::{Answer, Operation, Port, last_error};
use super::pipes::{plain_client, server};

/// Both ends of a pipe, the server's on a port.
fn pair(kind: DWORD) -> (Port, OwnedHandle, File) {
    let (port, name) = (Port::new(), pipe_name());
    let near = server(&name, kind, 1);
    port.associate(near.as_raw_handle(), 7);
    (port, near, plain_client(&name))
}

/// The same, where the server reads a message at a time.
fn messages() -> (Port, OwnedHandle, File) {
    pair(PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE)
}

/// `SetNamedPipeHandleState`.
fn set_mode(pipe: &impl AsRawHandle, mode: DWORD) {
    // SAFETY: the pipe is open, and the mode is there during the call.
    let answer = unsafe {
        ffi::kernel32::SetNamedPipeHandleState(pipe.as_raw_handle(), &mode, null(), null())
    };
    assert_ne!(answer, FALSE, "error {}", last_error());
}

/// (30, 65, 97) A message that is longer than the room is an error, 234, or pending, and the packet
/// comes either way, with the beginning. The rest of the message is there for the next read.
/// <https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile>
#[test]
fn a_message_that_is_cut_at_once_is_an_error_and_a_packet() {
    let (port, near, mut far) = messages();
    far.write_all(b"messages").expect("sent");
    for (expected, cut) in [(b"mess", true), (b"ages", false)] {
        let (operation, answer) = read(&near, 4);
        println!("the call says {answer:?}");
        let more = answer == Answer::Failed(ERROR_MORE_DATA as i32);
        let told = more && cut && operation.has_begun();
        assert!(told || matches!(answer, Answer::AtOnce | Answer::Pending));
        let end = port.end(operation);
        assert_eq!((end.status == STATUS_BUFFER_OVERFLOW, &end.bytes[..]), (cut, &expected[..]));
    }
    port.assert_empty();
}

/// (65, 97) A read that waits is told the same in its packet.
/// <https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile>
#[test]
fn a_message_that_is_cut_later_says_so_in_the_packet() {
    let (port, near, mut far) = messages();
    let operation = pending_read(&near, 4);
    far.write_all(b"messages").expect("sent");
    let end = port.end(operation);
    assert_eq!((end.status, end.bytes), (STATUS_BUFFER_OVERFLOW, b"mess".to_vec()));
    assert_eq!(port.end_of(read(&near, 16)).bytes, b"ages");
}

/// (97) A message without bytes is a message, and no end. The end is an error, as on any pipe.
/// <https://learn.microsoft.com/en-us/windows/win32/ipc/named-pipe-type-read-and-wait-modes>
#[test]
fn a_message_without_bytes_is_no_end() {
    let (port, near, mut far) = messages();
    assert_eq!(far.write(b"").expect("a message, sent"), 0);
    let end = port.end_of(read(&near, 16));
    assert_eq!((end.status, end.count), (STATUS_SUCCESS, 0));
    far.write_all(b"more").expect("sent");
    assert_eq!(port.end_of(read(&near, 16)).bytes, b"more");
    drop(far);
    port.refused(read(&near, 16), &[ERROR_BROKEN_PIPE]);
}

/// (97) A client reads bytes, across the borders of messages, until it says otherwise. From then on
/// one read reads one message.
/// <https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-setnamedpipehandlestate>
#[test]
fn a_client_reads_bytes_until_it_asks_for_messages() {
    let (port, near, far) = messages();
    let send_two = || {
        for message in [b"ab", b"cd"] {
            port.end_of(write(&near, message));
        }
    };
    send_two();
    assert_eq!(read_all(&far, 3), b"abc");
    assert_eq!(read_all(&far, 1), b"d");

    set_mode(&far, PIPE_READMODE_MESSAGE);
    send_two();
    assert_eq!([read_some(&far, 16), read_some(&far, 16)], [b"ab", b"cd"]);
}

/// (97) A pipe says what it is, and how much there is to read.
/// <https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-peeknamedpipe>
#[test]
fn a_pipe_tells_what_it_is_and_what_it_holds() {
    let (port, near, mut far) = messages();
    let (mut flags, mut outgoing, mut incoming, mut instances) = (0, 0, 0, 0);
    let pipe = near.as_raw_handle();
    // SAFETY: the pipe is open, and all four have room during the call.
    let answer = unsafe {
        ffi::kernel32::GetNamedPipeInfo(
            pipe,
            &mut flags,
            &mut outgoing,
            &mut incoming,
            &mut instances,
        )
    };
    assert_ne!(answer, FALSE, "error {}", last_error());
    println!("flags {flags:#x}, {outgoing} bytes out, {incoming} in, {instances} instances");
    assert_eq!(flags & (PIPE_SERVER_END | PIPE_TYPE_MESSAGE), PIPE_SERVER_END | PIPE_TYPE_MESSAGE);
    assert_eq!(instances, 1);

    far.write_all(b"messages").expect("sent");
    let (mut room, mut count, mut there, mut left) = ([0_u8; 4], 0, 0, 0);
    let start = room.as_mut_ptr().cast();
    // SAFETY: the pipe is open, and the bytes and the three counts have room during the call.
    let answer =
        unsafe { ffi::kernel32::PeekNamedPipe(pipe, start, 4, &mut count, &mut there, &mut left) };
    println!("a look: {answer}, {count} of {there} bytes, and {left} left of the message");
    assert_eq!((&room, count, there), (b"mess", 4, 8));
    assert_eq!(port.end_of(read(&near, 16)).bytes, b"messages");
}

/// `TransactNamedPipe`. What is sent outlives the operation.
fn transact(pipe: &OwnedHandle, question: &'static [u8], room: usize) -> (Operation, Answer) {
    let operation = Operation::new(vec![0; room], 0, null_mut());
    let (pipe, overlapped) = (pipe.as_raw_handle(), operation.overlapped());
    let (buffer, size, count) = (operation.buffer().cast(), operation.length(), null_mut());
    let (out, length) = (question.as_ptr().cast(), question.len() as u32);
    // SAFETY: the pipe is open. The question is there for ever; the room and the operation stay
    // where they are until the packet was dequeued, or for ever.
    let answer = unsafe {
        ffi::kernel32::TransactNamedPipe(pipe, out, length, buffer, size, count, overlapped)
    };
    let answer = Answer::of(answer != FALSE);
    (operation, answer)
}

/// (97) A question and its answer are one operation, on a pipe that carries messages and is read
/// so.
/// <https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-transactnamedpipe>
#[test]
fn a_question_and_its_answer_are_one_operation() {
    let (port, near, mut far) = messages();
    let (operation, answer) = transact(&near, b"question", 16);
    assert_eq!(answer, Answer::Pending);
    assert_eq!(read_some(&far, 16), b"question");
    far.write_all(b"answer").expect("sent");
    let end = port.end(operation);
    assert_eq!((end.status, end.bytes), (STATUS_SUCCESS, b"answer".to_vec()));

    let (port, near, _far) = pair(PIPE_TYPE_BYTE | PIPE_READMODE_BYTE);
    port.refused(transact(&near, b"question", 16), &[ERROR_BAD_PIPE]);
}
