//! Making sockets, setting their options, and asking what they are.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it makes system calls on sockets")]

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::windows::io::{
    AsRawHandle, AsRawSocket, AsSocket, BorrowedHandle, BorrowedSocket, FromRawSocket, OwnedSocket,
};
use std::ptr::{null_mut, without_provenance_mut};

use super::super::ffi;
use super::super::ffi::constants::*;
use super::super::ffi::socket_address::ADDRESS_FAMILY;
use super::super::ffi::types::{SOCKET, UCHAR, WSAPROTOCOL_INFOW};

/// The socket as the calls take it. std says `u64` or `u32`, as wide as a pointer.
pub(crate) fn raw(socket: &impl AsRawSocket) -> SOCKET {
    socket.as_raw_socket() as SOCKET
}

/// The socket as a handle of the kernel, which it is, for calls that take handles of all kinds.
pub(crate) fn handle_of(socket: &(impl AsRawSocket + AsSocket)) -> BorrowedHandle<'_> {
    // SAFETY: the socket is a handle of the kernel, and open while it is borrowed.
    unsafe { BorrowedHandle::borrow_raw(without_provenance_mut(raw(socket))) }
}

/// The family of an address.
pub(crate) fn family(address: &SocketAddr) -> ADDRESS_FAMILY {
    if address.is_ipv4() { AF_INET } else { AF_INET6 }
}

/// Makes a TCP socket for addresses of this family. Winsock has been started, by std.
pub(crate) fn tcp_socket(family: ADDRESS_FAMILY) -> io::Result<OwnedSocket> {
    let flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
    // SAFETY: without a description of the protocol the call touches no memory.
    let socket = unsafe {
        ffi::ws2_32::WSASocketW(i32::from(family), SOCK_STREAM, IPPROTO_TCP, null_mut(), 0, flags)
    };
    if socket == INVALID_SOCKET {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the socket is open, new, and nobody else's.
    Ok(unsafe { OwnedSocket::from_raw_socket(socket as _) })
}

/// Sets an option of a socket to a value, a number or another socket, or to nothing.
pub(crate) fn set_option<T: Copy>(
    socket: BorrowedSocket<'_>,
    option: i32,
    value: Option<T>,
) -> io::Result<()> {
    let (bytes, length) = match &value {
        Some(value) => ((&raw const *value).cast(), size_of::<T>() as i32),
        None => (std::ptr::null(), 0),
    };
    // SAFETY: the socket is open, and the value is there during the call.
    let answer =
        unsafe { ffi::ws2_32::setsockopt(raw(&socket), SOL_SOCKET, option, bytes, length) };
    if answer == SOCKET_ERROR { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Tells the driver of a socket something.
pub(crate) fn control<T: Copy>(socket: BorrowedSocket<'_>, what: u32, value: &T) -> io::Result<()> {
    let mut returned = 0;
    // SAFETY: the socket is open. The value and the count are there during the call, which asks for
    // nothing that it would return, and is not overlapped.
    let answer = unsafe {
        let (value, length) = (std::ptr::from_ref(value).cast(), size_of::<T>() as u32);
        let (socket, returned) = (raw(&socket), &raw mut returned);
        ffi::ws2_32::WSAIoctl(
            socket,
            what,
            value,
            length,
            null_mut(),
            0,
            returned,
            null_mut(),
            None,
        )
    };
    if answer == SOCKET_ERROR { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// What kind of socket it is, and who provides it.
pub(crate) fn protocol_of(socket: BorrowedSocket<'_>) -> io::Result<WSAPROTOCOL_INFOW> {
    let mut information = MaybeUninit::<WSAPROTOCOL_INFOW>::zeroed();
    let mut length = size_of::<WSAPROTOCOL_INFOW>() as i32;
    // SAFETY: the socket is open, and there is room for the struct, of that length, during the
    // call.
    let answer = unsafe {
        let room = information.as_mut_ptr().cast();
        ffi::ws2_32::getsockopt(raw(&socket), SOL_SOCKET, SO_PROTOCOL_INFOW, room, &mut length)
    };
    if answer == SOCKET_ERROR {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: all fields are numbers, so zeros are a value, and so is what was written over them.
    Ok(unsafe { information.assume_init() })
}

/// Whether the socket is a handle of the kernel, and not of a program that has put itself in
/// between: such a one may use the fields of an `OVERLAPPED` as it likes, says Microsoft, so how an
/// operation has ended does not stand there.
pub(crate) fn has_kernel_handle(protocol: &WSAPROTOCOL_INFOW) -> bool {
    protocol.dwServiceFlags1 & XP1_IFS_HANDLES != 0
}

/// Whether the operations of the socket end as this crate reads it: it is a stream, such as those
/// of TCP, and a handle of the kernel. Any socket can pass as a `TcpStream` of std's, and one that
/// carries datagrams answers otherwise: there an operation can fail at once and bring a packet all
/// the same, and a receive of no bytes takes a datagram away.
pub(crate) fn require_stream(socket: BorrowedSocket<'_>) -> io::Result<()> {
    stream_family(socket).map(|_| ())
}

/// As [`require_stream`], for addresses of this family. The functions of a provider are kept by
/// family, so they must be those of a socket of that family. Which error the system has for another
/// one depends on the call that notices it, and one that is bound already is noticed late.
pub(crate) fn require_stream_of(
    socket: BorrowedSocket<'_>,
    family: ADDRESS_FAMILY,
) -> io::Result<()> {
    if stream_family(socket)? == i32::from(family) {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(WSAEAFNOSUPPORT))
    }
}

/// The family of a socket that is a stream.
fn stream_family(socket: BorrowedSocket<'_>) -> io::Result<i32> {
    let another = "the socket is not a stream: it has been made of another kind of socket, such as \
                   one for datagrams; make a `UdpSocket` of such a one";
    family_of_kind(socket, SOCK_STREAM, another)
}

/// The family of a socket of this kind, which is a handle of the kernel. For one of another kind
/// the sentence says what is wrong.
pub(crate) fn family_of_kind(
    socket: BorrowedSocket<'_>,
    kind: i32,
    another: &'static str,
) -> io::Result<i32> {
    let protocol = protocol_of(socket)?;
    if protocol.iSocketType != kind {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, another));
    }
    if !has_kernel_handle(&protocol) {
        return Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "the provider of this socket does not use handles of the kernel, so it cannot be known \
             how operations on it end; an old filter program may have put itself in between",
        ));
    }
    Ok(protocol.iAddressFamily)
}

/// Leaves out something at the end of a file's operations that nobody waits for: `what` says what.
///
/// Whoever leaves out packets changes what success at once means for this file, and so the type of
/// its registration.
pub(crate) fn set_notification_modes(file: BorrowedHandle<'_>, what: UCHAR) -> io::Result<()> {
    let handle = file.as_raw_handle();
    // SAFETY: the handle is open. Should a packet be expected that is left out, the operation stays
    // in the table, which is a leak and no more.
    let done = unsafe { ffi::kernel32::SetFileCompletionNotificationModes(handle, what) };
    if done == FALSE { Err(io::Error::last_os_error()) } else { Ok(()) }
}
