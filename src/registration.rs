//! A socket that is registered with a queue: what every kind has in common.
//!
//! Three parties share a socket's operations: the program, which holds the [`Registration`]; the
//! kernel, which holds what was lent; and the queue, which learns how it ended. None may rely on
//! another outliving it. So the registration holds a reference to the [`Core`] of the queue, where
//! lent things live; and each operation holds a reference to its [`Owner`], to learn whether
//! somebody still wants to hear of it.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it cancels operations by their address")]

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::windows::io::AsRawHandle;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::sync::atomic::{AtomicU16, AtomicU32};

use super::buffer::Buffer;
use super::ffi::types::OVERLAPPED;
use super::in_flight::{Completed, Lent, OperationId, Refused, Reserved};
use super::mode::{Mode, Queued};
use super::operation::{Operation, Owner, Work};
use super::port::Key;
use super::rejected::Rejected;
use super::shared::{Core, cancel};
use super::socket::Started;
use super::status::Status;

/// What can be registered with a [`CompletionQueue`](super::CompletionQueue). The crate implements
/// it for the types of std that it has operations for, and nobody else can: an operation is sound
/// only on a handle that stays the same for as long as it is registered.
pub trait Source: sealed::Handle {}

pub(super) mod sealed {
    pub trait Handle {
        fn handle(&self) -> std::os::windows::io::BorrowedHandle<'_>;
    }
}

/// A socket that belongs to a queue, and the means to submit operations on it.
///
/// Made by [`CompletionQueue::register`](super::CompletionQueue::register). Operations can be
/// submitted from several threads at once, by reference.
///
/// # Dropping it
///
/// cancels its operations and closes the socket. Nothing is delivered under its key any more, not
/// even completions that lie in a batch already. Their buffers are dropped, each when the kernel
/// gives it back. Closing a TCP socket while a receive is pending makes Windows send a reset; to end
/// a conversation politely, cancel, wait until nothing is in flight, and then drop.
pub struct Registration<S: Source, B: Buffer = Vec<u8>, M: Mode = Queued> {
    /// Before the source, so that it leaves while the handle is open.
    pub(super) membership: Membership<B>,
    source: S,
    mode: PhantomData<M>,
}

impl<S: Source, B: Buffer> Registration<S, B> {
    pub(super) fn new(core: Arc<Core<B>>, source: S, key: Key) -> Self {
        let handle = source.handle().as_raw_handle().addr();
        core.join(handle);
        let owner = Owner::new(key, handle);
        let membership =
            Membership { core, owner, near: AtomicU32::new(0), family: AtomicU16::new(0) };
        Self { membership, source, mode: PhantomData }
    }
}

impl<S: Source, B: Buffer, M: Mode> Registration<S, B, M> {
    /// The same under another mode, of which the caller has told the system.
    pub(super) fn into_mode<N: Mode>(self) -> Registration<S, B, N> {
        let Self { membership, source, .. } = self;
        Registration { membership, source, mode: PhantomData }
    }

    /// The key under which its completions come.
    pub fn key(&self) -> Key {
        self.membership.owner.key
    }

    /// The socket, for everything that is not an overlapped operation: its addresses, its options,
    /// shutting down a side. A receive of std's on it competes with those that are pending here.
    pub fn get_ref(&self) -> &S {
        &self.source
    }

    /// Takes the socket out. Its operations are cancelled, as when the registration is dropped, and
    /// nothing more comes under its key. The socket remains associated with the port for life, so it
    /// cannot be registered again.
    ///
    /// ```compile_fail,E0382
    /// # use overlapped::*;
    /// # fn given_back(stream: Registration<std::net::TcpStream>) {
    /// let socket = stream.into_inner();
    /// stream.receive(Vec::with_capacity(4096)); // it is registered no more
    /// # }
    /// ```
    pub fn into_inner(self) -> S {
        let Self { membership, source, .. } = self;
        drop(membership);
        source
    }

    /// How many operations of this registration are in flight: lent to the kernel, or in a batch that
    /// has not been read.
    pub fn in_flight(&self) -> usize {
        Arc::strong_count(&self.membership.owner) - 1
    }

    /// Asks the system to cancel one operation. Its completion comes in any case: as
    /// [`Cancelled`](super::Failure::Cancelled), or as what it had become before. Bytes that a
    /// cancelled receive had already taken from the stream can be lost with it.
    ///
    /// Returns whether there was something to cancel. An id that is out of date, or that belongs to
    /// another registration or queue, does nothing: never does it hit another operation.
    ///
    /// # Errors
    ///
    /// The system's error, if it could not cancel.
    ///
    /// Calls [`CancelIoEx`](https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func).
    #[doc(alias = "CancelIoEx")]
    pub fn cancel(&self, id: OperationId) -> io::Result<bool> {
        let cancelled = |overlapped| self.membership.cancel(overlapped);
        self.membership.core.in_flight.while_lent(id, cancelled).unwrap_or(Ok(false))
    }

