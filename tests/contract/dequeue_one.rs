//! `GetQueuedCompletionStatus`: one packet at a time. Its FALSE has two meanings, and so has NULL.
#![allow(unsafe_code, reason = "it makes the call that the tests are about")]

use std::ptr::null_mut;

use overlapped::ffi;
use overlapped::ffi::constants::{ERROR_OPERATION_ABORTED, FALSE, WAIT_TIMEOUT};
use overlapped::ffi::types::DWORD;

use super::kernel::{DEADLINE, Port, connected, last_error};
use super::start::{cancel, pending};

/// What the call says: whether it was TRUE, and the address; else the last error with it.
fn dequeue_one(port: &Port, milliseconds: DWORD) -> (Result<(), DWORD>, usize) {
    let (mut count, mut key, mut operation) = (0, 0, null_mut());
    let port = port.handle();
    // SAFETY: the port is open, and all three are written during the call.
    let answer = unsafe {
        ffi::kernel32::GetQueuedCompletionStatus(
            port,
            &mut count,
            &mut key,
            &mut operation,
            milliseconds,
        )
    };
    (if answer == FALSE { Err(last_error()) } else { Ok(()) }, operation.addr())
}

/// (21) FALSE with NULL is a wait that has failed, here since time was up.
/// <https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-getqueuedcompletionstatus>
#[test]
fn false_with_null_is_a_wait_that_failed() {
    assert_eq!(dequeue_one(&Port::new(), 0), (Err(WAIT_TIMEOUT), 0));
}

/// (22) FALSE with an operation is a wait that has succeeded, and an operation that has not: the
/// thread's last error is the operation's.
/// <https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-getqueuedcompletionstatus>
#[test]
fn false_with_an_operation_is_the_packet_of_one_that_failed() {
    let (port, near, _far) = connected();
    let operation = pending(&near, 16);
    cancel(&near, Some(&operation)).expect("it is pending");
    let expected = (Err(ERROR_OPERATION_ABORTED), operation.address());
    assert_eq!(dequeue_one(&port, DEADLINE), expected);
}

/// (23) TRUE with NULL is a packet that somebody has posted, so NULL alone is no failure.
/// <https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-getqueuedcompletionstatus>
#[test]
fn true_with_null_is_a_packet_that_was_posted() {
    let port = Port::new();
    port.post(0, 7, 0);
    assert_eq!(dequeue_one(&port, 0), (Ok(()), 0));
}
