//! What other threads keep to wake a queue.

use std::io;
use std::sync::Arc;
use std::task::Wake;

use super::super::port::Key;
use super::Control;

/// Wakes a thread that waits on a [`CompletionQueue`](super::super::CompletionQueue), or tells all
/// of them to shut down, from any thread.
///
/// The queue answers with one [`Completion::Woken`](super::super::Completion::Woken), on one of the
/// threads that wait. Several wakes can come out as one `Woken`: until that `Woken` is taken out of
/// the port, further wakes add nothing, so a thousand of them cost one packet. None is lost:
/// whatever a thread did before it called `wake` is visible to the thread that gets a `Woken`
/// after.
///
/// A waker is also a [`std::task::Wake`], so that a future can be polled by the thread that waits:
///
/// ```
/// use overlapped::{Completion, CompletionQueue, Completions};
/// use std::sync::Arc;
///
/// # fn main() -> std::io::Result<()> {
/// let queue = CompletionQueue::<Vec<u8>>::new()?;
/// let waker = std::task::Waker::from(Arc::new(queue.waker()));
/// std::thread::spawn(move || waker.wake());
///
/// let mut batch = Completions::with_capacity(8);
/// let woken = queue.wait(&mut batch, None)?.next();
/// assert!(matches!(woken, Some(Completion::Woken)));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Waker {
    control: Arc<Control>,
}

impl Waker {
    pub(crate) fn new(control: Arc<Control>) -> Self {
        Self { control }
    }

    /// Wakes one thread that waits, or the next that will.
    ///
    /// # Errors
    ///
    /// `BrokenPipe` if the queue has been dropped. The system's error, if it has no memory for the
    /// packet: then nobody is woken, and the next call tries again.
    ///
    /// Calls
    /// [`PostQueuedCompletionStatus`](https://learn.microsoft.com/en-us/windows/win32/fileio/postqueuedcompletionstatus)
    /// when no wake-up is on its way, and nothing otherwise.
    pub fn wake(&self) -> io::Result<()> {
        self.control.wake()
    }

    /// Sends a value to whoever waits, as
    /// [`CompletionQueue::post`](super::super::CompletionQueue::post) does.
    ///
    /// # Errors
    ///
    /// `BrokenPipe` if the queue has been dropped. The system's error, if it has no memory for the
    /// packet: then nothing was sent.
    ///
    /// Calls
    /// [`PostQueuedCompletionStatus`](https://learn.microsoft.com/en-us/windows/win32/fileio/postqueuedcompletionstatus).
    #[doc(alias = "PostQueuedCompletionStatus")]
    pub fn post(&self, key: Key, value: u32) -> io::Result<()> {
        self.control.post(key, value)
    }

    /// As [`CompletionQueue::shut_down`](super::super::CompletionQueue::shut_down), for a thread
    /// that has no reference to the queue.
    ///
    /// # Errors
    ///
    /// As there; and `BrokenPipe` if the queue has been dropped.
    pub fn shut_down(&self) -> io::Result<()> {
        self.control.shut_down()
    }
}

impl Wake for Waker {
    /// As [`Waker::wake`], without a way to say that it failed.
    fn wake(self: Arc<Self>) {
        Self::wake_by_ref(&self);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let _ = self.control.wake();
    }
}
