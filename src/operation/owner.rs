//! What operations know of the registration that has submitted them, and the list of those that are
//! there.

#![allow(unsafe_code, reason = "it vouches for handles that are open")]

use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, BorrowedSocket, RawSocket};
use std::ptr::{null_mut, without_provenance_mut};
use std::sync::Arc;

use super::super::ffi;
use super::super::ffi::constants::{ERROR_NOT_FOUND, FALSE};
use super::super::ffi::types::OVERLAPPED;
use super::super::port::Key;
use super::super::socket::Finish;
use super::super::status::{Failure, Status};
use super::super::sync::Ordering::{Acquire, Relaxed, Release};
use super::super::sync::{AtomicBool, AtomicU32, Mutex, MutexGuard, PoisonError};

/// What an operation knows of the registration that submitted it. The registration has one
/// reference, the list another, and each operation in flight one more, so the count says how many
/// there are.
#[derive(Debug)]
pub(crate) struct Owner {
    pub(crate) key: Key,
    canceller: Canceller,
    gone: AtomicBool,
    /// Where in the list it is. 32 bits are enough for all handles that a process can have.
    position: AtomicU32,
}

/// How an operation of a registration is cancelled, or all of them with NULL: it says whether there
/// was one.
///
/// # Safety
///
/// * The first argument is what stands beside this function in a [`Canceller`], and is there.
type Cancel = unsafe fn(usize, *mut OVERLAPPED) -> io::Result<bool>;

/// What can cancel the operations of a registration, until that has left the list.
#[derive(Clone, Copy, Debug)]
pub struct Canceller {
    /// Of files and sockets the handle, which is open as long as this is used; see [`End::of`].
    what: usize,
    cancel: Cancel,
}

impl Canceller {
    /// By the system, which knows the operations of a handle.
    pub(crate) fn of_handle(handle: BorrowedHandle<'_>) -> Self {
        Self { what: handle.as_raw_handle().addr(), cancel: cancel_io }
    }

    /// By a function, which is given this number.
    pub(crate) fn of_function(what: usize, cancel: Cancel) -> Self {
        Self { what, cancel }
    }
}

/// # Safety
///
/// * `handle` is the number of a handle that is open during the call.
unsafe fn cancel_io(handle: usize, overlapped: *mut OVERLAPPED) -> io::Result<bool> {
    // SAFETY: the caller vouches for the handle. The system only compares the address with those of
    // the operations that it has.
    if unsafe { ffi::kernel32::CancelIoEx(without_provenance_mut(handle), overlapped) } != FALSE {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    // Nothing was pending: it has ended, and its packet is on its way or has been dequeued.
    if error.raw_os_error() == Some(ERROR_NOT_FOUND as i32) { Ok(false) } else { Err(error) }
}

impl Owner {
    #[inline]
    pub(crate) fn is_gone(&self) -> bool {
        self.gone.load(Acquire)
    }

    /// How many operations have a reference to the owner of a registration.
    pub(crate) fn operations(self: &Arc<Self>) -> usize {
        Arc::strong_count(self) - 2
    }

    /// Asks the system to cancel one operation of the handle, or all of them with NULL, and says
    /// whether there was one.
    ///
    /// # Safety
    ///
    /// * The registration has not left the list, and does not during the call.
    pub(crate) unsafe fn cancel(&self, overlapped: *mut OVERLAPPED) -> io::Result<bool> {
        let Canceller { what, cancel } = self.canceller;
        // SAFETY: the caller vouches that it is there.
        unsafe { cancel(what, overlapped) }
    }
}

/// How many owners are kept for registrations to come.
const SPARE: usize = 64;

/// The owners of the registrations that are there, for the queue to cancel what is pending on them.
/// An owner leaves before its handle is closed, under the lock, so the handles of those in here are
/// open.
pub(crate) struct Owners {
    list: Mutex<List>,
}

struct List {
    /// Those of the registrations that are there, and behind them some that are spare.
    owners: Vec<Arc<Owner>>,
    live: usize,
}

impl Owners {
    pub(crate) fn new() -> Self {
        Self { list: Mutex::new(List { owners: Vec::new(), live: 0 }) }
    }

    /// A registration comes. It gets an owner that is spare, if none of its old operations has it.
    pub(crate) fn insert(&self, key: Key, canceller: Canceller) -> Arc<Owner> {
        let mut list = self.lock();
        let List { owners, live } = &mut *list;
        let (gone, position) = (AtomicBool::new(false), AtomicU32::new(*live as u32));
        let owner = Owner { key, canceller, gone, position };
        match owners.get_mut(*live).and_then(Arc::get_mut) {
            Some(spare) => *spare = owner,
            None => {
                owners.push(Arc::new(owner));
                let last = owners.len() - 1;
                owners.swap(*live, last);
            }
        }
        *live += 1;
        Arc::clone(&owners[*live - 1])
    }

    /// A registration says that it goes: nothing is said under its key from now on. It closes its
    /// handle after it has been removed.
    pub(crate) fn leave(owner: &Owner) {
        owner.gone.store(true, Release);
    }

    /// A registration has cancelled what was pending, and closes its handle after this. Nothing is
    /// allocated.
    pub(crate) fn remove(&self, owner: &Owner) {
        let mut list = self.lock();
        let List { owners, live } = &mut *list;
        *live -= 1;
        let position = owner.position.load(Relaxed);
        owners.swap(position as usize, *live);
        owners[position as usize].position.store(position, Relaxed);
        if owners.len() > *live + SPARE {
            owners.pop();
        }
    }

    /// Asks the system to cancel whatever is pending on registrations that are there.
    pub(crate) fn cancel_everything(&self) {
        let list = self.lock();
        for owner in &list.owners[..list.live] {
            // SAFETY: owners leave the list, under the lock that is held here, before their handles
            // are closed. A failure means that nothing is pending there, or that nothing can be
            // done.
            let _ = unsafe { owner.cancel(null_mut()) };
        }
    }

    fn lock(&self) -> MutexGuard<'_, List> {
        self.list.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How an operation has ended, for one that is not over with that.
pub(super) struct End<'a> {
    pub(super) owner: &'a Owner,
    pub(super) owners: &'a Owners,
    pub(super) status: Status,
}

impl End<'_> {
    /// Does what is left to do when the operation with this memory has ended well, with the socket
    /// of its registration, if that is still there. The registration cannot close it meanwhile.
    pub(super) fn of<F: Finish>(self, memory: F) -> Result<F::Output, Failure> {
        self.status.result()?;
        let _list = self.owners.lock();
        if self.owner.is_gone() {
            // Nobody will hear this.
            return Err(Failure::Cancelled);
        }
        // SAFETY: a registration says that it goes before it is removed, which takes the lock that
        // is held here; and only then it closes the socket.
        let socket = unsafe { BorrowedSocket::borrow_raw(self.owner.canceller.what as RawSocket) };
        Ok(memory.finish(socket)?)
    }
}
