//! What a message costs, counted: the system calls that the program makes for it, and what it
//! allocates. The guide's chapter on cost has these numbers in a table, and here they are held.
//!
//! The counts are those of this process: what is counted is how often the layer asks the system,
//! and not what the system makes of it.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls and of the allocator")]

use std::io::{self, Write};
use std::net::{TcpListener, TcpStream};

use overlapped::{
    Completion, CompletionQueue, Completions, Inline, Key, Mode, Registration, Submitted,
};

mod support;
use support::{DEADLINE, NO_SOCKET, assert_quiet, collect, pair, registered};

#[path = "support/allocations.rs"]
mod allocations;
use allocations::{allocations_of, bytes_of, count_this_thread};

#[path = "support/calls.rs"]
mod calls;
use calls::{Call, Calls};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{V4, gather_in_port, listening};

const ROUNDS: u64 = 1_000;

/// Does something, and says which calls it has made, how often, and how many allocations.
fn cost_of(calls: &Calls, work: impl FnOnce()) -> (Vec<(Call, u64)>, usize) {
    let before = calls.counts();
    let allocations = allocations_of(work);
    let made = Call::ALL.into_iter().zip(calls.counts()).zip(before);
    let made = made.map(|((call, after), before)| (call, after - before));
    (made.filter(|(_, count)| *count > 0).collect(), allocations)
}

/// Two ends of a connection on one queue, and what goes back and forth between them.
struct PingPong<M: Mode> {
    queue: CompletionQueue,
    ends: [Registration<TcpStream, Vec<u8>, M>; 2],
    batch: Completions,
    /// For each end one to receive into and one to send.
    buffers: [[Vec<u8>; 2]; 2],
    /// What came out of the queue.
    packets: u64,
}

const SIZE: usize = 64;

impl PingPong<overlapped::Queued> {
    fn new() -> io::Result<Self> {
        let queue = CompletionQueue::new()?;
        let (near, far) = pair();
        let ends = [queue.register(near, Key(0))?, queue.register(far, Key(1))?];
        let both = || [Vec::with_capacity(SIZE), vec![7; SIZE]];
        let batch = Completions::with_capacity(64);
        Ok(Self { queue, ends, batch, buffers: [both(), both()], packets: 0 })
    }

    fn inline(self) -> io::Result<PingPong<Inline>> {
        let Self { queue, ends: [near, far], batch, buffers, packets } = self;
        let ends = [near.inline()?, far.inline()?];
        Ok(PingPong { queue, ends, batch, buffers, packets })
    }

    /// One end sends 64 bytes, the other receives them; then the other way round.
    fn round(&mut self) {
        for from in [0, 1] {
            let [to_receive, _] = &mut self.buffers[1 - from];
            self.ends[1 - from].receive(std::mem::take(to_receive)).expect("submitted");
            let [_, to_send] = &mut self.buffers[from];
            self.ends[from].send(std::mem::take(to_send)).expect("submitted");
            let mut left = 2;
            while left > 0 {
                self.queue.wait(&mut self.batch, Some(DEADLINE)).expect("waiting");
                for completion in &mut self.batch {
                    left -= 1;
                    self.packets += 1;
                    put_back(&mut self.buffers, completion);
                }
            }
        }
    }
}

impl PingPong<Inline> {
    fn round(&mut self) {
        for from in [0, 1] {
            let [_, to_send] = &mut self.buffers[from];
            let sent = self.ends[from].send(std::mem::take(to_send)).expect("submitted");
            self.end(sent);
            let [to_receive, _] = &mut self.buffers[1 - from];
            let received = self.ends[1 - from].receive(std::mem::take(to_receive));
            self.end(received.expect("submitted"));
        }
    }

    /// Takes what has ended at once, or waits for it.
    fn end(&mut self, submitted: Submitted) {
        let completion = match submitted {
            Submitted::Done(completion) => completion,
            Submitted::Pending(_) => {
                self.packets += 1;
                self.queue.wait(&mut self.batch, Some(DEADLINE)).expect("waiting");
                self.batch.next().expect("before the deadline")
            }
        };
        put_back(&mut self.buffers, completion);
    }
}

/// The buffers of an operation go back to their places, ready for the next round.
fn put_back(buffers: &mut [[Vec<u8>; 2]; 2], completion: Completion) {
    match completion {
        Completion::Received { key: Key(end), mut buffer, result, .. } => {
            assert!(matches!(result, Ok(SIZE)), "{result:?}");
            buffer.clear();
            buffers[end][0] = buffer;
        }
        Completion::Sent { key: Key(end), buffer, count: SIZE, .. } => buffers[end][1] = buffer,
        other => panic!("a message was expected: {other:?}"),
    }
}

