//! What cannot be done with datagrams: each gets an error that says so, and what was lent comes
//! back. And what is no error of the socket, though it comes as one: nobody was there to take a
//! datagram.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make sockets that std does not make")]

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};

use overlapped::{Completion, CompletionQueue, Key, Registration};

mod support;
use support::{assert_quiet, collect, one};

#[path = "support/udp.rs"]
mod udp;
use udp::{
    AF_INET, AF_INET6, Got, LONGEST, SOCK_DGRAM, SOCK_STREAM, V4, V6, datagrams, heard, one_from,
    peer, unbound, whole,
};

#[path = "support/parts.rs"]
mod parts;
use parts::Pieces;

/// The error has a sentence with these words, in place of a number.
#[track_caller]
fn says(error: &io::Error, kind: ErrorKind, words: &str) {
    assert_eq!(error.kind(), kind, "{error:?}");
    assert!(error.to_string().contains(words), "{error}");
}

#[test]
fn a_receive_without_room_is_refused() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let (far, from) = peer(V4);
    far.send_to(b"hello", address)?;
    for full in [Vec::new(), b"full".to_vec()] {
        let mut exact = full.clone();
        exact.shrink_to_fit();
        let rejected = near.receive_from(exact).expect_err("no room");
        says(&rejected.error, ErrorKind::InvalidInput, "no spare room");
        assert_eq!(rejected.returned, full);
    }
    // It was not lost in a receive of nothing.
    near.receive_from(Vec::with_capacity(8))?;
    assert_eq!(one_from(&queue).datagram(), whole(from, 5));
    Ok(())
}

#[test]
fn a_datagram_that_is_too_long_is_refused() -> io::Result<()> {
    for on in [V4, V6] {
        let queue = CompletionQueue::new()?;
        let (near, _) = datagrams(&queue, Key(1), on);
        let (far, address) = peer(on);
        let rejected = near.send_to(vec![7; LONGEST + 1], address).expect_err("too long");
        says(&rejected.error, ErrorKind::InvalidInput, "65,507");
        assert!(rejected.returned == [7; LONGEST + 1] && near.in_flight() == 0);
        near.get_ref().connect(address)?;
        let rejected = near.send(rejected.returned).expect_err("too long");
        says(&rejected.error, ErrorKind::InvalidInput, "65,507");
        near.send(b"next".to_vec())?;
        assert!(matches!(one(&queue), Completion::Sent { result: Ok(()), .. }));
        assert_eq!(heard(&far).0, b"next");
    }
    Ok(())
}

/// A stream goes on with the next part; a datagram would be another one.
#[test]
fn a_datagram_in_too_many_parts_is_refused() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, _) = datagrams(&queue, Key(1), V4);
    let (far, address) = peer(V4);
    let rejected = near.send_to(Pieces::of(&["x"; 17]), address).expect_err("too many");
    says(&rejected.error, ErrorKind::InvalidInput, "more parts than 16");
    assert_eq!(rejected.returned.joined(), [b'x'; 17]);
    let mut empty_at_the_end = ["x"; 17];
    empty_at_the_end[16] = "";
    for parts in [&empty_at_the_end[..], &["x"; 16]] {
        near.send_to(Pieces::of(parts), address)?;
        assert!(matches!(one(&queue), Completion::Sent { count: 16, result: Ok(()), .. }));
        assert_eq!(heard(&far).0, [b'x'; 16]);
    }
    Ok(())
}

#[test]
fn an_address_of_the_other_family_is_refused() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    for (family, own, other) in [(AF_INET, V4, V6), (AF_INET6, V6, V4)] {
        let ((_far, far), (_good, good)) = (peer(other), peer(own));
        let unbound = UdpSocket::from(unbound(family, SOCK_DGRAM));
        for socket in [peer(own).0, unbound] {
            let near = queue.register(socket, Key(1))?;
            for _ in 0..2 {
                let rejected = near.send_to(b"x".to_vec(), far).expect_err("another family");
                says(&rejected.error, ErrorKind::InvalidInput, "another family");
                assert_eq!((rejected.returned.as_slice(), near.in_flight()), (&b"x"[..], 0));
            }
            near.send_to(b"x".to_vec(), good)?;
            assert!(matches!(one(&queue), Completion::Sent { result: Ok(()), .. }));
        }
    }
    Ok(())
}

/// Some systems would wait for ever.
#[test]
fn a_receive_on_a_socket_without_an_address_is_refused() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    for family in [AF_INET, AF_INET6] {
        let socket = UdpSocket::from(unbound(family, SOCK_DGRAM));
        let near = queue.register(socket, Key(1))?;
        let rejected = near.receive_from(Vec::with_capacity(7)).expect_err("no address");
        says(&rejected.error, ErrorKind::InvalidInput, "no address yet");
        assert_eq!((rejected.returned.capacity(), near.in_flight()), (7, 0));
        assert!(near.receive(rejected.returned).is_err());
    }
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn a_send_to_nobody_is_refused() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, _) = datagrams(&queue, Key(1), V4);
    let rejected = near.send(b"x".to_vec()).expect_err("not connected");
    says(&rejected.error, ErrorKind::NotConnected, "connected to nobody");
    assert_eq!(rejected.returned, b"x");

    let nobody = SocketAddr::from(([127, 0, 0, 1], 0));
    let rejected = near.send_to(b"x".to_vec(), nobody).expect_err("port 0");
    says(&rejected.error, ErrorKind::AddrNotAvailable, "port 0");
    assert_eq!((near.in_flight(), queue.in_flight()), (0, 0));
    Ok(())
}

