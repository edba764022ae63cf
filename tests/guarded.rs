//! A kernel that writes to memory which was freed too early is caught, under the allocator of
//! `support/pages.rs`: it finds no memory there, and nobody else's memory changes.
//!
//! Whoever breaks the rule here does so in a process of its own, and ends by touching what it has
//! freed, which is a fault. So that process dies of one, there at the latest; unless it has found
//! that the memory of others was written to, which fails in another way. Systems differ in what
//! they make of the kernel's own write:
//!
//! * Wine writes in the process. Where the buffer is gone it receives nothing, and the operation
//!   ends with `STATUS_ACCESS_VIOLATION`. Where the `OVERLAPPED` is gone the thread that submitted
//!   meets the fault: what it waits for at that moment fails with `ERROR_NOACCESS`, and no packet
//!   comes. A thread that does not wait just then stops for good and without a word; so here it
//!   waits.
//! * Windows locks the pages of a buffer while a receive is pending. The bytes go there, where
//!   nobody sees them, and the operation succeeds. A status that it cannot write it leaves out, as
//!   far as is known, and the packet comes. But it may also write bytes and status as late as in
//!   the call that takes the packet out of the port, and then that call may fail; Microsoft does
//!   not say with which error. None of this has been seen here.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it breaks the rules of memory on purpose")]

use std::hint::black_box;
use std::io::Write;
use std::mem;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::slice_from_raw_parts_mut;
use std::thread;

use overlapped::ffi;
use overlapped::ffi::constants::{ERROR_NOACCESS, FALSE, WAIT_TIMEOUT};
use overlapped::ffi::ntstatus::{STATUS_ACCESS_VIOLATION, STATUS_SUCCESS};
use overlapped::ffi::types::{BOOL, DWORD, HANDLE, NTSTATUS};

#[allow(dead_code, reason = "it has more than is needed here")]
#[path = "contract/kernel.rs"]
mod kernel;
use kernel::{DEADLINE, Memory, Operation, Packet, connected, dequeue, last_error};

#[allow(dead_code, reason = "it has more than is needed here")]
#[path = "contract/start.rs"]
mod start;
use start::{event, pending, wait_for};

#[path = "support/alone.rs"]
mod alone;
#[path = "support/spawn.rs"]
mod spawn;
use alone::{SO_FAR, alone};

#[path = "support/pages.rs"]
mod pages;
use pages::Pages;

#[global_allocator]
static ALLOCATOR: Pages = Pages;

#[derive(Clone, Copy, PartialEq)]
enum Freed {
    Nothing,
    Buffer,
    Operation,
}

/// As large as what holds an `OVERLAPPED`: so from an ordinary allocator a newcomer of this size
/// can get the memory of either.
const SIZE: usize = size_of::<Memory>();

/// Receives, and frees some of the memory while the receive is pending.
fn receive(freed: Freed) {
    let (port, near, mut far) = connected();
    let operation = pending(&near, SIZE);
    let (place, overlapped) = (operation.place(freed), operation.overlapped());
    let kept = operation.free(freed);
    let newcomers: Vec<_> = (0..100).map(|_| Box::new([b'.'; SIZE])).collect();
    println!("{SO_FAR}");

    let (waiting, ended) = (event(), event());
    let (waited, packet) = thread::scope(|scope| {
        let peer = scope.spawn(|| {
            wait_for(&waiting);
            far.write_all(&[b'!'; SIZE]).expect("sent");
            // It may be in this call that the system writes what it has no memory for.
            let packet = dequeue(port.handle(), 1, DEADLINE, FALSE).map(|packets| packets[0]);
            set(&ended);
            packet
        });
        let waited = tell_and_wait(&waiting, &ended);
        if waited.is_err() {
            // So that the peer does not wait in vain for the packet.
            port.post(0, 0, 0);
        }
        (waited, peer.join().expect("it does not panic"))
    });
    println!("the thread that submitted: {waited:?}; the packet: {packet:?}");
    let intact = newcomers.iter().all(|newcomer| **newcomer == [b'.'; SIZE]);
    assert!(intact, "the memory of others was written to");
    // Where the operation is freed, or its packet has not come, nobody knows how it has ended.
    let came = packet.is_ok_and(|packet| packet.operation == overlapped.addr());
    let status = (came && freed != Freed::Operation).then(|| {
        // SAFETY: the operation is there, and its packet has been dequeued.
        unsafe { (*overlapped).Internal as NTSTATUS }
    });
    judge(freed, waited, packet, status);
    match kept {
        // SAFETY: the packet has been dequeued.
        Some(kept) => assert_eq!(*unsafe { kept.take_back() }.bytes, [b'!'; SIZE]),
        None => touch(place),
    }
}

