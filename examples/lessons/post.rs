//! `PostQueuedCompletionStatus` puts a packet into a port: three numbers that nobody looks at.
//!
//! `cargo run --example lesson_post`, and on Linux with `./wine` before it.
#![allow(unsafe_code, reason = "it makes the call without the layer")]

#[cfg(windows)]
#[path = "parts.rs"]
mod parts;

/// Posts three packets, and prints what comes out.
#[cfg(windows)]
pub(crate) fn main() -> std::io::Result<()> {
    use overlapped::ffi;
    use overlapped::ffi::constants::FALSE;
    use std::io::Error;
    use std::ptr::{null_mut, without_provenance_mut};

    let port = parts::Port::new()?;
    let nowhere = without_provenance_mut(13); // no operation is there, nor anything else
    let nothing = (0, 0, null_mut());
    for (count, key, overlapped) in [(u32::MAX, 7, nowhere), nothing, nothing] {
        // SAFETY: the port is open. The address is only printed below.
        let posted = unsafe {
            ffi::kernel32::PostQueuedCompletionStatus(
                port.handle(),
                count,      // "bytes transferred", and any number
                key,        // also one that no socket has
                overlapped, // NULL, or no pointer at all
            )
        };
        if posted == FALSE {
            return Err(Error::last_os_error());
        }
    }
    for _ in 0..3 {
        let packet = port.packet()?;
        println!(
            "count {}, key {}, address {}",
            packet.dwNumberOfBytesTransferred,
            packet.lpCompletionKey,
            packet.lpOverlapped.addr(),
        );
    }
    Ok(())
}

#[cfg(not(windows))]
pub(crate) fn main() {
    eprintln!("This needs Windows, or Wine, by `./wine cargo run --example lesson_post`");
    std::process::exit(2);
}
