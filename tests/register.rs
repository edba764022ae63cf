//! A socket belongs to one queue for life. What cannot be registered is refused with a sentence
//! that says why, and comes back unharmed.
#![cfg(windows)]

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::os::windows::io::OwnedSocket;

use overlapped::{CompletionQueue, Key, Registration, Rejected};

mod support;
use support::{
    WSA_FLAG_OVERLAPPED, assert_quiet, gather, one_received, pair, registered, unconnected,
};

type Queue = CompletionQueue<Vec<u8>>;

/// Windows has one number for the mistakes that one can make here, and its text is "the parameter
/// is incorrect". Ours names the one that was made, and where the system does not tell, all of
/// them.
#[track_caller]
fn assert_explained<T>(rejected: &Rejected<T>, causes: &[&str]) {
    assert_eq!(rejected.error.kind(), ErrorKind::InvalidInput);
    let sentence = rejected.to_string();
    for cause in causes {
        assert!(sentence.contains(cause), "{cause:?} is not in {sentence:?}");
    }
}

const TAKEN: &[&str] = &["registered already", "another completion port"];
const NOT_OVERLAPPED: &[&str] = &["WSA_FLAG_OVERLAPPED"];

/// Talks both ways, with calls of std alone.
#[track_caller]
fn assert_usable(mut one: impl Read + Write, mut other: impl Read + Write) {
    let mut heard = [0; 4];
    one.write_all(b"ping").unwrap();
    other.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"ping");
    other.write_all(b"pong").unwrap();
    one.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"pong");
}

#[test]
fn a_socket_can_not_be_registered_twice() -> io::Result<()> {
    let queue = Queue::new()?;
    let (stream, peer) = registered(&queue, Key(1));
    // A duplicate is the same socket under another number.
    let duplicate = stream.get_ref().try_clone()?;
    let rejected = queue.register(duplicate, Key(2)).expect_err("it is registered already");
    assert_explained(&rejected, TAKEN);
    assert_usable(rejected.returned, peer);
    Ok(())
}

#[test]
fn a_socket_can_not_belong_to_two_queues() -> io::Result<()> {
    let (queue, other_queue) = (Queue::new()?, Queue::new()?);
    let (stream, peer) = registered(&queue, Key(1));
    let duplicate = stream.get_ref().try_clone()?;
    let rejected = other_queue.register(duplicate, Key(2)).expect_err("it belongs to a queue");
    assert_explained(&rejected, TAKEN);
    assert_usable(rejected.returned, peer);
    Ok(())
}

#[test]
fn a_socket_belongs_to_its_queue_even_when_the_queue_is_gone() -> io::Result<()> {
    let queue = Queue::new()?;
    let (near, peer) = pair();
    let socket = queue.register(near, Key(1))?.into_inner();
    drop(queue);
    let rejected = Queue::new()?.register(socket, Key(2)).expect_err("once and for life");
    assert_explained(&rejected, TAKEN);
    assert_usable(rejected.returned, peer);
    Ok(())
}

#[test]
fn a_refused_duplicate_does_the_registration_no_harm() -> io::Result<()> {
    let queue = Queue::new()?;
    let (stream, mut peer) = registered(&queue, Key(1));
    stream.receive(Vec::with_capacity(16))?;
    let duplicate = stream.get_ref().try_clone()?;
    drop(queue.register(duplicate, Key(2)).expect_err("it is registered already"));
    peer.write_all(b"!")?;
    let received = one_received(&queue);
    assert_eq!((received.key, received.buffer.as_slice()), (Key(1), &b"!"[..]));
    Ok(())
}

#[test]
fn a_socket_that_was_made_without_overlapped_operations_is_refused() -> io::Result<()> {
    let queue = Queue::new()?;
    let rejected = queue.register(unconnected(0), Key(0)).expect_err("it is not overlapped");
    assert_explained(&rejected, NOT_OVERLAPPED);
    // What comes back is that socket: it can still be given options, as before.
    rejected.returned.set_nodelay(true)?;
    assert!(rejected.returned.nodelay()?);

    // The flag makes the difference.
    drop(queue.register(unconnected(WSA_FLAG_OVERLAPPED), Key(0))?);
    Ok(())
}

