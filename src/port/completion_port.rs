//! The handle of a port, and the calls that are made on it.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it makes the system calls of the port")]

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr::null_mut;
use std::time::Duration;

use super::super::ffi;
use super::super::ffi::constants::{
    ERROR_INVALID_PARAMETER, FALSE, INVALID_HANDLE_VALUE, WAIT_TIMEOUT,
};
use super::super::ffi::types::{HANDLE, OVERLAPPED, OVERLAPPED_ENTRY};
use super::{Deadline, Key, Packet};

/// A completion port.
///
/// This is the floor that [`CompletionQueue`](super::super::CompletionQueue) stands on. Use it alone to
/// see how ports work. A queue gives its own as a [`BorrowedPort`], to associate a handle that the queue
/// has no method for.
///
/// ```
/// use overlapped::{CompletionPort, Key};
/// use std::time::Duration;
///
/// # fn main() -> std::io::Result<()> {
/// let port = CompletionPort::new(0)?;
/// port.post(Key(7), 42)?;
///
/// let mut packets = Vec::with_capacity(8);
/// assert_eq!(port.dequeue(&mut packets, Some(Duration::from_secs(1)))?, 1);
/// assert_eq!((packets[0].key(), packets[0].bytes()), (Key(7), 42));
/// # Ok(())
/// # }
/// ```
///
/// Dropping it closes the handle (`CloseHandle`). Threads that wait at that moment are woken with an
/// error on Windows, so let them end first: post a packet for each.
#[doc(alias = "IOCP")]
#[derive(Debug)]
pub struct CompletionPort {
    handle: OwnedHandle,
}

