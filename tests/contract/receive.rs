//! `WSARecv` on a stream: what the call answers, and what its packet says.
#![allow(unsafe_code, reason = "it takes memory back that brings no packet")]

use std::io::Write;
use std::net::TcpStream;
use std::os::windows::io::AsRawHandle;
use std::sync::Mutex;
use std::sync::mpsc::channel;
use std::thread;

use overlapped::ffi::constants::MSG_PEEK;

use super::kernel::{Answer, connected};
use super::start::{Receive, event, pending, receive, skip_on_success, wait_for};

/// Waits until there is data to receive, and leaves it there.
pub fn wait_for_data(stream: &TcpStream) {
    assert_ne!(stream.peek(&mut [0; 1]).expect("data before the deadline"), 0);
}

/// (28) When data is there the call says 0, for done, and a packet comes all the same, with the
/// same count: to handle both would be to handle the data twice.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn a_receive_that_is_done_at_once_brings_a_packet_too() {
    let (port, near, mut far) = connected();
    far.write_all(b"hello").expect("sent");
    wait_for_data(&near);
    let (operation, answer) = Receive { counted: true, ..Receive::of(16) }.start(&near);
    assert_eq!(answer, Answer::AtOnce);
    let end = port.end(operation);
    assert_eq!((end.status, end.counted, end.count, end.bytes), (0, 5, 5, b"hello".to_vec()));
    port.assert_empty();
}

/// (29) When there is none the call fails, with an error that is none, 997: it has begun. The
/// packet comes when data does, and not before.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn a_receive_that_finds_nothing_waits_for_data() {
    let (port, near, mut far) = connected();
    let (operation, answer) = receive(&near, 16);
    assert_eq!(answer, Answer::Pending);
    port.assert_empty();
    far.write_all(b"hello").expect("sent");
    assert_eq!(port.end(operation).bytes, b"hello");
}

/// (31) The call needs no place for the count: it is in the packet. Only an immediate success
/// writes it, so a count that is read after 997 is whatever it was.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn the_count_is_in_the_packet() {
    let (port, near, mut far) = connected();
    for counted in [false, true] {
        let (operation, answer) = Receive { counted, ..Receive::of(16) }.start(&near);
        assert_eq!(answer, Answer::Pending);
        far.write_all(b"hello").expect("sent");
        let end = port.end(operation);
        println!("the call's own count: {:#x}", end.counted);
        assert_eq!(end.count, 5);
    }
}

/// (32) The flags go in and come out: they are lent, as the buffer is. An immediate success updates
/// them, and that belongs to the call, so it may happen after the packet was dequeued. Of what
/// stays pending they are not to be written; what stands there afterwards is printed.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn the_flags_are_lent_with_the_operation() {
    let (port, near, mut far) = connected();
    let operation = pending(&near, 16);
    far.write_all(b"hello").expect("sent");
    let end = port.end(operation);
    println!("of one that was pending: {:#x}", end.flags);
    assert_eq!(end.bytes, b"hello");

    far.write_all(b"hello").expect("sent");
    wait_for_data(&near);
    let end = port.end(receive(&near, 16).0);
    println!("of one that was done at once: {:#x}", end.flags);
    assert_eq!(end.bytes, b"hello");
}

/// (32) MSG_PEEK is for calls that are not overlapped, and refused here. (Wine has a look all the
/// same, and takes nothing away.) The bytes are there for the next receive either way.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn a_look_at_what_is_there_is_not_for_overlapped_receives() {
    let (port, near, mut far) = connected();
    far.write_all(b"hello").expect("sent");
    wait_for_data(&near);
    let (operation, answer) = Receive { flags: MSG_PEEK, ..Receive::of(16) }.start(&near);
    println!("an overlapped receive with MSG_PEEK: {answer:?}");
    match answer {
        Answer::Failed(_) => port.assert_empty(),
        Answer::AtOnce | Answer::Pending => assert_eq!(port.end(operation).bytes, b"hello"),
    }
    assert_eq!(port.end(receive(&near, 16).0).bytes, b"hello");
}

/// (33) The description of the room is read during the call and may be anything afterwards. (All
/// these tests spoil it right after the call; this one says so.)
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn the_description_of_the_room_is_captured_by_the_call() {
    let (port, near, mut far) = connected();
    let operation = pending(&near, 5);
    far.write_all(b"hello, world").expect("sent");
    assert_eq!(port.end(operation).bytes, b"hello");
}

/// (34) Receives that wait are filled in the order in which they were started.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn pending_receives_are_filled_in_their_order() {
    let (port, near, mut far) = connected();
    let (first, second) = (pending(&near, 4), pending(&near, 4));
    far.write_all(b"01234567").expect("sent");
    assert_eq!(port.end(first).bytes, b"0123");
    assert_eq!(port.end(second).bytes, b"4567");
}

