//! The functions of the socket's provider that no DLL exports, looked up once for each family.
//!
//! `ConnectEx` exists only as a pointer that `WSAIoctl` answers with. `AcceptEx` is exported by
//! mswsock.dll too, but that one asks for the pointer anew at each call. The pointers belong to the
//! provider of a socket, and IPv4 and IPv6 may have one each; so the socket in question is asked,
//! once for each of the two families. Afterwards reading the pointers is an atomic load.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it asks for function pointers")]

use std::io;
use std::mem::MaybeUninit;
use std::os::windows::io::BorrowedSocket;
use std::ptr::null_mut;
use std::sync::OnceLock;

use super::super::ffi;
use super::super::ffi::constants::{AF_INET6, SIO_GET_EXTENSION_FUNCTION_POINTER, SOCKET_ERROR};
use super::super::ffi::mswsock::{LPFN_ACCEPTEX, LPFN_CONNECTEX, LPFN_GETACCEPTEXSOCKADDRS};
use super::super::ffi::socket_address::ADDRESS_FAMILY;
use super::super::ffi::types::{GUID, SOCKET};
use super::{raw, require_stream};

pub(crate) struct Extensions {
    pub(crate) accept: LPFN_ACCEPTEX,
    pub(crate) addresses: LPFN_GETACCEPTEXSOCKADDRS,
    pub(crate) connect: LPFN_CONNECTEX,
}

/// The functions for a TCP socket of this family, IPv4 or IPv6. The first call looks them up.
pub(crate) fn extensions(
    socket: BorrowedSocket<'_>,
    family: ADDRESS_FAMILY,
) -> io::Result<&'static Extensions> {
    static OF_V4: OnceLock<Extensions> = OnceLock::new();
    static OF_V6: OnceLock<Extensions> = OnceLock::new();
    let extensions = if family == AF_INET6 { &OF_V6 } else { &OF_V4 };
    match extensions.get() {
        Some(extensions) => Ok(extensions),
        // Two threads may both look. They find the same, and the first to be done sets it.
        None => {
            // The sockets that the crate makes are of the same provider, and not asked one by one.
            require_stream(socket)?;
            let found = look_up(raw(&socket))?;
            Ok(extensions.get_or_init(|| found))
        }
    }
}

fn look_up(socket: SOCKET) -> io::Result<Extensions> {
    // SAFETY: the identifier is that of a function of this type.
    let accept = unsafe { ask(socket, &ffi::mswsock::WSAID_ACCEPTEX) }?;
    // SAFETY: as above.
    let addresses = unsafe { ask(socket, &ffi::mswsock::WSAID_GETACCEPTEXSOCKADDRS) }?;
    // SAFETY: as above.
    let connect = unsafe { ask(socket, &ffi::mswsock::WSAID_CONNECTEX) }?;
    Ok(Extensions { accept, addresses, connect })
}

/// Asks the provider of a socket for a function.
///
/// # Safety
///
/// * `F` is the type of pointers to the function that the identifier names.
unsafe fn ask<F: Copy>(socket: SOCKET, identifier: &GUID) -> io::Result<F> {
    let mut function = MaybeUninit::<Option<F>>::zeroed();
    let mut bytes = 0;
    // SAFETY: the socket is open. The input is a `GUID` and the output has room for a pointer, both
    // during the call; without an `OVERLAPPED` it has ended when it returns.
    let answer = unsafe {
        ffi::ws2_32::WSAIoctl(
            socket,
            SIO_GET_EXTENSION_FUNCTION_POINTER,
            (&raw const *identifier).cast_mut().cast(),
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
    // SAFETY: zeros are `None`, and what the system wrote over them is a pointer to the function,
    // whose type the caller vouches for.
    let function = unsafe { function.assume_init() };
    function.ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))
}
