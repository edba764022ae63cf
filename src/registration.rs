//! A socket, file or pipe that is registered with a queue: what every kind has in common.
//!
//! Three parties share its operations: the program, which holds the [`Registration`]; the kernel,
//! which holds what was lent; and the queue, which learns how it ended. None may rely on
//! another outliving it. So the registration holds a reference to the [`Core`] of the queue, where
//! lent things live; and each operation holds a reference to its [`Owner`], to learn whether
//! somebody still wants to hear of it.

#![allow(unsafe_code, reason = "it cancels operations by their address")]

mod association;
mod mode;
mod rejected;

use std::fmt;
use std::io;
use std::marker::PhantomData;
use std::os::windows::io::{AsHandle, AsSocket, BorrowedHandle, BorrowedSocket};
use std::ptr::null_mut;
use std::sync::Arc;

use super::buffer::Buffer;
use super::in_flight::OperationId;
use super::port::Key;
use super::shared::Core;

pub(super) use self::association::{Association, buffer_of, count, refuse};
pub use self::mode::{Inline, Mode, Queued, Submitted};
pub use self::rejected::Rejected;

/// What can be registered with a [`CompletionQueue`](super::CompletionQueue). The crate implements
/// it for the types of std that it has operations for, and nobody else can: an operation is sound
/// only on a handle that stays the same for as long as it is registered.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be registered with a completion queue",
    label = "nothing that the queue has operations for",
    note = "a `TcpStream`, a `TcpListener`, a `UdpSocket`, a `File`, the pipes of a `Child`, and this crate's `NamedPipe` and `Job` can, given by value and not by reference; of an `OwnedSocket` `TcpStream::from` makes a stream, and any other handle can as an `OwnedHandle`"
)]
pub trait Source: sealed::Handle {}

pub(super) mod sealed {
    use std::io;
    use std::os::windows::io::BorrowedHandle;
    use std::sync::Arc;

    use super::super::control::Control;
    use super::super::operation::Canceller;
    use super::super::port::Key;

    pub trait Handle {
        /// What is remembered of such a handle beside it.
        type Memo: Default;

        /// Whether somebody may wait for the handle itself, as std does for a file. If not, the
        /// system need not signal it each time.
        const IS_WAITED_FOR: bool = false;

        fn handle(&self) -> BorrowedHandle<'_>;

        /// An error if it is not what its type says, so that its operations would end otherwise.
        fn check(&self) -> io::Result<()>;

        /// From now on its operations end with packets in this port, under this key.
        fn associate(&self, control: &Arc<Control>, key: Key) -> io::Result<Self::Memo> {
            control.port().associate(self.handle(), control.senders().key_in_port(key))?;
            Ok(Self::Memo::default())
        }

        /// What cancels its operations, as long as handle and memo are there.
        fn canceller(&self, _memo: &Self::Memo) -> Canceller {
            Canceller::of_handle(self.handle())
        }
    }
}

/// A socket, file, pipe or other handle that belongs to a queue, and the means to submit operations
/// on it. Each kind has its own; [`cancel`](Self::cancel) and what follows it are for all.
///
/// Made by [`CompletionQueue::register`](super::CompletionQueue::register). Operations can be
/// submitted from several threads at once, by reference.
///
/// # Dropping it
///
/// A registration that is dropped cancels its operations and closes the handle. It waits for
/// nothing (but that of a [watch](super::Watched), for the system's pool). Nothing is delivered
/// under its key any more, nor is what lies in a batch and was not read. Their buffers are dropped,
/// each when the kernel gives it back. If a receive (a `readable`
/// is one, too) is pending on a TCP socket when it is closed, or bytes that have come were not
/// received, Windows sends a reset, and the peer can lose what was on its way to it. To avoid this:
/// wait until all sends have completed, call `shutdown(Shutdown::Write)`, receive until a receive
/// of 0 bytes, and drop the registration then; the guide's chapter on
/// [closing](super::guide::closing) has more.
#[must_use = "a registration that is dropped, also by `let _ = ...`, closes its socket and cancels its operations; keep it in a variable or a table"]
pub struct Registration<S: Source, B: Buffer = Vec<u8>, M: Mode = Queued> {
    /// Before the source, so that it leaves while the handle is open.
    pub(super) association: Association<B>,
    /// Before the source, too, for it can be about the open handle.
    pub(super) memo: S::Memo,
    source: S,
    mode: PhantomData<M>,
}