impl Operation {
    fn place(&self, freed: Freed) -> *mut u8 {
        if freed == Freed::Buffer { self.buffer() } else { self.overlapped().cast() }
    }

    /// Breaks the rule, but for `Nothing`.
    fn free(self, freed: Freed) -> Option<Self> {
        match freed {
            Freed::Nothing => return Some(self),
            Freed::Buffer => {
                let buffer = slice_from_raw_parts_mut(self.buffer(), SIZE);
                // SAFETY: the memory was allocated as such a box, and is freed once. But the kernel
                // still has it, and that is the violation.
                drop(unsafe { Box::from_raw(buffer) });
            }
            Freed::Operation => {
                // SAFETY: as above; it should be called when the packet has been dequeued.
                let memory = unsafe { self.take_back() };
                mem::forget(memory.bytes);
            }
        }
        None
    }
}

/// What systems may make of it.
fn judge(
    freed: Freed,
    waited: Result<(), DWORD>,
    packet: Result<Packet, DWORD>,
    status: Option<NTSTATUS>,
) {
    let Ok(packet) = packet else {
        // With which error Microsoft does not say.
        assert!(freed != Freed::Nothing && packet != Err(WAIT_TIMEOUT), "the wait: {packet:?}");
        return;
    };
    let succeeded =
        status.is_none_or(|status| status == STATUS_SUCCESS) && packet.count as usize == SIZE;
    match freed {
        Freed::Nothing => assert!(waited == Ok(()) && succeeded),
        Freed::Buffer => {
            let refused = status == Some(STATUS_ACCESS_VIOLATION);
            assert!(waited == Ok(()) && (refused || succeeded));
        }
        Freed::Operation => {
            let refused = waited == Err(ERROR_NOACCESS) && packet.operation == 0;
            assert!(refused || (waited == Ok(()) && succeeded));
        }
    }
}

#[test]
fn what_the_kernel_receives_into_a_buffer_that_was_freed_is_caught() {
    let name = "what_the_kernel_receives_into_a_buffer_that_was_freed_is_caught";
    alone(name, || receive(Freed::Buffer)).assert_fault();
}

#[test]
fn what_the_kernel_writes_into_an_operation_that_was_freed_is_caught() {
    let name = "what_the_kernel_writes_into_an_operation_that_was_freed_is_caught";
    alone(name, || receive(Freed::Operation)).assert_fault();
}

#[test]
fn the_same_receive_with_its_memory_kept_brings_the_bytes() {
    let name = "the_same_receive_with_its_memory_kept_brings_the_bytes";
    alone(name, || receive(Freed::Nothing)).assert_fine();
}

/// Writes where there is no memory: this is to be the end of the process.
fn touch(place: *mut u8) {
    // SAFETY: it is not safe. What was freed is nobody's, and the allocator keeps it so.
    unsafe { black_box(place).write_volatile(1) };
}

/// Signals an event and waits for another, in one step: whoever sees the first knows that this
/// thread is waiting.
fn tell_and_wait(tell: &OwnedHandle, wait: &OwnedHandle) -> Result<(), DWORD> {
    let (tell, wait) = (tell.as_raw_handle(), wait.as_raw_handle());
    // SAFETY: both events are open during the call.
    match unsafe { SignalObjectAndWait(tell, wait, DEADLINE, FALSE) } {
        0 => Ok(()),
        _ => Err(last_error()),
    }
}

fn set(event: &OwnedHandle) {
    // SAFETY: the event is open during the call.
    let answer = unsafe { ffi::kernel32::SetEvent(event.as_raw_handle()) };
    assert_ne!(answer, FALSE, "error {}", last_error());
}

#[link(name = "kernel32")]
unsafe extern "system" {
    fn SignalObjectAndWait(tell: HANDLE, wait: HANDLE, milliseconds: DWORD, alert: BOOL) -> DWORD;
}
