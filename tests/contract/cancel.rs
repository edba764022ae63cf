//! `CancelIoEx` asks; the packet answers.

use std::io::Write;

use overlapped::ffi::constants::ERROR_NOT_FOUND;
use overlapped::ffi::ntstatus::STATUS_CANCELLED;

use super::kernel::{Answer, Operation, connected};
use super::receive::wait_for_data;
use super::start::{cancel, pending, receive};

/// (39) TRUE says that it was asked for. The packet still comes, and says what became of it.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func>
#[test]
fn an_operation_that_is_cancelled_brings_its_packet() {
    let (port, near, _far) = connected();
    let operation = pending(&near, 16);
    assert_eq!(cancel(&near, Some(&operation)), Ok(()));
    let end = port.end(operation);
    assert_eq!((end.status, end.count), (STATUS_CANCELLED, 0));
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

/// (39) On Windows all receives that are pending on a stream are cancelled with the one that is named;
/// Wine cancels the one. Each of them has its packet, and a send is not concerned.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func>
#[test]
fn of_several_receives_one_or_all_are_cancelled_with_the_one_that_is_named() {
    let (port, near, mut far) = connected();
    let (first, second) = (pending(&near, 16), pending(&near, 16));
    assert_eq!(cancel(&near, Some(&second)), Ok(()));
    far.write_all(b"hello").expect("sent");
    let packets = [port.packet(), port.packet()];
    let of = |operation: &Operation| {
        let mine = packets.iter().find(|packet| packet.operation == operation.address());
        mine.expect("each has a packet")
    };
    assert_eq!((of(&second).status, of(&second).count), (STATUS_CANCELLED, 0));
    println!("the other one: {:#010x}", of(&first).status);
    let (status, count) = (of(&first).status, of(&first).count);
    assert!((status, count) == (STATUS_CANCELLED, 0) || (status == 0 && count == 5));
    port.assert_empty();
}

/// (39) Without naming one, all that are pending on the socket are cancelled. With none pending the
/// answer is the same error, but Wine 8 says TRUE.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func>
#[test]
fn all_operations_of_a_socket_can_be_cancelled() {
    let (port, near, _far) = connected();
    let operations = [(); 3].map(|()| pending(&near, 16));
    assert_eq!(cancel(&near, None), Ok(()));
    let mut started = operations.map(|operation| operation.address());
    // The order in which they end is not promised.
    let mut ended = [(); 3].map(|()| port.packet()).map(|packet| {
        assert_eq!(packet.status, STATUS_CANCELLED);
        packet.operation
    });
    started.sort_unstable();
    ended.sort_unstable();
    assert_eq!(started, ended);

    let answer = cancel(&near, None);
    println!("cancelling nothing: {answer:?}");
    assert!(matches!(answer, Ok(()) | Err(ERROR_NOT_FOUND)));
    port.assert_empty();
}
