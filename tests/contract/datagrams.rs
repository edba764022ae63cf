//! `WSARecv` on UDP: what comes is a datagram or part of one, and 0 bytes are not an end.
#![allow(unsafe_code, reason = "it asks for an option that std does not know")]

use std::net::UdpSocket;
use std::time::Duration;

use overlapped::ffi;
use overlapped::ffi::constants::{
    SO_PROTOCOL_INFOW, SOL_SOCKET, WSAECONNRESET, WSAEMSGSIZE, XP1_IFS_HANDLES,
};
use overlapped::ffi::ntstatus::{STATUS_BUFFER_OVERFLOW, STATUS_SUCCESS};
use overlapped::ffi::types::WSAPROTOCOL_INFOW;

use super::kernel::{Answer, DEADLINE, Port, handle_of, last_error, raw};
use super::start::{pending, receive, skip_on_success};

/// A socket that is on a port, and another that sends to it.
pub fn two() -> (Port, UdpSocket, UdpSocket) {
    let (port, near) = (Port::new(), UdpSocket::bind("127.0.0.1:0").expect("a socket"));
    let far = UdpSocket::bind("127.0.0.1:0").expect("another socket");
    far.connect(near.local_addr().expect("its address")).expect("connected");
    near.set_read_timeout(Some(Duration::from_millis(DEADLINE.into()))).expect("a time limit");
    port.associate(handle_of(&near), 7);
    (port, near, far)
}

/// (56) Of a datagram that is too long the beginning comes, with a warning; the rest is gone.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn a_datagram_that_is_too_long_is_cut() {
    let (port, near, far) = two();
    let operation = pending(&near, 4);
    far.send(b"datagram").expect("sent");
    let end = port.end(operation);
    // MSG_PARTIAL, 0x8000, can stand there after an immediate success.
    println!("flags afterwards: {:#x}", end.flags);
    assert_eq!((end.status, end.bytes), (STATUS_BUFFER_OVERFLOW, b"data".to_vec()));

    let operation = pending(&near, 16);
    far.send(b"next").expect("sent");
    assert_eq!(port.end(operation).bytes, b"next");
}

/// (30, 65) When it was there before the call, the call fails with 10040 or is pending, and a
/// packet comes either way: this is one of two errors after which one does, for they are warnings.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn a_datagram_that_is_cut_at_once_is_an_error_and_a_packet() {
    let (port, near, far) = two();
    far.send(b"datagram").expect("sent");
    near.peek(&mut [0; 16]).expect("a datagram before the deadline");
    let (operation, answer) = receive(&near, 4);
    println!("the call says {answer:?}");
    // The status tells it from an operation that was refused. On Windows it may be written only
    // when the packet is dequeued, but then the call says that the operation is pending.
    let told = answer == Answer::Failed(WSAEMSGSIZE) && operation.has_begun();
    assert!(told || matches!(answer, Answer::AtOnce | Answer::Pending));
    let end = port.end(operation);
    assert_eq!((end.status, end.bytes), (STATUS_BUFFER_OVERFLOW, b"data".to_vec()));
    port.assert_empty();
}

/// (57) A datagram without bytes is a datagram: UDP has no end of a stream.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn a_datagram_without_bytes_is_no_end() {
    let (port, near, far) = two();
    for sent in [&b""[..], b"more"] {
        let operation = pending(&near, 16);
        far.send(sent).expect("sent");
        let end = port.end(operation);
        assert_eq!((end.status, end.bytes), (STATUS_SUCCESS, sent.to_vec()));
    }
}

/// (40) A receive without room is no way to wait here: unlike on a stream it eats the datagram.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn a_receive_without_room_eats_a_datagram() {
    let (port, near, far) = two();
    let operation = pending(&near, 0);
    far.send(b"eaten").expect("sent");
    let end = port.end(operation);
    println!("without room: {:#010x}", end.status);
    assert_eq!(end.count, 0);
    let operation = pending(&near, 16);
    far.send(b"next").expect("sent");
    assert_eq!(port.end(operation).bytes, b"next");
}

/// (58) Nobody at the address that was sent to: on Windows that comes back as a reset, on a receive
/// that has nothing to do with it. Other systems keep it to themselves. The socket goes on either
/// way.
/// <https://learn.microsoft.com/en-us/windows/win32/winsock/winsock-ioctls>
#[test]
fn a_datagram_to_nobody_comes_back_as_a_reset_of_a_receive() {
    let (port, near, far) = two();
    let nobody = UdpSocket::bind("127.0.0.1:0").expect("a socket").local_addr().expect("its own");
    near.send_to(b"hello?", nobody).expect("sent");
    far.send(b"datagram").expect("sent");
    loop {
        let (operation, answer) = receive(&near, 16);
        if let Answer::Failed(error) = answer {
            println!("the call says {error}");
            assert_eq!(error, WSAECONNRESET);
            continue;
        }
        let end = port.end(operation);
        if end.status == STATUS_SUCCESS {
            break assert_eq!(end.bytes, b"datagram");
        }
        println!("a receive ended with {:#010x}", end.status);
    }
}

/// (59) With packets skipped on success, a datagram that is cut leaves open whether a packet comes:
/// the call has failed with an error after which one comes otherwise. So this is not for UDP.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-setfilecompletionnotificationmodes>
#[test]
fn a_datagram_that_is_cut_leaves_open_whether_a_packet_comes() {
    let (port, near, far) = two();
    skip_on_success(&near);
    far.send(b"datagram").expect("sent");
    near.peek(&mut [0; 16]).expect("a datagram before the deadline");
    let (operation, answer) = receive(&near, 4);
    // A packet of the call itself is in the port before this one.
    port.post(0, 0, 0);
    let came = port.packet().operation == operation.address();
    println!("the call says {answer:?}, and a packet came: {came}");
    // The operation is leaked, since nobody can say whether it has ended.
}

/// (59) Nor is it for sockets that are not the kernel's own handles, which layers above a provider
/// can make. A socket says which it is.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/ns-winsock2-wsaprotocol_infow>
#[test]
fn a_socket_says_whether_it_is_a_handle_of_the_kernel() {
    let (_port, near, _far) = two();
    let mut room = Box::<WSAPROTOCOL_INFOW>::new_uninit();
    let mut length = size_of::<WSAPROTOCOL_INFOW>() as i32;
    let (socket, value) = (raw(&near), room.as_mut_ptr().cast());
    // SAFETY: the socket is open, and there is room for the answer during the call.
    let answer = unsafe {
        ffi::ws2_32::getsockopt(socket, SOL_SOCKET, SO_PROTOCOL_INFOW, value, &mut length)
    };
    assert_eq!(answer, 0, "error {}", last_error());
    assert_eq!(length as usize, size_of::<WSAPROTOCOL_INFOW>());
    // SAFETY: the call has written all of it, and it is made of integers.
    let information = unsafe { room.assume_init() };
    println!("IFS handles: {}", information.dwServiceFlags1 & XP1_IFS_HANDLES != 0);
    assert_eq!(information.iAddressFamily, 2);
}
