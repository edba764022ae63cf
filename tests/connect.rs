//! Connecting: the stream is there at once and can be used when the completion says so; and how a
//! connect ends that does not succeed.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::collections::HashSet;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener};
use std::time::Instant;

use overlapped::ffi::constants::{WSAECONNREFUSED, WSAECONNRESET, WSAENOTCONN};
use overlapped::{Completion, CompletionQueue, Failure, Key};

mod support;
use support::{DEADLINE, NO_SOCKET, assert_quiet, collect, one, one_received};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{
    Sent, V4, V6, accepts, crowded, heard, listening, one_connected, one_sent, refusing, sweep,
};

#[test]
fn a_connect_says_under_its_key_that_the_stream_is_connected() -> io::Result<()> {
    for on in [V4, V6] {
        let (queue, listener) = (CompletionQueue::<Vec<u8>>::new()?, TcpListener::bind(on)?);
        let address = listener.local_addr()?;

        let (stream, _) = queue.connect(address, Key(7))?;

        let (key, result) = one_connected(&queue);
        result?;
        assert_eq!((key, stream.key()), (Key(7), Key(7)));
        assert_eq!((stream.in_flight(), queue.in_flight()), (0, 0));
        let (_far, peer) = listener.accept()?;
        assert_eq!(
            (stream.get_ref().peer_addr()?, stream.get_ref().local_addr()?),
            (address, peer)
        );
    }
    Ok(())
}

/// These need `SO_UPDATE_CONNECT_CONTEXT` on Windows; Wine does without.
#[test]
fn a_connected_stream_can_be_set_up_and_shut_down() -> io::Result<()> {
    let (queue, listener) = (CompletionQueue::new()?, TcpListener::bind(V4)?);
    let (stream, _) = queue.connect(listener.local_addr()?, Key(0))?;
    one_connected(&queue).1?;
    let (mut far, _) = listener.accept()?;

    stream.get_ref().set_nodelay(true)?;
    assert!(stream.get_ref().nodelay()?);
    stream.shutdown(Shutdown::Write)?;
    assert_eq!(far.read(&mut [0])?, 0);
    far.write_all(b"!")?;
    stream.receive(Vec::with_capacity(16))?;
    assert_eq!(one_received(&queue).buffer, b"!");
    Ok(())
}

#[test]
fn a_connected_stream_sends_and_receives() -> io::Result<()> {
    let (queue, listener) = (CompletionQueue::new()?, TcpListener::bind(V6)?);
    let (stream, _) = queue.connect(listener.local_addr()?, Key(3))?;
    one_connected(&queue).1?;
    let (mut far, _) = listener.accept()?;
    stream.send(b"ping".to_vec())?;
    assert_eq!((one_sent(&queue).count, heard(&mut far, 4)), (4, b"ping".to_vec()));
    stream.receive(Vec::with_capacity(1))?;
    far.write_all(b"pong")?;
    let received = one_received(&queue);
    assert_eq!((received.key, received.buffer[0]), (Key(3), b'p'));
    Ok(())
}

#[test]
fn the_unspecified_address_leads_to_the_loopback() -> io::Result<()> {
    for (on, unspecified) in
        [(V4, Ipv4Addr::UNSPECIFIED.into()), (V6, Ipv6Addr::UNSPECIFIED.into())]
    {
        let (queue, listener) = (CompletionQueue::<Vec<u8>>::new()?, TcpListener::bind(on)?);
        let address = listener.local_addr()?;
        let (stream, _) = queue.connect(SocketAddr::new(unspecified, address.port()), Key(0))?;
        one_connected(&queue).1?;
        assert_eq!(stream.get_ref().peer_addr()?, address);
    }
    Ok(())
}

#[test]
fn a_connect_that_is_refused_says_so() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (_port, address) = refusing();
    let (stream, _) = queue.connect(address, Key(7))?;
    let (key, result) = one_connected(&queue);
    let Err(Failure::Error(error)) = result else { panic!("nobody listens there: {result:?}") };
    assert_eq!((key, error.kind()), (Key(7), ErrorKind::ConnectionRefused));
    assert_eq!(error.raw_os_error(), Some(WSAECONNREFUSED));
    assert_eq!((stream.in_flight(), queue.in_flight()), (0, 0));
    Ok(())
}

/// Windows answers at once that no such address can be had, and others that nobody is there.
#[test]
fn port_zero_is_nobodys_and_an_error() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let error = match queue.connect(SocketAddr::from(([127, 0, 0, 1], 0)), Key(0)) {
        Err(error) => error,
        Ok(_stream) => one_connected(&queue).1.expect_err("there is no port 0").into(),
    };
    println!("{error}");
    assert_quiet(&queue);
    assert_eq!(queue.in_flight(), 0);
    Ok(())
}