/// (34) Two threads that start receives at the same time have no order, and so neither have these.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn receives_of_two_threads_are_filled_in_either_order() {
    let (port, near, mut far) = connected();
    let (open_at_the_end, (sender, receiver)) = (Mutex::new(()), channel());
    thread::scope(|scope| {
        // Wine loses what a thread has started that ends (47), so the threads stay.
        let closed = open_at_the_end.lock();
        for number in 0..2 {
            let (sender, near, open_at_the_end) = (sender.clone(), &near, &open_at_the_end);
            scope.spawn(move || {
                sender.send((number, pending(near, 4))).expect("somebody waits for it");
                drop(open_at_the_end.lock());
            });
        }
        drop(sender);
        let mut operations = [(); 2].map(|()| receiver.recv().expect("started"));
        operations.sort_unstable_by_key(|(number, _)| *number);
        far.write_all(b"01234567").expect("sent");
        // In which order the packets come does not matter here.
        let mut packets = [(); 2].map(|()| port.packet().operation);
        let mut started = [0, 1].map(|number| operations[number].1.address());
        packets.sort_unstable();
        started.sort_unstable();
        assert_eq!(packets, started);
        // SAFETY: the packets of both have been dequeued.
        let memory = operations.map(|(_, operation)| unsafe { operation.take_back() });
        let mut halves = memory.map(|memory| memory.bytes);
        println!("the first thread has received {:?}", halves[0]);
        halves.sort_unstable();
        assert_eq!(halves.map(Vec::from), [b"0123", b"4567"]);
        drop(closed);
    });
}

/// (40) A receive without room waits for data too, takes 0 bytes, and leaves the data where it is.
/// So 0 bytes are the end of the stream only if there was room for more.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn a_receive_without_room_waits_for_data_and_leaves_it() {
    let (port, near, mut far) = connected();
    let operation = pending(&near, 0);
    far.write_all(b"hello").expect("sent");
    let end = port.end(operation);
    assert_eq!((end.status, end.count), (0, 0));
    assert_eq!(port.end(receive(&near, 16).0).bytes, b"hello");
}

/// (44) A socket that does not block can wait like any other: the mode is for calls that are not
/// overlapped.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsarecv>
#[test]
fn a_receive_on_a_socket_that_does_not_block_waits() {
    let (port, near, mut far) = connected();
    near.set_nonblocking(true).expect("the mode");
    let operation = pending(&near, 16);
    far.write_all(b"hello").expect("sent");
    assert_eq!(port.end(operation).bytes, b"hello");
}

/// (45) The lowest bit of the event, which no handle has, keeps the packet away: the operation ends
/// and the port never hears of it. That is how code that is not ours receives on our socket.
/// <https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-getqueuedcompletionstatus>
#[test]
fn an_event_with_its_lowest_bit_set_keeps_the_packet_away() {
    let (port, near, mut far) = connected();
    let event = event();
    let tagged = event.as_raw_handle().map_addr(|handle| handle | 1);
    let (operation, answer) = Receive { event: tagged, ..Receive::of(16) }.start(&near);
    assert_eq!(answer, Answer::Pending);
    far.write_all(b"hello").expect("sent");
    wait_for(&event);
    port.assert_empty();
    // SAFETY: the event says that the operation has ended, and no packet comes.
    let memory = unsafe { operation.take_back() };
    assert_eq!((memory.overlapped.InternalHigh, &memory.bytes[..5]), (5, &b"hello"[..]));
}

/// (46) Once a socket is told to skip the port on success, an immediate success brings no packet,
/// and its memory is the caller's at once. What was pending brings its packet as before.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-setfilecompletionnotificationmodes>
#[test]
fn a_socket_that_skips_the_port_on_success_brings_packets_only_of_what_was_pending() {
    let (port, near, mut far) = connected();
    skip_on_success(&near);
    let operation = pending(&near, 16);
    far.write_all(b"later").expect("sent");
    assert_eq!(port.end(operation).bytes, b"later");

    far.write_all(b"now").expect("sent");
    wait_for_data(&near);
    let (operation, answer) = Receive { counted: true, ..Receive::of(16) }.start(&near);
    assert_eq!(answer, Answer::AtOnce);
    port.assert_empty();
    // SAFETY: it has succeeded at once, on a socket that queues no packet then.
    let memory = unsafe { operation.take_back() };
    assert_eq!((memory.counted, &memory.bytes[..3]), (3, &b"now"[..]));
}
