//! `WSARecvFrom` and `WSASendTo` as the tests start them, and addresses as these calls want them.
#![allow(unsafe_code, reason = "it makes the calls that the tests are about")]

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::os::windows::io::{AsRawSocket, FromRawSocket, OwnedSocket};
use std::ptr::{null, null_mut};
use std::time::Duration;

use overlapped::ffi;
use overlapped::ffi::constants::{
    AF_INET, AF_INET6, INVALID_SOCKET, IPPROTO_UDP, SOCK_DGRAM, WSA_FLAG_OVERLAPPED,
};
use overlapped::ffi::ntstatus::{STATUS_BUFFER_OVERFLOW, STATUS_SUCCESS};
use overlapped::ffi::socket_address::ADDRESS_FAMILY;
use overlapped::ffi::types::WSABUF;

use super::kernel::{
    Answer, DEADLINE, End, NO_SOCKET, Operation, Port, handle_of, last_error, raw,
};

/// Room for an address, and its length, as the calls want them.
#[repr(C, align(8))]
#[derive(Debug)]
pub struct Name {
    pub bytes: [u8; 64],
    pub length: i32,
}

impl Name {
    const NONE: Self = Self { bytes: [0xFF; 64], length: 64 };

    pub fn of(address: SocketAddr) -> Self {
        let mut name = Self { bytes: [0; 64], length: 16 };
        name.bytes[2..4].copy_from_slice(&address.port().to_be_bytes());
        let family = match address {
            SocketAddr::V4(address) => {
                name.bytes[4..8].copy_from_slice(&address.ip().octets());
                AF_INET
            }
            SocketAddr::V6(address) => {
                name.bytes[8..24].copy_from_slice(&address.ip().octets());
                name.length = 28;
                AF_INET6
            }
        };
        name.bytes[..2].copy_from_slice(&family.to_ne_bytes());
        name
    }

    fn address(&self) -> SocketAddr {
        let bytes = &self.bytes;
        let port = u16::from_be_bytes([bytes[2], bytes[3]]);
        match (ADDRESS_FAMILY::from_ne_bytes([bytes[0], bytes[1]]), self.length) {
            (AF_INET, 16) => {
                let octets: [u8; 4] = bytes[4..8].try_into().expect("four bytes");
                (Ipv4Addr::from(octets), port).into()
            }
            (AF_INET6, 28) => {
                let octets: [u8; 16] = bytes[8..24].try_into().expect("sixteen bytes");
                (Ipv6Addr::from(octets), port).into()
            }
            other => panic!("no address: {other:?}"),
        }
    }
}

/// A receive that asks who has sent. The room for the answer is leaked, since it is lent.
pub struct Receive {
    pub operation: Operation,
    pub answer: Answer,
    from: *mut Name,
}

/// `WSARecvFrom`.
pub fn receive_from(socket: &impl AsRawSocket, room: usize) -> Receive {
    let operation = Operation::new(vec![0; room], 0, null_mut());
    let from: *mut Name = Box::leak(Box::new(Name::NONE));
    // SAFETY: the memory was leaked.
    let length = unsafe { &raw mut (*from).length };
    let (flags, _) = operation.flags_and_count();
    let buffer = WSABUF { len: operation.length(), buf: operation.buffer() };
    let (socket, overlapped, count) = (raw(socket), operation.overlapped(), null_mut());
    // SAFETY: the socket is open. The room, the flags, the address and the operation stay where
    // they are until the packet was dequeued, or for ever; nobody touches them before.
    let answer = unsafe {
        ffi::ws2_32::WSARecvFrom(
            socket,
            &buffer,
            1,
            count,
            flags,
            from.cast(),
            length,
            overlapped,
            None,
        )
    };
    let answer = Answer::of(answer == 0);
    Receive { operation, answer, from }
}

impl Receive {
    #[track_caller]
    pub fn pending(socket: &impl AsRawSocket, room: usize) -> Self {
        let receive = receive_from(socket, room);
        assert_eq!(receive.answer, Answer::Pending);
        receive
    }

    /// Waits for its packet, which must be the next one. An address is there if it has succeeded,
    /// or has been cut.
    #[track_caller]
    pub fn end_with(self, port: &Port) -> (End, Option<SocketAddr>) {
        let end = port.end(self.operation);
        // SAFETY: the packet has been dequeued, and the memory is never freed.
        let name = unsafe { &*self.from };
        let is_there = [STATUS_SUCCESS, STATUS_BUFFER_OVERFLOW].contains(&end.status);
        (end, is_there.then(|| name.address()))
    }

    /// The same of one that has an address.
    #[track_caller]
    pub fn end(self, port: &Port) -> (End, SocketAddr) {
        let (end, from) = self.end_with(port);
        (end, from.expect("an address"))
    }
}

/// `WSASendTo`, to an address or to the one that the socket is connected to.
pub fn send_to(
    socket: &impl AsRawSocket,
    bytes: &[u8],
    to: Option<SocketAddr>,
) -> (Operation, Answer) {
    let operation = Operation::new(bytes.to_vec(), 0, null_mut());
    let name = to.map(Name::of);
    let (to, length) =
        name.as_ref().map_or((null(), 0), |name| ((&raw const name.bytes).cast(), name.length));
    let buffer = WSABUF { len: operation.length(), buf: operation.buffer() };
    let (socket, overlapped, count) = (raw(socket), operation.overlapped(), null_mut());
    // SAFETY: the socket is open, and the address is there during the call. The bytes and the
    // operation stay where they are until the packet was dequeued, or for ever.
    let answer = unsafe {
        ffi::ws2_32::WSASendTo(socket, &buffer, 1, count, 0, to, length, overlapped, None)
    };
    let answer = Answer::of(answer == 0);
    (operation, answer)
}

/// A socket of std's, whose own receives have an end.
pub fn bound(address: &str) -> UdpSocket {
    let socket = UdpSocket::bind(address).expect(NO_SOCKET);
    let limit = Some(Duration::from_millis(DEADLINE.into()));
    socket.set_read_timeout(limit).expect("a time limit");
    socket
}

/// A socket of std's that is on a port.
pub fn on_a_port(address: &str) -> (Port, UdpSocket, SocketAddr) {
    let (port, socket) = (Port::new(), bound(address));
    port.associate(handle_of(&socket), 7);
    let address = socket.local_addr().expect("its address");
    (port, socket, address)
}

/// A socket that nobody has bound.
pub fn unbound(family: ADDRESS_FAMILY) -> OwnedSocket {
    // std starts Winsock when it makes its first socket.
    drop(UdpSocket::bind("127.0.0.1:0").expect("a socket"));
    let (family, flags) = (family.into(), WSA_FLAG_OVERLAPPED);
    // SAFETY: without a description of the protocol the call touches no memory of ours.
    let socket =
        unsafe { ffi::ws2_32::WSASocketW(family, SOCK_DGRAM, IPPROTO_UDP, null(), 0, flags) };
    assert_ne!(socket, INVALID_SOCKET, "error {}", last_error());
    // SAFETY: the socket is new and nobody else's.
    unsafe { OwnedSocket::from_raw_socket(socket as _) }
}
