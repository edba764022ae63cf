//! What operations make of calls that fail: no buffer is lost or given twice, what is in flight is
//! counted right, whoever called can act on the error, and afterwards all goes on.
//!
//! The system is the real one. The program's import table leads its calls through a place where one
//! can be made to fail, as it would on a machine that is out of memory.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::fmt::Debug;
use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};

use overlapped::ffi::constants::{AF_INET, AF_INET6, WSAEINVAL, WSAENOBUFS};
use overlapped::{Buffer, CompletionQueue, Failure, Key, Registration};

mod support;
use support::{
    WSA_FLAG_OVERLAPPED, assert_quiet, collect, one, one_received, pair, registered, unconnected,
};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls, ERROR_NO_SYSTEM_RESOURCES, Fault, assert_code};

#[path = "support/counted.rs"]
mod counted;
use counted::{Counted, Drops};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{V4, V6, listening, one_accepted, one_connected, one_sent, sweep};

const NO_BUFFERS: Fault = Fault::fails(WSAENOBUFS as u32);
const NO_RESOURCES: Fault = Fault::fails(ERROR_NO_SYSTEM_RESOURCES);

#[track_caller]
fn assert_receives<B: Buffer + Debug>(
    queue: &CompletionQueue<B>,
    stream: &Registration<TcpStream, B>,
    peer: &mut TcpStream,
    buffer: B,
) -> B {
    let id = stream.receive(buffer).expect("a receive on a connected stream");
    peer.write_all(b"hello").expect("sent");
    let received = one_received(queue);
    assert_eq!((received.id, received.count()), (id, 5));
    received.buffer
}

#[test]
fn a_receive_that_fails_gives_its_buffer_back_and_the_next_one_works() -> io::Result<()> {
    let (calls, drops) = (Calls::watch(), Drops::default());
    let queue = CompletionQueue::<Counted>::new()?;
    let (stream, mut peer) = registered(&queue, Key(1));
    let buffer = assert_receives(&queue, &stream, &mut peer, drops.buffer());
    calls.spoil(Call::WSARecv, 1, NO_BUFFERS);

    let rejected = stream.receive(buffer).expect_err("the call fails");

    assert_code(&rejected.error, WSAENOBUFS);
    assert_eq!((stream.in_flight(), queue.in_flight(), drops.count()), (0, 0, 0));
    assert_eq!(rejected.returned.bytes, b"hello");
    let buffer = assert_receives(&queue, &stream, &mut peer, rejected.returned);
    assert_eq!(buffer.bytes, b"hellohello");
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn a_send_that_fails_gives_its_buffer_back_and_nothing_is_sent() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(1));
    calls.spoil(Call::WSASend, 1, NO_BUFFERS);

    let rejected = stream.send(b"one".to_vec()).expect_err("the call fails");

    assert_code(&rejected.error, WSAENOBUFS);
    assert_eq!((stream.in_flight(), queue.in_flight()), (0, 0));
    stream.send(b"two".to_vec())?;
    assert_eq!(one_sent(&queue).buffer, b"two");
    assert_eq!((rejected.returned, tcp::heard(&mut peer, 3)), (b"one".to_vec(), b"two".to_vec()));
    Ok(())
}

#[test]
fn an_accept_that_fails_closes_its_socket_and_the_listener_goes_on() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (listener, address) = listening(&queue, Key(1), V4);
    calls.spoil(Call::AcceptEx, 1, NO_BUFFERS);
    let closed = calls.count(Call::closesocket);

    assert_code(&listener.accept().expect_err("the call fails"), WSAENOBUFS);

    assert_eq!((listener.in_flight(), queue.in_flight()), (0, 0));
    assert!(calls.count(Call::closesocket) > closed, "its socket has not been closed");
    let (id, _client) = (listener.accept()?, TcpStream::connect(address)?);
    assert_eq!(one_accepted(&queue).0, id);
    Ok(())
}

