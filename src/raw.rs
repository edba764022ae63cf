//! Raw calls: any call on a handle that takes an `OVERLAPPED`.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it lends memory to calls that it does not know")]

use std::cell::Cell;
use std::fmt;
use std::io;
use std::os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle};

use super::buffer::{Buffer, one_filled, one_spare};
use super::ffi::constants::FALSE;
use super::ffi::types::{BOOL, OVERLAPPED};
use super::in_flight::{Lent, OperationId};
use super::operation::{Operation, OperationKind, SubmitOutcome};
use super::registration::{
    Association, Queued, Registration, Rejected, Source, buffer_of, refuse, sealed,
};
use super::transfer::{SCATTERED, brings_packet, invalid};

/// Any handle that was opened with `FILE_FLAG_OVERLAPPED`, for operations that the queue has no
/// method for: they are started by [`submit`](Registration::submit).
impl Source for OwnedHandle {}

impl sealed::Handle for OwnedHandle {
    type Memo = ();

    /// What it is nobody knows here, nor who waits for it.
    const IS_WAITED_FOR: bool = true;

    fn handle(&self) -> BorrowedHandle<'_> {
        self.as_handle()
    }

    /// Whether an operation can be started on it is for those to know who start it.
    fn check(&self) -> io::Result<()> {
        Ok(())
    }
}

/// What [`submit`](Registration::submit) gives to a function that starts an operation: the
/// arguments for its call.
///
/// All pointers are to memory that is lent: it stays where it is until the packet of the operation
/// has been dequeued *and* the call has returned.
pub struct RawCall<'a> {
    handle: BorrowedHandle<'a>,
    filled: (*const u8, u32),
    spare: (*mut u8, u32),
    count: *mut u32,
    overlapped: *mut OVERLAPPED,
    /// Whether the `OVERLAPPED` was given out. Without it nothing can have been started.
    is_given: Cell<bool>,
}

impl RawCall<'_> {
    /// The handle of the registration.
    pub fn handle(&self) -> BorrowedHandle<'_> {
        self.handle
    }

    /// The filled bytes of the buffer, for a call that reads them: where they are, and how many, at
    /// most 1 GiB. If there are none the pointer is not NULL, but no memory.
    pub fn filled(&self) -> (*const u8, u32) {
        self.filled
    }

    /// The spare room of the buffer, for a call that writes there: where it is, and how many bytes,
    /// at most 1 GiB. If there is none the pointer is NULL. A call that asks for an alignment gets
    /// that of the buffer: of a `Vec<u8>` none is promised.
    pub fn spare(&self) -> (*mut u8, u32) {
        self.spare
    }

    /// Where the call can report how many bytes it has moved at once. Nobody looks at that, as the
    /// count comes with the completion; it is for a call that insists. Most take NULL.
    pub fn count(&self) -> *mut u32 {
        self.count
    }

    /// The `OVERLAPPED` of the operation, with the offset in it and everything else as a call needs
    /// it.
    #[doc(alias = "lpOverlapped")]
    pub fn overlapped(&self) -> *mut OVERLAPPED {
        self.is_given.set(true);
        self.overlapped
    }

    /// The answer of a call that returns a `BOOL`, with the thread's last error if it is 0. To be
    /// asked directly after the call, with nothing in between.
    pub fn answer(&self, succeeded: BOOL) -> io::Result<()> {
        if succeeded == FALSE { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}

impl fmt::Debug for RawCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RawCall")
            .field("handle", &self.handle)
            .field("filled", &self.filled.1)
            .field("spare", &self.spare.1)
            .finish_non_exhaustive()
    }
}

