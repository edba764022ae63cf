//! `WSARecv` lends memory to the kernel. Also when it has succeeded at once, a packet comes.
//!
//! `cargo run --example lesson_receive`, and on Linux with `./wine` before it.
#![allow(unsafe_code, reason = "it makes the call without the layer")]

#[cfg(windows)]
#[path = "parts.rs"]
mod parts;

/// Prints what the call answers, and what the packet says.
#[cfg(windows)]
pub(crate) fn main() -> std::io::Result<()> {
    use overlapped::ffi::{self, types::SOCKET};
    use std::io::Write;
    use std::os::windows::io::AsRawSocket;
    use std::ptr::null_mut;

    let port = parts::Port::new()?;
    let (near, mut far) = parts::connected(&port, 7)?;
    for (byte, at_once) in [(b"A", true), (b"B", false)] {
        if at_once {
            far.write_all(byte)?; // one, since several may come in pieces
            near.peek(&mut [0])?; // waits until it is there
        }
        let (operation, flags, buffer) = parts::lend();
        // SAFETY: the socket is open; what is lent is freed after its packet.
        let answer = unsafe {
            ffi::ws2_32::WSARecv(
                near.as_raw_socket() as SOCKET,
                &buffer,          // needed during the call; its memory is lent
                1,                // one buffer
                null_mut(),       // the count will be in the packet
                flags,            // lent
                operation.cast(), // the OVERLAPPED is its first field; lent
                None,             // a port is told, and no function
            )
        };
        let error = ffi::ws2_32::WSAGetLastError();
        match answer {
            0 => println!("0, done at once"),
            _ => println!("{answer}, error {error}"),
        }
        if !at_once {
            far.write_all(byte)?;
        }
        let packet = port.packet()?;
        assert_eq!(packet.lpOverlapped, operation.cast());
        // SAFETY: it came from a box, and its packet has been dequeued.
        let operation = unsafe { Box::from_raw(operation) };
        let count = packet.dwNumberOfBytesTransferred as usize;
        println!("a packet: {:?}", String::from_utf8_lossy(&operation.bytes[..count]));
    }
    Ok(())
}

#[cfg(not(windows))]
pub(crate) fn main() {
    eprintln!("This needs Windows, or Wine, by `./wine cargo run --example lesson_receive`");
    std::process::exit(2);
}
