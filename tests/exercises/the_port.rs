//! Of the first part: the port alone, without a queue.

#![allow(unsafe_code, reason = "it borrows a socket as a handle, and makes a call by hand")]

use std::io;
use std::mem::MaybeUninit;
use std::os::windows::io::{AsHandle, AsRawHandle, AsRawSocket, BorrowedHandle};
use std::ptr::null_mut;
use std::thread;
use std::time::{Duration, Instant};

use overlapped::ffi;
use overlapped::ffi::constants::{FALSE, INFINITE};
use overlapped::ffi::types::OVERLAPPED_ENTRY;
use overlapped::{CompletionPort, Key};

use crate::support::{pair, within_deadline};

/// Post three values with three keys, and take them out again, as many with each call as there are.
#[test]
fn post_and_take_three_values() -> io::Result<()> {
    let port = CompletionPort::new(0)?;
    for value in 1..=3 {
        port.post(Key(value), 10 * value as u32)?;
    }

    let mut packets = Vec::with_capacity(8);
    while packets.len() < 3 {
        // Mostly one call takes all three, but how many it takes is the system's choice.
        assert!(port.dequeue(&mut packets, None)? > 0);
    }
    let pairs: Vec<_> = packets.iter().map(|packet| (packet.key(), packet.bytes())).collect();
    assert_eq!(pairs, [(Key(1), 10), (Key(2), 20), (Key(3), 30)]);
    Ok(())
}

/// Take packets two at a time: the vector's spare room is the limit, and nothing is lost by it.
#[test]
fn take_five_packets_two_at_a_time() -> io::Result<()> {
    let port = CompletionPort::new(0)?;
    for value in 0..5 {
        port.post(Key(0), value)?;
    }

    let (mut packets, mut values) = (Vec::with_capacity(2), Vec::new());
    while values.len() < 5 {
        packets.clear(); // a vector without spare room would be an error
        assert!(port.dequeue(&mut packets, None)? <= 2);
        values.extend(packets.iter().map(|packet| packet.bytes()));
    }
    assert_eq!(values, [0, 1, 2, 3, 4]);
    Ok(())
}

/// Let a second thread end your wait: a wait that begins without packets and without a time limit.
#[test]
fn be_woken_by_another_thread() -> io::Result<()> {
    within_deadline(|| {
        let port = CompletionPort::new(0)?;
        thread::scope(|scope| {
            let other = scope.spawn(|| port.post(Key(7), 1));
            let mut packets = Vec::with_capacity(1);
            assert_eq!(port.dequeue(&mut packets, None)?, 1);
            assert_eq!(packets[0].key(), Key(7));
            other.join().expect("posting does not panic")
        })
    })
}

/// Wait for at most 20 milliseconds on an empty port, and prove that it was as long as that.
#[test]
fn wait_in_vain_for_twenty_milliseconds() -> io::Result<()> {
    let port = CompletionPort::new(0)?;
    let (start, limit) = (Instant::now(), Duration::from_millis(20));
    assert_eq!(port.dequeue(&mut Vec::with_capacity(1), Some(limit))?, 0);
    assert!(start.elapsed() >= limit, "{:?}", start.elapsed());
    Ok(())
}

/// Associate two sockets with two ports: what does a second port for the first socket get?
#[test]
fn a_socket_has_one_port_for_life() -> io::Result<()> {
    let (first, second) = (CompletionPort::new(0)?, CompletionPort::new(0)?);
    let (socket, _peer) = pair();
    // SAFETY: a socket is a handle of the kernel, and this one is open until the test ends.
    let handle = unsafe { BorrowedHandle::borrow_raw(socket.as_raw_socket() as _) };
    first.associate(handle, Key(1))?;
    let error = second.associate(handle, Key(2)).expect_err("it belongs to the first port");
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    Ok(())
}

/// Take a packet out by hand, with `GetQueuedCompletionStatusEx` of the bindings.
#[test]
fn take_a_packet_by_hand() -> io::Result<()> {
    let port = CompletionPort::new(0)?;
    port.post(Key(7), 42)?;

    let mut entry = MaybeUninit::<OVERLAPPED_ENTRY>::uninit();
    let mut removed = 0;
    // SAFETY: the port is open, there is room for one entry, and the count is a live variable.
    let taken = unsafe {
        ffi::kernel32::GetQueuedCompletionStatusEx(
            port.as_handle().as_raw_handle(),
            entry.as_mut_ptr(),
            1,
            &mut removed,
            INFINITE,
            FALSE,
        )
    };
    assert_ne!(taken, FALSE, "{}", io::Error::last_os_error());
    assert_eq!(removed, 1);
    // SAFETY: the call has succeeded and says that it has written one entry.
    let entry = unsafe { entry.assume_init() };
    assert_eq!((entry.lpCompletionKey, entry.dwNumberOfBytesTransferred), (7, 42));
    assert_eq!(entry.lpOverlapped, null_mut());
    Ok(())
}
