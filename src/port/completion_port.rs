//! The handle of a port, and the calls that are made on it.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it makes the system calls of the port")]

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr::null_mut;
use std::time::Duration;

use super::super::ffi;
use super::super::ffi::constants::{
    ERROR_INVALID_PARAMETER, FALSE, FILE_SYNCHRONOUS_IO_ALERT, FILE_SYNCHRONOUS_IO_NONALERT,
    FileModeInformation, INVALID_HANDLE_VALUE, WAIT_TIMEOUT,
};
use super::super::ffi::ntstatus::STATUS_SUCCESS;
use super::super::ffi::types::{
    DWORD, FILE_MODE_INFORMATION, HANDLE, IO_STATUS_BLOCK, OVERLAPPED, OVERLAPPED_ENTRY,
};
use super::{Deadline, Key, Packet};

/// A completion port.
///
/// A [`CompletionQueue`](super::super::CompletionQueue) has one inside, and around it all that
/// makes lending safe. Use this type alone to see how ports work. The port of a queue can be had as
/// a [`BorrowedPort`](super::BorrowedPort), to associate a handle for which the queue has no
/// method.
///
/// ```
/// use overlapped::{CompletionPort, Key};
/// use std::time::Duration;
///
/// # fn main() -> std::io::Result<()> {
/// // For as many threads as there are processors:
/// let port = CompletionPort::new(0)?;
/// port.post(Key(7), 42)?;
///
/// let mut packets = Vec::with_capacity(8);
/// let limit = Some(Duration::from_secs(1));
/// assert_eq!(port.dequeue(&mut packets, limit)?, 1);
/// assert_eq!((packets[0].key(), packets[0].bytes()), (Key(7), 42));
/// # Ok(())
/// # }
/// ```
///
/// Dropping it closes the handle
/// ([`CloseHandle`](https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-closehandle)).
/// No thread can be in [`dequeue`](Self::dequeue) then, since that borrows the port. To end threads
/// that wait, post a packet for each. Packets that nobody has dequeued are lost.
#[derive(Debug)]
pub struct CompletionPort {
    handle: OwnedHandle,
}