impl<B: Buffer> Registration<OwnedHandle, B> {
    /// Starts any operation that a system call with an `OVERLAPPED` can start. `start` makes the
    /// call, with what the [`RawCall`] gives. The offset is for calls to which it means something,
    /// and 0 for others.
    ///
    /// The buffer is lent, as always: it comes back in a
    /// [`Completion::Raw`](super::Completion::Raw), with the count and the result, on whichever
    /// thread dequeues it, possibly before this returns. It comes back as it was: what the
    /// operation has written is in its spare room, and not counted as filled. A caller who knows
    /// that the operation has written so many bytes there can call [`advance`](Buffer::advance).
    ///
    /// `start` is called once, on this thread, before this returns. Cancelling, dropping the
    /// registration and dropping the queue are as for every other operation.
    ///
    /// ```
    /// use overlapped::ffi::constants::*;
    /// use overlapped::{Completion, CompletionQueue, Completions, Key, ffi};
    /// use std::fs::File;
    /// use std::os::windows::fs::OpenOptionsExt;
    /// use std::os::windows::io::{AsRawHandle, OwnedHandle};
    /// use std::ptr::null_mut;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// # let folder = std::env::temp_dir().join(format!("overlapped-raw-{}", std::process::id()));
    /// # std::fs::create_dir(&folder)?;
    /// // The second is for a directory.
    /// let flags = FILE_FLAG_OVERLAPPED | FILE_FLAG_BACKUP_SEMANTICS;
    /// let directory = File::options()
    ///     .read(true)
    ///     .custom_flags(flags)
    ///     .open(&folder)?;
    /// let queue = CompletionQueue::new()?;
    /// let directory = queue.register(OwnedHandle::from(directory), Key(1))?;
    ///
    /// // SAFETY: it makes one call, on this handle, with what is lent, and
    /// // passes its answer on.
    /// unsafe {
    ///     directory.submit(0, Vec::with_capacity(4096), |call| {
    ///         let (room, length) = call.spare();
    ///         if room.addr() % 4 != 0 {
    ///             // Nothing was started.
    ///             return Err(std::io::ErrorKind::InvalidInput.into());
    ///         }
    ///         call.answer(ffi::kernel32::ReadDirectoryChangesW(
    ///             call.handle().as_raw_handle(),
    ///             room.cast(),
    ///             length,
    ///             FALSE,
    ///             FILE_NOTIFY_CHANGE_FILE_NAME,
    ///             null_mut(),
    ///             call.overlapped(),
    ///             None,
    ///         ))
    ///     })
    /// }?;
    /// std::fs::write(folder.join("new"), "")?;
    ///
    /// let mut batch = Completions::with_capacity(16);
    /// for completion in queue.wait(&mut batch, None)? {
    ///     if let Completion::Raw { count, result, .. } = completion {
    ///         result?;
    ///         assert!(count >= 18, "a record of 12 bytes, and a name of 6");
    ///     }
    /// }
    /// # drop(directory);
    /// # std::fs::remove_dir_all(folder)
    /// # }
    /// ```
    ///
    /// # What the answers mean
    ///
    /// * `Ok(())` says that the call has succeeded: a packet comes, or has come.
    /// * `Err` with one of these codes means the same: 997, which says that the operation is
    ///   pending, and those that become of an NTSTATUS that is a *warning*, such as 234
    ///   (`ERROR_MORE_DATA`, a message was cut), 18, 259, 299 and 10040. A warning says that the
    ///   operation has run, and ends with that, which in the completion is an error. With 1022
    ///   (`ERROR_NOTIFY_ENUM_DIR`, more has changed in a directory than there was room for) it has
    ///   run, too; that becomes of a success, and is one of 0 bytes in the completion.
    /// * `Err` with another code, or without one, says that no packet comes: the buffer comes back
    ///   at once, with this error. Some of these are no failures for those who know the call, such
    ///   as 535 of `ConnectNamedPipe`, by which the client is there already. With 1450 and 10055,
    ///   by which the system has no memory, the layer looks whether the operation has run all the
    ///   same. If it has, this method answers `Ok`, and a completion comes.
    ///
    /// The codes 21, 170, 255 and 998 can be those of an error or of a warning. They count as
    /// errors, so for a device that has such warnings `start` has to tell them apart. So it has to
    /// with 33, when `LockFileEx` was told to fail immediately: public sources of an earlier
    /// Windows queue a packet all the same, and Microsoft's page does not say. If `Internal` of the
    /// `OVERLAPPED` is no longer 103 then, one comes: answer `Ok`, and the completion says 33. And
    /// `UnlockFileEx` starts nothing, although it takes an `OVERLAPPED`.
    ///
    /// # Errors
    ///
    /// The buffer comes back in the [`Rejected`], and nothing else will come:
    ///
    /// * what `start` has answered, if it says that no packet comes;
    /// * `InvalidInput`: the filled bytes are in several parts of the buffer, and the call was not
    ///   made; or `start` has answered `Ok` and has not asked for the `OVERLAPPED`;
    /// * `BrokenPipe`: the queue has been dropped; `OutOfMemory`: there is no memory for one more
    ///   operation in flight. The call was not made.
    ///
    /// # Panics
    ///
    /// If `start` does. The panic goes on. If `start` had asked for the `OVERLAPPED` by then,
    /// nobody knows whether its call was made: so the buffer stays lent. If the call was made its
    /// completion comes, and if not the operation stays in flight, and is leaked with the queue in
    /// the end. Otherwise the buffer is dropped.
    ///
    /// # Safety
    ///
    /// * `start` makes one call that can start an operation with this `OVERLAPPED`, or none. The
    ///   call is about this handle, or a duplicate of it, which are not told to leave out packets.
    /// * The call starts an operation that ends with a packet, one, in the port of this queue, or
    ///   it fails and starts nothing. In particular it is given no completion routine, and the
    ///   fields of the `OVERLAPPED`, `hEvent` among them, stay as they are.
    /// * What it is given to read and to write for longer than the call itself takes is the
    ///   `OVERLAPPED`; the [`filled`](RawCall::filled) bytes, to read; the
    ///   [`spare`](RawCall::spare) room, to write; the [`count`](RawCall::count); or memory that is
    ///   there until the packet has been dequeued and the call has returned. Lengths are no more
    ///   than those that were given, and the alignment is what the call asks for.
    /// * The contract of the call itself is kept otherwise.
    /// * `start` answers what the call has answered, and in the meaning above: if it says that no
    ///   packet comes, then none comes.
    /// * None of the pointers is used after that, nor by another thread.
    #[doc(alias = "OVERLAPPED", alias = "DeviceIoControl", alias = "ReadDirectoryChangesW")]
    #[doc(alias = "LockFileEx", alias = "TransactNamedPipe")]
    pub unsafe fn submit(
        &self,
        offset: u64,
        buffer: B,
        start: impl FnOnce(&RawCall<'_>) -> io::Result<()>,
    ) -> Result<OperationId, Rejected<B>> {
        let kind = OperationKind::Raw(buffer);
        let mut reserved = self.association.reserve(kind).map_err(buffer_of)?;
        let buffer = reserved.value().kind.buffer();
        let spare = one_spare(buffer);
        let Some(filled) = one_filled(buffer) else {
            return Err(refuse(reserved, invalid(SCATTERED)));
        };
        let lent = self.association.lend_at(reserved, offset).map_err(buffer_of)?;
        let call = RawCall {
            handle: self.get_ref().as_handle(),
            filled,
            spare,
            count: lent.count(),
            overlapped: lent.overlapped(),
            is_given: Cell::new(false),
        };
        let started = Starting { association: &self.association, call: &call, lent: Some(lent) };
        let answer = start(&call);
        let Some(lent) = started.over() else { unreachable!("it is there until `start` returns") };
        let outcome = match answer {
            Ok(()) if !call.is_given.get() => SubmitOutcome::Failed(invalid(NOT_STARTED)),
            Ok(()) => SubmitOutcome::Done,
            Err(error) if brings_packet(&error) && call.is_given.get() => SubmitOutcome::Pending,
            Err(error) => SubmitOutcome::Failed(error),
        };
        // SAFETY: the caller vouches that this was the call, on this handle, which brings a packet
        // for each success, and that what it may write to outlives it. Without the `OVERLAPPED` no
        // call was made, which starts as little as one that has failed.
        unsafe { self.association.settle::<Queued>(lent, outcome) }.map_err(buffer_of)
    }
}

const NOT_STARTED: &str = "the function has answered that its call has succeeded, but it has not \
                           asked for the `OVERLAPPED`, so it has started nothing";

/// An operation while the function runs that starts it, and may panic.
struct Starting<'a, B: Buffer> {
    association: &'a Association<B>,
    call: &'a RawCall<'a>,
    lent: Option<Lent<'a, Operation<B>>>,
}

impl<'a, B: Buffer> Starting<'a, B> {
    /// The function has returned.
    fn over(mut self) -> Option<Lent<'a, Operation<B>>> {
        self.lent.take()
    }
}

impl<B: Buffer> Drop for Starting<'_, B> {
    /// The function has panicked, if the operation is still there. Once the `OVERLAPPED` was given
    /// out, its call may have been made: so the operation is left to its packet.
    fn drop(&mut self) {
        if let Some(lent) = self.lent.take_if(|_| !self.call.is_given.get()) {
            let outcome = SubmitOutcome::Failed(invalid(NOT_STARTED));
            // SAFETY: nobody was given the `OVERLAPPED`, so no call was made with it, which is as
            // if it had failed.
            drop(unsafe { self.association.settle::<Queued>(lent, outcome) });
        }
    }
}
