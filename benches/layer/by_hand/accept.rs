//! Accepting a connection, putting it on the port, and closing it.

#![allow(unsafe_code, reason = "it makes system calls, and reads what they have left in memory")]

use std::ffi::c_void;
use std::io;
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::os::windows::io::{AsRawSocket, FromRawSocket};
use std::ptr::null_mut;

use overlapped::ffi;
use overlapped::ffi::constants::*;
use overlapped::ffi::mswsock::{LPFN_ACCEPTEX, LPFN_GETACCEPTEXSOCKADDRS};
use overlapped::ffi::mswsock::{WSAID_ACCEPTEX, WSAID_GETACCEPTEXSOCKADDRS};
use overlapped::ffi::socket_address::{SOCKADDR, SOCKADDR_IN};
use overlapped::ffi::types::{GUID, OVERLAPPED, SOCKET};

use super::super::message::wrong;
use super::{Port, count_of, fresh};

/// Room for one address, as `AcceptEx` wants it. The listener is one of IPv4.
const SLOT: usize = size_of::<SOCKADDR_IN>() + 16;

/// The keys of the listener, and of what it accepts.
const LISTENER: usize = 1;
const STREAM: usize = 2;

/// What an accept lends, for one after the other. The `OVERLAPPED` stands first.
#[repr(C)]
struct Operation {
    overlapped: OVERLAPPED,
    room: Room,
}

#[repr(C, align(8))]
struct Room([u8; 2 * SLOT]);

/// The functions that the provider is asked for.
struct Functions {
    accept: LPFN_ACCEPTEX,
    addresses: LPFN_GETACCEPTEXSOCKADDRS,
}

pub fn rounds(count: u64) -> io::Result<u64> {
    let mut port = Port::new()?;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let address = listener.local_addr()?;
    port.associate(&listener, LISTENER)?;
    let functions = look_up(raw(&listener))?;
    let operation = Box::new(Operation { overlapped: fresh(), room: Room([0; 2 * SLOT]) });
    let operation = Box::into_raw(operation);
    for round in 1..=count {
        // SAFETY: nothing is in flight, and there is no other reference.
        let stream = start(&functions, &listener, unsafe { &mut *operation })?;
        let client = TcpStream::connect(address)?;
        let [entry] = port.wait()? else { return Err(wrong("one packet was expected")) };
        let ours = entry.lpOverlapped.cast::<Operation>() == operation;
        if !ours || entry.lpCompletionKey != LISTENER {
            return Err(wrong("the packet is not that of the accept"));
        }
        count_of(entry)?;
        update(&stream, &listener)?;
        // SAFETY: the packet has been dequeued, and there is no other reference.
        let peer = peer(&functions, unsafe { &mut *operation })?;
        if peer.ip() != address.ip() || round == count && peer != client.local_addr()? {
            return Err(wrong("the peer is another than the client"));
        }
        port.associate(&stream, STREAM)?;
    }
    // SAFETY: nothing is in flight, and nothing is used after.
    drop(unsafe { Box::from_raw(operation) });
    Ok(port.waits)
}

