//! `AcceptEx` and `ConnectEx`: connections that are made while a port waits for them.
#![allow(unsafe_code, reason = "it makes the calls that the tests are about")]

use std::io::Write;
use std::net::{Ipv4Addr, SocketAddrV4, TcpListener, TcpStream};
use std::os::windows::io::AsRawSocket;
use std::ptr::{null, null_mut};

use overlapped::ffi;
use overlapped::ffi::constants::{
    AF_INET, SIO_GET_EXTENSION_FUNCTION_POINTER, SO_UPDATE_ACCEPT_CONTEXT,
    SO_UPDATE_CONNECT_CONTEXT, SOL_SOCKET, WSA_FLAG_OVERLAPPED, WSAEADDRNOTAVAIL, WSAECONNABORTED,
    WSAECONNRESET, WSAEINVAL, WSAENOTCONN,
};
use overlapped::ffi::mswsock::{LPFN_ACCEPTEX, LPFN_CONNECTEX, WSAID_ACCEPTEX, WSAID_CONNECTEX};
use overlapped::ffi::ntstatus::{
    STATUS_CONNECTION_ABORTED, STATUS_CONNECTION_DISCONNECTED, STATUS_CONNECTION_REFUSED,
    STATUS_CONNECTION_RESET, STATUS_INVALID_CONNECTION, STATUS_LOCAL_DISCONNECT,
    STATUS_REMOTE_DISCONNECT, STATUS_SUCCESS,
};
use overlapped::ffi::socket_address::{IN_ADDR, SOCKADDR_IN};
use overlapped::ffi::types::{GUID, NTSTATUS, SOCKET};

use super::ends::reset;
use super::kernel::{Answer, Operation, Port, handle_of, last_error, raw};
use super::start::{receive, socket};

/// Asks the socket's provider for one of its functions, whose pointer is a `T`.
pub fn function<T>(socket: &impl AsRawSocket, name: &GUID) -> T {
    let mut found: Option<T> = None;
    let (mut length, room) = (0, size_of::<T>() as u32);
    assert_eq!(size_of::<Option<T>>(), size_of::<T>(), "the type of a function's pointer");
    // SAFETY: the socket is open, and both names and pointer have room during the call.
    let answer = unsafe {
        ffi::ws2_32::WSAIoctl(
            raw(socket),
            SIO_GET_EXTENSION_FUNCTION_POINTER,
            (&raw const *name).cast(),
            size_of::<GUID>() as u32,
            (&raw mut found).cast(),
            room,
            &mut length,
            null_mut(),
            None,
        )
    };
    assert_eq!((answer, length), (0, room), "error {}", last_error());
    found.expect("the function")
}

/// The room for one address that `AcceptEx` wants.
const SLOT: u32 = size_of::<SOCKADDR_IN>() as u32 + 16;

/// `AcceptEx`, which does not wait for data.
pub fn accept(listener: &TcpListener, accepted: &TcpStream) -> (Operation, Answer) {
    let call: LPFN_ACCEPTEX = function(listener, &WSAID_ACCEPTEX);
    let operation = Operation::new(vec![0; 2 * SLOT as usize], 0, null_mut());
    let (overlapped, buffer) = (operation.overlapped(), operation.buffer().cast());
    let (_, count) = operation.flags_and_count();
    let (listener, accepted) = (raw(listener), raw(accepted));
    // SAFETY: both sockets are open, and stay so until the test has seen the packet or failed. The
    // room for two addresses and the operation stay where they are.
    let answer = Answer::of(
        unsafe { call(listener, accepted, buffer, 0, SLOT, SLOT, count, overlapped) } != 0,
    );
    (operation, answer)
}

fn sockaddr(address: SocketAddrV4) -> SOCKADDR_IN {
    SOCKADDR_IN {
        sin_family: AF_INET,
        sin_port: address.port().to_be(),
        sin_addr: IN_ADDR { S_addr: u32::from_ne_bytes(address.ip().octets()) },
        sin_zero: [0; 8],
    }
}

fn bind(socket: &TcpStream, address: Ipv4Addr) {
    let address = sockaddr(SocketAddrV4::new(address, 0));
    let (socket, name) = (raw(socket), (&raw const address).cast());
    // SAFETY: the socket is open, and the address is there during the call.
    let answer = unsafe { ffi::ws2_32::bind(socket, name, size_of::<SOCKADDR_IN>() as i32) };
    assert_eq!(answer, 0, "error {}", last_error());
}

