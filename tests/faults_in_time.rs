//! What operations make of calls that take their time: the packet is dequeued on another thread
//! before the call that started the operation returns, the operation has ended by then, or the
//! queue or the registration goes while a call is on its way.
//!
//! Each of these happens once in a million times by itself. Here a gate holds one thread inside a
//! system call until the others have done what they should not be able to disturb.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::fmt::Debug;
use std::io::{self, Write};
use std::net::TcpStream;
use std::os::windows::io::AsRawSocket;
use std::ptr::without_provenance_mut;
use std::sync::atomic::AtomicU64;
use std::thread;

use overlapped::ffi::constants::{
    FALSE, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS, WSAEMSGSIZE, WSAENOBUFS,
};
use overlapped::ffi::kernel32::SetFileCompletionNotificationModes;
use overlapped::{
    Buffer, Completion, CompletionQueue, Completions, Key, OperationId, Registration,
};

mod support;
use support::{
    DEADLINE, Received, assert_quiet, collect, give_way, leave_together, one, one_received,
    registered, until,
};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls, ERROR_NO_SYSTEM_RESOURCES, Fault, Gate};

#[path = "support/counted.rs"]
mod counted;
use counted::{Counted, Drops};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{V4, listening, sweep};

/// Starts an operation, and dequeues its completion on another thread before the call returns.
fn dequeued_before_it_returns<B: Buffer + Debug, T: Send>(
    calls: &Calls,
    call: Call,
    queue: &CompletionQueue<B>,
    start: impl FnOnce() -> T + Send,
) -> (T, Completion<B>) {
    let gate = Gate::default();
    calls.spoil(call, 1, Fault::returns_at(&gate));
    thread::scope(|scope| {
        let starter = scope.spawn(start);
        gate.reached();
        let completion = one(queue);
        assert_eq!(queue.in_flight(), 0, "it has been taken out of the table");
        gate.open();
        (starter.join().expect("the call returns"), completion)
    })
}

#[test]
fn a_receive_can_be_dequeued_before_its_call_returns() -> io::Result<()> {
    let (calls, drops) = (Calls::watch(), Drops::default());
    let queue = CompletionQueue::<Counted>::new()?;
    let (stream, mut peer) = registered(&queue, Key(1));
    for round in 0..16 {
        peer.write_all(b"hello")?;
        let receive = || stream.receive(drops.buffer()).expect("submitted");
        let (submitted, completion) =
            dequeued_before_it_returns(&calls, Call::WSARecv, &queue, receive);
        let Completion::Received { id, buffer, result: Ok(5), .. } = completion else {
            panic!("five bytes were expected: {completion:?}");
        };
        assert_eq!((submitted, buffer.bytes.as_slice()), (id, b"hello".as_slice()));
        drop(buffer);
        assert_eq!((drops.count(), stream.in_flight()), (round + 1, 0));
    }
    Ok(())
}

#[test]
fn a_send_can_be_dequeued_before_its_call_returns() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(1));
    let send = || stream.send(b"hello".to_vec()).expect("submitted");
    let (submitted, completion) = dequeued_before_it_returns(&calls, Call::WSASend, &queue, send);
    let Completion::Sent { id, count: 5, result: Ok(()), .. } = completion else {
        panic!("five bytes were expected: {completion:?}");
    };
    assert_eq!((submitted, tcp::heard(&mut peer, 5)), (id, b"hello".to_vec()));
    Ok(())
}

#[test]
fn a_connection_can_be_dequeued_before_its_call_returns() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (listener, address) = listening(&queue, Key(1), V4);
    let client = TcpStream::connect(address)?;
    let accept = || listener.accept().expect("submitted");
    let (submitted, completion) =
        dequeued_before_it_returns(&calls, Call::AcceptEx, &queue, accept);
    let Completion::Accepted { id, result: Ok((_, peer)), .. } = completion else {
        panic!("a connection was expected: {completion:?}");
    };
    assert_eq!((submitted, peer), (id, client.local_addr()?));

    let connect = || queue.connect(address, Key(2)).expect("submitted").0;
    let (stream, completion) = dequeued_before_it_returns(&calls, Call::ConnectEx, &queue, connect);
    let Completion::Connected { key: Key(2), result: Ok(()), .. } = completion else {
        panic!("a connection was expected: {completion:?}");
    };
    assert_eq!((stream.get_ref().peer_addr()?, stream.in_flight()), (address, 0));
    Ok(())
}