#[test]
fn an_accept_without_a_socket_or_its_context_says_so() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (listener, address) = listening(&queue, Key(1), V4);
    calls.spoil(Call::WSASocketW, 1, NO_BUFFERS);
    assert_code(&listener.accept().expect_err("the call fails"), WSAENOBUFS);
    assert_eq!(queue.in_flight(), 0);

    // The connection is made before its socket can be told of it; then it is closed, and the client
    // sees the end.
    listener.accept()?;
    let mut client = TcpStream::connect(address)?;
    calls.spoil(Call::setsockopt, 1, NO_BUFFERS);
    let (_, accepted) = one_accepted(&queue);
    let Failure::Error(error) = accepted.expect_err("the call fails") else {
        panic!("it was not cancelled");
    };
    assert_code(&error, WSAENOBUFS);
    assert_eq!(queue.in_flight(), 0);
    assert_eq!(tcp::heard_to_the_end(&mut client).0, 0);
    Ok(())
}

#[test]
fn a_connect_that_fails_leaves_nothing_behind() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let listener = TcpListener::bind(V4)?;
    let address = listener.local_addr()?;
    // The first connect looks up what else it calls.
    let (_first, _) = queue.connect(address, Key(1))?;
    assert!(one_connected(&queue).1.is_ok());
    for call in [Call::WSASocketW, Call::CreateIoCompletionPort, Call::ConnectEx] {
        calls.spoil(call, 1, NO_BUFFERS);
        let error = queue.connect(address, Key(2)).expect_err("the call fails");
        assert_code(&error, WSAENOBUFS);
        sweep(&queue);
    }
    let (_last, _) = queue.connect(address, Key(3))?;
    let (key, connected) = one_connected(&queue);
    assert!(key == Key(3) && connected.is_ok(), "{key:?}: {connected:?}");
    Ok(())
}

#[test]
fn a_socket_that_cannot_be_registered_comes_back_usable() -> io::Result<()> {
    let calls = Calls::watch();
    calls.spoil(Call::CreateIoCompletionPort, 1, NO_RESOURCES);
    let error = CompletionQueue::<Vec<u8>>::new().expect_err("the call fails");
    assert_code(&error, ERROR_NO_SYSTEM_RESOURCES);

    let queue = CompletionQueue::new()?;
    let (near, mut far) = pair();
    calls.spoil(Call::CreateIoCompletionPort, 1, NO_RESOURCES);
    let rejected = queue.register(near, Key(1)).expect_err("the call fails");
    assert_code(&rejected.error, ERROR_NO_SYSTEM_RESOURCES);

    // That the event of the handle cannot be left out is nobody's concern.
    calls.spoil(Call::SetFileCompletionNotificationModes, 1, NO_RESOURCES);
    let stream = queue.register(rejected.returned, Key(1))?;
    assert_receives(&queue, &stream, &mut far, Vec::with_capacity(8));

    calls.spoil(Call::SetFileCompletionNotificationModes, 1, NO_RESOURCES);
    let rejected = stream.inline().expect_err("the call fails");
    assert_code(&rejected.error, ERROR_NO_SYSTEM_RESOURCES);
    assert_receives(&queue, &rejected.returned, &mut far, Vec::with_capacity(8));
    Ok(())
}

#[test]
fn a_cancellation_that_fails_says_so_and_the_operation_goes_on() -> io::Result<()> {
    let (calls, drops) = (Calls::watch(), Drops::default());
    let queue = CompletionQueue::<Counted>::new()?;
    let (stream, mut peer) = registered(&queue, Key(1));
    let id = stream.receive(drops.buffer())?;
    (1..=2).for_each(|nth| calls.spoil(Call::CancelIoEx, nth, NO_RESOURCES));
    assert_code(&stream.cancel(id).expect_err("the call fails"), ERROR_NO_SYSTEM_RESOURCES);
    assert_code(&stream.cancel_all().expect_err("the call fails"), ERROR_NO_SYSTEM_RESOURCES);
    assert_eq!((stream.in_flight(), queue.in_flight(), drops.count()), (1, 1, 0));
    peer.write_all(b"hello")?;
    assert_eq!(one_received(&queue).buffer.bytes, b"hello");

    // Closing the socket cancels too.
    stream.receive(drops.buffer())?;
    calls.spoil(Call::CancelIoEx, 1, NO_RESOURCES);
    drop(stream);
    sweep(&queue);
    assert_eq!(drops.count(), 2);
    Ok(())
}