/// Makes the socket that becomes the connection, and starts to accept.
fn start(
    functions: &Functions,
    listener: &TcpListener,
    operation: &mut Operation,
) -> io::Result<TcpStream> {
    let flags = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
    let (family, none) = (i32::from(AF_INET), null_mut());
    // SAFETY: without a description of the protocol the call touches no memory.
    let socket =
        unsafe { ffi::ws2_32::WSASocketW(family, SOCK_STREAM, IPPROTO_TCP, none, 0, flags) };
    if socket == INVALID_SOCKET {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the socket is open, new, and nobody else's.
    let stream = unsafe { TcpStream::from_raw_socket(socket as _) };

    operation.overlapped = fresh();
    let (room, slot) = ((&raw mut operation.room).cast(), SLOT as u32);
    let (overlapped, mut bytes) = (&raw mut operation.overlapped, 0);
    // SAFETY: both sockets are open, and the room is for two addresses. It and the `OVERLAPPED` are
    // lent: they are not touched until the packet has been dequeued.
    let accepted = unsafe {
        (functions.accept)(raw(listener), socket, room, 0, slot, slot, &mut bytes, overlapped)
    };
    if accepted == FALSE {
        match ffi::ws2_32::WSAGetLastError() {
            WSA_IO_PENDING => {}
            code => return Err(io::Error::from_raw_os_error(code)),
        }
    }
    Ok(stream)
}

/// Makes of an accepted socket a connected one.
fn update(stream: &TcpStream, listener: &TcpListener) -> io::Result<()> {
    let (listener, size) = (raw(listener), size_of::<SOCKET>() as i32);
    let (option, value) = (SO_UPDATE_ACCEPT_CONTEXT, (&raw const listener).cast());
    // SAFETY: both sockets are open, and the value is there during the call.
    let answer = unsafe { ffi::ws2_32::setsockopt(raw(stream), SOL_SOCKET, option, value, size) };
    if answer == SOCKET_ERROR { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// The address of the peer, which `AcceptEx` has left in the room.
fn peer(functions: &Functions, operation: &mut Operation) -> io::Result<SocketAddr> {
    let (mut near, mut far) = (null_mut::<SOCKADDR>(), null_mut::<SOCKADDR>());
    let (mut near_size, mut far_size) = (0, 0);
    let (room, slot) = ((&raw const operation.room).cast::<c_void>(), SLOT as u32);
    // SAFETY: the accept has filled the room, with slots of this size.
    unsafe {
        (functions.addresses)(
            room,
            0,
            slot,
            slot,
            &mut near,
            &mut near_size,
            &mut far,
            &mut far_size,
        )
    };
    if (far_size as usize) < size_of::<SOCKADDR_IN>() {
        return Err(wrong("the peer's address is too short"));
    }
    // SAFETY: so long is the address in the room; how it is aligned there is not said.
    let far = unsafe { far.cast::<SOCKADDR_IN>().read_unaligned() };
    if far.sin_family != AF_INET {
        return Err(wrong("the peer's address is not of IPv4"));
    }
    let ip = Ipv4Addr::from(far.sin_addr.S_addr.to_ne_bytes());
    Ok((ip, u16::from_be(far.sin_port)).into())
}

fn raw(socket: &impl AsRawSocket) -> SOCKET {
    socket.as_raw_socket() as SOCKET
}

fn look_up(socket: SOCKET) -> io::Result<Functions> {
    // SAFETY: the identifier is that of a function of this type.
    let accept = unsafe { ask(socket, &WSAID_ACCEPTEX) }?;
    // SAFETY: as above.
    let addresses = unsafe { ask(socket, &WSAID_GETACCEPTEXSOCKADDRS) }?;
    Ok(Functions { accept, addresses })
}

/// Asks the provider of a socket for a function.
///
/// # Safety
///
/// * `F` is the type of pointers to the function that the identifier names.
unsafe fn ask<F: Copy>(socket: SOCKET, identifier: &GUID) -> io::Result<F> {
    let (mut function, mut bytes) = (MaybeUninit::<Option<F>>::zeroed(), 0);
    // SAFETY: the socket is open. The input is a `GUID` and the output has room for a pointer, both
    // during the call; without an `OVERLAPPED` it has ended when it returns.
    let answer = unsafe {
        ffi::ws2_32::WSAIoctl(
            socket,
            SIO_GET_EXTENSION_FUNCTION_POINTER,
            (&raw const *identifier).cast(),
            size_of::<GUID>() as u32,
            function.as_mut_ptr().cast(),
            size_of::<F>() as u32,
            &mut bytes,
            null_mut(),
            None,
        )
    };
    if answer == SOCKET_ERROR {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: zeros are `None`, and what the system wrote over them is a pointer to the function.
    let function = unsafe { function.assume_init() };
    function.ok_or_else(|| wrong("the provider has no such function"))
}
