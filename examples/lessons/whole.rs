//! A whole program on the bindings alone: five connections that are answered late, a wake-up by
//! another thread, and an end that loses nothing. `whole_safe.rs` is the same on the safe layer.
//!
//! `cargo run --example lesson_whole`, and on Linux with `./wine` before it.
#![allow(unsafe_code, reason = "it makes the calls without the layer")]

#[cfg(windows)]
#[path = "five.rs"]
mod five;
#[cfg(windows)]
#[path = "parts.rs"]
mod parts;

#[cfg(windows)]
mod program {
    use super::five::{Five, connect};
    use super::parts::{Operation, Port, cancel_all, lend};
    use overlapped::ffi::{self, constants::*, ntstatus::*, types::*};
    use std::io::{Error, ErrorKind, Result};
    use std::{collections::HashSet, net::TcpStream, os::windows::io::AsRawSocket};
    use std::{ptr::null_mut, sync::Arc};

    const WAKE: usize = usize::MAX; // a key that no connection has

    /// What is lent. If the program gives up, the memory stays.
    type Lent = HashSet<*mut Operation>;

    fn receive(stream: &TcpStream, lent: &mut Lent) -> Result<()> {
        let (operation, flags, buffer) = lend();
        let socket = stream.as_raw_socket() as SOCKET;
        // SAFETY: the socket is open. What is lent is freed when its
        // packet has come, or never.
        let answer = unsafe {
            ffi::ws2_32::WSARecv(
                socket,
                &buffer,
                1,
                null_mut(), // the count will be in the packet
                flags,
                operation.cast(),
                None,
            )
        };
        let error = ffi::ws2_32::WSAGetLastError();
        if answer != 0 && error != WSA_IO_PENDING {
            // SAFETY: it came from a box, and no packet will come.
            drop(unsafe { Box::from_raw(operation) });
            return Err(Error::from_raw_os_error(error));
        }
        lent.insert(operation);
        Ok(())
    }

    fn collect(port: &Port, five: &Five, mut lent: Lent) -> Result<()> {
        let mut answers = vec![Vec::new(); five.streams.len()];
        let mut cancelled = 0;
        while !lent.is_empty() {
            let packet = port.packet()?;
            let key = packet.lpCompletionKey;
            let Some(operation) = lent.take(&packet.lpOverlapped.cast()) else {
                if key == WAKE {
                    println!("woken, with {} receives in flight", lent.len());
                    five.streams.iter().try_for_each(cancel_all)?;
                }
                continue; // otherwise it is a packet of other code
            };
            // SAFETY: it came from a box, and its packet has come: of those
            // who have the port, nobody posts an address.
            let operation = unsafe { Box::from_raw(operation) };
            let count = packet.dwNumberOfBytesTransferred as usize;
            match operation.overlapped.Internal as NTSTATUS {
                STATUS_SUCCESS if count > 0 => {}
                STATUS_SUCCESS => return Err(ErrorKind::UnexpectedEof.into()),
                STATUS_CANCELLED => {
                    cancelled += 1;
                    continue;
                }
                status => return Err(Error::other(format!("status {status:#x}"))),
            }
            let answer = &mut answers[key];
            answer.extend_from_slice(&operation.bytes[..count]);
            if answer.ends_with(b"\n") {
                let text = String::from_utf8_lossy(answer);
                print!("connection {}: {text}", key + 1);
                answer.clear();
                let _ = five.read.send(()); // it may have ended
            }
            receive(&five.streams[key], &mut lent)?;
        }
        let left = lent.len();
        println!("{cancelled} receives were cancelled, {left} in flight");
        Ok(())
    }

    pub fn run() -> Result<()> {
        let port = Arc::new(Port::new()?);
        let waker = Arc::clone(&port);
        let five = connect(move || waker.post(WAKE))?;
        let mut lent = Lent::new();
        for (key, stream) in five.streams.iter().enumerate() {
            port.associate(stream, key)?;
            receive(stream, &mut lent)?;
        }
        collect(&port, &five, lent)?;
        five.end() // and then the port is closed
    }
}

/// Prints the answers, and how it has ended.
#[cfg(windows)]
pub(crate) fn main() -> std::io::Result<()> {
    program::run()
}

#[cfg(not(windows))]
pub(crate) fn main() {
    eprintln!("This needs Windows, or Wine, by `./wine cargo run --example lesson_whole`");
    std::process::exit(2);
}
