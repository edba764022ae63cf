//! What datagrams make of calls that fail, take their time, or write late. `WSARecvFrom` is given
//! three things to write to besides the bytes: the sender, its length, and the flags. What
//! Microsoft says of the first two is that they are written when the operation ends; so they have
//! to be there until the packet has been dequeued, and, as with the flags, until the call has
//! returned.
//!
//! All memory that is lent, and the table's, has pages of its own: a write to what was freed is a
//! fault.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::io::{self, ErrorKind};
use std::net::UdpSocket;
use std::thread;

use overlapped::ffi::constants::{WSAECONNRESET, WSAEMSGSIZE, WSAENOBUFS};
use overlapped::{Completion, CompletionQueue, Completions, Datagram, Key};

mod support;
use support::{DEADLINE, assert_quiet, collect, one};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls, Fault, Gate, assert_code};

#[path = "support/pages.rs"]
mod pages;

#[path = "support/udp.rs"]
mod udp;
use udp::{Got, V4, V6, datagrams, heard, one_from, peer, whole};

#[global_allocator]
static ALLOCATOR: pages::Pages = pages::Pages;

const SIZE: usize = 64;
const NO_BUFFERS: Fault = Fault::fails(WSAENOBUFS as u32);

fn room() -> Vec<u8> {
    Vec::with_capacity(SIZE)
}

#[test]
fn a_receive_that_fails_gives_its_buffer_back_and_the_next_one_works() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let (far, from) = peer(V4);
    for (code, kind) in [(WSAENOBUFS, None), (WSAECONNRESET, Some(ErrorKind::ConnectionReset))] {
        calls.spoil(Call::WSARecvFrom, 1, Fault::fails(code as u32));
        let rejected = near.receive_from(room()).expect_err("the call fails");
        assert_code(&rejected.error, code);
        assert!(kind.is_none_or(|kind| rejected.error.kind() == kind));
        assert_eq!((near.in_flight(), queue.in_flight()), (0, 0));
        near.receive_from(rejected.returned)?;
        far.send_to(b"hello", address)?;
        assert_eq!(one_from(&queue).datagram(), whole(from, 5));
    }
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn a_send_that_fails_gives_its_buffer_back_and_nothing_is_sent() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (near, _) = datagrams(&queue, Key(1), V4);
    let (far, to) = peer(V4);
    calls.spoil(Call::WSASendTo, 1, NO_BUFFERS);
    let rejected = near.send_to(b"one".to_vec(), to).expect_err("the call fails");
    assert_code(&rejected.error, WSAENOBUFS);
    assert_eq!((rejected.returned.as_slice(), queue.in_flight()), (&b"one"[..], 0));

    near.get_ref().connect(to)?;
    calls.spoil(Call::WSASend, 1, NO_BUFFERS);
    let rejected = near.send(b"two".to_vec()).expect_err("the call fails");
    assert_code(&rejected.error, WSAENOBUFS);
    near.send(b"three".to_vec())?;
    assert!(matches!(one(&queue), Completion::Sent { count: 5, result: Ok(()), .. }));
    assert_eq!(heard(&far).0, b"three");
    Ok(())
}

#[test]
fn a_socket_that_does_not_say_what_it_is_is_asked_again() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    calls.spoil(Call::getsockopt, 1, NO_BUFFERS);
    let rejected = queue.register(peer(V4).0, Key(1)).expect_err("the call fails");
    assert_code(&rejected.error, WSAENOBUFS);
    calls.spoil(Call::getsockopt, 1, Fault::answers_zeros());
    let rejected = queue.register(rejected.returned, Key(1)).expect_err("of no known provider");
    assert_eq!(rejected.error.kind(), ErrorKind::Unsupported);

    let near = queue.register(rejected.returned, Key(1))?;
    let (far, to) = peer(V4);
    calls.spoil(Call::getsockopt, 1, NO_BUFFERS);
    let rejected = near.send_to(b"one".to_vec(), to).expect_err("the call fails");
    assert_code(&rejected.error, WSAENOBUFS);
    for _ in 0..2 {
        near.send_to(rejected.returned.clone(), to)?;
        assert!(matches!(one(&queue), Completion::Sent { result: Ok(()), .. }));
        assert_eq!(heard(&far).0, b"one");
    }
    assert_eq!(calls.count(Call::getsockopt), 5, "asked once and no more when it is known");
    Ok(())
}

