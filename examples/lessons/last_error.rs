//! `WSAGetLastError` says why the last call has failed: to this thread, and until the next call.
//!
//! `cargo run --example lesson_last_error`, and on Linux with `./wine` before it.
#![allow(unsafe_code, reason = "it makes the call without the layer")]

#[cfg(windows)]
#[path = "parts.rs"]
mod parts;

/// Prints what it says at three moments.
#[cfg(windows)]
pub(crate) fn main() -> std::io::Result<()> {
    use overlapped::ffi;
    use overlapped::ffi::types::SOCKET;
    use std::net::Shutdown;
    use std::os::windows::io::AsRawSocket;
    use std::ptr::null_mut;
    use std::thread;

    let port = parts::Port::new()?;
    let (near, _far) = parts::connected(&port, 7)?;
    near.shutdown(Shutdown::Read)?; // so that receiving fails
    let (operation, flags, buffer) = parts::lend();
    let (socket, overlapped) = (near.as_raw_socket() as SOCKET, operation.cast());
    // SAFETY: the socket is open, and what is lent is never freed.
    let answer =
        unsafe { ffi::ws2_32::WSARecv(socket, &buffer, 1, null_mut(), flags, overlapped, None) };
    let at_once = ffi::ws2_32::WSAGetLastError();
    println!("the call: {answer}; asked at once: {at_once}");

    let elsewhere = thread::spawn(|| ffi::ws2_32::WSAGetLastError()).join();
    let same = elsewhere.is_ok_and(|error| error == at_once);
    println!("another thread is told the same: {same}");

    // A call that fails, of another DLL: the port is empty.
    let nothing = port.packet_within(0).is_none();
    let later = ffi::ws2_32::WSAGetLastError();
    println!("nothing was dequeued: {nothing}; asked after that: {later}");
    Ok(())
}

#[cfg(not(windows))]
pub(crate) fn main() {
    eprintln!("This needs Windows, or Wine, by `./wine cargo run --example lesson_last_error`");
    std::process::exit(2);
}
