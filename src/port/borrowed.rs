//! A queue's port, as others may use it.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it posts packets with addresses of the caller's")]

use std::io;
use std::os::windows::io::{AsHandle, BorrowedHandle};

use super::super::ffi::types::OVERLAPPED;
use super::{CompletionPort, Key};

/// The port of a [`CompletionQueue`](super::super::CompletionQueue), as others may use it: to
/// associate handles with it and to post packets to it. It does not dequeue. The queue has to see
/// the packets of all its operations and wake-ups, and would not see one that was taken out by
/// other code.
///
/// ```compile_fail,E0599
/// # use overlapped::*;
/// # fn only_the_queue_dequeues(queue: &CompletionQueue) {
/// // No method `dequeue`.
/// queue.port().dequeue(&mut Vec::with_capacity(1), None);
/// # }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct BorrowedPort<'a> {
    port: &'a CompletionPort,
}

impl<'a> BorrowedPort<'a> {
    pub(crate) fn new(port: &'a CompletionPort) -> Self {
        Self { port }
    }

    /// As [`CompletionPort::associate`].
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "CreateIoCompletionPort")]
    pub fn associate(self, handle: BorrowedHandle<'_>, key: Key) -> io::Result<()> {
        self.port.associate(handle, key)
    }

    /// As [`CompletionPort::post`]. The packet comes out of the queue as
    /// [`Completion::Foreign`](super::super::Completion::Foreign).
    ///
    /// # Errors
    ///
    /// As there.
    #[doc(alias = "PostQueuedCompletionStatus")]
    pub fn post(self, key: Key, bytes: u32) -> io::Result<()> {
        self.port.post(key, bytes)
    }

    /// As [`CompletionPort::post_overlapped`].
    ///
    /// # Errors
    ///
    /// As there.
    ///
    /// # Safety
    ///
    /// * As there.
    #[doc(alias = "PostQueuedCompletionStatus")]
    pub unsafe fn post_overlapped(
        self,
        key: Key,
        bytes: u32,
        overlapped: *mut OVERLAPPED,
    ) -> io::Result<()> {
        // SAFETY: the caller's promises, passed on.
        unsafe { self.port.post_overlapped(key, bytes, overlapped) }
    }
}

impl AsHandle for BorrowedPort<'_> {
    /// The handle, for system calls that take a port, such as those of job objects.
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.port.as_handle()
    }
}