/// The first operation is over, but its call has not returned: the next one gets another slot.
#[test]
fn the_next_operation_can_start_while_the_call_of_the_first_has_not_returned() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(1));
    let gate = Gate::default();
    calls.spoil(Call::WSARecv, 1, Fault::returns_at(&gate));
    peer.write_all(b"1")?;
    let (first, second) = thread::scope(|scope| {
        let receive = || stream.receive(Vec::with_capacity(8)).expect("submitted");
        let first = scope.spawn(receive);
        gate.reached();
        let received = one_received(&queue);
        let second = receive();
        gate.open();
        assert_eq!(first.join().expect("the call returns"), received.id);
        (received.id, second)
    });
    assert_ne!(first, second);
    assert!(!stream.cancel(first)?, "the first is over, and the second is not meant");
    peer.write_all(b"2")?;
    let received = one_received(&queue);
    assert_eq!((received.id, received.buffer), (second, b"2".to_vec()));
    Ok(())
}

#[test]
fn an_operation_can_have_ended_when_its_call_returns() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::new()?;
    let (stream, mut peer) = registered(&queue, Key(1));
    peer.write_all(b"hello")?;
    calls.spoil(Call::WSARecv, 1, Fault::ends_first());
    calls.spoil(Call::WSASend, 1, Fault::ends_first());
    let received: OperationId = stream.receive(Vec::with_capacity(8))?;
    let sent: OperationId = stream.send(b"world".to_vec())?;
    let mut ended = collect(&queue, 2);
    ended.sort_by_key(|completion| matches!(completion, Completion::Sent { .. }));
    assert!(matches!(&ended[0], Completion::Received { id, buffer, .. }
        if *id == received && buffer == b"hello"));
    assert!(matches!(&ended[1], Completion::Sent { id, count: 5, .. } if *id == sent));
    assert_quiet(&queue);
    Ok(())
}

/// The operation is in its place, and counted, before the call. So a queue that goes waits for it,
/// and the call finds a socket and memory that are still there.
#[test]
fn a_queue_that_goes_while_a_call_is_on_its_way_waits_for_it() {
    let (calls, drops) = (Calls::watch(), Drops::default());
    for pause in [Fault::starts_at, Fault::returns_at] {
        let queue = CompletionQueue::<Counted>::new().expect("a queue");
        let (stream, _peer) = registered(&queue, Key(1));
        let (gate, before) = (Gate::default(), drops.count());
        calls.spoil(Call::WSARecv, 1, pause(&gate));
        let cancels = calls.count(Call::CancelIoEx);
        let left = AtomicU64::new(0);
        thread::scope(|scope| {
            let starter = scope.spawn(|| {
                let submitted = stream.receive(drops.buffer());
                // Wine can lose the cancelling if the thread ends in that moment.
                leave_together(&left, 2);
                submitted
            });
            gate.reached();
            let dropper = scope.spawn(|| {
                drop(queue);
                leave_together(&left, 2);
            });
            until("the queue cancels", || calls.count(Call::CancelIoEx) > cancels);
            gate.open();
            dropper.join().expect("the queue goes");
            starter.join().expect("the call returns").expect("submitted");
        });
        assert_eq!((drops.count() - before, stream.in_flight()), (1, 0));
        let late = stream.receive(drops.buffer()).expect_err("the queue has gone");
        assert_eq!(late.error.kind(), io::ErrorKind::BrokenPipe);
    }
}

