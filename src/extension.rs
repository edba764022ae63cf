//! The functions of the socket's provider that no DLL exports, looked up once for the process.
//!
//! `ConnectEx` exists only as a pointer that `WSAIoctl` answers with. `AcceptEx` is exported by
//! mswsock.dll too, but that one asks for the pointer anew at each call. The pointers are the same for
//! all TCP sockets of the process, so one look is enough; afterwards reading them is an atomic load.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it asks for function pointers")]

use std::io;
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::os::windows::io::AsRawSocket;
use std::ptr::null_mut;
use std::sync::OnceLock;

use super::ffi;
use super::ffi::constants::{SIO_GET_EXTENSION_FUNCTION_POINTER, SOCKET_ERROR};
use super::ffi::mswsock::{LPFN_ACCEPTEX, LPFN_CONNECTEX, LPFN_GETACCEPTEXSOCKADDRS};
use super::ffi::types::{GUID, SOCKET};

pub(super) struct Extensions {
    pub(super) accept: LPFN_ACCEPTEX,
    pub(super) addresses: LPFN_GETACCEPTEXSOCKADDRS,
    pub(super) connect: LPFN_CONNECTEX,
}

/// The functions; the first call looks them up, and has std start Winsock for that.
pub(super) fn extensions() -> io::Result<&'static Extensions> {
    static EXTENSIONS: OnceLock<Extensions> = OnceLock::new();
    match EXTENSIONS.get() {
        Some(extensions) => Ok(extensions),
        // Two threads may both look. They find the same, and the first to be done sets it.
        None => {
            let found = look_up()?;
            Ok(EXTENSIONS.get_or_init(|| found))
        }
    }
}

fn look_up() -> io::Result<Extensions> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .or_else(|_| TcpListener::bind((Ipv6Addr::LOCALHOST, 0)))?;
    let socket = listener.as_raw_socket() as SOCKET;
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