/// `ConnectEx`, which sends no data.
fn connect(socket: &TcpStream, to: SocketAddrV4) -> (Operation, Answer) {
    let call: LPFN_CONNECTEX = function(socket, &WSAID_CONNECTEX);
    let (operation, address) = (Operation::new(Vec::new(), 0, null_mut()), sockaddr(to));
    let (name, length) = ((&raw const address).cast(), size_of::<SOCKADDR_IN>() as i32);
    let (socket, overlapped) = (raw(socket), operation.overlapped());
    // SAFETY: the socket is open, and the address is there during the call. The operation stays
    // where it is.
    let answer =
        Answer::of(unsafe { call(socket, name, length, null(), 0, null_mut(), overlapped) } != 0);
    (operation, answer)
}

/// A socket that is not connected, as std's type. It is overlapped.
pub fn stream() -> TcpStream {
    socket(WSA_FLAG_OVERLAPPED).into()
}

/// A listener on a port of the loopback, and where it listens.
pub fn listening() -> (TcpListener, SocketAddrV4) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port on the loopback");
    match listener.local_addr().expect("the address of a listener") {
        std::net::SocketAddr::V4(address) => (listener, address),
        other => panic!("not of IPv4: {other}"),
    }
}

/// Makes a socket what it has become. Without a listener it is one that has connected.
fn update(socket: &TcpStream, listener: Option<&TcpListener>) -> Result<(), i32> {
    let listener = listener.map(raw);
    let (option, value, length) = match &listener {
        Some(listener) => {
            let length = size_of::<SOCKET>() as i32;
            (SO_UPDATE_ACCEPT_CONTEXT, (&raw const *listener).cast(), length)
        }
        None => (SO_UPDATE_CONNECT_CONTEXT, null(), 0),
    };
    let socket = raw(socket);
    // SAFETY: the socket is open, and the value, if there is one, is an open socket.
    let answer = unsafe { ffi::ws2_32::setsockopt(socket, SOL_SOCKET, option, value, length) };
    if answer == 0 { Ok(()) } else { Err(ffi::ws2_32::WSAGetLastError()) }
}

/// (52) What `AcceptEx` and `ConnectEx` have connected is half a socket until it is told what it
/// has become: an accepted one by naming its listener, a connected one by naming nothing.
///
/// Windows has no peer's address before that; Wine has.
/// <https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nf-mswsock-acceptex>
#[test]
fn a_new_connection_has_to_be_told_what_it_has_become() {
    let (port, (listener, address)) = (Port::new(), listening());
    let (accepted, connected) = (stream(), stream());
    port.associate(handle_of(&listener), 1);
    port.associate(handle_of(&connected), 2);
    bind(&connected, Ipv4Addr::UNSPECIFIED);
    let accepting = accept(&listener, &accepted);
    let connecting = connect(&connected, address);
    assert_eq!(accepting.1, Answer::Pending);
    // The two packets come in either order.
    for packet in [port.packet(), port.packet()] {
        let ended = if packet.key == 1 { &accepting.0 } else { &connecting.0 };
        assert_eq!((packet.operation, ended.status()), (ended.address(), STATUS_SUCCESS));
    }

    println!("before: {:?}, {:?}", accepted.peer_addr().is_ok(), connected.peer_addr().is_ok());
    assert_eq!(update(&accepted, Some(&listener)), Ok(()));
    assert_eq!(update(&connected, None), Ok(()));
    let peer = accepted.peer_addr().expect("the peer of an accepted socket");
    assert_eq!(peer, connected.local_addr().expect("its own address"));
    assert_eq!(connected.peer_addr().expect("the peer of a connected socket"), address.into());
}

