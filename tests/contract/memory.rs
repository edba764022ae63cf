//! Whose the memory is, and when: the promises that every binding of ports stands or falls with.
#![allow(unsafe_code, reason = "it looks at memory that the kernel writes to")]

use std::io::Write;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;
use std::thread;
use std::time::{Duration, Instant};

use overlapped::ffi::constants::FALSE;

use super::kernel::{DEADLINE, Port, connected, dequeue};
use super::receive::wait_for_data;
use super::start::{cancel, pending, receive};

/// (49) Another thread can have the packet before the call that started the operation returns. So
/// all that a handler needs is written before the call, and nothing is touched after it. When it
/// happens is up to the system: the test counts how often it saw it, and asserts nothing of it.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/i-o-completion-ports>
#[test]
fn a_packet_can_be_had_before_the_call_returns() {
    const ROUNDS: usize = 500;
    let (port, near, mut far) = connected();
    far.write_all(&[0; ROUNDS]).expect("sent");
    wait_for_data(&near);
    let returned = AtomicUsize::new(0);
    let early = thread::scope(|scope| {
        let handler = scope.spawn(|| {
            // The n-th packet came early if fewer than n calls have returned.
            let is_early = |n: &usize| {
                port.packet();
                returned.load(SeqCst) < *n
            };
            (1..=ROUNDS).filter(is_early).count()
        });
        for _ in 0..ROUNDS {
            // Leaked, since the handler does not give it back.
            receive(&near, 1);
            returned.fetch_add(1, SeqCst);
        }
        handler.join().expect("all packets")
    });
    println!("{early} of {ROUNDS} packets were dequeued before the call had returned");
}

/// (50) The memory is the kernel's until the packet was dequeued. Neither that the operation was
/// cancelled nor that its socket was closed gives it back: the packet is still to come, and names
/// it.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/canceling-pending-i-o-operations>
#[test]
fn neither_cancelling_nor_closing_takes_the_place_of_the_packet() {
    let (port, near, _far) = connected();
    let operation = pending(&near, 16);
    cancel(&near, Some(&operation)).expect("it is pending");
    drop(near);
    // Only here does it become ours: `end` checks that the packet names it, and frees it.
    let end = port.end(operation);
    assert!(end.status < 0, "{end:?}");
}

/// (51) What is in flight when its port is closed still writes to its memory, and nobody can learn
/// when, or that it has: so drain the port first, or never free.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/i-o-completion-ports>
#[test]
fn an_operation_writes_its_memory_after_its_port_was_closed() {
    let (port, near, mut far) = connected();
    let operation = pending(&near, 1);
    drop(port);
    far.write_all(b"!").expect("sent");
    let (elsewhere, start) = (Port::new(), Instant::now());
    // SAFETY: the memory is never freed. The kernel may be writing to it: the read is volatile, so
    // that each round looks, and of one byte, which is there as a whole or not at all.
    while unsafe { operation.buffer().read_volatile() } != b'!' {
        assert!(start.elapsed() < Duration::from_millis(DEADLINE.into()), "it was not written");
        // There is nothing to wait for, so another port is waited on that is empty.
        dequeue(elsewhere.handle(), 1, 1, FALSE).expect_err("nobody posts there");
    }
}
