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
use super::in_flight::{Lent, OperationId, Reserved};
use super::mode::{Mode, Queued};
use super::operation::{Operation, Owner, Work};
use super::port::Key;
use super::rejected::Rejected;
use super::shared::{Core, cancel};
use super::socket::Started;

/// What can be registered with a [`CompletionQueue`](super::CompletionQueue). The crate implements
/// it for the types of std that it has operations for, and nobody else can: an operation is sound
/// only on a handle that stays the same for as long as it is registered.
pub trait Source: sealed::Handle {}

pub(super) mod sealed {
    use std::io;
    use std::os::windows::io::BorrowedHandle;

    pub trait Handle {
        fn handle(&self) -> BorrowedHandle<'_>;

        /// An error if it is not what its type says, so that its operations would end otherwise.
        fn check(&self) -> io::Result<()>;
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
/// gives it back. Closing a TCP socket while a receive is pending makes Windows send a reset, by
/// which the peer can lose what was still on its way. The guide's chapter on
/// [closing](super::guide::closing) tells how to end a conversation without one.
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
    /// [`Cancelled`](super::Failure::Cancelled), or as what it had become before.
    ///
    /// What else is pending on the same stream can be concerned:
    ///
    /// * Windows cancels all *receives* that are pending on a TCP stream when one of them is
    ///   cancelled, and leaves the sends alone. Each gets a completion of its own. (Wine cancels the
    ///   one that was meant.)
    /// * Bytes that a cancelled receive had already taken from the stream can be lost with it.
    /// * After a cancelled *send* nobody knows which of its bytes went out, so what follows would come
    ///   to the peer at an unknown place: drop the stream.
    ///
    /// Returns whether there was something to cancel. An id that is out of date, or that belongs to
    /// another registration or queue, does nothing: it is never taken for another operation.
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
        self.core.in_flight.reserve(near, operation).map_err(no_room)
    }

    /// Makes a reserved operation the kernel's. The call that starts it comes next, and after that
    /// [`settle`](Self::settle).
    #[inline]
    pub(super) fn lend<'a>(
        &self,
        reserved: Reserved<'a, Operation<B>>,
    ) -> Result<Lent<'a, Operation<B>>, Rejected<Work<B>>> {
        let lent = reserved.lend().map_err(gone)?;
        self.near.store(lent.id().slot(), Relaxed);
        Ok(lent)
    }

    /// Draws the consequence of what the call has answered: the operation goes on, or it is over and
    /// comes back.
    ///
    /// # Safety
    ///
    /// * The call was one that starts an operation of this handle with what `lent` names, and of what
    ///   the call may write to, everything is the slot's or outlives the call. It has returned, and
    ///   `started` is what it has answered.
    /// * If `M` skips packets, so does the handle, and the call was given the count to write to.
    #[inline]
    pub(super) unsafe fn settle<M: Mode>(
        &self,
        lent: Lent<'_, Operation<B>>,
        started: Started,
    ) -> Result<M::Answer<B>, Rejected<Work<B>>> {
        let id = lent.id();
        match started {
            Started::AtOnce if M::SKIPS => {
                // SAFETY: the caller vouches that it has succeeded, and that no packet comes then.
                if let Some(ended) = unsafe { lent.take_done() } {
                    return Ok(M::done(self.core.finish(ended).0));
                }
            }
            Started::AtOnce | Started::Pending => {}
            Started::Failed(error) => {
                // SAFETY: the caller vouches that the call has failed.
                if let Some(operation) = unsafe { lent.take_back() } {
                    return Err(Rejected::new(error, operation.work));
                }
            }
        }
        // A packet comes, or has come, and with it goes the buffer.
        Ok(M::pending(id))
    }

    fn cancel(&self, overlapped: *mut OVERLAPPED) -> io::Result<bool> {
        // SAFETY: the handle is open for as long as `self` is there.
        unsafe { cancel(self.owner.handle, overlapped) }
    }
}

#[cold]
fn gone<B>(operation: Operation<B>) -> Rejected<Work<B>> {
    let gone = "the completion queue of this registration has been dropped, so no completion could \
                come; register a new socket with a new queue";
    Rejected::new(io::Error::new(io::ErrorKind::BrokenPipe, gone), operation.work)
}

#[cold]
fn no_room<B>(operation: Operation<B>) -> Rejected<Work<B>> {
    let full = "there is no memory for another operation in flight; wait for some of those to \
                complete";
    Rejected::new(io::Error::new(io::ErrorKind::OutOfMemory, full), operation.work)
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
