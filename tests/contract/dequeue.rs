//! `GetQueuedCompletionStatusEx`: waiting for packets, several at a time.

use std::ptr::null_mut;
use std::time::{Duration, Instant};

use overlapped::ffi::constants::{
    ERROR_INVALID_HANDLE, FALSE, TRUE, WAIT_IO_COMPLETION, WAIT_TIMEOUT,
};
use overlapped::ffi::ntstatus::STATUS_CANCELLED;

use super::kernel::{BOGUS, Port, connected, dequeue};
use super::start::{cancel, pending, queue_apc};

/// (13) A look at an empty port says that time is up; what it says about the number of packets is
/// to be ignored, it may be 1.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/getqueuedcompletionstatusex-func>
#[test]
fn a_look_at_an_empty_port_is_a_timeout() {
    let (port, start) = (Port::new(), Instant::now());
    assert_eq!(dequeue(port.handle(), 4, 0, FALSE), Err(WAIT_TIMEOUT));
    assert!(start.elapsed() < Duration::from_secs(5), "a look does not wait");
}

/// (14) A wait that ends for lack of packets takes about the time that was given: it can end a
/// tick of the clock, 15 ms, early, so whoever needs the whole time looks at a clock.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/getqueuedcompletionstatusex-func>
#[test]
fn a_wait_without_packets_takes_about_the_time_given() {
    let (port, start) = (Port::new(), Instant::now());
    assert_eq!(dequeue(port.handle(), 4, 100, FALSE), Err(WAIT_TIMEOUT));
    let waited = start.elapsed();
    println!("waited {waited:?} for 100 ms");
    assert!(waited >= Duration::from_millis(80));
}

/// (15) One thread gets the packets in the order of posting, as many at a time as are there and
/// as it has room for: it does not wait until the room is full.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/getqueuedcompletionstatusex-func>
#[test]
fn packets_come_in_order_and_as_many_as_there_is_room_for() {
    let port = Port::new();
    (1..=5).for_each(|key| port.post(0, key, 0));
    let keys = || -> Vec<_> {
        let packets = dequeue(port.handle(), 2, 0, FALSE).expect("packets");
        packets.iter().map(|packet| packet.key).collect()
    };
    assert_eq!([keys(), keys(), keys()], [vec![1, 2], vec![3, 4], vec![5]]);
}

/// (16) The call succeeds when it has packets, although an operation has failed: the operation that
/// the packet names says how it ended.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/getqueuedcompletionstatusex-func>
#[test]
fn an_operation_that_has_failed_is_no_failure_of_the_call() {
    let (port, near, _far) = connected();
    let operation = pending(&near, 16);
    cancel(&near, Some(&operation)).expect("it is pending");
    let packets = dequeue(port.handle(), 4, super::kernel::DEADLINE, FALSE).expect("a packet");
    // The operation is leaked here, which is always right.
    let [packet] = packets[..] else { panic!("one packet was expected: {packets:?}") };
    assert_eq!(packet.operation, operation.address());
    assert_eq!(operation.status(), STATUS_CANCELLED);
}

/// (17) A posted packet may carry NULL in the place of an operation.
/// <https://learn.microsoft.com/en-us/windows/win32/api/minwinbase/ns-minwinbase-overlapped_entry>
#[test]
fn a_packet_without_an_operation_is_legal() {
    let port = Port::new();
    port.post(3, 4, 0);
    let packet = port.packet();
    assert_eq!((packet.count, packet.key, packet.operation), (3, 4, 0));
}

/// (19) What is no port is an error at once, not a wait.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/getqueuedcompletionstatusex-func>
#[test]
fn waiting_on_what_is_no_port_fails() {
    for no_port in [BOGUS, null_mut()] {
        assert_eq!(dequeue(no_port, 4, 0, FALSE), Err(ERROR_INVALID_HANDLE));
    }
}

/// (20) An alertable wait makes the calls that were queued to its thread, and then ends without a
/// packet.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/getqueuedcompletionstatusex-func>
#[test]
fn an_alertable_wait_ends_with_a_call_that_was_queued_to_the_thread() {
    let port = Port::new();
    queue_apc();
    assert_eq!(dequeue(port.handle(), 4, 0, FALSE), Err(WAIT_TIMEOUT), "not alertable");
    let waited = dequeue(port.handle(), 4, super::kernel::DEADLINE, TRUE);
    assert_eq!(waited, Err(WAIT_IO_COMPLETION));
}