#[test]
fn a_ping_pong_costs_two_calls_for_each_side_and_at_most_one_dequeue_for_a_packet() -> io::Result<()>
{
    let calls = Calls::watch();
    let mut game = PingPong::new()?;
    game.round();
    count_this_thread();
    game.packets = 0;
    let (made, allocations) = cost_of(&calls, || (0..ROUNDS).for_each(|_| game.round()));

    let [(Call::GetQueuedCompletionStatusEx, dequeues), messages @ ..] = &made[..] else {
        panic!("{made:?}");
    };
    assert_eq!(messages, [(Call::WSARecv, 2 * ROUNDS), (Call::WSASend, 2 * ROUNDS)]);
    assert_eq!((game.packets, allocations), (4 * ROUNDS, 0));
    assert!(*dequeues <= game.packets, "{dequeues} dequeues");
    println!("a round trip: 2 WSARecv, 2 WSASend, {} dequeues", *dequeues as f64 / ROUNDS as f64);
    Ok(())
}

#[test]
fn an_inline_ping_pong_brings_no_packet_for_what_ends_at_once() -> io::Result<()> {
    let calls = Calls::watch();
    let mut game = PingPong::new()?.inline()?;
    game.round();
    count_this_thread();
    game.packets = 0;
    let (made, allocations) = cost_of(&calls, || (0..ROUNDS).for_each(|_| game.round()));

    let of = |asked| made.iter().find(|(call, _)| *call == asked).map_or(0, |(_, count)| *count);
    let dequeues = of(Call::GetQueuedCompletionStatusEx);
    assert_eq!((of(Call::WSARecv), of(Call::WSASend)), (2 * ROUNDS, 2 * ROUNDS));
    assert_eq!(made.iter().map(|(_, count)| count).sum::<u64>(), 4 * ROUNDS + dequeues, "{made:?}");
    // A send is done at once; a receive is, too, if the bytes have come through by then.
    assert_eq!((dequeues, allocations), (game.packets, 0));
    assert!(game.packets <= 2 * ROUNDS, "{} packets", game.packets);
    assert_quiet(&game.queue);
    println!("a round trip: 2 WSARecv, 2 WSASend, {} dequeues", dequeues as f64 / ROUNDS as f64);
    Ok(())
}

#[test]
fn sixty_four_completions_cost_one_dequeue() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let mut streams: Vec<_> = (0..64).map(|key| registered(&queue, Key(key))).collect();
    let mut batch = Completions::with_capacity(64);
    for (stream, peer) in &mut streams {
        stream.receive(Vec::with_capacity(SIZE))?;
        peer.write_all(b"!")?;
    }
    gather_in_port(&queue, 64);
    count_this_thread();
    let (made, allocations) = cost_of(&calls, || {
        let batch = queue.wait(&mut batch, Some(DEADLINE)).expect("waiting");
        assert_eq!(batch.len(), 64);
    });
    assert_eq!(made, [(Call::GetQueuedCompletionStatusEx, 1)]);
    assert_eq!(allocations, 0);
    Ok(())
}

#[test]
fn a_thousand_wakes_cost_one_post() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (waker, mut batch) = (queue.waker(), Completions::with_capacity(64));
    count_this_thread();
    let (made, allocations) = cost_of(&calls, || {
        (0..ROUNDS).for_each(|_| waker.wake().expect("posted"));
        assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").count(), 1);
    });
    let [dequeue, post] = [Call::GetQueuedCompletionStatusEx, Call::PostQueuedCompletionStatus];
    assert_eq!(made, [(dequeue, 1), (post, 1)]);
    assert_eq!(allocations, 0);
    Ok(())
}

