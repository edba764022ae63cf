//! What a queue shares with its registrations, and what lives until the last of them goes.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it vouches for handles that are open, and for received bytes")]

use std::collections::BTreeSet;
use std::io;
use std::os::windows::io::{BorrowedSocket, RawSocket};
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::buffer::Buffer;
use super::completion::Completion;
use super::ffi;
use super::ffi::constants::{ERROR_NOT_FOUND, FALSE, SO_UPDATE_CONNECT_CONTEXT};
use super::ffi::types::{OVERLAPPED, SOCKET};
use super::in_flight::{Completed, InFlight};
use super::operation::{Operation, Owner, Work};
use super::port::CompletionPort;
use super::socket::set_option;
use super::status::Failure;
use super::waker::Signals;

/// The heart of a queue: the operations, the port, and the handles that are open.
pub(super) struct Core<B: Buffer> {
    pub(super) in_flight: InFlight<Operation<B>>,
    pub(super) signals: Arc<Signals>,
    /// The handles of live registrations, for the queue to cancel what is pending on them. A handle
    /// is taken out before it is closed, under the lock, so those in here are open.
    handles: Mutex<BTreeSet<usize>>,
}

impl<B: Buffer> Core<B> {
    pub(super) fn new(port: CompletionPort) -> Self {
        Self {
            in_flight: InFlight::new(),
            signals: Arc::new(Signals::new(port)),
            handles: Mutex::new(BTreeSet::new()),
        }
    }

    /// A registration has come.
    pub(super) fn join(&self, handle: usize) {
        self.handles().insert(handle);
    }

    /// A registration goes, and closes its handle after this.
    pub(super) fn leave(&self, handle: usize) {
        self.handles().remove(&handle);
    }

    /// Says how an operation ended, and gives back what was lent for it.
    #[inline]
    pub(super) fn finish(&self, ended: Completed<Operation<B>>) -> (Completion<B>, Arc<Owner>) {
        let Completed { id, status, count, value: Operation { owner, work, .. } } = ended;
        let (key, result) = (owner.key, status.result());
        let completion = match work {
            Work::Receive(mut buffer) => {
                if result.is_ok() {
                    // SAFETY: the system reports that it wrote so many bytes, and it was given the
                    // front of the spare room, at its length or less.
                    unsafe { buffer.advance(count) };
                }
                Completion::Received { key, id, buffer, result: result.map(|()| count) }
            }
            Work::Readable => Completion::Readable { key, id, result },
            Work::Send(buffer) => Completion::Sent { key, id, buffer, count, result },
            Work::Accept(accepting) => {
                let accepted = |()| self.while_open(&owner, |listener| accepting.finish(listener));
                let result = result.and_then(accepted);
                Completion::Accepted { key, id, result }
            }
            Work::Connect(_) => {
                let result = result.and_then(|()| self.while_open(&owner, connected));
                Completion::Connected { key, id, result }
            }
        };
        (completion, owner)
    }

    /// Calls `act` with the socket of a registration, if that is still there. The registration can not
    /// close it before `act` has returned.
    pub(super) fn while_open<T>(
        &self,
        owner: &Owner,
        act: impl FnOnce(BorrowedSocket<'_>) -> io::Result<T>,
    ) -> Result<T, Failure> {
        let _handles = self.handles();
        if owner.is_gone() {
            // Nobody will hear this.
            return Err(Failure::Cancelled);
        }
        // SAFETY: a registration says that it goes before it leaves, and leaving takes the lock that is
        // held here; and only then it closes the socket.
        let socket = unsafe { BorrowedSocket::borrow_raw(owner.handle as RawSocket) };
        Ok(act(socket)?)
    }

    /// Asks the system to cancel whatever is pending on live registrations.
    pub(super) fn cancel_everything(&self) {
        for handle in self.handles().iter() {
            // SAFETY: handles leave this set, under the lock that is held here, before they are
            // closed. A failure means that nothing is pending there, or that nothing can be done.
            let _ = unsafe { cancel(*handle, null_mut()) };
        }
    }

    fn handles(&self) -> MutexGuard<'_, BTreeSet<usize>> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tells a socket that it is connected now, without which it knows neither its addresses nor how to
/// shut down.
fn connected(socket: BorrowedSocket<'_>) -> io::Result<()> {
    set_option::<SOCKET>(socket, SO_UPDATE_CONNECT_CONTEXT, None)
}

/// Asks the system to cancel one operation of a handle, or all of them with NULL.
///
/// # Safety
///
/// * The handle is open during the call.
pub(super) unsafe fn cancel(handle: usize, overlapped: *mut OVERLAPPED) -> io::Result<bool> {
    let handle = without_provenance_mut(handle);
    // SAFETY: the caller vouches for the handle. The system only compares the address with those of
    // the operations that it has.
    if unsafe { ffi::kernel32::CancelIoEx(handle, overlapped) } != FALSE {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    // Nothing was pending: it has ended, and its packet is on its way or has been dequeued.
    if error.raw_os_error() == Some(ERROR_NOT_FOUND as i32) { Ok(false) } else { Err(error) }
}
