//! Datagrams through the queue: who has sent them, what of them comes, and where they go.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make sockets that std does not make")]

use std::io;
use std::net::{SocketAddr, UdpSocket};

use overlapped::{Completion, CompletionQueue, Datagram, Key};

mod support;
use support::{assert_quiet, collect, one, until};

#[path = "support/udp.rs"]
mod udp;
use udp::{Got, LONGEST, V4, V6, datagrams, dual, heard, one_from, peer, unbound, whole};

#[path = "support/parts.rs"]
mod parts;
use parts::Pieces;

#[test]
fn a_datagram_comes_with_its_sender() -> io::Result<()> {
    for on in [V4, V6] {
        let queue = CompletionQueue::new()?;
        let (near, address) = datagrams(&queue, Key(1), on);
        let (far, from) = peer(on);
        // Pending when it comes, and there before.
        let pending = near.receive_from(Vec::with_capacity(16))?;
        far.send_to(b"hello", address)?;
        let got = one_from(&queue);
        assert_eq!((got.key, got.id, got.datagram()), (Key(1), pending, whole(from, 5)));
        assert_eq!(got.buffer, b"hello");

        far.send_to(b"again", address)?;
        let there = near.receive_from(got.buffer)?;
        let got = one_from(&queue);
        assert_eq!((got.id, got.datagram()), (there, whole(from, 5)));
        assert_eq!(got.buffer, b"helloagain", "behind what was filled");
        assert_eq!((queue.in_flight(), near.in_flight()), (0, 0));
    }
    Ok(())
}

#[test]
fn what_fits_of_a_datagram_that_is_cut_is_kept() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let (far, from) = peer(V4);
    for there in [false, true] {
        if there {
            far.send_to(b"hello", address)?;
        }
        near.receive_from(Vec::with_capacity(4))?;
        if !there {
            far.send_to(b"hello", address)?;
        }
        let got = one_from(&queue);
        assert_eq!(got.datagram(), Datagram { from, count: 4, truncated: true }, "{there}");
        assert_eq!(got.buffer, b"hell");
    }
    // The rest is lost: the next receive gets the next datagram.
    far.send_to(b"next", address)?;
    near.receive_from(Vec::with_capacity(4))?;
    let got = one_from(&queue);
    assert_eq!((got.datagram(), got.buffer.as_slice()), (whole(from, 4), b"next".as_slice()));
    Ok(())
}

#[test]
fn an_empty_datagram_is_data() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let (far, from) = peer(V4);
    near.receive_from(Vec::with_capacity(8))?;
    far.send_to(b"", address)?;
    let got = one_from(&queue);
    assert_eq!((got.datagram(), got.buffer.len()), (whole(from, 0), 0));

    near.send_to(Vec::new(), from)?;
    assert!(matches!(one(&queue), Completion::Sent { count: 0, result: Ok(()), .. }));
    assert_eq!(heard(&far), (Vec::new(), address));
    Ok(())
}

#[test]
fn the_longest_datagram_goes_and_comes() -> io::Result<()> {
    for on in [V4, V6] {
        let queue = CompletionQueue::new()?;
        let (near, _) = datagrams(&queue, Key(1), on);
        let (far, address) = datagrams(&queue, Key(2), on);
        let bytes: Vec<u8> = (0..LONGEST).map(|index| ((index * 31) >> 3) as u8).collect();
        far.receive_from(Vec::with_capacity(LONGEST))?;
        let id = near.send_to(bytes.clone(), address)?;
        for completion in collect(&queue, 2) {
            match completion {
                Completion::Sent { id: of, count: LONGEST, buffer, result: Ok(()), .. } => {
                    assert!(of == id && buffer == bytes);
                }
                completion => {
                    let got = Got::of(completion);
                    assert_eq!(got.datagram(), whole(near.get_ref().local_addr()?, LONGEST));
                    assert!(got.buffer == bytes);
                }
            }
        }
    }
    Ok(())
}

/// Over IPv6 somebody can send one that is longer than we do.
#[test]
fn a_datagram_of_ipv6_that_is_longer_comes_as_well() -> io::Result<()> {
    const MORE: usize = 65_527;
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V6);
    let (far, from) = peer(V6);
    near.receive_from(Vec::with_capacity(MORE))?;
    if far.send_to(&vec![7; MORE], address).is_err() {
        // Not every system sends so long ones.
        return Ok(());
    }
    let got = one_from(&queue);
    assert_eq!((got.datagram(), got.buffer), (whole(from, MORE), vec![7; MORE]));
    Ok(())
}

#[test]
fn several_receives_are_filled_in_their_order() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let (far, from) = peer(V4);
    let ids = [(); 3].map(|()| near.receive_from(Vec::with_capacity(8)).expect("submitted"));
    for number in *b"123" {
        far.send_to(&[number], address)?;
    }
    let mut got: Vec<_> = collect(&queue, 3).into_iter().map(Got::of).collect();
    got.sort_by_key(|got| ids.iter().position(|id| *id == got.id));
    let got: Vec<_> = got.iter().map(|got| (got.id, got.buffer[0], got.datagram())).collect();
    let wanted = [0, 1, 2].map(|index| (ids[index], b"123"[index], whole(from, 1)));
    assert_eq!(got, wanted);
    Ok(())
}

#[test]
fn two_peers_are_told_apart_and_answered() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let peers = [peer(V4), peer(V4)];
    for (number, (peer, _)) in peers.iter().enumerate() {
        peer.send_to(&[number as u8], address)?;
        near.receive_from(Vec::with_capacity(8))?;
        let got = one_from(&queue);
        near.send_to(got.buffer.clone(), got.datagram().from)?;
        assert!(matches!(one(&queue), Completion::Sent { count: 1, result: Ok(()), .. }));
    }
    for (number, (peer, _)) in peers.iter().enumerate() {
        assert_eq!(heard(peer), (vec![number as u8], address));
    }
    Ok(())
}

