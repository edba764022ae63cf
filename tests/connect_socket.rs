//! Connecting with a socket of the caller's, and the id that a connect has.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it binds a socket before it is connected, which std cannot do")]

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::windows::io::{AsRawSocket, AsSocket, FromRawSocket, IntoRawSocket, OwnedSocket};

use overlapped::ffi::constants::{AF_INET, WSA_FLAG_OVERLAPPED, WSAEAFNOSUPPORT};
use overlapped::ffi::socket_address::{IN_ADDR, SOCKADDR_IN};
use overlapped::ffi::ws2_32;
use overlapped::{Completion, CompletionQueue, Key, Registration};

mod support;
use support::{NO_SOCKET, assert_quiet, one, unconnected};

type Queue = CompletionQueue<Vec<u8>>;

fn overlapped_socket() -> OwnedSocket {
    unconnected(WSA_FLAG_OVERLAPPED).into()
}

/// Binds a socket to the loopback, to any port.
fn bound(socket: OwnedSocket) -> OwnedSocket {
    let address = SOCKADDR_IN {
        sin_family: AF_INET,
        sin_port: 0,
        sin_addr: IN_ADDR { S_addr: u32::from_ne_bytes([127, 0, 0, 1]) },
        sin_zero: [0; 8],
    };
    let (name, len) = ((&raw const address).cast(), size_of::<SOCKADDR_IN>() as i32);
    // SAFETY: the socket is open, and the address has this length.
    let answer = unsafe { ws2_32::bind(socket.as_raw_socket() as usize, name, len) };
    assert_eq!(answer, 0, "{NO_SOCKET}: {}", io::Error::last_os_error());
    socket
}

/// Waits for the end of the connect with this id, which must succeed, and talks to the peer.
fn is_connected(
    queue: &Queue,
    stream: &Registration<TcpStream>,
    listener: &TcpListener,
) -> SocketAddr {
    let (mut peer, address) = listener.accept().expect("it has connected");
    stream.send(b"hello".to_vec()).expect("submitted");
    let Completion::Sent { result, .. } = one(queue) else { panic!("the send ends") };
    result.expect("sent");
    let mut bytes = [0; 5];
    peer.read_exact(&mut bytes).expect("received");
    assert_eq!(&bytes, b"hello");
    peer.write_all(b"!").expect("sent");
    address
}

#[test]
fn a_connect_tells_its_id_and_can_be_cancelled_by_it() -> io::Result<()> {
    let (queue, listener) = (Queue::new()?, TcpListener::bind("127.0.0.1:0")?);
    let (stream, id) = queue.connect(listener.local_addr()?, Key(7))?;
    let connected = one(&queue);
    assert_eq!((connected.id(), connected.key()), (Some(id), Some(Key(7))));
    assert!(matches!(connected, Completion::Connected { result: Ok(()), .. }), "{connected:?}");
    assert!(!stream.cancel(id)?, "it is over");
    Ok(())
}

#[test]
fn a_socket_of_the_callers_is_bound_and_connected() -> io::Result<()> {
    let (queue, listener) = (Queue::new()?, TcpListener::bind("127.0.0.1:0")?);
    let connecting = queue.connect_socket(overlapped_socket(), listener.local_addr()?, Key(3));
    let (stream, id) = connecting?;
    let connected = one(&queue);
    assert!(matches!(connected, Completion::Connected { result: Ok(()), .. }), "{connected:?}");
    assert_eq!(connected.id(), Some(id));
    is_connected(&queue, &stream, &listener);
    Ok(())
}

#[test]
fn a_socket_that_is_bound_keeps_its_address() -> io::Result<()> {
    let (queue, listener) = (Queue::new()?, TcpListener::bind("127.0.0.1:0")?);
    let socket = TcpStream::from(bound(overlapped_socket()));
    let address = socket.local_addr()?;
    let (stream, _) = queue.connect_socket(socket.into(), listener.local_addr()?, Key(3))?;
    let connected = one(&queue);
    assert!(matches!(connected, Completion::Connected { result: Ok(()), .. }), "{connected:?}");
    assert_eq!(is_connected(&queue, &stream, &listener), address);
    assert_eq!(stream.get_ref().local_addr()?, address);
    Ok(())
}

/// What comes back can still be used by std, unless it has got as far as the queue.
#[test]
fn a_socket_that_does_not_fit_comes_back() -> io::Result<()> {
    let (queue, listener) = (Queue::new()?, TcpListener::bind("127.0.0.1:0")?);
    let peer = listener.local_addr()?;
    let datagrams = UdpSocket::bind("127.0.0.1:0")?;
    let number = datagrams.as_raw_socket();
    // SAFETY: the number is that of an open socket, which is given away with it.
    let datagrams = unsafe { OwnedSocket::from_raw_socket(datagrams.into_raw_socket()) };
    let rejected = queue.connect_socket(datagrams, peer, Key(1)).expect_err("no stream");
    assert_eq!(rejected.error.kind(), ErrorKind::InvalidInput);
    assert_eq!(rejected.returned.as_raw_socket(), number);

    let not_overlapped = OwnedSocket::from(unconnected(0));
    let rejected = queue.connect_socket(not_overlapped, peer, Key(1)).expect_err("not overlapped");
    println!("{}", rejected.error);
    assert_quiet(&queue);
    assert_eq!(queue.in_flight(), 0);
    Ok(())
}

/// Also one that is bound, which the system notices later, or never.
#[test]
fn a_socket_of_another_family_comes_back_unchanged() -> io::Result<()> {
    let queue = Queue::new()?;
    let other = "[::1]:1".parse().expect("an address");
    for socket in [overlapped_socket(), bound(overlapped_socket())] {
        let rejected = queue.connect_socket(socket, other, Key(1)).expect_err("of IPv4");
        assert_eq!(rejected.error.raw_os_error(), Some(WSAEAFNOSUPPORT));
        let stream = TcpStream::from(rejected.returned);
        drop(queue.register(stream, Key(1))?);
    }
    Ok(())
}

#[test]
fn a_registration_lends_its_socket_to_calls_that_take_one() -> io::Result<()> {
    let queue = Queue::new()?;
    let listener = queue.register(TcpListener::bind("127.0.0.1:0")?, Key(0))?;
    let number = listener.get_ref().as_raw_socket();
    assert_eq!(listener.as_socket().as_raw_socket(), number);
    Ok(())
}
