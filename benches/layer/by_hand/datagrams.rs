//! A datagram goes to the peer and comes back to the address that it came from, both on one port.

#![allow(unsafe_code, reason = "it makes system calls, and follows the addresses in packets")]

use std::io;
use std::net::UdpSocket;
use std::os::windows::io::AsRawSocket;
use std::ptr::null_mut;

use overlapped::ffi;
use overlapped::ffi::socket_address::{SOCKADDR_IN, SOCKADDR_IN6};
use overlapped::ffi::types::{OVERLAPPED, SOCKET, WSABUF};

use super::super::message::{
    SIZE, address_of, check, message, pair_of_datagrams, set_number, wrong,
};
use super::connection::{Doing, started};
use super::{Port, count_of, fresh};

/// A socket with one operation, one buffer, and room for one address. The `OVERLAPPED` stands
/// first, so the address in a packet is that of its end.
#[repr(C)]
struct End {
    overlapped: OVERLAPPED,
    doing: Doing,
    flags: u32,
    /// Who has sent what was received last, and to whom is sent.
    peer: SOCKADDR_IN6,
    peer_length: i32,
    buffer: [u8; SIZE],
    socket: UdpSocket,
    key: usize,
}

impl End {
    fn new(port: &Port, socket: UdpSocket, key: usize) -> io::Result<*mut Self> {
        port.associate(&socket, key)?;
        Ok(Box::into_raw(Box::new(Self {
            overlapped: fresh(),
            doing: Doing::Receiving,
            flags: 0,
            // SAFETY: all of its fields are numbers.
            peer: unsafe { std::mem::zeroed() },
            peer_length: 0,
            buffer: message(),
            socket,
            key,
        })))
    }

    /// The end is the kernel's until a packet comes.
    fn receive(&mut self) -> io::Result<()> {
        (self.overlapped, self.flags, self.doing) = (fresh(), 0, Doing::Receiving);
        self.peer_length = size_of::<SOCKADDR_IN6>() as i32;
        let buffer = WSABUF { len: SIZE as u32, buf: self.buffer.as_mut_ptr() };
        let (socket, flags) = (self.socket.as_raw_socket() as SOCKET, &raw mut self.flags);
        let (peer, length) = ((&raw mut self.peer).cast(), &raw mut self.peer_length);
        let (bytes, overlapped) = (null_mut(), &raw mut self.overlapped);
        // SAFETY: the socket is open. What is lent is in this end, which is used again when its
        // packet has been dequeued.
        let answer = unsafe {
            ffi::ws2_32::WSARecvFrom(
                socket, &buffer, 1, bytes, flags, peer, length, overlapped, None,
            )
        };
        started::<false>(answer, 0).map(|_| ())
    }

    /// The end is the kernel's until a packet comes.
    fn send(&mut self) -> io::Result<()> {
        (self.overlapped, self.doing) = (fresh(), Doing::Sending);
        let buffer = WSABUF { len: SIZE as u32, buf: self.buffer.as_mut_ptr() };
        let (socket, overlapped) =
            (self.socket.as_raw_socket() as SOCKET, &raw mut self.overlapped);
        let (peer, length) = ((&raw const self.peer).cast(), self.peer_length);
        let bytes = null_mut();
        // SAFETY: as for receiving.
        let answer = unsafe {
            ffi::ws2_32::WSASendTo(socket, &buffer, 1, bytes, 0, peer, length, overlapped, None)
        };
        started::<false>(answer, 0).map(|_| ())
    }
}

/// Who counts the rounds. The other one sends back what it receives.
const FIRST: usize = 0;

pub fn rounds(count: u64) -> io::Result<u64> {
    let mut port = Port::new()?;
    let [near, far] = pair_of_datagrams()?;
    let to = address_of(&far)?;
    let second = End::new(&port, far, FIRST + 1)?;
    let first = End::new(&port, near, FIRST)?;
    let mut round = 1;
    // SAFETY: nothing is in flight on it, and there is no other reference.
    unsafe { &mut *second }.receive()?;
    // SAFETY: as above.
    let begin = unsafe { &mut *first };
    // SAFETY: the room is for the longer of the two kinds of addresses.
    unsafe { (&raw mut begin.peer).cast::<SOCKADDR_IN>().write(to) };
    begin.peer_length = size_of::<SOCKADDR_IN>() as i32;
    set_number(&mut begin.buffer, round);
    begin.send()?;
    loop {
        for entry in port.wait()? {
            // SAFETY: only operations of the two ends have packets here, and the kernel is done
            // with this one.
            let end = unsafe { &mut *entry.lpOverlapped.cast::<End>() };
            if count_of(entry)? as usize != SIZE {
                return Err(wrong("a part has come, or was sent"));
            }
            if end.doing == Doing::Sending {
                end.receive()?;
                continue;
            }
            if end.key == FIRST {
                check(&end.buffer, round)?;
                if round == count {
                    // The other end has a receive pending, so it stays.
                    return Ok(port.waits);
                }
                round += 1;
                set_number(&mut end.buffer, round);
            }
            end.send()?;
        }
    }
}
