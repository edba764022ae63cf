//! Futures that are dropped, in each state that they can be in, and what becomes of what was lent.

use std::io::{ErrorKind, Write};
use std::mem;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use overlapped::Key;

use crate::combine::timeout;
use crate::counted::{Counted, Drops};
use crate::support::{DEADLINE, NO_SOCKET, registered, reset};
use crate::tcp::{
    LARGE, V4, crowded, gather_in_port, heard, heard_to_the_end, is_broken_off, listening,
    refusing, without_send_buffer,
};
use crate::{poll, runs, settle, turn};

#[test]
fn a_future_that_was_never_polled_has_begun_nothing() {
    runs(async |executor| {
        let drops = Drops::default();
        let (stream, _peer) = registered(&executor.queue, Key(0));
        let (listener, address) = listening(&executor.queue, Key(0), V4);
        let receive = executor.receive(&stream, drops.buffer());
        let send = executor.send(&stream, drops.buffer());
        let others = (executor.accept(&listener), executor.connect(address));
        turn().await;
        assert_eq!((drops.count(), executor.queue.in_flight()), (0, 0));
        drop((receive, send, others));
        assert_eq!((drops.count(), executor.queue.in_flight()), (2, 0));
    });
}

#[test]
fn a_buffer_outlives_its_future_until_the_packet_is_dequeued() {
    runs(async |executor| {
        let drops = Drops::default();
        let (stream, _peer) = registered(&executor.queue, Key(0));
        let mut receive = Box::pin(executor.receive(&stream, drops.buffer()));
        assert!(poll(&mut receive).is_pending());
        drop(receive);
        assert_eq!(
            (drops.count(), executor.queue.in_flight()),
            (0, 1),
            "cancelled is not returned"
        );
        settle(&executor).await;
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_dropped_receive_ends_though_nothing_comes() {
    runs(async |executor| {
        let (stream, peer) = registered(&executor.queue, Key(0));
        for _ in 0..20 {
            let mut receive = Box::pin(executor.receive(&stream, Vec::with_capacity(16)));
            assert!(poll(&mut receive).is_pending());
            drop(receive);
            settle(&executor).await;
        }
        drop(peer);
        assert_eq!(executor.receive(&stream, Vec::with_capacity(16)).await.expect("the end").0, 0);
    });
}

#[test]
fn a_receive_that_ends_after_its_future_is_told_to_nobody() {
    runs(async |executor| {
        let drops = Drops::default();
        let (stream, mut peer) = registered(&executor.queue, Key(0));
        let mut receive = Box::pin(executor.receive(&stream, drops.buffer()));
        assert!(poll(&mut receive).is_pending());
        peer.write_all(b"first").expect("sent");
        // It has ended, and nobody has looked.
        gather_in_port(&executor.queue, 1);
        drop(receive);
        assert_eq!((drops.count(), executor.queue.in_flight()), (0, 1));

        // What it has taken is gone, and the next one has nothing of it.
        let mut next = Box::pin(executor.receive(&stream, drops.buffer()));
        assert!(poll(&mut next).is_pending());
        while executor.queue.in_flight() > 1 {
            turn().await;
        }
        assert_eq!(drops.count(), 1);
        peer.write_all(b"second").expect("sent");
        let (count, buffer) = next.await.expect("received");
        assert_eq!((count, &buffer.bytes[..]), (6, &b"second"[..]));
        assert_eq!((drops.count(), executor.queue.in_flight()), (1, 0));
    });
}

#[test]
fn bytes_that_come_after_a_drop_go_to_the_next_receive() {
    runs(async |executor| {
        let (stream, mut peer) = registered(&executor.queue, Key(0));
        let mut receive = Box::pin(executor.receive(&stream, Vec::with_capacity(16)));
        assert!(poll(&mut receive).is_pending());
        drop(receive);
        settle(&executor).await;
        peer.write_all(b"hello").expect("sent");
        let mut bytes = Vec::with_capacity(16);
        while bytes.len() < 5 {
            bytes = executor.receive(&stream, bytes).await.expect("received").1;
        }
        assert_eq!(bytes, b"hello");
    });
}

#[test]
fn after_a_timeout_the_connection_goes_on() {
    runs(async |executor| {
        let (stream, mut peer) = registered(&executor.queue, Key(0));
        let moment = Duration::from_millis(20);
        for message in [b"one", b"two"] {
            let receive = executor.receive(&stream, Vec::with_capacity(3));
            assert!(timeout(&executor, moment, receive).await.is_none());
            // Until it has come back, it may still take the bytes.
            settle(&executor).await;
            peer.write_all(message).expect("sent");
            let receive = executor.receive(&stream, Vec::with_capacity(3));
            let (count, bytes) =
                timeout(&executor, DEADLINE, receive).await.expect("in time").expect("received");
            assert_eq!((count, &bytes[..]), (3, &message[..]));
            let sent = executor.send(&stream, bytes).await.expect("sent");
            assert_eq!(heard(&mut peer, sent.0), message);
        }
        settle(&executor).await;
    });
}

#[test]
fn an_end_that_nobody_has_fetched_is_dropped_with_its_future() {
    runs(async |executor| {
        let drops = Drops::default();
        let (stream, mut peer) = registered(&executor.queue, Key(0));
        let mut receive = Box::pin(executor.receive(&stream, drops.buffer()));
        assert!(poll(&mut receive).is_pending());
        peer.write_all(b"hello").expect("sent");
        settle(&executor).await;
        assert_eq!(drops.count(), 0, "it waits in the executor's table");
        drop(receive);
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_future_that_has_ended_gives_its_buffer_back_and_cancels_nothing() {
    runs(async |executor| {
        let drops = Drops::default();
        let (stream, mut peer) = registered(&executor.queue, Key(0));
        let mut receive = Box::pin(executor.receive(&stream, drops.buffer()));
        assert!(poll(&mut receive).is_pending());
        peer.write_all(b"hello").expect("sent");
        let (_, buffer) = receive.as_mut().await.expect("received");
        let mut other = Box::pin(executor.receive(&stream, drops.buffer()));
        assert!(poll(&mut other).is_pending());
        drop(receive);
        turn().await;
        assert_eq!((drops.count(), executor.queue.in_flight()), (0, 1), "the other goes on");
        peer.write_all(b"again").expect("sent");
        assert_eq!(other.await.expect("not cancelled").0, 5);
        assert_eq!(buffer.bytes, b"hello");
    });
}

#[test]
fn a_future_that_is_forgotten_frees_nothing_before_the_executor_does() {
    let drops = Drops::default();
    let (of_ended, of_pending) = (drops.clone(), drops.clone());
    let so_far = runs(async move |executor| {
        let (stream, mut peer) = registered(&executor.queue, Key(0));
        for drops in [of_ended, of_pending] {
            let mut receive = Box::pin(executor.receive(&stream, drops.buffer()));
            assert!(poll(&mut receive).is_pending());
            mem::forget(receive);
        }
        peer.write_all(b"hello").expect("sent");
        while executor.queue.in_flight() > 1 {
            turn().await;
        }
        drops.count()
    });
    assert_eq!(so_far, 0, "neither the one that ended nor the one that is pending");
}

#[test]
fn the_executor_s_end_frees_what_forgotten_futures_have_left() {
    let drops = Drops::default();
    let kept = drops.clone();
    runs(async move |executor| {
        let (stream, _peer) = registered(&executor.queue, Key(0));
        let mut receive = Box::pin(executor.receive(&stream, kept.buffer()));
        assert!(poll(&mut receive).is_pending());
        mem::forget(receive);
    });
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_send_that_is_dropped_keeps_its_buffer_until_its_packet() {
    runs(async |executor| {
        let drops = Drops::default();
        let (stream, peer) = registered(&executor.queue, Key(0));
        without_send_buffer(stream.get_ref());
        let mut buffer: Counted = drops.buffer();
        buffer.bytes = vec![7; LARGE];
        let mut send = Box::pin(executor.send(&stream, buffer));
        assert!(poll(&mut send).is_pending());
        drop(send);
        assert_eq!((drops.count(), executor.queue.in_flight()), (0, 1));
        // A stream with a cancelled send is of no more use.
        drop((stream, peer));
        settle(&executor).await;
        assert_eq!(drops.count(), 1);
    });
}

#[test]
fn a_client_that_comes_after_an_accept_was_dropped_goes_to_the_next() {
    runs(async |executor: std::rc::Rc<crate::Executor>| {
        let (listener, address) = listening(&executor.queue, Key(0), V4);
        let mut accept = Box::pin(executor.accept(&listener));
        assert!(poll(&mut accept).is_pending());
        drop(accept);
        settle(&executor).await;
        let mut client = TcpStream::connect(address).expect(NO_SOCKET);
        let stream = executor.accept(&listener).await.expect("accepted");
        let own = client.local_addr().expect("its address");
        assert_eq!(stream.get_ref().peer_addr().expect("the client's"), own);
        executor.send(&stream, b"hello".to_vec()).await.expect("sent");
        assert_eq!(heard(&mut client, 5), b"hello");
    });
}

#[test]
fn a_connection_that_nobody_takes_is_closed() {
    runs(async |executor: std::rc::Rc<crate::Executor>| {
        let (listener, address) = listening(&executor.queue, Key(0), V4);
        let mut accept = Box::pin(executor.accept(&listener));
        assert!(poll(&mut accept).is_pending());
        let mut client = TcpStream::connect(address).expect(NO_SOCKET);
        client.set_read_timeout(Some(DEADLINE)).expect("a time limit");
        gather_in_port(&executor.queue, 1);
        drop(accept);
        settle(&executor).await;
        let (count, end) = heard_to_the_end(&mut client);
        assert!(count == 0 && end.as_ref().err().is_none_or(is_broken_off), "{end:?}");
    });
}

#[test]
fn a_connect_is_dropped_while_it_is_pending() {
    runs(async |executor: std::rc::Rc<crate::Executor>| {
        let crowded = crowded();
        let mut connect = Box::pin(executor.connect(crowded.address));
        assert!(poll(&mut connect).is_pending());
        drop(connect);
        settle(&executor).await;
        // The executor can still connect to others.
        let listener = TcpListener::bind(V4).expect(NO_SOCKET);
        let address = listener.local_addr().expect("its address");
        let stream = executor.connect(address).await.expect("connected");
        assert_eq!(stream.get_ref().peer_addr().expect("the listener's"), address);
    });
}

#[test]
fn an_error_comes_with_the_buffer() {
    runs(async |executor| {
        let drops = Drops::default();
        let (stream, peer) = registered(&executor.queue, Key(0));
        // Of the call: there is no room.
        let mut full = drops.buffer();
        full.bytes.resize(full.bytes.capacity(), 7);
        let rejected = executor.receive(&stream, full).await.expect_err("no room");
        assert_eq!(rejected.error.kind(), ErrorKind::InvalidInput);
        assert_eq!((&rejected.returned.bytes[..2], drops.count()), (&[7, 7][..], 0));
        // Of the operation.
        let mut receive = Box::pin(executor.receive(&stream, drops.buffer()));
        assert!(poll(&mut receive).is_pending());
        reset(peer);
        let rejected = receive.await.expect_err("the connection was reset");
        assert!(is_broken_off(&rejected.error), "{:?}", rejected.error);
        assert_eq!((rejected.returned.bytes.len(), drops.count()), (0, 0));
    });
}

#[test]
fn a_connect_that_is_refused_says_so() {
    runs(async |executor: std::rc::Rc<crate::Executor>| {
        let (_socket, address) = refusing();
        let error = executor.connect(address).await.expect_err("nobody listens");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        assert_eq!(executor.queue.in_flight(), 0);
    });
}