impl<S: Source, B: Buffer> Registration<S, B> {
    /// Of a source that was associated, which has brought the memo.
    pub(super) fn new(core: Arc<Core<B>>, source: S, memo: S::Memo, key: Key) -> Self {
        let association = Association::new(core, source.canceller(&memo), key);
        Self { association, memo, source, mode: PhantomData }
    }
}

impl<S: Source, B: Buffer, M: Mode> Registration<S, B, M> {
    /// The same under another mode, of which the caller has told the system.
    pub(super) fn into_mode<N: Mode>(self) -> Registration<S, B, N> {
        let Self { association, memo, source, .. } = self;
        Registration { association, memo, source, mode: PhantomData }
    }

    /// The key under which its completions come.
    pub fn key(&self) -> Key {
        self.association.key()
    }

    /// The socket, for everything that is not an overlapped operation: its addresses, its options,
    /// shutting down a side. If std receives from it as well, either receive may get the bytes.
    /// What std can do with an overlapped file stands at [its
    /// implementation](Source#impl-Source-for-File) of `Source`: `read` and `write` fail, and
    /// `seek_read` and `seek_write` can abort the process.
    pub fn get_ref(&self) -> &S {
        &self.source
    }

    /// Takes the socket, file or pipe out. Its operations are cancelled, as when the registration
    /// is dropped, and nothing more comes under its key. It remains associated with the port for
    /// life, so it cannot be registered again.
    ///
    /// ```compile_fail,E0382
    /// # use overlapped::*;
    /// # fn given_back(stream: Registration<std::net::TcpStream>) {
    /// let socket = stream.into_inner();
    /// stream.receive(Vec::with_capacity(4096)); // it is registered no more
    /// # }
    /// ```
    pub fn into_inner(self) -> S {
        let Self { association, source, .. } = self;
        drop(association);
        source
    }

    /// How many operations of this registration are in flight: lent to the kernel, or in a batch
    /// that has not been read.
    pub fn in_flight(&self) -> usize {
        self.association.in_flight()
    }

    /// Asks the system to cancel one operation. Its completion comes in any case: as
    /// [`Cancelled`](super::Failure::Cancelled), or as what it had become before.
    ///
    /// A file mostly does not let an operation be cancelled that has begun. A read of a pipe that
    /// is cancelled can have taken bytes out, which are lost then. On a TCP stream what else is
    /// pending can be concerned:
    ///
    /// * Windows cancels all *receives* that are pending on a TCP stream when one of them is
    ///   cancelled, and leaves the sends alone. Each gets a completion of its own. (Wine cancels
    ///   the one that was meant.)
    /// * Bytes that a cancelled receive had already taken from the stream can be lost with it.
    /// * After a cancelled *send* nobody knows which of its bytes went out, so what follows would
    ///   come to the peer at an unknown place: drop the stream.
    ///
    /// Returns whether there was something to cancel. An id that is out of date, or that belongs to
    /// another registration or queue, does nothing: it is never taken for another operation.
    ///
    /// # Errors
    ///
    /// The system's error, if it could not cancel.
    ///
    /// Calls
    /// [`CancelIoEx`](https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func).
    #[doc(alias = "CancelIoEx")]
    pub fn cancel(&self, id: OperationId) -> io::Result<bool> {
        self.association.cancel_one(id)
    }

    /// As [`cancel`](Self::cancel), for all operations that are pending on the handle. That
    /// includes what other code of this process has pending on a duplicate of it: the system does
    /// not tell duplicates apart.
    ///
    /// # Errors
    ///
    /// The system's error, if it could not cancel.
    ///
    /// Calls
    /// [`CancelIoEx`](https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func).
    #[doc(alias = "CancelIoEx")]
    pub fn cancel_all(&self) -> io::Result<bool> {
        self.association.cancel(null_mut())
    }
}

impl<S: Source + AsHandle, B: Buffer, M: Mode> AsHandle for Registration<S, B, M> {
    /// The handle, for calls that take one.
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.source.as_handle()
    }
}

impl<S: Source + AsSocket, B: Buffer, M: Mode> AsSocket for Registration<S, B, M> {
    /// The socket, for calls that take one.
    fn as_socket(&self) -> BorrowedSocket<'_> {
        self.source.as_socket()
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
