//! `CloseHandle` closes a handle, which is a number. What it was the number of can go on.
//!
//! `cargo run --example lesson_close`, and on Linux with `./wine` before it.
#![allow(unsafe_code, reason = "it makes the call without the layer")]

#[cfg(windows)]
#[path = "parts.rs"]
mod parts;

/// Prints what closing does, and what it does not do.
#[cfg(windows)]
pub(crate) fn main() -> std::io::Result<()> {
    use overlapped::ffi;
    use overlapped::ffi::constants::FALSE;
    use std::collections::HashSet;

    let port = parts::Port::new()?;
    let (near, _far) = parts::connected(&port, 7)?;
    let twin = near.try_clone()?;
    let receive = parts::Receive::start(&near)?;

    drop(twin); // a socket is closed by `closesocket`, which std calls
    let packet = port.packet_within(0).is_some();
    println!("one handle of the socket is closed; a packet: {packet}");
    drop(near);
    let packet = port.packet()?;
    assert_eq!(packet.lpOverlapped, receive.overlapped());
    // SAFETY: its packet has been dequeued.
    let operation = unsafe { receive.take_back() };
    let failed = (operation.overlapped.Internal as i32) < 0;
    println!("the last one is closed; a packet: true, of a failure: {failed}");

    // Nothing is in flight any more, so nothing is lost with the port.
    let mut numbers = HashSet::new();
    let mut next = port;
    loop {
        let handle = next.into_handle();
        let seen = !numbers.insert(handle.addr());
        // SAFETY: it is open, and this program's. It is not used again,
        // and nothing is in flight on it.
        let closed = unsafe { ffi::kernel32::CloseHandle(handle) };
        if closed == FALSE {
            return Err(std::io::Error::last_os_error());
        }
        if seen {
            break println!("a new port has got the number of one that was closed");
        }
        next = parts::Port::new()?;
    }
    Ok(())
}

#[cfg(not(windows))]
pub(crate) fn main() {
    eprintln!("This needs Windows, or Wine, by `./wine cargo run --example lesson_close`");
    std::process::exit(2);
}