impl CompletionPort {
    /// Makes a port. The system lets at most `concurrency` threads that wait on it run at the same
    /// time, and 0 stands for the number of processors.
    ///
    /// # Errors
    ///
    /// What the system answers when it is out of handles or memory.
    ///
    /// Calls [`CreateIoCompletionPort`](https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport).
    #[doc(alias = "CreateIoCompletionPort")]
    pub fn new(concurrency: u32) -> io::Result<Self> {
        // SAFETY: without a file and without a port the call makes a port, and touches no memory.
        let handle = unsafe {
            ffi::kernel32::CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, concurrency)
        };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is open, new, and nobody else's; `CloseHandle` is right for it.
        Ok(Self { handle: unsafe { OwnedHandle::from_raw_handle(handle) } })
    }

    /// Associates a file or socket with the port: from now on its overlapped operations end with a
    /// packet here. Nothing undoes this, and a duplicate of the handle shares it. An operation that
    /// is already pending delivers its packet too.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for what the system reports as error 87, which has two causes: the handle is
    /// associated already, with this port or another; or it was not opened for overlapped operations
    /// (`FILE_FLAG_OVERLAPPED`, `WSA_FLAG_OVERLAPPED`). Otherwise the system's error.
    ///
    /// A socket is a handle too, but std does not offer it as one, so that takes a line of unsafe code:
    ///
    /// ```
    /// use overlapped::{CompletionPort, Key};
    /// use std::net::UdpSocket;
    /// use std::os::windows::io::{AsRawSocket, BorrowedHandle};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let (port, socket) = (CompletionPort::new(0)?, UdpSocket::bind("127.0.0.1:0")?);
    /// // SAFETY: a socket is a handle of the kernel, which is open as long as `socket` is there.
    /// let handle = unsafe { BorrowedHandle::borrow_raw(socket.as_raw_socket() as _) };
    /// port.associate(handle, Key(7))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Calls [`CreateIoCompletionPort`](https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport).
    #[doc(alias = "CreateIoCompletionPort")]
    pub fn associate(&self, handle: BorrowedHandle<'_>, key: Key) -> io::Result<()> {
        // SAFETY: both handles are open during the call, and the call touches no memory.
        let port = unsafe {
            ffi::kernel32::CreateIoCompletionPort(handle.as_raw_handle(), self.raw(), key.0, 0)
        };
        if port.is_null() {
            return Err(explain_association(io::Error::last_os_error()));
        }
        debug_assert_eq!(port, self.raw(), "an association returns the port that it was given");
        Ok(())
    }

    /// Posts a packet with NULL for the operation.
    ///
    /// # Errors
    ///
    /// The system's error, when it has no memory for the packet. Then nothing was posted.
    ///
    /// Calls [`PostQueuedCompletionStatus`](https://learn.microsoft.com/en-us/windows/win32/fileio/postqueuedcompletionstatus).
    #[doc(alias = "PostQueuedCompletionStatus")]
    pub fn post(&self, key: Key, bytes: u32) -> io::Result<()> {
        // SAFETY: NULL is the address of no operation.
        unsafe { self.post_overlapped(key, bytes, null_mut()) }
    }

    /// Posts a packet with an address in it, which the system hands through and never follows.
    ///
    /// # Errors
    ///
    /// As [`post`](Self::post).
    ///
    /// # Safety
    ///
    /// * Whoever dequeues the packet can do with the address what they do: in particular it is not
    ///   that of an operation which is in flight on this port, for the packet would say that the
    ///   kernel is done with it.
    #[doc(alias = "PostQueuedCompletionStatus")]
    #[inline]
    pub unsafe fn post_overlapped(
        &self,
        key: Key,
        bytes: u32,
        overlapped: *mut OVERLAPPED,
    ) -> io::Result<()> {
        // SAFETY: the port is open. The system does not follow the address, and the caller vouches
        // for those who do.
        let posted = unsafe {
            ffi::kernel32::PostQueuedCompletionStatus(self.raw(), bytes, key.0, overlapped)
        };
        if posted == FALSE { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Waits for packets, and appends as many as are there, but no more than `packets` has spare
    /// capacity for. Returns how many; 0 when the time is up. `None` waits for ever, and every
    /// `Duration` ends: it is rounded up to milliseconds.
    ///
    /// Each packet goes to one thread. Which thread, and in what order packets of several threads
    /// come, is not promised.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if `packets` has no spare capacity; else the system's error.
    ///
    /// Calls [`GetQueuedCompletionStatusEx`](https://learn.microsoft.com/en-us/windows/win32/fileio/getqueuedcompletionstatusex-func).
    #[doc(alias = "GetQueuedCompletionStatusEx")]
    pub fn dequeue(
        &self,
        packets: &mut Vec<Packet>,
        timeout: Option<Duration>,
    ) -> io::Result<usize> {
        self.dequeue_within(packets, &Deadline::new(timeout))
    }

    #[inline]
    pub(crate) fn dequeue_within(
        &self,
        packets: &mut Vec<Packet>,
        deadline: &Deadline,
    ) -> io::Result<usize> {
        let room = packets.spare_capacity_mut();
        let count = u32::try_from(room.len()).unwrap_or(u32::MAX);
        if count == 0 {
            // The system takes a count of 0 and answers with one packet or an error, depending on
            // its version, so it is never asked.
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "there is no room for packets: give the batch or vector a capacity of at least 1",
            ));
        }
        loop {
            let mut removed = 0;
            // SAFETY: the port is open. `room` is valid for `count` entries, as which a `Packet` is
            // laid out, and `removed` for one number; both are the call's own until it returns.
            let some = unsafe {
                ffi::kernel32::GetQueuedCompletionStatusEx(
                    self.raw(),
                    room.as_mut_ptr().cast::<OVERLAPPED_ENTRY>(),
                    count,
                    &mut removed,
                    deadline.milliseconds(),
                    FALSE,
                )
            };
            if some != FALSE {
                let removed = removed as usize;
                // SAFETY: the system has filled so many elements behind the length, out of `count`.
                unsafe { packets.set_len(packets.len() + removed) };
                return Ok(removed);
            }
            let error = io::Error::last_os_error();
            let timed_out = error.raw_os_error() == Some(WAIT_TIMEOUT as i32);
            if !timed_out {
                return Err(error);
            }
            // The system may return early, or the wait was longer than one call can be.
            if deadline.is_over() {
                return Ok(0);
            }
        }
    }

    #[inline]
    fn raw(&self) -> HANDLE {
        self.handle.as_raw_handle()
    }
}

impl AsHandle for CompletionPort {
    /// The handle, for system calls that take a port, such as those of job objects.
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

/// The system has one number for three mistakes, and its text names none of them.
fn explain_association(error: io::Error) -> io::Error {
    if error.raw_os_error() != Some(ERROR_INVALID_PARAMETER as i32) {
        return error;
    }
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "it is registered already, or was before, or it belongs to another completion port, or it \
         was made without WSA_FLAG_OVERLAPPED (for a file: FILE_FLAG_OVERLAPPED); a socket or file \
         belongs to one port for life, so make a new one (Windows error 87)",
    )
}