#[test]
fn a_rejection_becomes_an_io_error_with_a_question_mark() -> io::Result<()> {
    fn register(queue: &Queue, socket: TcpStream) -> io::Result<Registration<TcpStream>> {
        Ok(queue.register(socket, Key(0))?)
    }
    let queue = Queue::new()?;
    let (near, _peer) = pair();
    let duplicate = near.try_clone()?;
    let registration = register(&queue, near)?;
    let error = register(&queue, duplicate).expect_err("it is registered already");
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
    assert_eq!(registration.key(), Key(0));
    Ok(())
}

#[test]
fn a_rejection_is_an_error_like_others() -> io::Result<()> {
    let queue = Queue::new()?;
    let (stream, _peer) = registered(&queue, Key(0));
    let rejected = queue.register(stream.get_ref().try_clone()?, Key(0)).expect_err("twice");
    let sentence = rejected.error.to_string();
    let error: Box<dyn std::error::Error> = Box::new(rejected);
    assert_eq!(error.to_string(), sentence);
    Ok(())
}

/// To be registered is not to be listened to: a port tells of operations, and there is none.
#[test]
fn what_has_come_is_not_told_to_those_who_have_not_asked() -> io::Result<()> {
    let queue = Queue::new()?;
    let (stream, mut peer) = registered(&queue, Key(1));
    peer.write_all(b"hello")?;
    assert_eq!(stream.get_ref().peek(&mut [0])?, 1); // it is there
    assert_quiet(&queue);
    assert_eq!(queue.in_flight(), 0);

    stream.receive(Vec::with_capacity(16))?;
    assert!(!one_received(&queue).buffer.is_empty());
    Ok(())
}

#[test]
fn a_socket_that_a_listener_of_std_has_accepted_can_be_registered() -> io::Result<()> {
    let queue = Queue::new()?;
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let mut peer = TcpStream::connect(listener.local_addr()?)?;
    let (accepted, _) = listener.accept()?;
    let stream = queue.register(accepted, Key(0))?;
    peer.write_all(b"hello")?;
    assert_eq!(gather(&queue, &stream, Vec::with_capacity(16), 5), b"hello");
    Ok(())
}

#[test]
fn a_registered_socket_still_sends_and_tells_its_addresses() -> io::Result<()> {
    let queue = Queue::new()?;
    let (stream, mut peer) = registered(&queue, Key(0));
    assert_eq!(stream.get_ref().peer_addr()?, peer.local_addr()?);
    stream.get_ref().write_all(b"sent")?;
    let mut heard = [0; 4];
    peer.read_exact(&mut heard)?;
    assert_eq!(&heard, b"sent");
    // What std does on the socket is not overlapped, and puts nothing in the queue.
    assert_quiet(&queue);
    Ok(())
}

/// Any socket can pass as a stream of std's, without a word of unsafe code. With one for datagrams
/// an operation can fail at once and bring a packet all the same, and `readable` eats a datagram.
#[test]
fn a_socket_for_datagrams_is_no_stream() -> io::Result<()> {
    let queue = Queue::new()?;
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    let stream = TcpStream::from(OwnedSocket::from(socket));

    let rejected = queue.register(stream, Key(1)).expect_err("it is no stream");
    assert_eq!(rejected.error.kind(), ErrorKind::InvalidInput);
    assert!(rejected.to_string().contains("not a stream"), "{rejected}");

    let listener = TcpListener::from(OwnedSocket::from(rejected.returned));
    let rejected = queue.register(listener, Key(1)).expect_err("nor a listener");
    assert_eq!(rejected.error.kind(), ErrorKind::InvalidInput);

    // It is unharmed, and no port has it.
    let socket = UdpSocket::from(OwnedSocket::from(rejected.returned));
    socket.send_to(b"hello", socket.local_addr()?)?;
    assert_eq!(socket.recv(&mut [0; 16])?, 5);
    assert_quiet(&queue);
    Ok(())
}