#[test]
fn a_queue_that_is_dropped_among_failures_tries_again() -> io::Result<()> {
    let (calls, drops) = (Calls::watch(), Drops::default());
    let queue = CompletionQueue::<Counted>::new()?;
    let (stream, _peer) = registered(&queue, Key(1));
    stream.receive(drops.buffer())?;
    (1..=3).for_each(|nth| calls.spoil(Call::CancelIoEx, nth, NO_RESOURCES));
    (1..=3).for_each(|nth| calls.spoil(Call::GetQueuedCompletionStatusEx, nth, NO_RESOURCES));
    drop(queue);
    assert_eq!(drops.count(), 1, "the buffer was not collected");
    assert_eq!(stream.in_flight(), 0);
    Ok(())
}

/// Without handles of the kernel a success at once may bring a packet, so it is not offered.
#[test]
fn a_provider_without_handles_of_the_kernel_has_nothing_inline() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Counted>::new()?;
    let (stream, mut peer) = registered(&queue, Key(1));
    calls.spoil(Call::getsockopt, 1, Fault::answers_zeros());
    let modes = calls.count(Call::SetFileCompletionNotificationModes);
    let rejected = stream.inline().expect_err("it has no handle of the kernel");
    assert_eq!(rejected.error.kind(), io::ErrorKind::Unsupported);
    assert_eq!(calls.count(Call::SetFileCompletionNotificationModes), modes, "nothing was set");
    assert_receives(&queue, &rejected.returned, &mut peer, Drops::default().buffer());
    Ok(())
}

#[test]
fn a_socket_that_does_not_tell_its_kind_is_not_registered() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Counted>::new()?;
    let (near, _far) = pair();
    calls.spoil(Call::getsockopt, 1, NO_BUFFERS);
    let rejected = queue.register(near, Key(1)).expect_err("the call fails");
    assert_code(&rejected.error, WSAENOBUFS);
    drop(queue.register(rejected.returned, Key(1))?);
    Ok(())
}

/// Such a provider may use the fields of an operation as it likes.
#[test]
fn a_socket_without_a_handle_of_the_kernel_is_not_registered() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Counted>::new()?;
    let (near, _far) = pair();
    calls.spoil(Call::getsockopt, 1, Fault::answers_zeros());
    let rejected = queue.register(near, Key(1)).expect_err("it has no handle of the kernel");
    assert_eq!(rejected.error.kind(), io::ErrorKind::Unsupported);
    drop(queue.register(rejected.returned, Key(1))?);
    Ok(())
}

/// The socket of a connection is made before it comes, for addresses of the listener's family.
#[test]
fn a_connection_gets_a_socket_of_its_listeners_family() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    for (on, family) in [(V4, AF_INET), (V6, AF_INET6), (V4, AF_INET)] {
        let (listener, address) = listening(&queue, Key(1), on);
        listener.accept()?;
        assert_eq!(calls.family(), family, "{on}");
        let client = TcpStream::connect(address)?;
        let (_, accepted) = one_accepted(&queue);
        assert_eq!(accepted?.1, client.local_addr()?);

        listener.accept()?;
        let (stream, _) = queue.connect(address, Key(2))?;
        assert_eq!(calls.family(), family, "{on}");
        assert_eq!(collect(&queue, 2).len(), 2);
        assert_eq!(stream.get_ref().peer_addr()?, address);
    }
    Ok(())
}

/// An older system does not know how to share ports. It connects all the same.
#[test]
fn a_connect_does_without_shared_ports() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let listener = TcpListener::bind(V4)?;
    calls.spoil(Call::setsockopt, 1, Fault::fails(WSAEINVAL as u32));
    let (_stream, _) = queue.connect(listener.local_addr()?, Key(1))?;
    one_connected(&queue).1?;
    Ok(())
}

/// That a socket is bound already is no error, and every other answer of `bind` is.
#[test]
fn a_socket_that_cannot_be_bound_comes_back() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let (peer, socket) = (listener.local_addr()?, unconnected(WSA_FLAG_OVERLAPPED).into());
    calls.spoil(Call::bind, 1, Fault::fails(WSAENOBUFS as u32));
    let rejected = queue.connect_socket(socket, peer, Key(1)).expect_err("no buffers");
    assert_code(&rejected.error, WSAENOBUFS);
    // It has not got as far as the queue, and can be used again.
    let (_stream, id) = queue.connect_socket(rejected.returned, peer, Key(1))?;
    assert_eq!(one(&queue).id(), Some(id));
    Ok(())
}
