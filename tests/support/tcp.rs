//! What the tests of sending, accepting and connecting share.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "it makes calls of Windows that std does not make")]

use std::fmt::Debug;
use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::windows::io::AsRawSocket;
use std::time::{Duration, Instant};

use overlapped::ffi::constants::{SO_SNDBUF, SOCKET_ERROR, SOL_SOCKET};
use overlapped::ffi::socket_address::{IN_ADDR, SOCKADDR_IN};
use overlapped::ffi::types::SOCKET;
use overlapped::{
    Buffer, Completion, CompletionQueue, Completions, Failure, Key, OperationId, Registration,
};

use super::support::{
    DEADLINE, NO_SOCKET, WSA_FLAG_OVERLAPPED, dequeue_by_hand, one, start_winsock, unconnected,
};

/// More than any system takes in while nobody receives.
pub const LARGE: usize = 64 << 20;

pub const V4: &str = "127.0.0.1:0";
pub const V6: &str = "[::1]:0";

/// A registered listener on a free port, and where it listens.
#[track_caller]
pub fn listening<B: Buffer>(
    queue: &CompletionQueue<B>,
    key: Key,
    on: &str,
) -> (Registration<TcpListener, B>, SocketAddr) {
    start_winsock();
    let listener = TcpListener::bind(on).expect(NO_SOCKET);
    let address = listener.local_addr().expect("the address of a listener");
    (queue.register(listener, key).expect("a new socket of std's can be registered"), address)
}

/// Has so many accepts wait for clients.
#[track_caller]
pub fn accepts<B: Buffer>(
    listener: &Registration<TcpListener, B>,
    count: usize,
) -> Vec<OperationId> {
    let mut ids = Vec::with_capacity(count);
    for _ in 0..count {
        ids.push(listener.accept().expect(NO_SOCKET));
    }
    ids
}

/// The end of a send.
#[derive(Debug)]
pub struct Sent<B = Vec<u8>> {
    pub key: Key,
    pub id: OperationId,
    pub buffer: B,
    pub count: usize,
    pub result: Result<(), Failure>,
}

impl<B: Debug> Sent<B> {
    #[track_caller]
    pub fn of(completion: Completion<B>) -> Self {
        match completion {
            Completion::Sent { key, id, buffer, count, result } => {
                Self { key, id, buffer, count, result }
            }
            other => panic!("the end of a send was expected: {other:?}"),
        }
    }
}

/// The end of a send that has succeeded, and comes alone.
#[track_caller]
pub fn one_sent<B: Buffer + Debug>(queue: &CompletionQueue<B>) -> Sent<B> {
    let sent = Sent::of(one(queue));
    if let Err(failure) = &sent.result {
        panic!("the send failed: {failure}");
    }
    sent
}

/// The result of an accept.
pub type Accepted = Result<(TcpStream, SocketAddr), Failure>;

/// The end of an accept, which comes alone.
#[track_caller]
pub fn one_accepted<B: Buffer + Debug>(queue: &CompletionQueue<B>) -> (OperationId, Accepted) {
    match one(queue) {
        Completion::Accepted { id, result, .. } => (id, result),
        other => panic!("the end of an accept was expected: {other:?}"),
    }
}

/// The end of a connect, which comes alone.
#[track_caller]
pub fn one_connected<B: Buffer + Debug>(queue: &CompletionQueue<B>) -> (Key, Result<(), Failure>) {
    match one(queue) {
        Completion::Connected { key, result, .. } => (key, result),
        other => panic!("the end of a connect was expected: {other:?}"),
    }
}

/// Reads so many bytes with std.
#[track_caller]
pub fn heard(stream: &mut impl Read, count: usize) -> Vec<u8> {
    let mut bytes = vec![0; count];
    stream.read_exact(&mut bytes).expect("all the bytes that were sent");
    bytes
}

/// Reads with std up to the end of the stream or the error, and says which of them it was.
pub fn heard_to_the_end(stream: &mut impl Read) -> (usize, io::Result<()>) {
    let (mut chunk, mut count) = (vec![0; 1 << 20], 0);
    loop {
        match stream.read(&mut chunk) {
            Ok(0) => return (count, Ok(())),
            Ok(more) => count += more,
            Err(error) => return (count, Err(error)),
        }
    }
}

/// Whether the connection was broken off: by the peer, or on this side.
pub fn is_broken_off(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)
}

