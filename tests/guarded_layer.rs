//! The layer under the allocator of `support/pages.rs`: with operations of every kind in flight all
//! is ended, in one way after the other, and then nothing of what was lent is left but where
//! leaking it is what is promised.
//!
//! Were something freed while the kernel has it, this would fail: an operation ends with an error
//! that nobody expects, a packet is nobody's, a wait has no access; or, on Wine, the thread stops
//! at the fault without a word, and what it was doing has not ended by the deadline.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;

use overlapped::{Completion, CompletionQueue, Completions, Failure, Key, Registration, Submitted};

mod support;
use support::{DEADLINE, dequeue_by_hand, registered, within_deadline};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::{V4, crowded, gather_in_port, listening, sweep, without_send_buffer};

#[path = "support/pages.rs"]
mod pages;
use pages::{PAGE, Pages, live};

#[global_allocator]
static ALLOCATOR: Pages = Pages;

/// Each operation lends three pieces of memory, of which one is larger than a page.
type Parts = [Vec<u8>; 3];

fn room() -> Parts {
    [100, 2 * PAGE + 1, 40].map(Vec::with_capacity)
}

fn bytes(count: usize) -> Parts {
    [vec![1; 100], vec![2; count], vec![3; 40]]
}

/// A queue and what is registered with it, all with operations in flight; some have ended by now,
/// and their packets lie in the port.
struct House {
    queue: CompletionQueue<Parts>,
    listener: Registration<TcpListener, Parts>,
    receiver: Registration<TcpStream, Parts>,
    sender: Registration<TcpStream, Parts>,
    connecting: Registration<TcpStream, Parts>,
    peers: [TcpStream; 2],
    _clients: [TcpStream; 2],
}

/// How many packets there are.
const ENDED: usize = 4;

fn house(nobody: SocketAddr) -> House {
    let queue = CompletionQueue::new().expect("a queue");
    let (listener, address) = listening(&queue, Key(1), V4);
    let (receiver, mut peer) = registered(&queue, Key(2));
    let (sender, other) = registered(&queue, Key(3));
    for _ in 0..4 {
        listener.accept().expect("submitted");
    }
    let clients = [(); 2].map(|()| TcpStream::connect(address).expect("a client"));
    receiver.receive(room()).expect("submitted");
    peer.write_all(&[7; 100]).expect("sent");
    sender.send(bytes(PAGE)).expect("submitted");
    gather_in_port(&queue, ENDED);

    receiver.receive(room()).expect("submitted");
    receiver.receive(room()).expect("submitted");
    sender.readable().expect("submitted");
    without_send_buffer(sender.get_ref());
    // Windows' own loopback takes some megabytes although nobody reads; this is to pend.
    sender.send(bytes(32 << 20)).expect("submitted");
    let connecting = queue.connect(nobody, Key(4)).expect("submitted");
    let peers = [peer, other];
    House { queue, listener, receiver, sender, connecting, peers, _clients: clients }
}

impl House {
    fn cancel_all(&self) {
        self.listener.cancel_all().expect("cancelled");
        for stream in [&self.receiver, &self.sender, &self.connecting] {
            stream.cancel_all().expect("cancelled");
        }
    }
}

/// It is of an operation that is known, and that has succeeded or was cancelled. A kernel that
/// finds no memory where some was lent says that the address is wrong.
fn assert_sound(completion: &Completion<Parts>) {
    let sound = matches!(
        completion,
        Completion::Received { result: Ok(_) | Err(Failure::Cancelled), .. }
            | Completion::Readable { result: Ok(()) | Err(Failure::Cancelled), .. }
            | Completion::Sent { result: Ok(()) | Err(Failure::Cancelled), .. }
            | Completion::Accepted { result: Ok(_) | Err(Failure::Cancelled), .. }
            | Completion::Connected { .. }
    );
    assert!(sound, "{completion:?}");
}

/// Collects until nothing is in flight.
fn collect_all(queue: &CompletionQueue<Parts>) {
    let mut batch = Completions::with_capacity(64);
    while queue.in_flight() > 0 {
        for completion in queue.wait(&mut batch, Some(DEADLINE)).expect("waiting") {
            assert_sound(&completion);
        }
    }
}

fn the_queue_first(house: House) {
    drop(house.queue);
}

fn the_registrations_first(house: House) {
    drop((house.listener, house.receiver, house.sender, house.connecting));
    sweep(&house.queue);
}

fn sockets_taken_out(house: House) {
    let listener = house.listener.into_inner();
    let streams = [house.receiver, house.sender, house.connecting].map(Registration::into_inner);
    sweep(&house.queue);
    drop((listener, streams));
}

fn cancelled_all_at_once(house: House) {
    house.cancel_all();
    collect_all(&house.queue);
}