/// Windows can say at once that a datagram was cut; the packet comes all the same.
#[test]
fn a_datagram_that_is_cut_at_once_comes_once() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let (far, from) = peer(V4);
    for _ in 0..3 {
        far.send_to(&[7; SIZE + 1], address)?;
        let fault = Fault::fails_though_begun(WSAEMSGSIZE as u32);
        calls.spoil(Call::WSARecvFrom, 1, fault);
        let id = near.receive_from(room()).expect("it has begun");
        let got = one_from(&queue);
        assert_eq!((got.id, got.buffer.as_slice()), (id, &[7; SIZE][..]));
        assert_eq!(got.datagram(), Datagram { from, count: SIZE, truncated: true });
        assert_eq!((near.in_flight(), queue.in_flight()), (0, 0));
    }
    assert_quiet(&queue);
    Ok(())
}

/// The same, where nothing is written in the operation when the call says so.
#[test]
fn a_datagram_that_is_cut_is_the_kernels_until_its_packet_comes() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let (far, from) = peer(V4);
    for _ in 0..3 {
        calls.spoil(Call::WSARecvFrom, 1, Fault::fails_though_pending(WSAEMSGSIZE as u32));
        let id = near.receive_from(room()).expect("it has begun");
        assert_eq!((near.in_flight(), queue.in_flight()), (1, 1));
        far.send_to(&[7; SIZE + 1], address)?;
        let got = one_from(&queue);
        assert_eq!((got.id, got.datagram().truncated), (id, true));
        assert_eq!((got.datagram().from, got.buffer.as_slice()), (from, &[7; SIZE][..]));
    }
    assert_quiet(&queue);
    Ok(())
}

/// The packet is dequeued on another thread before the call returns.
#[test]
fn a_datagram_can_be_dequeued_before_its_call_returns() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let (far, from) = peer(V4);
    for call in [Call::WSARecvFrom, Call::WSASendTo].repeat(4) {
        let gate = Gate::default();
        calls.spoil(call, 1, Fault::returns_at(&gate));
        thread::scope(|scope| {
            let starter = scope.spawn(|| match call {
                Call::WSASendTo => near.send_to(b"back".to_vec(), from).expect("submitted"),
                _ => {
                    far.send_to(b"hello", address).expect("sent");
                    near.receive_from(room()).expect("submitted")
                }
            });
            gate.reached();
            let ended = one(&queue);
            assert_eq!(queue.in_flight(), 0, "it has been taken out of the table");
            gate.open();
            assert_eq!(Some(starter.join().expect("the call returns")), ended.id());
            match ended {
                Completion::Sent { count: 4, result: Ok(()), .. } => {
                    assert_eq!(heard(&far), (b"back".to_vec(), address));
                }
                ended => assert_eq!(Got::of(ended).datagram(), whole(from, 5)),
            }
        });
        assert_eq!(near.in_flight(), 0);
    }
    Ok(())
}