/// While one thread tells a new connection of its listener, another drops the listener: the socket
/// is closed only after.
#[test]
fn a_listener_is_not_closed_while_a_connection_is_told_of_it() {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new().expect("a queue");
    let (listener, address) = listening(&queue, Key(1), V4);
    for _ in 0..2 {
        listener.accept().expect("submitted");
    }
    let _client = TcpStream::connect(address).expect("a client");
    let gate = Gate::default();
    calls.spoil(Call::setsockopt, 1, Fault::returns_at(&gate));
    let cancels = calls.count(Call::CancelIoEx);
    let (told, closed) = thread::scope(|scope| {
        let waiting = scope.spawn(|| {
            let mut batch = Completions::with_capacity(8);
            let mut told = 0;
            while queue.in_flight() > 0 {
                told += queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").count();
            }
            told
        });
        gate.reached();
        let closed = calls.count(Call::closesocket);
        scope.spawn(move || drop(listener));
        until("the listener cancels", || calls.count(Call::CancelIoEx) > cancels);
        // Time enough to go wrong in: without the lock the socket would be closed in a moment.
        give_way(|| false);
        let too_early = calls.count(Call::closesocket) - closed;
        gate.open();
        (waiting.join().expect("the wait ends"), too_early)
    });
    assert_eq!(closed, 0, "closed while it was in use");
    assert!(told <= 1, "{told} connections were told");
    sweep(&queue);
}

/// A connection that was dequeued before its listener went, and is looked at after: its socket is
/// not told of a listener that is closed, or that is another socket's number by now.
#[test]
fn a_listener_that_has_gone_is_not_named_to_the_system() {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new().expect("a queue");
    let (listener, address) = listening(&queue, Key(1), V4);
    listener.accept().expect("submitted");
    let _client = TcpStream::connect(address).expect("a client");
    let gate = Gate::default();
    calls.spoil(Call::GetQueuedCompletionStatusEx, 1, Fault::returns_at(&gate));
    thread::scope(|scope| {
        let waiting = scope.spawn(|| sweep(&queue));
        gate.reached();
        drop(listener);
        let options = calls.count(Call::setsockopt);
        gate.open();
        waiting.join().expect("nothing is told");
        assert_eq!(calls.count(Call::setsockopt), options, "it was named");
    });
}

/// Another registration names the same operation at this moment, which does nothing; or a request
/// of the same one is about to fail. Neither stands for the owner's.
#[test]
fn a_request_that_does_nothing_does_not_swallow_one_that_cancels() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (owner, _peer) = registered(&queue, Key(1));
    let (other, _other_peer) = registered(&queue, Key(2));
    for (first, fault) in [
        (&other, Fault::starts_at as fn(&Gate) -> Fault),
        (&owner, |gate: &Gate| Fault::starts_at(gate).and_fails(ERROR_NO_SYSTEM_RESOURCES)),
    ] {
        let id = owner.receive(Vec::with_capacity(8))?;
        let gate = Gate::default();
        calls.spoil(Call::CancelIoEx, 1, fault(&gate));
        let (idle, cancelled) = thread::scope(|scope| {
            let idle = scope.spawn(|| first.cancel(id));
            gate.reached();
            let cancelled = owner.cancel(id);
            gate.open();
            (idle.join().expect("the call returns"), cancelled)
        });
        assert!(!idle.unwrap_or(false), "it has cancelled nothing");
        assert!(cancelled?, "the owner's request was swallowed");
        one_received(&queue).assert_cancelled();
    }
    Ok(())
}

/// An error at once, and a packet all the same: the operation is not taken back, and comes once.
#[test]
fn an_operation_that_fails_at_once_although_it_has_begun_comes_with_its_packet() -> io::Result<()> {
    let (calls, drops) = (Calls::watch(), Drops::default());
    let queue = CompletionQueue::<Counted>::new()?;
    let (stream, mut peer) = registered(&queue, Key(1));
    for round in 0..4 {
        peer.write_all(b"hello")?;
        calls.spoil(Call::WSARecv, 1, Fault::fails_though_begun(WSAEMSGSIZE as u32));
        let id = stream.receive(drops.buffer()).expect("its packet comes");
        let next = stream.receive(drops.buffer()).expect("submitted");
        let received = one_received(&queue);
        assert_eq!((received.id, received.buffer.bytes.as_slice()), (id, b"hello".as_slice()));
        drop(received);
        assert_eq!((drops.count(), stream.in_flight()), (2 * round + 1, 1));
        assert!(stream.cancel(next)?, "the next one is another operation");
        one_received(&queue).assert_cancelled();
    }
    Ok(())
}