/// (53) A client that went away before it was accepted may be an error of the accept, at once or in
/// the packet, or of what the accepted socket is told afterwards. The listener is well, and the
/// next accept has the next client. Microsoft names 10054; it may also read as if it had been
/// broken off here, or as if it had never been connected, which is what Wine says.
/// <https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nf-mswsock-acceptex>
#[test]
fn a_client_that_has_gone_is_no_failure_of_the_listener() {
    let (port, (listener, address)) = (Port::new(), listening());
    port.associate(handle_of(&listener), 1);
    reset(TcpStream::connect(address).expect("a client"));
    let mut client = TcpStream::connect(address).expect("another client");
    client.write_all(b"!").expect("sent");

    loop {
        let accepted = stream();
        let (operation, answer) = accept(&listener, &accepted);
        if let Answer::Failed(error) = answer {
            println!("the client that has gone: error {error}");
            assert!(GONE.contains(&error));
            continue;
        }
        let status = port.end(operation).status;
        println!("accepted with {status:#010x}");
        if status != STATUS_SUCCESS {
            assert!(GONE_BY_STATUS.contains(&status));
        } else if let Err(error) = update(&accepted, Some(&listener)) {
            println!("accepted, and then error {error}");
            assert!(GONE.contains(&error));
        } else if accepted.peer_addr().ok() == client.local_addr().ok() {
            break;
        }
    }
}

/// What is said of a client that has gone, as an error and as the status of a packet.
const GONE: [i32; 3] = [WSAECONNRESET, WSAECONNABORTED, WSAENOTCONN];
const GONE_BY_STATUS: [NTSTATUS; 6] = [
    STATUS_CONNECTION_RESET,
    STATUS_CONNECTION_DISCONNECTED,
    STATUS_REMOTE_DISCONNECT,
    STATUS_CONNECTION_ABORTED,
    STATUS_LOCAL_DISCONNECT,
    STATUS_INVALID_CONNECTION,
];

/// (54) A socket must be bound before `ConnectEx`, if only to nothing in particular.
/// <https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nc-mswsock-lpfn_connectex>
#[test]
fn a_socket_that_is_not_bound_cannot_connect() {
    let (port, socket, (_listener, address)) = (Port::new(), stream(), listening());
    port.associate(handle_of(&socket), 7);
    assert_eq!(connect(&socket, address).1, Answer::Failed(WSAEINVAL));
    port.assert_empty();
}

/// (54) The unspecified address is nobody on Windows, while elsewhere it is this machine, and so it
/// is on Wine.
/// <https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nc-mswsock-lpfn_connectex>
#[test]
fn the_unspecified_address_is_nobody() {
    let (port, socket, (_listener, address)) = (Port::new(), stream(), listening());
    port.associate(handle_of(&socket), 7);
    bind(&socket, Ipv4Addr::UNSPECIFIED);
    let unspecified = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, address.port());
    let (operation, answer) = connect(&socket, unspecified);
    println!("connecting to {unspecified}: {answer:?}");
    match answer {
        Answer::Failed(error) => assert_eq!(error, WSAEADDRNOTAVAIL),
        _ => println!("and then {:#010x}", port.end(operation).status),
    }
}

/// (54) A port of the loopback where nobody listens refuses; Windows tries for two seconds before
/// it says so, others say it at once.
/// <https://learn.microsoft.com/en-us/windows/win32/api/mswsock/nc-mswsock-lpfn_connectex>
#[test]
fn a_port_where_nobody_listens_refuses() {
    let (port, socket, nobody) = (Port::new(), stream(), stream());
    port.associate(handle_of(&socket), 7);
    bind(&socket, Ipv4Addr::UNSPECIFIED);
    // A socket that is bound and does not listen keeps its port from everybody else.
    bind(&nobody, Ipv4Addr::LOCALHOST);
    let address = nobody.local_addr().expect("the address of a socket that is bound");
    let start = std::time::Instant::now();
    let to = SocketAddrV4::new(Ipv4Addr::LOCALHOST, address.port());
    let (operation, answer) = connect(&socket, to);
    assert_eq!(answer, Answer::Pending);
    let status = port.end(operation).status;
    println!("refused after {:?}", start.elapsed());
    assert_eq!(status, STATUS_CONNECTION_REFUSED);
    assert_not_connected(&port, &socket);
}

/// (41) A socket whose connect has failed is not connected, and says so. (Of its receive Wine says
/// what it says at the end of a stream: a success of 0 bytes.)
#[track_caller]
fn assert_not_connected(port: &Port, socket: &TcpStream) {
    let (operation, answer) = receive(socket, 16);
    println!("a receive after a connect that failed: {answer:?}");
    if let Answer::Failed(error) = answer {
        assert_eq!(error, WSAENOTCONN);
    } else {
        assert_eq!(port.end(operation).count, 0);
    }
    port.assert_empty();
}