/// The bytes go to the first of the receives while the last ones are cancelled.
fn cancelled_one_by_one_while_bytes_come(mut house: House) {
    let ids = [(); 50].map(|()| house.receiver.receive(room()).expect("submitted"));
    for id in ids.into_iter().rev() {
        house.peers[0].write_all(&[8; 100]).expect("sent");
        house.receiver.cancel(id).expect("cancelled");
    }
    cancelled_all_at_once(house);
}

fn closed_while_a_peer_sends(house: House) {
    let [mut peer, _other] = house.peers;
    let sending = thread::spawn(move || while peer.write_all(&[9; 1_000]).is_ok() {});
    let (mut batch, mut received) = (Completions::with_capacity(64), 0);
    while received < 100 {
        for completion in house.queue.wait(&mut batch, Some(DEADLINE)).expect("waiting") {
            assert_sound(&completion);
            if let Completion::Received { result: Ok(_), .. } = completion {
                house.receiver.receive(room()).expect("submitted");
                received += 1;
            }
        }
    }
    drop(house.receiver);
    sending.join().expect("the peer was told");
    drop(house.queue);
}

fn a_batch_half_read_and_dropped(house: House) {
    let mut batch = Completions::with_capacity(64);
    house.queue.wait(&mut batch, Some(DEADLINE)).expect("waiting");
    assert_eq!(batch.len(), ENDED);
    drop((batch.next(), batch.next()));
    drop(batch);
}

fn a_batch_that_outlives_all_else(house: House) {
    let mut batch = Completions::with_capacity(64);
    house.queue.wait(&mut batch, Some(DEADLINE)).expect("waiting");
    assert_eq!(batch.len(), ENDED);
    drop(house);
}

fn shut_down_and_collected(house: House) {
    house.queue.shut_down().expect("shut down");
    house.cancel_all();
    let mut batch = Completions::with_capacity(3);
    while !house.queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").is_empty() {
        for completion in batch.by_ref() {
            if !matches!(completion, Completion::ShutDown) {
                assert_sound(&completion);
            }
        }
    }
    assert_eq!(house.queue.in_flight(), 0);
}

/// So many that the table has four blocks.
fn hundreds_in_flight(house: House) {
    let streams = [(); 6].map(|()| registered(&house.queue, Key(5)));
    for _ in 0..100 {
        for (stream, _) in &streams {
            stream.receive(room()).expect("submitted");
        }
    }
    assert!(house.queue.in_flight() > 600);
    for (_, peer) in &streams {
        let mut peer = peer;
        peer.write_all(&[5; 20 * PAGE]).expect("sent");
    }
    drop(house.queue);
}

fn told_at_once(house: House) {
    let stream = house.receiver.inline().expect("a TCP socket of the system's own provider");
    for _ in 0..20 {
        for submitted in [stream.send(bytes(PAGE)), stream.receive(room())] {
            if let Submitted::Done(completion) = submitted.expect("submitted") {
                assert_sound(&completion);
            }
        }
    }
    drop(stream);
}

/// What was lent by an operation whose packet the queue never gets is leaked: its buffer, the
/// table's block in which it lies, and what it knows of its registration.
fn a_packet_dequeued_by_hand() {
    let queue = CompletionQueue::new().expect("a queue");
    let (stream, mut peer) = registered(&queue, Key(1));
    stream.receive(Vec::with_capacity(100)).expect("submitted");
    peer.write_all(b"hello").expect("sent");
    dequeue_by_hand(&queue.port(), 1);
    drop((queue, stream));
}

/// What is done to it, and its name.
type Ending = (&'static str, fn(House));

/// All is in one test, for the count is of the whole process.
#[test]
fn however_all_is_ended_nothing_is_left_of_what_was_lent() {
    let crowd = crowded();
    let endings: [Ending; 11] = [
        ("the queue first", the_queue_first),
        ("the registrations first", the_registrations_first),
        ("the sockets taken out", sockets_taken_out),
        ("cancelled all at once", cancelled_all_at_once),
        ("cancelled one by one", cancelled_one_by_one_while_bytes_come),
        ("closed while a peer sends", closed_while_a_peer_sends),
        ("a batch half read", a_batch_half_read_and_dropped),
        ("a batch that outlives all else", a_batch_that_outlives_all_else),
        ("shut down and collected", shut_down_and_collected),
        ("hundreds in flight", hundreds_in_flight),
        ("told at once", told_at_once),
    ];
    let address = crowd.address;
    for (what, ending) in endings {
        println!("{what}");
        let left = left_by(move || ending(house(address)));
        assert_eq!(left, 0);
    }
    println!("a packet dequeued by hand");
    // How many blocks the table keeps for it is not promised.
    let left = left_by(a_packet_dequeued_by_hand);
    assert!(left >= 3, "{left} are left, and some of what was lent was freed");
}

/// How many allocations are left by something that was done before.
fn left_by(work: impl Fn() + Copy + Send + 'static) -> isize {
    // The first time the system and std may load what they need, once.
    within_deadline(work);
    let before = live();
    within_deadline(work);
    live() as isize - before as isize
}