/// A connection whose socket other code has told to leave out packets: then the packet of what ends
/// at once is lost.
fn without_packets(
    queue: &CompletionQueue<Counted>,
) -> (Registration<TcpStream, Counted>, TcpStream) {
    let (stream, peer) = registered(queue, Key(1));
    let socket = without_provenance_mut(stream.get_ref().as_raw_socket() as usize);
    // SAFETY: the socket is open during the call.
    let set =
        unsafe { SetFileCompletionNotificationModes(socket, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS) };
    assert_ne!(set, FALSE, "{}", io::Error::last_os_error());
    (stream, peer)
}

/// Receives bytes that are there, by a call that says that there is no memory.
#[track_caller]
fn receives(
    calls: &Calls,
    (stream, peer): &mut (Registration<TcpStream, Counted>, TcpStream),
    buffer: Counted,
) -> OperationId {
    peer.write_all(b"hello").expect("sent");
    until("the bytes are there", || stream.get_ref().peek(&mut [0; 5]).is_ok_and(|n| n == 5));
    calls.spoil(Call::WSARecv, 1, Fault::fails_though_begun(WSAENOBUFS as u32));
    stream.receive(buffer).expect("it has run")
}

/// The next completion that is not foreign. Of a receive that was pending in spite of the bytes
/// there is a packet of the system's, too, which comes after ours or before.
#[track_caller]
fn received(queue: &CompletionQueue<Counted>) -> Received<Counted> {
    loop {
        match one(queue) {
            Completion::Foreign(_) => {}
            received => return Received::of(received),
        }
    }
}

/// The system has had no memory for the packet of an operation that has run, and says so by an
/// error at once: it is told by a packet of ours, with the bytes.
#[test]
fn an_operation_whose_packet_is_lost_is_told_all_the_same() -> io::Result<()> {
    let (calls, drops) = (Calls::watch(), Drops::default());
    let queue = CompletionQueue::<Counted>::new()?;
    let mut connection = without_packets(&queue);
    for round in 0..2 {
        let id = receives(&calls, &mut connection, drops.buffer());
        let received = received(&queue);
        assert_eq!((received.id, received.buffer.bytes.as_slice()), (id, b"hello".as_slice()));
        drop(received);
        assert_eq!((drops.count(), connection.0.in_flight()), (round + 1, 0));
    }
    Ok(())
}

/// As there, and no memory for the packet of ours either. It is not given back as refused, for the
/// bytes have been taken from the stream. It is told when the shortage is over, or else by the next
/// wait that finds memory.
#[test]
fn an_operation_whose_packet_is_lost_twice_is_told_in_the_end() -> io::Result<()> {
    const TRIES: u64 = 100;
    let (calls, drops) = (Calls::watch(), Drops::default());
    let queue = CompletionQueue::<Counted>::new()?;
    let mut connection = without_packets(&queue);
    for failures in [1, TRIES, TRIES + 1] {
        let no_memory = Fault::fails(ERROR_NO_SYSTEM_RESOURCES);
        (1..=failures)
            .for_each(|nth| calls.spoil(Call::PostQueuedCompletionStatus, nth, no_memory.clone()));
        let id = receives(&calls, &mut connection, drops.buffer());
        assert_eq!((connection.0.in_flight(), queue.in_flight()), (1, 1));
        if failures > TRIES {
            let mut batch = Completions::with_capacity(8);
            queue.wait(&mut batch, Some(DEADLINE)).expect_err("it cannot be told");
        }
        let received = received(&queue);
        assert_eq!((received.id, received.buffer.bytes.as_slice()), (id, b"hello".as_slice()));
    }
    // What is owed when the queue goes is given back, too.
    let no_memory = Fault::fails(ERROR_NO_SYSTEM_RESOURCES);
    (1..=TRIES)
        .for_each(|nth| calls.spoil(Call::PostQueuedCompletionStatus, nth, no_memory.clone()));
    receives(&calls, &mut connection, drops.buffer());
    drop(queue);
    assert_eq!((drops.count(), connection.0.in_flight()), (4, 0));
    Ok(())
}
