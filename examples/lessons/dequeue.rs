//! `GetQueuedCompletionStatus` takes one packet. Its FALSE has two meanings, and so has its NULL.
//!
//! `cargo run --example lesson_dequeue`, and on Linux with `./wine` before it.
#![allow(unsafe_code, reason = "it makes the call without the layer")]

#[cfg(windows)]
#[path = "parts.rs"]
mod parts;

/// Prints what the call answers in each of four cases.
#[cfg(windows)]
pub(crate) fn main() -> std::io::Result<()> {
    use overlapped::ffi;
    use overlapped::ffi::constants::{FALSE, INFINITE};
    use std::io::{Error, Write};
    use std::ptr::null_mut;

    let port = parts::Port::new()?;
    let (near, mut far) = parts::connected(&port, 7)?;
    let dequeue = |what: &str, milliseconds| {
        let (mut count, mut key, mut overlapped) = (0, 0, null_mut());
        // SAFETY: the port is open, and the three are there to be written.
        let answer = unsafe {
            ffi::kernel32::GetQueuedCompletionStatus(
                port.handle(),
                &mut count,
                &mut key,
                &mut overlapped, // a pointer to a pointer
                milliseconds,
            )
        };
        let error = Error::last_os_error().raw_os_error().unwrap_or_default();
        let null = if overlapped.is_null() { "NULL" } else { "an operation" };
        match answer {
            FALSE => println!("{what}: FALSE, {null}, error {error}"),
            _ => println!("{what}: TRUE, {null}, count {count}, key {key}"),
        }
        overlapped
    };
    dequeue("nothing is there", 0);
    port.post(8)?;
    dequeue("something was posted", INFINITE);
    let receive = parts::Receive::start(&near)?;
    far.write_all(b"!")?; // one byte, since several may come in pieces
    assert_eq!(dequeue("a receive has succeeded", INFINITE), receive.overlapped());
    // SAFETY: the packet with its address has been dequeued.
    drop(unsafe { receive.take_back() });
    let receive = parts::Receive::start(&near)?;
    parts::cancel_all(&near)?;
    assert_eq!(dequeue("a receive was cancelled", INFINITE), receive.overlapped());
    // SAFETY: as above.
    drop(unsafe { receive.take_back() });
    Ok(())
}

#[cfg(not(windows))]
pub(crate) fn main() {
    eprintln!("This needs Windows, or Wine, by `./wine cargo run --example lesson_dequeue`");
    std::process::exit(2);
}