impl CompletionPort {
    /// Makes a port. Of the threads that take packets from it, the system lets at most
    /// `concurrency` run at the same time. 0 stands for the number of processors.
    ///
    /// # Errors
    ///
    /// The system's error, when it is out of handles or memory.
    ///
    /// Calls
    /// [`CreateIoCompletionPort`](https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport).
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
    /// packet here, also those that are pending already. This cannot be undone, and holds for all
    /// duplicates of the handle.
    ///
    /// # Errors
    ///
    /// `InvalidInput` for what the system reports as error 87, which has two causes: the handle is
    /// associated already, with this port or another; or it was not opened for overlapped
    /// operations (`FILE_FLAG_OVERLAPPED`, `WSA_FLAG_OVERLAPPED`). The message says which, for
    /// which the system is asked. Otherwise the system's error.
    ///
    /// If the handle is not overlapped and another thread is in a call on it, this waits for that
    /// call: the system serves such a handle one call at a time.
    ///
    /// A socket is a handle too, but std does not offer it as one, so that takes a line of unsafe
    /// code:
    ///
    /// ```
    /// use overlapped::{CompletionPort, Key};
    /// use std::net::UdpSocket;
    /// use std::os::windows::io::{AsRawSocket, BorrowedHandle};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let port = CompletionPort::new(0)?;
    /// let socket = UdpSocket::bind("127.0.0.1:0")?;
    /// let raw = socket.as_raw_socket() as _;
    /// // SAFETY: a socket is a handle of the kernel, which is open as long
    /// // as `socket` is there.
    /// let handle = unsafe { BorrowedHandle::borrow_raw(raw) };
    /// port.associate(handle, Key(7))?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// Calls
    /// [`CreateIoCompletionPort`](https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport).
    #[doc(alias = "CreateIoCompletionPort")]
    pub fn associate(&self, handle: BorrowedHandle<'_>, key: Key) -> io::Result<()> {
        // SAFETY: both handles are open during the call, and the call touches no memory.
        let port = unsafe {
            ffi::kernel32::CreateIoCompletionPort(handle.as_raw_handle(), self.raw(), key.0, 0)
        };
        if port.is_null() {
            return Err(explain_association(handle, io::Error::last_os_error()));
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
    /// Calls
    /// [`PostQueuedCompletionStatus`](https://learn.microsoft.com/en-us/windows/win32/fileio/postqueuedcompletionstatus).
    #[doc(alias = "PostQueuedCompletionStatus")]
    pub fn post(&self, key: Key, bytes: u32) -> io::Result<()> {
        // SAFETY: NULL is the address of no operation.
        unsafe { self.post_overlapped(key, bytes, null_mut()) }
    }

    /// Posts a packet with an address in it. The system neither reads nor writes there.
    ///
    /// # Errors
    ///
    /// As [`post`](Self::post).
    ///
    /// # Safety
    ///
    /// * For everybody who may dequeue the packet, what they do with the address in it is sound. In
    ///   particular, it is neither the address of an operation that is in flight on this port nor
    ///   that plus one, by which a queue says that an operation has ended. (The address itself may
    ///   be posted if the operation has ended and its packet does not come: for the packet says
    ///   that it has ended, and that its memory is the kernel's no more.)
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

    /// Waits until there are packets, and appends them to the vector: all that are there, or as
    /// many as it has spare capacity for. Returns how many it has appended, which is 0 when the
    /// time is up. `None` is no limit of time. A `Duration` is rounded up to milliseconds, and
    /// however long it is, the wait ends after it.
    ///
    /// Each packet goes to one thread. It is not promised to which one, nor in which order packets
    /// come out that were posted by different threads.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if `packets` has no spare capacity; else the system's error.
    ///
    /// Calls
    /// [`GetQueuedCompletionStatusEx`](https://learn.microsoft.com/en-us/windows/win32/fileio/getqueuedcompletionstatusex-func).
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
        match self.dequeue_once(packets, deadline.milliseconds)? {
            0 => self.dequeue_on(packets, deadline),
            removed => Ok(removed),
        }
    }

    /// Goes on after a call that has brought nothing: the system may have returned early, or one
    /// call cannot be as long as this.
    #[cold]
    fn dequeue_on(&self, packets: &mut Vec<Packet>, deadline: &Deadline) -> io::Result<usize> {
        while let Some(milliseconds) = deadline.milliseconds_left() {
            let removed = self.dequeue_once(packets, milliseconds)?;
            if removed > 0 {
                return Ok(removed);
            }
        }
        Ok(0)
    }

    /// One call. Returns 0 when it has brought nothing in its time.
    #[inline]
    fn dequeue_once(&self, packets: &mut Vec<Packet>, milliseconds: DWORD) -> io::Result<usize> {
        let room = packets.spare_capacity_mut();
        if room.is_empty() {
            return Err(no_room());
        }
        let (count, mut removed) = (room.len().min(u32::MAX as usize) as u32, 0);
        // SAFETY: the port is open. `room` is valid for `count` entries, as which a `Packet` is
        // laid out, and `removed` for one number; both are the call's own until it returns.
        let some = unsafe {
            ffi::kernel32::GetQueuedCompletionStatusEx(
                self.raw(),
                room.as_mut_ptr().cast::<OVERLAPPED_ENTRY>(),
                count,
                &mut removed,
                milliseconds,
                FALSE,
            )
        };
        if some == FALSE {
            return nothing_came();
        }
        let removed = removed as usize;
        // SAFETY: the system has filled so many elements behind the length, out of `count`.
        unsafe { packets.set_len(packets.len() + removed) };
        Ok(removed)
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

/// Asked for 0 packets, some versions of the system bring one, and others return an error. So none
/// is asked.
#[cold]
fn no_room() -> io::Error {
    io::Error::new(
        io::ErrorKind::InvalidInput,
        "there is no room for packets: give the batch or vector a capacity of at least 1",
    )
}

/// What a wait answers that has brought no packets: 0 if its time is up.
#[cold]
fn nothing_came() -> io::Result<usize> {
    let error = io::Error::last_os_error();
    if error.raw_os_error() == Some(WAIT_TIMEOUT as i32) { Ok(0) } else { Err(error) }
}

/// The system has one code for two mistakes, and the text of the code names neither. So it is asked
/// how the file was opened.
#[cold]
fn explain_association(handle: BorrowedHandle<'_>, error: io::Error) -> io::Error {
    if error.raw_os_error() != Some(ERROR_INVALID_PARAMETER as i32) {
        return error;
    }
    let why = match is_overlapped(handle) {
        Some(false) => NOT_OVERLAPPED,
        Some(true) => ASSOCIATED,
        None => EITHER,
    };
    io::Error::new(io::ErrorKind::InvalidInput, why)
}

const NOT_OVERLAPPED: &str = "it was not opened for overlapped operations, without which no completion \
    port can have it: open a file with `custom_flags(0x4000_0000)`, which is FILE_FLAG_OVERLAPPED, \
    make a pipe with `NamedPipe`, and a socket with WSA_FLAG_OVERLAPPED; a pipe of `std::io::pipe` \
    never is overlapped (Windows error 87)";
const ASSOCIATED: &str = "it is registered already, or was before, or it belongs to another completion \
    port; a socket, file or pipe belongs to one port for life, with all its duplicates, so make or \
    open a new one (Windows error 87)";
const EITHER: &str = "it is registered already, or was before, or it belongs to another completion \
    port, or it was made without WSA_FLAG_OVERLAPPED (for a file: FILE_FLAG_OVERLAPPED); a socket or \
    file belongs to one port for life, so make a new one (Windows error 87)";

/// Whether a file, pipe or socket was opened for overlapped operations, if the system says so. It
/// takes no right on the handle.
fn is_overlapped(handle: BorrowedHandle<'_>) -> Option<bool> {
    let mut block = IO_STATUS_BLOCK { Status: 0, Information: 0 };
    let mut information = FILE_MODE_INFORMATION { Mode: 0 };
    // SAFETY: the handle is open, and there is room for the outcome and for the struct, of that
    // length, during the call, which is over when it returns.
    let status = unsafe {
        let (room, length) =
            ((&raw mut information).cast(), size_of::<FILE_MODE_INFORMATION>() as u32);
        ffi::ntdll::NtQueryInformationFile(
            handle.as_raw_handle(),
            &mut block,
            room,
            length,
            FileModeInformation,
        )
    };
    let synchronous = FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT;
    (status == STATUS_SUCCESS).then_some(information.Mode & synchronous == 0)
}
