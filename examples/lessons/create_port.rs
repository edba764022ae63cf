//! `CreateIoCompletionPort` makes a port, and puts a socket on it: once, and for good.
//!
//! `cargo run --example lesson_create_port`, and on Linux with `./wine` before it.
#![allow(unsafe_code, reason = "it makes the call without the layer")]

/// Prints what the call answers.
#[cfg(windows)]
pub(crate) fn main() -> std::io::Result<()> {
    use overlapped::ffi;
    use overlapped::ffi::constants::INVALID_HANDLE_VALUE;
    use overlapped::ffi::types::{HANDLE, SOCKET};
    use std::io::Error;
    use std::net::{TcpListener, TcpStream};
    use std::os::windows::io::AsRawSocket;
    use std::ptr::null_mut;

    let make = || {
        // SAFETY: there is no file, and no port yet.
        unsafe {
            ffi::kernel32::CreateIoCompletionPort(
                INVALID_HANDLE_VALUE, // no file: only make a port
                null_mut(),           // no port: make one
                0,                    // the key, ignored without a file
                0,                    // as many threads as processors
            )
        }
    };
    let (port, other) = (make(), make());
    if port.is_null() || other.is_null() {
        return Err(Error::last_os_error());
    }
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let stream = TcpStream::connect(listener.local_addr()?)?;
    let socket = stream.as_raw_socket() as SOCKET as HANDLE;
    for (name, onto) in [("first", port), ("the same", port), ("another", other)] {
        // SAFETY: the socket is open, and so are both ports. Nobody dequeues.
        let answer = unsafe {
            ffi::kernel32::CreateIoCompletionPort(
                socket, // put this
                onto,   // on this
                7,      // the key that its packets will have
                0,      // ignored: the port has its number already
            )
        };
        let error = Error::last_os_error().raw_os_error();
        match answer.is_null() {
            false => println!("{name} port: the answer is this port: {}", answer == onto),
            true => println!("{name} port: NULL, error {}", error.unwrap_or_default()),
        }
    }
    Ok(()) // the system closes both ports with the program
}

#[cfg(not(windows))]
pub(crate) fn main() {
    eprintln!("This needs Windows, or Wine, by `./wine cargo run --example lesson_create_port`");
    std::process::exit(2);
}
