//! How an operation ends when the connection does, or the socket, or the thread.
#![allow(unsafe_code, reason = "it sets an option that std does not set")]

use std::io::Write;
use std::net::TcpStream;

use overlapped::ffi;
use overlapped::ffi::constants::SOL_SOCKET;
use overlapped::ffi::ntstatus::{STATUS_CONNECTION_RESET, STATUS_SUCCESS};

use super::alone::alone;
use super::kernel::{Answer, connected, raw};
use super::start::{pending, receive, send};

/// Sets one of the options that are two numbers of 16 bits, or one of 32.
fn set(stream: &TcpStream, option: i32, value: [u16; 2]) {
    let socket = raw(stream);
    // SAFETY: the socket is open, and the value is 4 bytes that are read during the call.
    let answer = unsafe {
        ffi::ws2_32::setsockopt(socket, SOL_SOCKET, option, (&raw const value).cast(), 4)
    };
    assert_eq!(answer, 0, "error {}", super::kernel::last_error());
}

/// Closes with a reset in place of an orderly end: that is what lingering for no time does.
pub fn reset(stream: TcpStream) {
    const SO_LINGER: i32 = 0x80;
    set(&stream, SO_LINGER, [1, 0]);
}

/// (35) The end of the stream is a success of 0 bytes, as often as one asks.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn the_end_of_the_stream_is_a_success_again_and_again() {
    let (port, near, far) = connected();
    let mut operation = pending(&near, 16);
    drop(far);
    for _ in 0..3 {
        let end = port.end(operation);
        assert_eq!((end.status, end.count), (STATUS_SUCCESS, 0));
        operation = receive(&near, 16).0;
    }
}

/// (36) A reset ends what is pending with a status of its own, which is the kernel's and not yet
/// Winsock's 10054.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn a_reset_ends_a_pending_receive_with_an_error() {
    let (port, near, far) = connected();
    let operation = pending(&near, 16);
    reset(far);
    let end = port.end(operation);
    assert_eq!((end.status, end.count), (STATUS_CONNECTION_RESET, 0));
}

/// (37) Closing the socket on this side ends what is pending, with one packet; only that it failed
/// is certain. Windows says cancelled or 64, Wine has a mere warning, 8000000A: so a status that is
/// not an error does not prove that bytes came.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-closesocket>
#[test]
fn closing_the_socket_ends_a_pending_receive() {
    let (port, near, _far) = connected();
    let operation = pending(&near, 16);
    drop(near);
    let end = port.end(operation);
    // Windows says C0000241, CONNECTION_ABORTED; older ones C000013B, and Wine 8000000A.
    println!("after closesocket: {:#010x}", end.status);
    assert!(end.status < 0, "{end:?}");
    assert_eq!(end.count, 0);
    port.assert_empty();
}

/// (38) A socket is closed when the last of its duplicates is. Until then nothing ends.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaduplicatesocketw>
#[test]
fn closing_one_of_two_duplicates_ends_nothing() {
    let (port, near, mut far) = connected();
    let duplicate = near.try_clone().expect("a duplicate");
    let (first, second) = (pending(&near, 16), pending(&near, 16));
    drop(duplicate);
    port.assert_empty();
    far.write_all(b"!").expect("sent");
    assert_eq!(port.end(first).bytes, b"!");
    drop(near);
    assert!(port.end(second).status < 0);
}

/// (38) That holds for the handle too that the operation was started with: it is the socket's.
///
/// Wine looks the number up again when data comes, and ends with C0000008, no such handle; were
/// the number in use again, it would look there. So the test runs alone.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsaduplicatesocketw>
#[test]
fn an_operation_outlives_the_handle_that_it_was_started_with() {
    alone("ends::an_operation_outlives_the_handle_that_it_was_started_with", || {
        let (port, near, mut far) = connected();
        let _duplicate = near.try_clone().expect("a duplicate");
        let operation = pending(&near, 16);
        drop(near);
        port.assert_empty();
        far.write_all(b"!").expect("sent");
        let end = port.end(operation);
        println!("after its handle was closed: {:#010x}, {} bytes", end.status, end.count);
        assert!(end.bytes == b"!" || (end.status < 0 && end.count == 0));
    })
    .assert_fine();
}

/// (47) An operation outlives the thread that has started it, when its socket is on a port.
///
/// Wine loses a receive whose thread ends just as the bytes arrive, and says 00000101 of it: its
/// threads do the receiving for the kernel. And it holds without an event only: with one, the operation
/// ends with its thread.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/canceling-pending-i-o-operations>
#[test]
fn an_operation_outlives_its_thread() {
    let (port, near, mut far) = connected();
    let start = || {
        let operation = pending(&near, 16);
        // A pointer does not go from thread to thread by itself; its address comes in the packet.
        operation.address()
    };
    let address = std::thread::scope(|scope| scope.spawn(start).join()).expect("started");
    far.write_all(b"hello").expect("sent");
    let packet = port.packet();
    println!("after the end of its thread: {:#010x}, {} bytes", packet.status, packet.count);
    assert_eq!(packet.operation, address);
    assert!(matches!((packet.status, packet.count), (STATUS_SUCCESS, 5) | (0x101, _)));
}

/// (48) A packet that tells of a failure can carry bytes: of a long send, what went out before the
/// reset. How many that were depends on the buffers on the way.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasend>
#[test]
fn an_operation_that_failed_can_have_moved_bytes() {
    const SO_SNDBUF: i32 = 0x1001;
    const LENGTH: usize = 64 << 20;
    let (port, near, far) = connected();
    // So that Windows does not take a copy of it all and say that it is done.
    set(&near, SO_SNDBUF, [0, 0]);
    let (operation, answer) = send(&near, vec![0; LENGTH]);
    assert_eq!(answer, Answer::Pending);
    port.assert_empty();
    reset(far);
    let end = port.end(operation);
    println!("a send that failed with {:#010x} has sent {} bytes", end.status, end.count);
    assert!(end.status < 0 && (end.count as usize) < LENGTH, "{:#010x}", end.status);
}
