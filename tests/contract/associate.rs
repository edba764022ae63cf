//! `CreateIoCompletionPort`: one call that makes a port, or puts a file or socket on one.

use std::fs::File;
use std::io::Write;
use std::net::{TcpListener, UdpSocket};
use std::os::windows::io::AsRawHandle;
use std::ptr::null_mut;

use overlapped::ffi::constants::{
    ERROR_INVALID_HANDLE, ERROR_INVALID_PARAMETER, INVALID_HANDLE_VALUE, WSA_FLAG_OVERLAPPED,
};

use super::kernel::{BOGUS, Port, connected, create_port, handle_of, pair};
use super::start::{event, pending, socket};

/// (1) Without a file and without a port it makes a port, and the key means nothing.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport>
#[test]
fn without_a_file_and_a_port_it_makes_a_port_and_ignores_the_key() {
    let port = Port::new();
    let other = create_port(INVALID_HANDLE_VALUE, null_mut(), usize::MAX, 0).expect("a port");
    assert_ne!(other, port.handle());
}

/// (2) An existing port without a file is an error: there is nothing to put on it.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport>
#[test]
fn a_port_without_a_file_is_an_error() {
    let answer = create_port(INVALID_HANDLE_VALUE, Port::new().handle(), 0, 0);
    assert_eq!(answer, Err(ERROR_INVALID_PARAMETER));
}

/// (3) "No file" is INVALID_HANDLE_VALUE and not NULL, while failure is NULL and not INVALID: the
/// one call uses both.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport>
#[test]
fn null_is_not_the_way_to_say_that_there_is_no_file() {
    assert_eq!(create_port(null_mut(), null_mut(), 0, 0), Err(ERROR_INVALID_HANDLE));
}

/// (4) Putting a socket on a port returns that port.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport>
#[test]
fn putting_a_socket_on_a_port_returns_the_port() {
    let (port, (near, _far)) = (Port::new(), pair());
    assert_eq!(create_port(handle_of(&near), port.handle(), 7, 0), Ok(port.handle()));
}

/// (5) A socket is on one port at most, once: a second time is an error, even on the same port.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport>
#[test]
fn a_socket_can_be_put_on_a_port_only_once() {
    let (port, near, _far) = connected();
    for again in [&port, &Port::new()] {
        let answer = create_port(handle_of(&near), again.handle(), 8, 0);
        assert_eq!(answer, Err(ERROR_INVALID_PARAMETER));
    }
}

/// (6) Not even when that port has long been closed: the association lasts as long as the socket.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport>
#[test]
fn a_socket_does_not_get_free_when_its_port_is_closed() {
    let (port, near, _far) = connected();
    drop(port);
    let answer = create_port(handle_of(&near), Port::new().handle(), 7, 0);
    assert_eq!(answer, Err(ERROR_INVALID_PARAMETER));
}

/// (7) A file or socket that was not made for overlapped operations cannot be put on a port, and
/// the error is the one of a second association.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport>
#[test]
fn what_was_not_made_for_overlapped_operations_is_refused() {
    let port = Port::new();
    let answer = create_port(handle_of(&socket(0)), port.handle(), 7, 0);
    assert_eq!(answer, Err(ERROR_INVALID_PARAMETER));

    // std opens files without FILE_FLAG_OVERLAPPED.
    let program = std::env::current_exe().expect("the path of this program");
    let file = File::open(program).expect("this program as a file");
    let answer = create_port(file.as_raw_handle(), port.handle(), 7, 0);
    assert_eq!(answer, Err(ERROR_INVALID_PARAMETER));
}

/// (8) A number that is no handle is an error in either place, and so is a handle of another kind.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport>
#[test]
fn a_handle_that_is_none_or_of_another_kind_is_refused() {
    let (port, (near, _far)) = (Port::new(), pair());
    assert_eq!(create_port(BOGUS, port.handle(), 7, 0), Err(ERROR_INVALID_HANDLE));
    for no_port in [BOGUS, event().as_raw_handle()] {
        let answer = create_port(handle_of(&near), no_port, 7, 0);
        assert_eq!(answer, Err(ERROR_INVALID_HANDLE));
    }
    // None of this has used up the socket.
    port.associate(handle_of(&near), 7);
}

/// (9) The number of threads belongs to the port: with a port that exists it is ignored.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport>
#[test]
fn the_number_of_threads_is_ignored_when_the_port_exists() {
    let (port, (near, far)) = (Port::new(), pair());
    assert_eq!(create_port(handle_of(&near), port.handle(), 7, 1), Ok(port.handle()));
    assert_eq!(create_port(handle_of(&far), port.handle(), 8, u32::MAX), Ok(port.handle()));
}

/// (10) An operation that was pending before its socket was put on a port delivers its packet all
/// the same, with the key that came later.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport>
#[test]
fn what_was_pending_before_the_association_delivers_its_packet() {
    let (port, (near, mut far)) = (Port::new(), pair());
    let operation = pending(&near, 16);
    port.associate(handle_of(&near), 7);
    far.write_all(b"!").expect("sent");
    let end = port.end(operation);
    assert_eq!((end.key, end.status, end.bytes), (7, 0, b"!".to_vec()));
}

/// (11) The sockets of Rust's std are made for overlapped operations, all kinds of them, and so is
/// one that asks for it with the flag.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winsock2/nf-winsock2-wsasocketw>
#[test]
fn the_sockets_of_std_can_be_put_on_a_port() {
    let (port, (near, far)) = (Port::new(), pair());
    port.associate(handle_of(&near), 1);
    port.associate(handle_of(&far), 2);
    port.associate(handle_of(&TcpListener::bind("127.0.0.1:0").expect("a listener")), 3);
    port.associate(handle_of(&UdpSocket::bind("127.0.0.1:0").expect("a socket")), 4);
    port.associate(handle_of(&socket(WSA_FLAG_OVERLAPPED)), 5);
}

/// (12) A duplicate is the same socket: it is on the port already, and its operations come there,
/// whoever started them.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport>
#[test]
fn duplicates_share_the_association() {
    let (port, near, mut far) = connected();
    let duplicate = near.try_clone().expect("a duplicate");
    let answer = create_port(handle_of(&duplicate), port.handle(), 8, 0);
    assert_eq!(answer, Err(ERROR_INVALID_PARAMETER));

    let operation = pending(&duplicate, 16);
    far.write_all(b"!").expect("sent");
    assert_eq!(port.end(operation).key, 7);
}
