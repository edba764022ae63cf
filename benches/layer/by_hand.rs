//! The work as it is done by hand: on the bindings alone, as a careful programmer does it in C.
//!
//! Operations and buffers are allocated once and used again. Every answer of the system is looked
//! at, every status and count too. Nobody else posts to the port, so the address in a packet is
//! taken for what it was when the operation was started, as programs of this kind do. If something
//! goes wrong the memory of operations is leaked, since the kernel may still have it.

#![allow(unsafe_code, reason = "it makes system calls, and follows the addresses in packets")]

use std::io;
use std::os::windows::io::{AsRawHandle, AsRawSocket, FromRawHandle, OwnedHandle};
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::atomic::{AtomicBool, Ordering};

use overlapped::ffi;
use overlapped::ffi::constants::*;
use overlapped::ffi::types::{HANDLE, OVERLAPPED, OVERLAPPED_ENTRY, UCHAR};

use super::message::{CAPACITY, wrong};

pub mod accept;
pub mod batch;
mod connection;
pub mod datagrams;
pub mod file;
pub mod ping_pong;
pub mod pipe;

/// A port, and room for the packets of one wait.
pub struct Port {
    handle: OwnedHandle,
    entries: [OVERLAPPED_ENTRY; CAPACITY],
    pub waits: u64,
}

impl Port {
    pub fn new() -> io::Result<Self> {
        // SAFETY: without a file and without a port the call makes a port, and touches no memory.
        let handle = unsafe {
            ffi::kernel32::CreateIoCompletionPort(INVALID_HANDLE_VALUE, null_mut(), 0, 0)
        };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is open, new, and nobody else's.
        let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
        let empty = OVERLAPPED_ENTRY {
            lpCompletionKey: 0,
            lpOverlapped: null_mut(),
            Internal: 0,
            dwNumberOfBytesTransferred: 0,
        };
        Ok(Self { handle, entries: [empty; CAPACITY], waits: 0 })
    }

    /// Puts a socket on the port, and says that nobody waits on the socket itself.
    pub fn associate(&self, socket: &impl AsRawSocket, key: usize) -> io::Result<()> {
        self.associate_handle(handle_of(socket), key)?;
        skip(socket, FILE_SKIP_SET_EVENT_ON_HANDLE)
    }

    /// As [`associate`](Self::associate), of what somebody may wait on.
    pub fn associate_handle(&self, handle: HANDLE, key: usize) -> io::Result<()> {
        let port = self.handle.as_raw_handle();
        // SAFETY: both are open, and nothing is in flight on the handle.
        let associated = unsafe { ffi::kernel32::CreateIoCompletionPort(handle, port, key, 0) };
        if associated.is_null() { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    pub fn post(&self, key: usize, bytes: u32) -> io::Result<()> {
        let port = self.handle.as_raw_handle();
        // SAFETY: the port is open, and NULL is the address of no operation.
        let posted =
            unsafe { ffi::kernel32::PostQueuedCompletionStatus(port, bytes, key, null_mut()) };
        if posted == FALSE { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// Waits until there are packets, and takes them.
    pub fn wait(&mut self) -> io::Result<&[OVERLAPPED_ENTRY]> {
        self.waits += 1;
        let (port, room, mut removed) = (self.handle.as_raw_handle(), CAPACITY as u32, 0);
        // SAFETY: the port is open, and there is room for so many entries and for the number.
        let some = unsafe {
            ffi::kernel32::GetQueuedCompletionStatusEx(
                port,
                self.entries.as_mut_ptr(),
                room,
                &mut removed,
                INFINITE,
                FALSE,
            )
        };
        if some == FALSE {
            return Err(io::Error::last_os_error());
        }
        Ok(&self.entries[..removed as usize])
    }
}

/// Leaves something out at the end of a socket's operations.
pub fn skip(socket: &impl AsRawSocket, what: UCHAR) -> io::Result<()> {
    // SAFETY: the socket is open, and those who use it know what is left out.
    let done =
        unsafe { ffi::kernel32::SetFileCompletionNotificationModes(handle_of(socket), what) };
    if done == FALSE { Err(io::Error::last_os_error()) } else { Ok(()) }
}

fn handle_of(socket: &impl AsRawSocket) -> HANDLE {
    without_provenance_mut(socket.as_raw_socket() as usize)
}

/// An `OVERLAPPED` for an operation that is about to start.
pub const fn fresh() -> OVERLAPPED {
    OVERLAPPED { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: null_mut() }
}

/// How many bytes an operation has moved, if it has succeeded.
pub fn count_of(entry: &OVERLAPPED_ENTRY) -> io::Result<u32> {
    // The status is in the low half.
    match entry.Internal as i32 {
        0.. => Ok(entry.dwNumberOfBytesTransferred),
        status => Err(failed(status)),
    }
}

#[cold]
fn failed(status: i32) -> io::Error {
    io::Error::other(format!("the operation failed with NTSTATUS {status:#010X}"))
}

const KEY: usize = 7;

pub fn post_and_wait(count: u64) -> io::Result<u64> {
    let mut port = Port::new()?;
    for round in 0..count {
        let value = round as u32;
        port.post(KEY, value)?;
        let mut seen = 0;
        for entry in port.wait()? {
            if entry.lpCompletionKey != KEY || entry.dwNumberOfBytesTransferred != value {
                return Err(wrong("another packet has come than was posted"));
            }
            seen += 1;
        }
        if seen != 1 {
            return Err(wrong("one packet was posted, and not as many have come"));
        }
    }
    Ok(port.waits)
}

/// Whether a wake-up is on its way, so that another would say nothing new.
static WOKEN: AtomicBool = AtomicBool::new(false);

fn wake(port: &Port) -> io::Result<()> {
    if WOKEN.swap(true, Ordering::AcqRel) {
        return Ok(());
    }
    let posted = port.post(KEY, 0);
    if posted.is_err() {
        WOKEN.store(false, Ordering::Release);
    }
    posted
}

pub fn wake_and_wait(count: u64) -> io::Result<u64> {
    let mut port = Port::new()?;
    for _ in 0..count {
        wake(&port)?;
        let mut woken = 0;
        for entry in port.wait()? {
            if entry.lpCompletionKey != KEY {
                return Err(wrong("another packet has come than that of the wake-up"));
            }
            // Before anything is done about it: who wakes from now on posts a new one.
            WOKEN.swap(false, Ordering::AcqRel);
            woken += 1;
        }
        if woken != 1 {
            return Err(wrong("one wake-up was sent, and not as many have come"));
        }
    }
    Ok(port.waits)
}