/// Windows refuses. Wine takes a receive, which then waits with the connect; and of a send it says
/// what Linux says of a socket whose peer is gone, or has it wait too.
#[test]
fn before_it_is_connected_a_stream_refuses_and_buffers_come_back() -> io::Result<()> {
    let (queue, crowd) = (CompletionQueue::new()?, crowded());
    let (stream, _) = queue.connect(crowd.address, Key(0))?;
    let bytes = b"too early".to_vec();
    let memory = bytes.as_ptr();

    let buffer = match stream.send(bytes) {
        Err(rejected) => {
            println!("a send is refused: {}", rejected.error);
            let code = rejected.error.raw_os_error();
            assert!(matches!(code, Some(WSAENOTCONN | WSAECONNRESET)), "{}", rejected.error);
            rejected.returned
        }
        Ok(id) => {
            println!("a send waits");
            stream.cancel(id)?;
            Sent::of(one(&queue)).buffer
        }
    };
    assert_eq!((buffer.as_ptr(), buffer.as_slice()), (memory, &b"too early"[..]));

    let mut buffer = buffer;
    buffer.reserve(16);
    let memory = buffer.as_ptr();
    let buffer = match stream.receive(buffer) {
        Err(rejected) => {
            println!("a receive is refused: {}", rejected.error);
            assert_eq!(rejected.error.raw_os_error(), Some(WSAENOTCONN));
            rejected.returned
        }
        Ok(id) => {
            println!("a receive waits");
            assert!(stream.cancel(id)?);
            let received = one_received(&queue);
            received.assert_cancelled();
            received.buffer
        }
    };
    assert_eq!((buffer.as_ptr(), buffer.as_slice()), (memory, &b"too early"[..]));
    assert_quiet(&queue);
    assert_eq!(stream.in_flight(), 1);
    Ok(())
}

#[test]
fn a_stream_dropped_while_it_connects_is_not_heard_of_again() -> io::Result<()> {
    let (queue, crowd) = (CompletionQueue::<Vec<u8>>::new()?, crowded());
    let (_port, refusing) = refusing();
    let start = Instant::now();
    for address in [crowd.address, refusing] {
        drop(queue.connect(address, Key(0))?);
        sweep(&queue);
    }
    assert!(start.elapsed() < DEADLINE);
    Ok(())
}

#[test]
fn a_queue_dropped_while_a_stream_connects_takes_the_operation_back() -> io::Result<()> {
    let (queue, crowd) = (CompletionQueue::<Vec<u8>>::new()?, crowded());
    let (stream, _) = queue.connect(crowd.address, Key(0))?;
    let start = Instant::now();
    drop(queue);
    assert!(start.elapsed() < DEADLINE);
    assert_eq!(stream.in_flight(), 0);
    Ok(())
}

#[test]
fn a_connect_can_be_cancelled() -> io::Result<()> {
    let (queue, crowd) = (CompletionQueue::<Vec<u8>>::new()?, crowded());
    let (stream, _) = queue.connect(crowd.address, Key(7))?;
    assert_quiet(&queue);
    assert_eq!((stream.in_flight(), queue.in_flight()), (1, 1));

    assert!(stream.cancel_all()?);

    let (key, result) = one_connected(&queue);
    assert!(key == Key(7) && matches!(result, Err(Failure::Cancelled)), "{result:?}");
    assert_eq!((stream.in_flight(), queue.in_flight()), (0, 0));
    Ok(())
}

#[test]
fn the_completion_has_an_id_that_cancels_nothing_afterwards() -> io::Result<()> {
    let (queue, listener) = (CompletionQueue::<Vec<u8>>::new()?, TcpListener::bind(V4)?);
    let (stream, _) = queue.connect(listener.local_addr()?, Key(0))?;
    let Completion::Connected { id, result: Ok(()), .. } = one(&queue) else {
        panic!("something else than `Connected` came");
    };
    let receive = stream.receive(Vec::with_capacity(16))?;
    assert_ne!(receive, id);
    assert!(!stream.cancel(id)?);
    listener.accept()?.0.write_all(b"!")?;
    assert_eq!(one_received(&queue).buffer, b"!");
    Ok(())
}

#[test]
fn two_hundred_streams_connect_at_once() -> io::Result<()> {
    const STREAMS: usize = 200;
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (listener, address) = listening(&queue, Key(STREAMS), V4);
    accepts(&listener, STREAMS);
    let connect = |key| queue.connect(address, Key(key)).expect(NO_SOCKET);
    let streams: Vec<_> = (0..STREAMS).map(connect).collect();

    let (mut connected, mut peers) = (HashSet::new(), HashSet::new());
    for completion in collect(&queue, 2 * STREAMS) {
        match completion {
            Completion::Connected { key, result: Ok(()), .. } => assert!(connected.insert(key)),
            Completion::Accepted { result: Ok((_, peer)), .. } => assert!(peers.insert(peer)),
            other => panic!("{other:?}"),
        }
    }

    let near: HashSet<_> = streams
        .iter()
        .map(|(stream, _)| stream.get_ref().local_addr())
        .collect::<io::Result<_>>()?;
    assert_eq!((connected.len(), near), (STREAMS, peers));
    assert_eq!(queue.in_flight(), 0);
    Ok(())
}

#[test]
fn a_queue_that_was_shut_down_still_connects_and_delivers_it_first() -> io::Result<()> {
    let (queue, listener) = (CompletionQueue::<Vec<u8>>::new()?, TcpListener::bind(V4)?);
    queue.shut_down()?;
    let (_stream, _) = queue.connect(listener.local_addr()?, Key(0))?;
    let start = Instant::now();
    loop {
        match collect(&queue, 1).remove(0) {
            Completion::Connected { result, .. } => return Ok(result?),
            Completion::ShutDown => assert!(start.elapsed() < DEADLINE),
            other => panic!("{other:?}"),
        }
    }
}
