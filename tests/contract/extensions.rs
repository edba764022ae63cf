//! What a provider has besides: whole messages, a file from disk to peer, and the end of a
//! connection.
#![allow(unsafe_code, reason = "it makes the calls that the tests are about")]

use std::io::{Read, Write};
use std::net::UdpSocket;
use std::os::windows::io::AsRawHandle;
use std::ptr::null_mut;
use std::time::Duration;

use overlapped::ffi::constants::{FALSE, GENERIC_READ, MSG_TRUNC, OPEN_EXISTING, WSAENOTCONN};
use overlapped::ffi::mswsock::{
    LPFN_DISCONNECTEX, LPFN_TRANSMITFILE, LPFN_WSARECVMSG, LPFN_WSASENDMSG, WSAID_DISCONNECTEX,
    WSAID_TRANSMITFILE, WSAID_WSARECVMSG, WSAID_WSASENDMSG,
};
use overlapped::ffi::ntstatus::{STATUS_BUFFER_OVERFLOW, STATUS_SUCCESS};
use overlapped::ffi::types::{TRANSMIT_FILE_BUFFERS, WSABUF, WSAMSG};

use super::accept_connect::{function, stream};
use super::datagrams::two;
use super::handles::{Folder, open};
use super::kernel::{Answer, DEADLINE, Operation, connected, raw};

/// A message, with all that it leads to. It is leaked, since it is lent.
fn message(operation: &Operation) -> *mut WSAMSG {
    let name = Box::leak(Box::new([0_u64; 8]));
    let buffer = WSABUF { len: operation.length(), buf: operation.buffer() };
    Box::leak(Box::new(WSAMSG {
        name: name.as_mut_ptr().cast(),
        namelen: size_of_val(name) as i32,
        lpBuffers: Box::leak(Box::new(buffer)),
        dwBufferCount: 1,
        Control: WSABUF { len: 0, buf: null_mut() },
        dwFlags: 0,
    }))
}

/// `WSARecvMsg`.
fn receive_message(socket: &UdpSocket, room: usize) -> (Operation, Answer, *mut WSAMSG) {
    let call: LPFN_WSARECVMSG = function(socket, &WSAID_WSARECVMSG);
    let operation = Operation::new(vec![0; room], 0, null_mut());
    let message = message(&operation);
    let (socket, overlapped) = (raw(socket), operation.overlapped());
    // SAFETY: the socket is open. The message and all that it leads to, and the operation, stay
    // where they are until the packet was dequeued, or for ever; nobody touches them before.
    let answer = Answer::of(unsafe { call(socket, message, null_mut(), overlapped, None) } == 0);
    (operation, answer, message)
}

/// (69, 71) A whole message is told with its sender, and with a flag if it was cut; all is written
/// when the datagram comes. (Wine has no flag, but the status says it.)
/// <https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nc-mswsock-lpfn_wsarecvmsg>
#[test]
fn a_message_says_who_has_sent_it_and_whether_it_was_cut() {
    let (port, near, far) = two();
    for (sent, room, cut) in [(&b"datagram"[..], 16, false), (b"datagram", 4, true)] {
        let (operation, answer, message) = receive_message(&near, room);
        assert_eq!(answer, Answer::Pending);
        far.send(sent).expect("sent");
        let end = port.end(operation);
        let status = if cut { STATUS_BUFFER_OVERFLOW } else { STATUS_SUCCESS };
        assert_eq!((end.status, &end.bytes[..]), (status, &sent[..room.min(sent.len())]));
        // SAFETY: the packet has been dequeued, and the memory is never freed.
        let message = unsafe { &*message };
        println!("flags {:#x}, and {} bytes of a name", message.dwFlags, message.namelen);
        assert_eq!(message.namelen, 16);
        assert!(cut || message.dwFlags & MSG_TRUNC == 0);
    }
}