    /// As [`cancel`](Self::cancel), for all operations that are pending on the socket. That includes
    /// what other code of this process has pending on a duplicate of it: the system does not tell
    /// duplicates apart.
    ///
    /// # Errors
    ///
    /// The system's error, if it could not cancel.
    ///
    /// Calls [`CancelIoEx`](https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func).
    #[doc(alias = "CancelIoEx")]
    pub fn cancel_all(&self) -> io::Result<bool> {
        self.membership.cancel(null_mut())
    }
}

impl<S: Source + fmt::Debug, B: Buffer, M: Mode> fmt::Debug for Registration<S, B, M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registration")
            .field("key", &self.key())
            .field("source", &self.source)
            .field("in_flight", &self.in_flight())
            .finish()
    }
}

/// What a registration is to the queue. Dropping it leaves the queue.
pub(super) struct Membership<B: Buffer> {
    core: Arc<Core<B>>,
    /// Its handle is open for as long as this is there: `Registration` drops it before the source.
    owner: Arc<Owner>,
    /// The slot that the last operation had, where the next one looks first.
    near: AtomicU32,
    /// Of a listener: the family of its addresses, once it has been asked for it, and before that 0.
    pub(super) family: AtomicU16,
}

impl<B: Buffer> Membership<B> {
    /// Puts an operation in its place, from where it can be lent.
    #[inline]
    pub(super) fn reserve(
        &self,
        work: Work<B>,
    ) -> Result<Reserved<'_, Operation<B>>, Rejected<Work<B>>> {
        let operation = Operation { owner: Arc::clone(&self.owner), work };
        let near = self.near.load(Relaxed);
        self.core.in_flight.reserve(near, operation).map_err(refuse)
    }

    /// Lends a reserved operation to the call `start`, which says what the system made of it.
    ///
    /// # Safety
    ///
    /// * `start` starts an operation of this handle on the address that it gets. It returns `Packet`
    ///   if a packet will come, and anything else only if none will, so that the kernel does not have
    ///   the operation any more.
    /// * The count in `Done` is that of bytes moved.
    #[inline]
    pub(super) unsafe fn lend<M: Mode>(
        &self,
        reserved: Reserved<'_, Operation<B>>,
        start: impl FnOnce(*mut OVERLAPPED) -> io::Result<Started>,
    ) -> Result<M::Answer<B>, Rejected<Work<B>>> {
        let Lent { id, overlapped } = reserved.lend();
        // From here on the operation is the kernel's, and another thread may be completing it.
        self.near.store(id.slot(), Relaxed);
        let started = start(overlapped);
        if let Ok(Started::Packet) = started {
            return Ok(M::pending(id));
        }
        // SAFETY: the caller vouches that no packet will come.
        let Some(value) = (unsafe { self.core.in_flight.take_back(id) }) else {
            // One has come all the same, and with it goes the buffer.
            return Ok(M::pending(id));
        };
        match started {
            Err(error) => Err(Rejected::new(error, value.work)),
            Ok(Started::Done(count)) => {
                let ended = Completed { id, status: Status::SUCCESS, count, value };
                Ok(M::done(self.core.finish(ended).0))
            }
            Ok(Started::Packet) => unreachable!("answered above"),
        }
    }

    fn cancel(&self, overlapped: *mut OVERLAPPED) -> io::Result<bool> {
        // SAFETY: the handle is open for as long as `self` is there.
        unsafe { cancel(self.owner.handle, overlapped) }
    }
}

#[cold]
fn refuse<B>(refused: Refused<Operation<B>>) -> Rejected<Work<B>> {
    match refused {
        Refused::Closed(operation) => {
            let gone = "the completion queue of this registration has been dropped, so no \
                        completion could come; register a new socket with a new queue";
            Rejected::new(io::Error::new(io::ErrorKind::BrokenPipe, gone), operation.work)
        }
        Refused::OutOfMemory(operation) => {
            let full = "there is no memory for another operation in flight; wait for some of \
                        those to complete";
            Rejected::new(io::Error::new(io::ErrorKind::OutOfMemory, full), operation.work)
        }
    }
}

impl<B: Buffer> Drop for Membership<B> {
    fn drop(&mut self) {
        self.owner.leave();
        // Without operations there is nothing to cancel, which saves a call for each connection.
        if Arc::strong_count(&self.owner) > 1 {
            // Should it fail, closing the socket cancels them, unless there is a duplicate; and
            // then they are the kernel's for longer, in memory that waits for them.
            let _ = self.cancel(null_mut());
        }
        self.core.leave(self.owner.handle);
    }
}