#[test]
fn a_broadcast_wants_permission() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, _) = datagrams(&queue, Key(1), "0.0.0.0:0");
    let all = SocketAddr::from(([255; 4], 9));
    let rejected = near.send_to(b"x".to_vec(), all).expect_err("no permission");
    assert_eq!(rejected.error.kind(), ErrorKind::PermissionDenied, "{:?}", rejected.error);
    assert_eq!(rejected.returned, b"x");
    near.get_ref().set_broadcast(true)?;
    // A machine without a network has no way to all.
    match near.send_to(rejected.returned, all) {
        Ok(_) => assert!(matches!(one(&queue), Completion::Sent { .. })),
        Err(rejected) => assert_ne!(rejected.error.kind(), ErrorKind::PermissionDenied),
    }
    Ok(())
}

#[test]
fn a_socket_that_carries_no_datagrams_is_not_registered() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    for family in [AF_INET, AF_INET6] {
        let stream = UdpSocket::from(unbound(family, SOCK_STREAM));
        let rejected = queue.register(stream, Key(1)).expect_err("a stream");
        says(&rejected.error, ErrorKind::InvalidInput, "does not carry datagrams");
        // It is as it was.
        let _again = UdpSocket::from(std::os::windows::io::OwnedSocket::from(rejected.returned));
    }
    Ok(())
}

#[test]
fn a_socket_whose_queue_is_gone_lends_nothing() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    drop(queue);
    let rejected = near.receive_from(Vec::with_capacity(7)).expect_err("no queue");
    assert_eq!((rejected.error.kind(), rejected.returned.capacity()), (ErrorKind::BrokenPipe, 7));
    let rejected = near.send_to(b"x".to_vec(), address).expect_err("no queue");
    assert_eq!((rejected.error.kind(), rejected.returned), (ErrorKind::BrokenPipe, b"x".into()));
    Ok(())
}

/// That nobody was there to take a datagram: what Windows says of it, and what Linux does below
/// Wine.
fn is_about_the_past(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::ConnectionRefused)
}

/// Submits a receive, whatever it first hears of one who has gone.
#[track_caller]
fn receive(near: &Registration<UdpSocket>, told: &mut usize) {
    while let Err(rejected) = near.receive_from(Vec::with_capacity(16)) {
        assert!(is_about_the_past(&rejected.error) && *told < 100, "{:?}", rejected.error);
        *told += 1;
    }
}

/// Three datagrams go to one who has gone, and then three come of one who is there. How many
/// receives were told of the first ones?
#[track_caller]
fn serves_on(report: Option<bool>) -> usize {
    let queue = CompletionQueue::new().expect("a queue");
    let (near, address) = datagrams(&queue, Key(1), V4);
    let ((far, from), gone) = (peer(V4), peer(V4).1);
    if let Some(report) = report {
        near.report_unreachable(report).expect("set");
    }
    let (mut told, mut came, mut sent) = (0, 0, 0);
    for _ in 0..3 {
        near.send_to(b"anybody?".to_vec(), gone).expect("it says nothing of its arrival");
        receive(&near, &mut told);
    }
    for _ in 0..3 {
        far.send_to(b"here", address).expect("sent");
    }
    while (came, sent) != (3, 3) {
        for completion in collect(&queue, 1) {
            if let Completion::Sent { result, .. } = completion {
                result.expect("sent");
                sent += 1;
                continue;
            }
            let got = Got::of(completion);
            if let Ok(datagram) = got.result {
                assert_eq!((datagram, got.buffer.as_slice()), (whole(from, 4), &b"here"[..]));
                came += 1;
                continue;
            }
            let error = io::Error::from(got.result.expect_err("looked at above"));
            assert!(is_about_the_past(&error) && got.buffer.is_empty(), "{error:?}");
            told += 1;
            receive(&near, &mut told);
        }
    }
    assert_eq!(near.in_flight(), 0);
    told
}

/// Windows tells one for each, at once or in time; Wine none, for Linux tells only those that are
/// connected.
#[test]
fn a_server_receives_on_although_a_client_has_gone() {
    println!("by default {} were told", serves_on(None));
    println!("when it wants to know {} were told", serves_on(Some(true)));
}

#[test]
fn a_server_that_wants_no_reports_gets_none() {
    assert_eq!(serves_on(Some(false)), 0);
}

/// In Wine a receive that was pending when the news came stays pending, whatever comes after it,
/// and so does each that finds nothing there. So they are cancelled, and the next one finds
/// something.
#[test]
fn a_connected_socket_receives_on_although_its_peer_has_gone() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let ((far, from), gone) = (peer(V4), peer(V4).1);
    near.get_ref().connect(gone)?;
    let mut told = 0;
    for _ in 0..3 {
        if let Err(rejected) = near.send(b"anybody?".to_vec()) {
            assert!(is_about_the_past(&rejected.error), "{:?}", rejected.error);
        }
        receive(&near, &mut told);
    }
    near.cancel_all()?;
    drop(collect(&queue, near.in_flight()));

    near.get_ref().connect(from)?;
    far.send_to(b"here", address)?;
    receive(&near, &mut told);
    let mut got = one_from(&queue);
    while let Err(failure) = got.result {
        let error = io::Error::from(failure);
        assert!(is_about_the_past(&error), "{error:?}");
        receive(&near, &mut told);
        got = one_from(&queue);
    }
    assert_eq!((got.datagram(), got.buffer.as_slice()), (whole(from, 4), &b"here"[..]));
    Ok(())
}