/// `WSASendMsg` sends what `WSARecvMsg` receives, to the peer of a socket that is connected.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasendmsg>
#[test]
fn a_message_can_be_sent_to_the_peer() {
    let (port, near, far) = two();
    near.connect(far.local_addr().expect("its address")).expect("connected");
    far.set_read_timeout(Some(Duration::from_millis(DEADLINE.into()))).expect("a time limit");
    let call: LPFN_WSASENDMSG = function(&near, &WSAID_WSASENDMSG);
    let operation = Operation::new(b"message".to_vec(), 0, null_mut());
    let message = message(&operation);
    // SAFETY: the memory was leaked, and no call has been given it yet.
    let to = unsafe { &mut *message };
    (to.name, to.namelen) = (null_mut(), 0);
    let (socket, overlapped) = (raw(&near), operation.overlapped());
    // SAFETY: the socket is open. The message and all that it leads to, and the operation, stay
    // where they are until the packet was dequeued, or for ever.
    let answer = Answer::of(unsafe { call(socket, message, 0, null_mut(), overlapped, None) } == 0);
    assert_eq!(port.end_of((operation, answer)).count, 7);
    let mut room = [0; 16];
    assert_eq!(far.recv(&mut room).expect("the datagram"), 7);
    assert_eq!(&room[..7], b"message");
}

/// (118) A file goes out with something before it and after it, as one operation, that counts it
/// all.
/// <https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nf-mswsock-transmitfile>
#[test]
fn a_file_is_sent_with_what_goes_around_it() {
    let (folder, (port, near, mut far)) = (Folder::new(), connected());
    std::fs::write(folder.file("file"), b"0123456789").expect("the bytes of the file");
    let file = open(folder.file("file"), GENERIC_READ, OPEN_EXISTING, 0).expect("the file");
    let call: LPFN_TRANSMITFILE = function(&near, &WSAID_TRANSMITFILE);
    let operation = Operation::new(Vec::new(), 0, null_mut()).at(2);
    let around: &TRANSMIT_FILE_BUFFERS = Box::leak(Box::new(TRANSMIT_FILE_BUFFERS {
        Head: b"head:".as_ptr().cast_mut().cast(),
        HeadLength: 5,
        Tail: b":tail".as_ptr().cast_mut().cast(),
        TailLength: 5,
    }));
    let (socket, handle, overlapped) = (raw(&near), file.as_raw_handle(), operation.overlapped());
    // SAFETY: socket and file are open until the packet was dequeued, or the test has failed. What
    // goes around the file is there for ever, and the operation stays where it is.
    let answer = Answer::of(unsafe { call(socket, handle, 6, 0, overlapped, around, 0) } != FALSE);
    println!("the call says {answer:?}");
    let mut received = [0; 16];
    far.read_exact(&mut received).expect("all of it");
    assert_eq!(&received, b"head:234567:tail");
    let end = port.end_of((operation, answer));
    assert_eq!((end.status, end.count), (STATUS_SUCCESS, 16));
}

/// (119) A connection can be ended by an operation, after all data: the peer reads that, and the
/// end. To use the socket again takes time, and is left out here.
/// <https://learn.microsoft.com/en-us/previous-versions/windows/desktop/legacy/ms737757(v=vs.85)>
#[test]
fn a_connection_can_be_ended_by_an_operation() {
    let (port, mut near, mut far) = connected();
    near.write_all(b"the last words").expect("sent");
    let call: LPFN_DISCONNECTEX = function(&near, &WSAID_DISCONNECTEX);
    let disconnect = |socket| {
        let operation = Operation::new(Vec::new(), 0, null_mut());
        let overlapped = operation.overlapped();
        // SAFETY: the socket is open, and the operation stays where it is until its packet was
        // dequeued, or for ever.
        let answer = Answer::of(unsafe { call(socket, overlapped, 0, 0) } != FALSE);
        (operation, answer)
    };
    let end = port.end_of(disconnect(raw(&near)));
    assert_eq!(end.status, STATUS_SUCCESS);
    let mut received = Vec::new();
    far.read_to_end(&mut received).expect("the end");
    assert_eq!(received, b"the last words");

    let lonely = stream();
    port.refused(disconnect(raw(&lonely)), &[WSAENOTCONN as u32]);
}
