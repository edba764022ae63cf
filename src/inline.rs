//! Asking the system to leave out the packets of operations that end at once.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it makes system calls on sockets")]

use std::io;
use std::mem::MaybeUninit;
use std::net::TcpStream;
use std::os::windows::io::{AsSocket, BorrowedSocket};

use super::buffer::Buffer;
use super::ffi;
use super::ffi::constants::*;
use super::ffi::types::WSAPROTOCOL_INFOW;
use super::mode::Inline;
use super::registration::{Registration, sealed::Handle};
use super::rejected::Rejected;
use super::socket::{raw, skip};

impl<B: Buffer> Registration<TcpStream, B> {
    /// From now on an operation that ends at once is told by the submission itself, and no packet of it
    /// goes through the port: `receive`, `readable` and `send` answer
    /// [`Submitted`](super::Submitted). Operations that are in flight already end as before.
    ///
    /// This cannot be undone. It is worth its while where answers are short and come fast; it saves a
    /// packet for each operation that does not have to wait.
    ///
    /// # Errors
    ///
    /// `Unsupported` if the socket's provider does not use handles of the kernel (an antivirus or
    /// filter program of old may have put itself in between): there success at once can bring a packet
    /// all the same. Else the system's error. The registration comes back as it was.
    ///
    /// Calls [`SetFileCompletionNotificationModes`](https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-setfilecompletionnotificationmodes).
    #[doc(alias = "SetFileCompletionNotificationModes")]
    #[doc(alias = "FILE_SKIP_COMPLETION_PORT_ON_SUCCESS")]
    pub fn inline(self) -> Result<Registration<TcpStream, B, Inline>, Rejected<Self>> {
        let socket = self.get_ref().as_socket();
        let skips = has_kernel_handle(socket).and_then(|has| match has {
            true => skip(self.get_ref().handle(), FILE_SKIP_COMPLETION_PORT_ON_SUCCESS),
            false => Err(io::Error::new(
                io::ErrorKind::Unsupported,
                "the provider of this socket does not use handles of the kernel, so packets cannot \
                 be left out safely; go on without `inline`",
            )),
        });
        match skips {
            Ok(()) => Ok(self.into_mode()),
            Err(error) => Err(Rejected::new(error, self)),
        }
    }
}

/// Whether the socket is a handle of the kernel, and not of a program that has put itself in between.
fn has_kernel_handle(socket: BorrowedSocket<'_>) -> io::Result<bool> {
    let mut information = MaybeUninit::<WSAPROTOCOL_INFOW>::zeroed();
    let mut length = size_of::<WSAPROTOCOL_INFOW>() as i32;
    // SAFETY: the socket is open, and there is room for the struct, of that length, during the call.
    let answer = unsafe {
        ffi::ws2_32::getsockopt(
            raw(&socket),
            SOL_SOCKET,
            SO_PROTOCOL_INFOW,
            information.as_mut_ptr().cast(),
            &mut length,
        )
    };
    if answer == SOCKET_ERROR {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: all fields are numbers, so zeros are a value, and so is what was written over them.
    let information = unsafe { information.assume_init() };
    Ok(information.dwServiceFlags1 & XP1_IFS_HANDLES != 0)
}
