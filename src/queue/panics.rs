//! Panics of the caller's code that are held up, while others of its buffers are dropped.

use std::panic::resume_unwind;
use std::thread;

/// The first panic of two. What the other one carries is leaked: its drop could panic too.
pub(crate) fn first_of(
    dropped: thread::Result<()>,
    more: thread::Result<()>,
) -> thread::Result<()> {
    if dropped.is_err() {
        std::mem::forget(more);
        return dropped;
    }
    more
}

/// Lets a panic go on that was held up, unless the thread is on its way out with another one.
pub(crate) fn go_on_with_panic(dropped: thread::Result<()>) {
    match dropped {
        Err(panic) if thread::panicking() => std::mem::forget(panic),
        Err(panic) => resume_unwind(panic),
        Ok(()) => {}
    }
}
