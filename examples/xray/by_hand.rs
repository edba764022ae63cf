//! An operation without the layer: an `OVERLAPPED` and a buffer of our own, lent to the kernel.
//!
//! Whose the memory is stands in the types. An [`Operation`] is the program's. To receive turns it
//! into a [`Lent`], of which only `Internal` can be read. The [`Entry`] of its packet turns that
//! into an `Operation` again, and nothing else does: a `Lent` that is dropped before is leaked, for
//! the kernel would go on to write to it.

#![allow(unsafe_code, reason = "it lends memory to the kernel")]

use std::io;
use std::net::TcpStream;
use std::os::windows::io::{AsRawSocket, BorrowedHandle, RawHandle};
use std::ptr::{NonNull, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering::Acquire};

use overlapped::ffi::constants::{FALSE, WSA_IO_PENDING};
use overlapped::ffi::types::{OVERLAPPED, SOCKET, WSABUF};
use overlapped::{CompletionPort, Key, Packet, ffi};

use super::threads::{LIMIT, nothing_came};

pub const KEY: Key = Key(7);
pub const ROOM: usize = 16;

/// What the kernel is lent. The `OVERLAPPED` stands first, so its address is that of the whole.
#[repr(C)]
struct Memory {
    overlapped: OVERLAPPED,
    /// Read by the call, and written at its end.
    flags: u32,
    room: [u8; ROOM],
}

/// The memory of an operation, while it is the program's.
pub struct Operation {
    memory: Box<Memory>,
}

impl Operation {
    pub fn new() -> Self {
        let overlapped = OVERLAPPED {
            Internal: 0,
            InternalHigh: 0,
            Offset: 0,
            OffsetHigh: 0,
            hEvent: null_mut(),
        };
        Self { memory: Box::new(Memory { overlapped, flags: 0, room: [0; ROOM] }) }
    }

    /// The low 32 bits, which are the status.
    pub fn internal(&self) -> u32 {
        self.memory.overlapped.Internal as u32
    }

    pub fn internal_high(&self) -> usize {
        self.memory.overlapped.InternalHigh
    }

    /// What was received, after a success.
    pub fn received(&self) -> &[u8] {
        &self.memory.room[..self.internal_high().min(ROOM)]
    }

    /// Lends it to the kernel, to receive into. After an error other than "pending" nobody uses the
    /// memory again, and it is leaked: to know that the kernel does not have it would take more.
    pub fn receive(self, stream: &TcpStream) -> io::Result<Lent> {
        let lent = Lent { memory: NonNull::from(Box::leak(self.memory)) };
        // SAFETY: the memory was a box, so the field is within one allocation.
        let room = unsafe { &raw mut (*lent.memory.as_ptr()).room };
        // SAFETY: as above.
        let flags = unsafe { &raw mut (*lent.memory.as_ptr()).flags };
        let part = WSABUF { len: ROOM as u32, buf: room.cast() };
        // SAFETY: the socket is open. The array of one part is there until the call has returned.
        // The `OVERLAPPED`, the flags and the room are in memory that is freed when this call has
        // returned and the packet has been dequeued, and otherwise never. No count is asked for,
        // and no routine given, so that nothing but the packet says how it has ended.
        let answer = unsafe {
            ffi::ws2_32::WSARecv(
                stream.as_raw_socket() as SOCKET,
                &part,
                1,
                null_mut(),
                flags,
                lent.overlapped(),
                None,
            )
        };
        let error = io::Error::last_os_error();
        // Success at once brings a packet, too.
        let brings_packet = answer == 0 || error.raw_os_error() == Some(WSA_IO_PENDING);
        if brings_packet { Ok(lent) } else { Err(error) }
    }
}

/// The memory of an operation, while it is the kernel's.
pub struct Lent {
    memory: NonNull<Memory>,
}

impl Lent {
    fn overlapped(&self) -> *mut OVERLAPPED {
        self.memory.as_ptr().cast()
    }

    /// The address, as a number to compare with and to post.
    pub fn address(&self) -> usize {
        self.overlapped().addr()
    }

    /// Reads `Internal` while the kernel may write it, as the macro `HasOverlappedIoCompleted` does.
    /// This is the only field that can be read by then.
    pub fn internal(&self) -> u32 {
        // SAFETY: the memory is freed by `take_back` alone, which takes the `Lent`.
        let field = unsafe { &raw mut (*self.overlapped()).Internal };
        // SAFETY: the field is aligned, for the `OVERLAPPED` is; it is there as long as the `Lent`.
        // Meanwhile this process reads it here alone, and the kernel writes it as one word.
        let field = unsafe { AtomicUsize::from_ptr(field) };
        field.load(Acquire) as u32
    }

    /// Asks the system to cancel it. The memory stays the kernel's.
    pub fn cancel(&self, stream: &TcpStream) -> io::Result<()> {
        // SAFETY: the socket is open. The address is that of an operation whose packet has not been
        // taken back, and so that of no later one.
        let asked = unsafe { ffi::kernel32::CancelIoEx(handle_of(stream), self.overlapped()) };
        if asked == FALSE { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    /// The packet has come, and gives the memory back. One of another operation is an error, and
    /// the memory stays the kernel's.
    pub fn take_back(self, entry: Entry) -> io::Result<Operation> {
        if entry.address() != self.address() {
            return Err(io::Error::other("a packet of another operation has come"));
        }
        // SAFETY: `receive` has made the pointer of a box, and gives one `Lent` for it. An entry
        // comes out of a port once, cannot be copied, and nobody posts into a `Port`. So this one
        // is of an operation with this address. An earlier one it cannot be of: it is taken by
        // value, and before it was the memory could not be freed and be allocated anew. So it is of
        // this operation, which has ended. Its call has returned, too, or there would be no `Lent`.
        Ok(Operation { memory: unsafe { Box::from_raw(self.memory.as_ptr()) } })
    }
}

/// A port whose packets are all of operations of this file.
pub struct Port {
    port: CompletionPort,
}

/// A packet that came out of such a port.
pub struct Entry {
    packet: Packet,
}

impl Port {
    pub fn new() -> io::Result<Self> {
        Ok(Self { port: CompletionPort::new(0)? })
    }

    pub fn associate(&self, stream: &TcpStream) -> io::Result<()> {
        // SAFETY: a socket is a handle of the kernel, which is open as long as `stream` is there.
        let handle = unsafe { BorrowedHandle::borrow_raw(handle_of(stream)) };
        self.port.associate(handle, KEY)
    }

    /// Waits for one packet.
    pub fn dequeue(&self) -> io::Result<Entry> {
        let mut packets = Vec::with_capacity(1);
        self.port.dequeue(&mut packets, Some(LIMIT))?;
        packets.pop().map(|packet| Entry { packet }).ok_or_else(nothing_came)
    }
}

impl Entry {
    pub fn key(&self) -> Key {
        self.packet.key()
    }

    pub fn count(&self) -> u32 {
        self.packet.bytes()
    }

    pub fn address(&self) -> usize {
        self.packet.overlapped().addr()
    }
}

fn handle_of(stream: &TcpStream) -> RawHandle {
    stream.as_raw_socket() as RawHandle
}