#[test]
fn a_dual_socket_serves_both_families() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let near = queue.register(dual(), Key(1))?;
    let port = near.get_ref().local_addr()?.port();
    for (on, to) in [(V4, "127.0.0.1"), (V6, "[::1]")] {
        let (far, from) = peer(on);
        near.receive_from(Vec::with_capacity(8))?;
        far.send_to(b"hello", format!("{to}:{port}"))?;
        let sender = one_from(&queue).datagram().from;
        let expected = match from {
            SocketAddr::V4(from) => (from.ip().to_ipv6_mapped(), from.port()).into(),
            SocketAddr::V6(_) => from,
        };
        assert_eq!(sender, expected);
        near.send_to(b"back".to_vec(), sender)?;
        assert!(matches!(one(&queue), Completion::Sent { result: Ok(()), .. }));
        let (back, from) = heard(&far);
        assert_eq!((back.as_slice(), from.port()), (b"back".as_slice(), port));
    }
    Ok(())
}

#[test]
fn receive_without_a_peer_hears_everybody() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    for (far, from) in [peer(V4), peer(V4)] {
        near.receive(Vec::with_capacity(16))?;
        far.send_to(b"hello", address)?;
        assert_eq!(one_from(&queue).datagram(), whole(from, 5));
    }
    Ok(())
}

#[test]
fn a_connected_socket_hears_its_peer_alone() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let ((far, from), (stranger, _)) = (peer(V4), peer(V4));
    near.get_ref().connect(from)?;
    near.receive(Vec::with_capacity(16))?;
    stranger.send_to(b"nobody", address)?;
    far.send_to(b"hello", address)?;
    let got = one_from(&queue);
    assert_eq!((got.datagram(), got.buffer.as_slice()), (whole(from, 5), b"hello".as_slice()));
    near.send(b"back".to_vec())?;
    assert!(matches!(one(&queue), Completion::Sent { count: 4, result: Ok(()), .. }));
    assert_eq!(heard(&far), (b"back".to_vec(), address));
    assert_quiet(&queue);
    Ok(())
}

/// The first send binds the socket, and from then on it receives.
#[test]
fn a_socket_without_an_address_gets_one_by_sending() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let socket = UdpSocket::from(unbound(udp::AF_INET, udp::SOCK_DGRAM));
    let near = queue.register(socket, Key(1))?;
    let (far, address) = peer(V4);
    near.send_to(b"hello".to_vec(), address)?;
    assert!(matches!(one(&queue), Completion::Sent { result: Ok(()), .. }));
    let (_, from) = heard(&far);
    near.receive_from(Vec::with_capacity(8))?;
    far.send_to(b"back", from)?;
    assert_eq!(one_from(&queue).datagram(), whole(address, 4));
    Ok(())
}

/// Several parts make one datagram, and one datagram fills several parts.
#[test]
fn a_datagram_has_as_many_parts_as_its_buffer() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let (far, from) = datagrams(&queue, Key(2), V4);
    near.receive_from(Pieces::with_room(&[3, 0, 4]))?;
    far.send_to(Pieces::of(&["one", "", "datagram"]), address)?;
    for completion in collect(&queue, 2) {
        if let Completion::Sent { count, result, .. } = completion {
            assert!(count == 11 && result.is_ok());
            continue;
        }
        let got = Got::of(completion);
        assert_eq!(got.datagram(), Datagram { from, count: 7, truncated: true });
        assert_eq!(got.buffer.joined(), b"onedata");
    }
    Ok(())
}

/// One receive is cancelled, and the others go on: datagrams are no stream.
#[test]
fn a_receive_is_cancelled_alone() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let (far, from) = peer(V4);
    let ids = [(); 3].map(|()| near.receive_from(Vec::with_capacity(8)).expect("submitted"));
    assert!(near.cancel(ids[1])?);
    let got = one_from(&queue);
    assert!(got.id == ids[1] && got.result.is_err_and(|failure| failure.is_cancelled()));
    assert!(!near.cancel(ids[1])?, "it is over");
    far.send_to(b"1", address)?;
    far.send_to(b"2", address)?;
    let mut got: Vec<_> = collect(&queue, 2).into_iter().map(Got::of).collect();
    got.sort_by_key(|got| got.buffer.clone());
    let got: Vec<_> = got.iter().map(|got| (got.id, got.datagram())).collect();
    assert_eq!(got, [(ids[0], whole(from, 1)), (ids[2], whole(from, 1))]);
    Ok(())
}

/// What comes when the registration is gone goes nowhere, and nothing is said of it.
#[test]
fn a_datagram_that_comes_after_the_drop_is_nobodys() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let (far, _) = peer(V4);
    for _ in 0..3 {
        near.receive_from(Vec::with_capacity(8))?;
    }
    far.send_to(b"before", address)?;
    drop(near);
    // It may be refused: nobody is there.
    let _ = far.send_to(b"late", address);
    until("all has come back", || {
        assert_quiet(&queue);
        queue.in_flight() == 0
    });
    Ok(())
}

#[test]
fn a_socket_that_is_taken_out_goes_on_with_std() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let (far, _) = peer(V4);
    near.receive_from(Vec::with_capacity(8))?;
    let socket = near.into_inner();
    until("the receive has come back", || {
        assert_quiet(&queue);
        queue.in_flight() == 0
    });
    far.send_to(b"hello", address)?;
    assert_eq!(heard(&socket).0, b"hello");
    Ok(())
}