/// The call writes sender, length and flags again when its packet has been dequeued, and four more
/// operations are in flight, of which the first would have had the same slot. Each of them comes
/// with its own sender.
#[test]
fn a_receive_that_writes_late_touches_no_later_operation() -> io::Result<()> {
    for on in [V4, V6] {
        let calls = Calls::watch();
        let queue = CompletionQueue::new()?;
        let (near, address) = datagrams(&queue, Key(1), on);
        let (other, elsewhere) = datagrams(&queue, Key(2), V4);
        let ((far, from), (second, from_second)) = (peer(on), peer(on));
        far.send_to(b"hello", address)?;
        let gate = Gate::default();
        calls.spoil(Call::WSARecvFrom, 1, Fault::writes_at(&gate));
        thread::scope(|scope| {
            let starter = scope.spawn(|| near.receive_from(room()).expect("submitted"));
            gate.reached();
            let got = one_from(&queue);
            assert_eq!((got.datagram(), got.buffer.as_slice()), (whole(from, 5), &b"hello"[..]));
            for on in [&near, &near, &other, &other] {
                on.receive_from(room()).expect("submitted");
            }
            // Their packets lie in the port, with what was written for them, when the first call
            // writes.
            for _ in 0..2 {
                second.send_to(b"another", address).expect("sent");
                near_by().send_to(b"another", elsewhere).expect("sent");
            }
            gate.open();
            assert_eq!(starter.join().expect("the call returns"), got.id);
        });
        for got in collect(&queue, 4).into_iter().map(Got::of) {
            let datagram = got.datagram();
            assert_eq!((datagram.count, datagram.truncated), (7, false));
            assert_eq!(got.buffer, b"another");
            match got.key {
                Key(1) => assert_eq!(datagram.from, from_second),
                _ => assert!(datagram.from.is_ipv4() && datagram.from != from),
            }
        }
    }
    Ok(())
}

fn near_by() -> UdpSocket {
    peer(V4).0
}

/// As above, when the next operation is a send, whose address stands where the call writes, were
/// that the same.
#[test]
fn a_receive_that_writes_late_leads_no_later_send_astray() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (near, address) = datagrams(&queue, Key(1), V4);
    let ((far, from), (second, to)) = (peer(V4), peer(V4));
    far.send_to(b"hello", address)?;
    let (gate, held) = (Gate::default(), Gate::default());
    calls.spoil(Call::WSARecvFrom, 1, Fault::writes_at(&gate));
    // The address is read when the first call has written.
    calls.spoil(Call::WSASendTo, 1, Fault::starts_at(&held));
    thread::scope(|scope| {
        let starter = scope.spawn(|| near.receive_from(room()).expect("submitted"));
        gate.reached();
        assert_eq!(one_from(&queue).datagram(), whole(from, 5));
        let sender = scope.spawn(|| near.send_to(b"to the second".to_vec(), to));
        held.reached();
        gate.open();
        starter.join().expect("the call returns");
        held.open();
        sender.join().expect("the call returns").expect("submitted");
    });
    assert!(matches!(one(&queue), Completion::Sent { result: Ok(()), .. }));
    assert_eq!(heard(&second), (b"to the second".to_vec(), address));
    far.set_nonblocking(true)?;
    assert!(far.recv_from(&mut [0; SIZE]).is_err(), "it went to the wrong one");
    Ok(())
}

/// The registration and the queue go while a call is on its way: what the call then writes meets
/// memory that is there.
#[test]
fn a_receive_that_writes_after_its_queue_has_gone_meets_memory() -> io::Result<()> {
    let calls = Calls::watch();
    for _ in 0..4 {
        let queue = CompletionQueue::new()?;
        let (near, address) = datagrams(&queue, Key(1), V4);
        let (far, from) = peer(V4);
        far.send_to(b"hello", address)?;
        let gate = Gate::default();
        calls.spoil(Call::WSARecvFrom, 1, Fault::writes_at(&gate));
        let starter = thread::spawn(move || near.receive_from(room()).map(|_| drop(near)));
        gate.reached();
        let mut batch = Completions::with_capacity(4);
        assert_eq!(queue.wait(&mut batch, Some(DEADLINE))?.len(), 1);
        drop(queue);
        let got = Got::of(batch.next().expect("the datagram"));
        assert_eq!(got.datagram(), whole(from, 5));
        drop(batch);
        gate.open();
        starter.join().expect("the call returns").expect("submitted");
    }
    Ok(())
}
