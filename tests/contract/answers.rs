//! `WSARecv` with something wrong: the call says what, and no packet comes.
#![allow(unsafe_code, reason = "it gives the call what it must not be given")]

use std::io::Write;
use std::net::Shutdown;
use std::os::windows::io::AsRawSocket;
use std::ptr::{null_mut, without_provenance_mut};

use overlapped::ffi;
use overlapped::ffi::constants::{
    WSA_FLAG_OVERLAPPED, WSAECONNRESET, WSAEFAULT, WSAENOTCONN, WSAENOTSOCK, WSAESHUTDOWN,
};
use overlapped::ffi::types::WSABUF;

use super::ends::reset;
use super::kernel::{Answer, BOGUS, Operation, connected, handle_of, raw};
use super::receive::wait_for_data;
use super::start::{receive, send, socket};

/// (30) An error is the whole answer: no packet follows. (The two exceptions are in `datagrams`
/// and `pipes`.)
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn a_receive_that_fails_at_once_brings_no_packet() {
    struct NoSocket;
    impl AsRawSocket for NoSocket {
        fn as_raw_socket(&self) -> std::os::windows::io::RawSocket {
            BOGUS.addr() as _
        }
    }
    let (port, _near, _far) = connected();
    assert_eq!(receive(&NoSocket, 16).1, Answer::Failed(WSAENOTSOCK));
    port.assert_empty();
}

/// (30) A reset that had arrived before the call is such an error. (Wine 8 queues a packet like
/// that of the end of the stream.)
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn a_receive_after_a_reset_fails_at_once() {
    let (port, near, far) = connected();
    reset(far);
    // std's own look waits until the reset is there.
    println!("std says {:?}", near.peek(&mut [0; 1]));
    let (operation, answer) = receive(&near, 16);
    println!("after a reset: {answer:?}");
    if let Answer::Failed(error) = answer {
        assert_eq!(error, WSAECONNRESET);
        port.assert_empty();
    } else {
        assert_eq!(port.end(operation).count, 0);
    }
}

/// (64) What is refused at once has not begun: the status stays as the caller has left it, and no
/// packet comes. The layer relies on this when it takes back what was refused.
/// <https://learn.microsoft.com/en-us/windows/win32/api/minwinbase/ns-minwinbase-overlapped>
#[test]
fn what_is_refused_at_once_has_not_begun() {
    let (port, near, far) = connected();
    let lonely = socket(WSA_FLAG_OVERLAPPED);
    port.associate(handle_of(&lonely), 8);
    near.shutdown(Shutdown::Both).expect("shut down");
    let refused =
        [receive(&lonely, 16), send(&lonely, vec![1]), receive(&near, 16), send(&near, vec![1])];
    for (operation, answer) in refused {
        // Wine 8 takes a send on a socket that was never connected for one after a reset.
        let refused = Answer::Failed(WSAECONNRESET) == answer
            || matches!(answer, Answer::Failed(WSAENOTCONN | WSAESHUTDOWN));
        assert!(refused, "{answer:?}");
        // The guide to completion ports lets the status be written here, and only here, without a
        // packet; then it is an error.
        println!("its status: {:#010x}", operation.status());
        assert!(!operation.has_begun() || operation.status() as u32 >> 30 == 0b11);
    }
    port.assert_empty();
    drop(far);
}

/// (41) A socket that is not connected, or that was told not to receive any more, says so.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn a_receive_in_the_wrong_state_fails_at_once() {
    let (port, near, _far) = connected();
    let lonely = socket(WSA_FLAG_OVERLAPPED);
    port.associate(handle_of(&lonely), 8);
    assert_eq!(receive(&lonely, 16).1, Answer::Failed(WSAENOTCONN));
    near.shutdown(Shutdown::Read).expect("shut down");
    assert_eq!(receive(&near, 16).1, Answer::Failed(WSAESHUTDOWN));
    port.assert_empty();
}

/// (42) A pointer that leads to no memory is an error and no crash: the kernel looks before it
/// writes. It cannot know whose memory it is that it finds.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn a_receive_into_no_memory_fails_at_once() {
    let (port, near, mut far) = connected();
    far.write_all(b"hello").expect("sent");
    wait_for_data(&near);
    let operation = Operation::new(Vec::new(), 0, null_mut());
    let (flags, _) = operation.flags_and_count();
    let (socket, overlapped) = (raw(&near), operation.overlapped());
    // No process has memory at address 1.
    let nowhere = WSABUF { len: 16, buf: without_provenance_mut(1) };
    // SAFETY: the socket is open, and the operation is leaked. The room is none, so that nothing of
    // ours can be written: that this is an error is what the test shows.
    let answer = Answer::of(
        unsafe { ffi::ws2_32::WSARecv(socket, &nowhere, 1, null_mut(), flags, overlapped, None) }
            == 0,
    );
    assert_eq!(answer, Answer::Failed(WSAEFAULT));
    port.assert_empty();
}
