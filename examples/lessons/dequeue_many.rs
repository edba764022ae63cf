//! `GetQueuedCompletionStatusEx` takes many packets, and does not say which are of failures.
//!
//! `cargo run --example lesson_dequeue_many`, and on Linux with `./wine` before it.
#![allow(unsafe_code, reason = "it makes the call without the layer")]

#[cfg(windows)]
#[path = "parts.rs"]
mod parts;

/// Prints what the call answers, and the packets that it takes.
#[cfg(windows)]
pub(crate) fn main() -> std::io::Result<()> {
    use overlapped::ffi::{self, constants::FALSE};
    use std::io::Error;

    let port = parts::Port::new()?;
    let (near, _far) = parts::connected(&port, 7)?;
    for number in 1..=5 {
        port.post(number)?;
    }
    let receive = parts::Receive::start(&near)?;
    parts::cancel_all(&near)?;

    let mut failed = false;
    while !failed {
        let (mut entries, mut removed) = ([parts::nothing(); 4], 0);
        // SAFETY: the port is open. There is room for four entries and
        // for their number.
        let answer = unsafe {
            ffi::kernel32::GetQueuedCompletionStatusEx(
                port.handle(),
                entries.as_mut_ptr(),
                4, // so many at most
                &mut removed,
                10_000, // milliseconds
                FALSE,  // not alertable
            )
        };
        if answer == FALSE {
            return Err(Error::last_os_error()); // and `removed` means nothing
        }
        for entry in &entries[..removed as usize] {
            let is_receive = entry.lpOverlapped == receive.overlapped();
            println!("TRUE: key {}, an operation: {is_receive}", entry.lpCompletionKey);
            failed |= is_receive; // and its count means nothing
        }
    }
    // SAFETY: its packet has been dequeued: the loop has ended, since its address has come.
    let operation = unsafe { receive.take_back() };
    let status = operation.overlapped.Internal as i32; // the low half, an NTSTATUS
    let error = ffi::ntdll::RtlNtStatusToDosError(status);
    println!("status {status:#x}, as an error {error}");
    Ok(())
}

#[cfg(not(windows))]
pub(crate) fn main() {
    eprintln!("This needs Windows, or Wine, by `./wine cargo run --example lesson_dequeue_many`");
    std::process::exit(2);
}