/// Takes what is left in the port, where there should be nothing to tell.
#[track_caller]
pub fn sweep<B: Buffer + Debug>(queue: &CompletionQueue<B>) {
    let (mut batch, mut told, start) = (Completions::with_capacity(64), Vec::new(), Instant::now());
    while queue.in_flight() > 0 && start.elapsed() < DEADLINE {
        told.extend(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting"));
    }
    assert!(told.is_empty(), "nobody is there to be told: {told:?}");
    assert_eq!(queue.in_flight(), 0, "still with the kernel after {DEADLINE:?}");
}

/// Waits until so many packets have come, and puts them back: now one wait finds them all.
pub fn gather_in_port<B: Buffer>(queue: &CompletionQueue<B>, count: usize) {
    let mut packets = Vec::with_capacity(count);
    while packets.len() < count {
        packets.extend(dequeue_by_hand(&queue.port(), count - packets.len()));
    }
    for packet in packets {
        let (key, bytes) = (Key(packet.lpCompletionKey), packet.dwNumberOfBytesTransferred);
        // SAFETY: the packet has been dequeued, so this is the only one of its operation.
        unsafe { queue.port().post_overlapped(key, bytes, packet.lpOverlapped) }.expect("posted");
    }
}

/// Tells the system to keep no copy of what is sent, so that a send pends until the peer's side has
/// taken the bytes. With such a copy Windows can say at once that it has sent many megabytes; and
/// without one its loopback still takes 2.6 MB that nobody has received, so what is to pend has to
/// be [`LARGE`].
pub fn without_send_buffer(stream: &TcpStream) {
    set_send_buffer(stream, 0);
}

/// Lets the system keep copies again, of the sends that come later. Where the size belongs to the
/// connection and not to the send, as on Linux under Wine, a send that is pending goes on with it:
/// it would take half a minute for [`LARGE`] otherwise.
pub fn with_send_buffer(stream: &TcpStream) {
    set_send_buffer(stream, 1 << 20);
}

fn set_send_buffer(stream: &TcpStream, size: i32) {
    // SAFETY: the socket is open, and the option is an integer.
    let answer = unsafe {
        overlapped::ffi::ws2_32::setsockopt(
            stream.as_raw_socket() as SOCKET,
            SOL_SOCKET,
            SO_SNDBUF,
            (&raw const size).cast(),
            4,
        )
    };
    assert_ne!(answer, SOCKET_ERROR, "SO_SNDBUF: {}", io::Error::last_os_error());
}

/// A socket that has a port on the loopback and does not listen there, so that who connects to it
/// is refused. As long as it is there nobody else gets the port.
pub fn refusing() -> (TcpStream, SocketAddr) {
    let socket = unconnected(WSA_FLAG_OVERLAPPED);
    let address = SOCKADDR_IN {
        sin_family: overlapped::ffi::constants::AF_INET,
        sin_port: 0,
        sin_addr: IN_ADDR { S_addr: u32::from_ne_bytes([127, 0, 0, 1]) },
        sin_zero: [0; 8],
    };
    let size = size_of::<SOCKADDR_IN>() as i32;
    // SAFETY: the socket is open, and the address is there during the call.
    let answer = unsafe {
        overlapped::ffi::ws2_32::bind(
            socket.as_raw_socket() as SOCKET,
            (&raw const address).cast(),
            size,
        )
    };
    assert_ne!(answer, SOCKET_ERROR, "bind: {}", io::Error::last_os_error());
    let address = socket.local_addr().expect("the address of a socket that is bound");
    (socket, address)
}

/// A listener with as many clients waiting as it lets wait. Who comes now is ignored by some
/// systems and refused by Windows, which lets the client try for two seconds: either way a connect
/// is pending.
#[derive(Debug)]
pub struct Crowded {
    pub address: SocketAddr,
    _listener: TcpStream,
    _waiting: Vec<TcpStream>,
}

pub fn crowded() -> Crowded {
    let (listener, address) = refusing();
    // SAFETY: the socket is open; the call touches no memory of ours.
    let answer = unsafe { listen(listener.as_raw_socket() as SOCKET, 1) };
    assert_ne!(answer, SOCKET_ERROR, "listen: {}", io::Error::last_os_error());
    let moment = Duration::from_millis(200);
    let one_more = |_| TcpStream::connect_timeout(&address, moment).ok();
    let waiting = (0..300).map_while(one_more).collect();
    Crowded { address, _listener: listener, _waiting: waiting }
}

#[link(name = "ws2_32")]
unsafe extern "system" {
    fn listen(s: SOCKET, backlog: i32) -> i32;
}
