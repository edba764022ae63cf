//! A connection with one operation and one buffer, which receives or sends.

#![allow(unsafe_code, reason = "it makes system calls, and follows the addresses in packets")]

use std::io;
use std::net::TcpStream;
use std::os::windows::io::AsRawSocket;
use std::ptr::null_mut;

use overlapped::ffi;
use overlapped::ffi::constants::{FILE_SKIP_COMPLETION_PORT_ON_SUCCESS, WSA_IO_PENDING};
use overlapped::ffi::types::{OVERLAPPED, SOCKET, WSABUF};

use super::super::message::{SIZE, message};
use super::{Port, fresh, skip};

/// What the operation is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Doing {
    Receiving,
    Sending,
}

/// The `OVERLAPPED` stands first, so the address in a packet is that of its connection.
#[repr(C)]
pub struct Connection {
    overlapped: OVERLAPPED,
    pub doing: Doing,
    /// `WSARecv` reads the flags here, and may write them when the operation ends.
    flags: u32,
    /// How much of the message has come.
    pub filled: usize,
    pub buffer: [u8; SIZE],
    stream: TcpStream,
    pub key: usize,
}

/// What became of an operation at once: `None` if a packet will tell, else how many bytes it has
/// moved.
pub type Started = Option<u32>;

impl Connection {
    /// Makes a connection and puts it on the port. With `INLINE`, what ends at once brings no
    /// packet.
    pub fn new<const INLINE: bool>(
        port: &Port,
        stream: TcpStream,
        key: usize,
    ) -> io::Result<*mut Self> {
        port.associate(&stream, key)?;
        if INLINE {
            skip(&stream, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS)?;
        }
        Ok(Box::into_raw(Box::new(Self {
            overlapped: fresh(),
            doing: Doing::Receiving,
            flags: 0,
            filled: 0,
            buffer: message(),
            stream,
            key,
        })))
    }

    /// The connection whose operation has ended, by the address in its packet.
    ///
    /// # Safety
    ///
    /// * The packet has been dequeued just now, from a port where all packets are those of
    ///   operations of connections that are not freed.
    /// * Nothing else refers to the connection for as long as what is returned is used, and that is
    ///   no longer than until its next operation is started.
    pub unsafe fn of<'a>(overlapped: *mut OVERLAPPED) -> &'a mut Self {
        // SAFETY: the address is that of the first field of a connection, which the caller vouches
        // for, and the kernel is done with it.
        unsafe { &mut *overlapped.cast::<Self>() }
    }

    /// Receives into what is left of the buffer. The connection is the kernel's until a packet
    /// comes.
    pub fn receive<const INLINE: bool>(&mut self) -> io::Result<Started> {
        (self.overlapped, self.flags, self.doing) = (fresh(), 0, Doing::Receiving);
        let room = &mut self.buffer[self.filled..];
        let buffer = WSABUF { len: room.len() as u32, buf: room.as_mut_ptr() };
        let mut count = 0;
        let bytes = if INLINE { &raw mut count } else { null_mut() };
        let (socket, flags) = (self.stream.as_raw_socket() as SOCKET, &raw mut self.flags);
        let overlapped = &raw mut self.overlapped;
        // SAFETY: the socket is open. What is lent is in this connection, which is used again when
        // its packet has been dequeued, or when there is none.
        let answer =
            unsafe { ffi::ws2_32::WSARecv(socket, &buffer, 1, bytes, flags, overlapped, None) };
        started::<INLINE>(answer, count)
    }

    /// Sends the buffer. The connection is the kernel's until a packet comes.
    pub fn send<const INLINE: bool>(&mut self) -> io::Result<Started> {
        (self.overlapped, self.doing) = (fresh(), Doing::Sending);
        let buffer = WSABUF { len: SIZE as u32, buf: self.buffer.as_mut_ptr() };
        let mut count = 0;
        let bytes = if INLINE { &raw mut count } else { null_mut() };
        let (socket, overlapped) =
            (self.stream.as_raw_socket() as SOCKET, &raw mut self.overlapped);
        // SAFETY: as for receiving.
        let answer =
            unsafe { ffi::ws2_32::WSASend(socket, &buffer, 1, bytes, 0, overlapped, None) };
        started::<INLINE>(answer, count)
    }
}

pub fn started<const INLINE: bool>(answer: i32, count: u32) -> io::Result<Started> {
    if answer == 0 {
        return Ok(INLINE.then_some(count));
    }
    match ffi::ws2_32::WSAGetLastError() {
        WSA_IO_PENDING => Ok(None),
        code => Err(io::Error::from_raw_os_error(code)),
    }
}
