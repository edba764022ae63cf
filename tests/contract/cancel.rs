//! `CancelIoEx` asks; the packet answers.

use std::io::Write;

use overlapped::ffi::constants::ERROR_NOT_FOUND;
use overlapped::ffi::ntstatus::{STATUS_CANCELLED, STATUS_SUCCESS};

use super::datagrams::two;
use super::ends::{long_send, reset};
use super::kernel::{Answer, connected};
use super::receive::wait_for_data;
use super::start::{cancel, pending, receive};

/// (39) TRUE says that it was asked for. The packet still comes, and says what became of it.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func>
#[test]
fn an_operation_that_is_cancelled_brings_its_packet() {
    let (port, near, _far) = connected();
    let operation = pending(&near, 16);
    assert_eq!(cancel(&near, Some(&operation)), Ok(()));
    assert_eq!(port.end(operation).status, STATUS_CANCELLED);
}

/// (39) One that has ended cannot be cancelled, although its packet still lies in the port. That it
/// was not found is the usual end of a race, and no mishap.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func>
#[test]
fn an_operation_that_has_ended_cannot_be_cancelled() {
    let (port, near, mut far) = connected();
    far.write_all(b"hello").expect("sent");
    wait_for_data(&near);
    let (operation, answer) = receive(&near, 16);
    assert_eq!(answer, Answer::AtOnce);
    assert_eq!(cancel(&near, Some(&operation)), Err(ERROR_NOT_FOUND));
    assert_eq!(port.end(operation).bytes, b"hello");
}

/// (39) On Windows all receives that are pending on a stream are cancelled with the one that is
/// named, as others have found, though the page speaks of that one alone. (Wine leaves the others
/// pending.) Each has its own packet.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func>
#[test]
fn of_several_receives_one_or_all_are_cancelled_with_the_one_that_is_named() {
    let (port, near, mut far) = connected();
    let (first, second) = (pending(&near, 16), pending(&near, 16));
    assert_eq!(cancel(&near, Some(&second)), Ok(()));
    // The order in which they end is not promised.
    let one = port.packet();
    far.write_all(b"hello").expect("sent");
    let other = port.packet();
    let mut ended = [one.operation, other.operation];
    let mut started = [first.address(), second.address()];
    ended.sort_unstable();
    started.sort_unstable();
    assert_eq!(ended, started);
    assert_eq!(second.status(), STATUS_CANCELLED);
    println!("the receive that was not named has ended with {:#010x}", first.status());
    assert!([STATUS_SUCCESS, STATUS_CANCELLED].contains(&first.status()));
    port.assert_empty();
}

/// (39) Datagrams are cancelled one by one: of two receives the one that is named.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func>
#[test]
fn cancelling_one_receive_of_datagrams_leaves_the_other_alone() {
    let (port, near, far) = two();
    let (first, second) = (pending(&near, 16), pending(&near, 16));
    assert_eq!(cancel(&near, Some(&first)), Ok(()));
    assert_eq!(port.end(first).status, STATUS_CANCELLED);
    port.assert_empty();
    far.send(b"datagram").expect("sent");
    assert_eq!(port.end(second).bytes, b"datagram");
}

/// (39) Nor is a send touched when a receive of the same stream is cancelled.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func>
#[test]
fn cancelling_a_receive_leaves_a_send_alone() {
    let (port, near, far) = connected();
    let (receiving, sending) = (pending(&near, 16), long_send(&near));
    assert_eq!(cancel(&near, Some(&receiving)), Ok(()));
    assert_eq!(port.end(receiving).status, STATUS_CANCELLED);
    port.assert_empty();
    reset(far);
    let status = port.end(sending).status;
    assert!(status < 0 && status != STATUS_CANCELLED, "{status:#010x}");
}

/// (39) Without naming one, all that are pending on the socket are cancelled. With none pending the
/// answer is the same error, but Wine 8 says TRUE.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func>
#[test]
fn all_operations_of_a_socket_can_be_cancelled() {
    let (port, near, _far) = connected();
    let operations = [(); 3].map(|()| pending(&near, 16));
    assert_eq!(cancel(&near, None), Ok(()));
    // The order in which they end is not promised.
    let mut ended = [(); 3].map(|()| port.packet().operation);
    let mut started = operations.map(|operation| {
        assert_eq!(operation.status(), STATUS_CANCELLED);
        operation.address()
    });
    started.sort_unstable();
    ended.sort_unstable();
    assert_eq!(started, ended);

    let answer = cancel(&near, None);
    println!("cancelling nothing: {answer:?}");
    assert!(matches!(answer, Ok(()) | Err(ERROR_NOT_FOUND)));
    port.assert_empty();
}
