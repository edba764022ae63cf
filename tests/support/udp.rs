//! What the tests of datagrams share.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "it makes sockets that std does not make")]

use std::fmt::Debug;
use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::os::windows::io::{AsRawSocket, FromRawSocket, OwnedSocket};
use std::ptr::null_mut;

use overlapped::ffi::constants::{INVALID_SOCKET, SOCKET_ERROR, WSA_FLAG_OVERLAPPED};
use overlapped::ffi::types::SOCKET;
use overlapped::{
    Buffer, Completion, CompletionQueue, Datagram, Failure, Key, OperationId, Registration, ffi,
};

use super::support::{DEADLINE, NO_SOCKET, one, start_winsock};

pub const V4: &str = "127.0.0.1:0";
pub const V6: &str = "[::1]:0";

/// The most that a datagram carries over IPv4.
pub const LONGEST: usize = 65_507;

/// A socket of std's, and its address.
#[track_caller]
pub fn peer(on: &str) -> (UdpSocket, SocketAddr) {
    start_winsock();
    let socket = UdpSocket::bind(on).expect(NO_SOCKET);
    let address = socket.local_addr().expect("the address of a socket that is bound");
    // So that no test hangs in a receive of std's. It says nothing about overlapped ones.
    socket.set_read_timeout(Some(DEADLINE)).expect("a time limit");
    (socket, address)
}

/// A socket that is registered, and its address.
#[track_caller]
pub fn datagrams<B: Buffer>(
    queue: &CompletionQueue<B>,
    key: Key,
    on: &str,
) -> (Registration<UdpSocket, B>, SocketAddr) {
    let (socket, address) = peer(on);
    (queue.register(socket, key).expect("a new socket of std's can be registered"), address)
}

/// The end of a receive.
#[derive(Debug)]
pub struct Got<B = Vec<u8>> {
    pub key: Key,
    pub id: OperationId,
    pub buffer: B,
    pub result: Result<Datagram, Failure>,
}

impl<B: Debug> Got<B> {
    #[track_caller]
    pub fn of(completion: Completion<B>) -> Self {
        match completion {
            Completion::ReceivedFrom { key, id, buffer, result } => {
                Self { key, id, buffer, result }
            }
            other => panic!("the end of a receive was expected: {other:?}"),
        }
    }

    /// What came.
    #[track_caller]
    pub fn datagram(&self) -> Datagram {
        match &self.result {
            Ok(datagram) => *datagram,
            Err(failure) => panic!("the receive failed: {failure}"),
        }
    }
}

/// The end of a receive that comes alone.
#[track_caller]
pub fn one_from<B: Buffer + Debug>(queue: &CompletionQueue<B>) -> Got<B> {
    Got::of(one(queue))
}

/// A whole datagram of so many bytes.
pub fn whole(from: SocketAddr, count: usize) -> Datagram {
    Datagram { from, count, truncated: false }
}

/// What a socket of std's receives next.
#[track_caller]
pub fn heard(socket: &UdpSocket) -> (Vec<u8>, SocketAddr) {
    let mut room = vec![0; LONGEST + 1];
    let (count, from) = socket.recv_from(&mut room).expect("a datagram");
    room.truncate(count);
    (room, from)
}

pub const AF_INET: i32 = 2;
pub const AF_INET6: i32 = 23;
pub const SOCK_STREAM: i32 = 1;
pub const SOCK_DGRAM: i32 = 2;

/// A socket that has no address.
#[track_caller]
pub fn unbound(family: i32, kind: i32) -> OwnedSocket {
    start_winsock();
    let flags = WSA_FLAG_OVERLAPPED;
    // SAFETY: without a protocol description the call touches no memory of ours.
    let socket = unsafe { ffi::ws2_32::WSASocketW(family, kind, 0, null_mut(), 0, flags) };
    assert_ne!(socket, INVALID_SOCKET, "{NO_SOCKET}: {}", io::Error::last_os_error());
    // SAFETY: the socket is new and nobody else's.
    unsafe { OwnedSocket::from_raw_socket(socket as _) }
}

/// A socket of IPv6 that takes IPv4, too, on any port.
#[track_caller]
pub fn dual() -> UdpSocket {
    let socket = unbound(AF_INET6, SOCK_DGRAM);
    let (raw, off) = (socket.as_raw_socket() as SOCKET, 0_i32);
    // SAFETY: the socket is open, and the option is a number of this size.
    let set = unsafe {
        ffi::ws2_32::setsockopt(raw, IPPROTO_IPV6, IPV6_V6ONLY, (&raw const off).cast(), 4)
    };
    assert_ne!(set, SOCKET_ERROR, "IPV6_V6ONLY: {}", io::Error::last_os_error());
    // AF_INET6, any port, any address.
    let any = [u16::try_from(AF_INET6).expect("small"), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    // SAFETY: the socket is open, and an address of IPv6 is 28 bytes.
    let bound = unsafe { ffi::ws2_32::bind(raw, any.as_ptr().cast(), 28) };
    assert_ne!(bound, SOCKET_ERROR, "bind: {}", io::Error::last_os_error());
    UdpSocket::from(socket)
}

const IPPROTO_IPV6: i32 = 41;
const IPV6_V6ONLY: i32 = 27;
