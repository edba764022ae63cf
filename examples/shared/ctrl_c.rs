//! Ctrl-C: the system calls a function of ours, on a thread that it makes for this.
//!
//! The function does what any thread may do: it tells the queue to shut down. Everything else
//! happens where it always does, on the threads that wait there.

#![allow(unsafe_code, reason = "it gives a function to the system")]

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread;
use std::time::Duration;

use overlapped::Waker;

// From consoleapi.h and consoleapi2.h.
const CTRL_C_EVENT: u32 = 0;
const CTRL_BREAK_EVENT: u32 = 1;

type Handler = unsafe extern "system" fn(event: u32) -> i32;

#[link(name = "kernel32")]
unsafe extern "system" {
    /// <https://learn.microsoft.com/en-us/windows/console/setconsolectrlhandler>
    ///
    /// # Safety
    ///
    /// * The handler can be called on another thread, at any time from now on.
    fn SetConsoleCtrlHandler(HandlerRoutine: Option<Handler>, Add: i32) -> i32;
}

/// The queue to shut down. The system's handler gets no pointer of ours, so this is global.
static WAKER: OnceLock<Waker> = OnceLock::new();

static PRESSED: AtomicBool = AtomicBool::new(false);

/// Shuts the queue of `waker` down on Ctrl-C, on Ctrl-Break, and when the console window is closed.
/// A second Ctrl-C ends the program as if there were no handler. For one queue of a program.
pub fn shuts_down(waker: Waker) -> io::Result<()> {
    if WAKER.set(waker).is_err() {
        return Err(io::Error::other("Ctrl-C shuts one queue down and no other"));
    }
    // SAFETY: the handler uses nothing but statics, each made for use by several threads.
    match unsafe { SetConsoleCtrlHandler(Some(handler), 1) } {
        0 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Returns whether the event is dealt with.
unsafe extern "system" fn handler(event: u32) -> i32 {
    if PRESSED.swap(true, Relaxed) {
        return 0;
    }
    // The waker is put there before the handler is. If there is no memory to wake anybody, the
    // system's own answer to Ctrl-C is left.
    if WAKER.get().is_none_or(|waker| waker.shut_down().is_err()) {
        return 0;
    }
    if !matches!(event, CTRL_C_EVENT | CTRL_BREAK_EVENT) {
        // The window is closed or the user logs off. Then the system ends the program when this
        // returns, so it leaves the program the time to end by itself.
        thread::sleep(Duration::from_secs(60));
    }
    1
}
