//! How an operation ends when the connection does, or the socket, or the thread.
#![allow(unsafe_code, reason = "it sets an option that std does not set")]

use std::io::Write;
use std::net::{Shutdown, TcpStream};
use std::os::windows::io::AsRawHandle;

use overlapped::ffi;
use overlapped::ffi::constants::{SO_SNDBUF, SOL_SOCKET};
use overlapped::ffi::ntstatus::{
    STATUS_CANCELLED, STATUS_CONNECTION_RESET, STATUS_PENDING, STATUS_SUCCESS,
};

use super::accept_connect::{accept, listening, stream};
use super::alone::alone;
use super::kernel::{Answer, Operation, Port, connected, handle_of, raw};
use super::start::{Receive, event, pending, receive, send};

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

/// (35) Bytes that came before the end are received before it, whatever this side has shut down.
///
/// When it has shut down writing, and several receives are pending, Wine may end the later ones
/// with 0 bytes although bytes remain; those that are started afterwards bring the bytes.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn what_came_before_the_end_of_the_stream_is_received_before_it() {
    let (port, near, mut far) = connected();
    near.shutdown(Shutdown::Write).expect("shut down");
    let operations = [(); 3].map(|()| pending(&near, 4));
    far.write_all(b"0123456789ab").expect("sent");
    drop(far);
    let mut received = Vec::new();
    for operation in operations {
        let end = port.end(operation);
        assert_eq!(end.status, STATUS_SUCCESS);
        println!("a receive that was pending has brought {:?}", end.bytes);
        received.extend(end.bytes);
    }
    loop {
        let end = port.end(receive(&near, 4).0);
        assert_eq!(end.status, STATUS_SUCCESS);
        if end.count == 0 {
            break;
        }
        received.extend(end.bytes);
    }
    assert_eq!(received, b"0123456789ab");
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
/// is certain. The page has it cancelled; Windows says CONNECTION_ABORTED, C0000241, older ones
/// LOCAL_DISCONNECT, C000013B, or what becomes 64. Wine has a mere warning, 8000000A: so a status
/// that is not an error does not prove that bytes came.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
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

/// (37) It does the same to an accept of a listener, where Windows calls it cancelled.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-closesocket>
#[test]
fn closing_a_listener_ends_a_pending_accept() {
    let (port, (listener, _address)) = (Port::new(), listening());
    let accepted = stream();
    port.associate(handle_of(&listener), 7);
    let (operation, answer) = accept(&listener, &accepted);
    assert_eq!(answer, Answer::Pending);
    drop(listener);
    let end = port.end(operation);
    println!("after closesocket: {:#010x}", end.status);
    assert!(end.status < 0, "{end:?}");
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
        assert!(end.bytes == b"!" || end.status < 0);
    })
    .assert_fine();
}

/// (47) An operation outlives the thread that has started it, when its socket is on a port and it
/// has no event.
///
/// Wine loses a receive whose thread ends just as the bytes arrive: its threads do the receiving
/// for the kernel. A packet comes, and the operation reads pending for ever.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/canceling-pending-i-o-operations>
#[test]
fn an_operation_outlives_its_thread() {
    let (port, near, mut far) = connected();
    let start = || pending(&near, 16);
    let operation = std::thread::scope(|scope| scope.spawn(start).join()).expect("started");
    far.write_all(b"hello").expect("sent");
    let packet = port.packet();
    let status = operation.status();
    println!("after the end of its thread: {status:#010x}, {} bytes", packet.count);
    assert_eq!(packet.operation, operation.address());
    // It is leaked, since it may not have ended.
    assert!(matches!((status, packet.count), (STATUS_SUCCESS, 5) | (STATUS_PENDING, _)));
}

/// (47) With an event it may end with its thread, cancelled, although its socket is on a port: the
/// page says that the end of a thread cancels what it has started, and makes no exception.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn an_operation_with_an_event_may_end_with_its_thread() {
    let (port, near, mut far) = connected();
    let event = event();
    let start = || {
        let handle = event.as_raw_handle();
        Receive { event: handle, ..Receive::of(16) }.start(&near)
    };
    let (operation, answer) =
        std::thread::scope(|scope| scope.spawn(start).join()).expect("started");
    assert_eq!(answer, Answer::Pending);
    far.write_all(b"hello").expect("sent");
    let packet = port.packet();
    let status = operation.status();
    println!("with an event, after the end of its thread: {status:#010x}, {}", packet.count);
    assert_eq!(packet.operation, operation.address());
    assert!([STATUS_CANCELLED, STATUS_SUCCESS].contains(&status));
}

/// A send that is pending, and stays so until the peer does something: without a buffer of the
/// socket's Windows takes no copy of it all, and its loopback takes up to 2.6 MB.
#[track_caller]
pub fn long_send(stream: &TcpStream) -> Operation {
    set(stream, SO_SNDBUF, [0, 0]);
    let (operation, answer) = send(stream, vec![0; LONG]);
    assert_eq!(answer, Answer::Pending);
    operation
}

const LONG: usize = 64 << 20;

/// (48) The packet of a failure has a count too, and nobody says what it means: Wine counts what
/// went out of a long send before the reset, which depends on the buffers on the way.
/// <https://learn.microsoft.com/en-us/windows/win32/api/minwinbase/ns-minwinbase-overlapped>
#[test]
fn the_count_of_an_operation_that_failed_means_nothing_certain() {
    let (port, near, far) = connected();
    let operation = long_send(&near);
    port.assert_empty();
    reset(far);
    let end = port.end(operation);
    println!("a send that failed with {:#010x} says {} of {LONG} bytes", end.status, end.count);
    assert!(end.status < 0, "{:#010x}", end.status);
}