/// What a connection costs that is registered, says one thing and goes, with or without a receive
/// that waits. The first one's allocation is what its operations know of it; the second one gets
/// that again.
#[test]
fn a_connection_costs_a_fixed_small_number_of_calls_and_allocations() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let mut batch = Completions::with_capacity(64);
    // The first operation makes the table, and the first handle the list of handles.
    let (first, _peer) = registered(&queue, Key(0));
    first.readable()?;
    count_this_thread();
    for receives in [false, true] {
        let ((near, _far), mut stream) = (pair(), None);
        let buffers = [Vec::with_capacity(SIZE), vec![7; SIZE]];
        let registering =
            cost_of(&calls, || stream = Some(queue.register(near, Key(1)).expect("a new socket")));
        let made = [
            (Call::CreateIoCompletionPort, 1),
            (Call::SetFileCompletionNotificationModes, 1),
            (Call::getsockopt, 1),
        ];
        assert_eq!(registering, (made.to_vec(), usize::from(!receives)));

        let stream = stream.expect("registered above");
        let [to_receive, to_send] = buffers;
        let sending = cost_of(&calls, || {
            stream.send(to_send).expect("submitted");
            queue.wait(&mut batch, Some(DEADLINE)).expect("waiting");
        });
        let made = [(Call::GetQueuedCompletionStatusEx, 1), (Call::WSASend, 1)];
        assert_eq!(sending, (made.to_vec(), 0));
        drop(batch.next());

        if receives {
            stream.receive(to_receive)?;
        }
        let closing = cost_of(&calls, || drop(stream));
        let made = [(Call::CancelIoEx, 1), (Call::closesocket, 1)];
        assert_eq!(closing, (made[usize::from(!receives)..].to_vec(), 0));
    }
    Ok(())
}

#[test]
fn accepting_and_connecting_cost_a_fixed_small_number_of_calls() -> io::Result<()> {
    let calls = Calls::watch();
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (listener, address) = listening(&queue, Key(0), V4);
    listener.accept()?;
    // The first connect of a program has std start Winsock, which costs it a socket.
    let _client = queue.connect(address, Key(2))?;
    drop(collect(&queue, 2));
    count_this_thread();

    // The socket that becomes the connection, and, when it has come, telling it of its listener.
    // The memory for its addresses is that of the accept before.
    let accepting = cost_of(&calls, || drop(listener.accept()));
    assert_eq!(accepting, (vec![(Call::AcceptEx, 1), (Call::WSASocketW, 1)], 0));
    let mut stream = None;
    let connecting = cost_of(&calls, || stream = queue.connect(address, Key(1)).ok());
    let made = [
        (Call::CreateIoCompletionPort, 1),
        (Call::SetFileCompletionNotificationModes, 1),
        (Call::ConnectEx, 1),
        (Call::WSASocketW, 1),
        (Call::bind, 1),
        (Call::setsockopt, 1),
    ];
    assert_eq!(connecting, (made.to_vec(), 2), "it allocates the address, and its owner");
    gather_in_port(&queue, 2);
    let mut batch = Completions::with_capacity(64);
    let collecting = cost_of(&calls, || {
        assert_eq!(queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").count(), 2);
    });
    let made =
        [(Call::GetQueuedCompletionStatusEx, 1), (Call::setsockopt, 2), (Call::closesocket, 1)];
    assert_eq!(collecting, (made.to_vec(), 0));
    Ok(())
}

/// All that is allocated for connections of which each waits for its first bytes: what an operation
/// needs while it is in flight, what it knows of its registration, and the handle in the queue's
/// list. The table grows by doubling, so the worst is to be just past a growth, and that is looked
/// at too.
#[test]
fn an_idle_connection_takes_at_most_272_bytes() -> io::Result<()> {
    let _calls = Calls::watch();
    let mut worst = 0;
    for connections in [300, 481] {
        let (listener, queue) = (TcpListener::bind(V4)?, CompletionQueue::<Vec<u8>>::new()?);
        let address = listener.local_addr()?;
        let mut ends = Vec::with_capacity(connections);
        let mut streams = Vec::with_capacity(connections);
        for _ in 0..connections {
            let near = TcpStream::connect(address).expect(NO_SOCKET);
            ends.push((near, listener.accept().expect(NO_SOCKET).0));
        }
        let mut peers = Vec::with_capacity(connections);
        count_this_thread();
        let bytes = bytes_of(|| {
            for (near, far) in ends {
                let stream = queue.register(near, Key(1)).expect("a new socket");
                stream.readable().expect("submitted");
                streams.push(stream);
                peers.push(far);
            }
        });
        // The registration itself is the caller's, and holds the socket.
        let held = size_of::<Registration<TcpStream>>() - size_of::<TcpStream>();
        worst = worst.max(bytes / connections + held);
        println!("{connections} connections: {} bytes for each", bytes / connections + held);
    }
    assert!(worst <= 272, "{worst} bytes for a connection");
    Ok(())
}
