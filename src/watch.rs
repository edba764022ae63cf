//! Waiting for a process, an event or a timer, in the place where all else is waited for.
//!
//! The system has no packets for what is signalled. It has a pool of threads that waits for many
//! handles, and calls a function back for one that is signalled; ours posts a packet.
//! `arming` says who ends a wait, once, and `wait` makes the calls. For the rest a wait is an
//! operation like all others, on which no kernel works, so its id, its cancelling and whatever is
//! dropped with it are as they are everywhere.
//!
//! What the callback uses outlives it, in whatever order things are dropped:
//!
//! * `Wait`, with the word that says who ends the wait, the control of the queue with its port, and
//!   a reference to the handle: dropping the registration unregisters the wait, which blocks until
//!   the callback has returned. A registration that is forgotten keeps it for ever.
//! * The operation, which is lent, so that its slot is there until its packet has been dequeued:
//!   the callback posts that packet and touches nothing after it. A queue that is dropped meanwhile
//!   cancels, takes the packets that come, and leaks the table if one is still lent then.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it makes the system call that duplicates a handle")]

mod arming;
mod kind;
mod wait;

use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr::null_mut;
use std::sync::Arc;

use super::buffer::Buffer;
use super::control::Control;
use super::ffi;
use super::ffi::constants::{FALSE, SYNCHRONIZE};
use super::in_flight::OperationId;
use super::operation::{Canceller, OperationKind, SubmitOutcome};
use super::port::Key;
use super::queue::CompletionQueue;
use super::registration::{Queued, Registration, Source, sealed};

use self::wait::{Wait, Waits};

/// What is watched: a handle of its own of a process, an event or whatever else can be signalled,
/// with the right to wait for it and no other. Made by
/// [`CompletionQueue::watch`](super::CompletionQueue::watch).
///
/// [`into_inner`](Registration::into_inner) gives it back, and
/// [`register`](super::CompletionQueue::register) takes it, with this queue or another; then
/// [`again`](Registration::again) begins to wait.
#[derive(Debug)]
pub struct Watched {
    handle: Arc<OwnedHandle>,
}

impl Watched {
    fn of(handle: BorrowedHandle<'_>) -> io::Result<Self> {
        if !kind::is_waited_for(handle) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, NOT_WAITED_FOR));
        }
        let process = ffi::kernel32::GetCurrentProcess();
        let mut duplicate = null_mut();
        // SAFETY: the handle is open in this process during the call, which only reads it, and the
        // variable is there.
        let done = unsafe {
            let (source, target) = (handle.as_raw_handle(), &raw mut duplicate);
            ffi::kernel32::DuplicateHandle(process, source, process, target, SYNCHRONIZE, FALSE, 0)
        };
        if done == FALSE {
            return Err(explain(io::Error::last_os_error()));
        }
        // SAFETY: the handle is open, new, and nobody else's.
        let handle = unsafe { OwnedHandle::from_raw_handle(duplicate) };
        Ok(Self { handle: Arc::new(handle) })
    }
}

impl AsHandle for Watched {
    /// The handle, to wait for it by other means.
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

impl Source for Watched {}

impl sealed::Handle for Watched {
    type Memo = Waits;

    // There are no operations of the kernel's that could signal it or not.
    const IS_WAITED_FOR: bool = true;

    fn handle(&self) -> BorrowedHandle<'_> {
        self.as_handle()
    }

    fn check(&self) -> io::Result<()> {
        Ok(())
    }

    fn associate(&self, control: &Arc<Control>, _: Key) -> io::Result<Waits> {
        Ok(Waits::new(Wait::new(control, &self.handle)))
    }

    fn canceller(&self, waits: &Waits) -> Canceller {
        waits.canceller()
    }
}

impl<B: Buffer> CompletionQueue<B> {
    /// Waits until the handle is signalled, and says so once by a
    /// [`Completion::Signalled`](super::Completion::Signalled) under this key. A handle that is
    /// signalled already counts: a process that has ended before it is watched is told at once. For
    /// the next time there is [`again`](Registration::again).
    ///
    /// A *process* is signalled when it has ended, a *thread* too. An *event* is signalled by
    /// `SetEvent`, and a *waitable timer* when it is due. An event or a timer that resets itself
    /// lets this wait through, and is reset by that, and a *semaphore* is counted down by one. An
    /// event that is pulsed (`PulseEvent`) can be missed. A *mutex* cannot be watched, for whoever
    /// waits for one owns it, nor can what is never signalled, such as a file mapping; so the
    /// system is asked what the handle is of.
    ///
    /// The queue keeps a duplicate of the handle, so that of the caller can be closed. Several can
    /// watch one handle. With an event that resets itself one of them is told each time; otherwise
    /// all are.
    ///
    /// Cancelling ends the wait with [`Cancelled`](super::Failure::Cancelled), and dropping the
    /// registration without a word. Both wait until the system's pool has finished with the wait,
    /// which is a matter of microseconds. (So neither belongs into a function that the pool itself
    /// calls on a thread that waits, by `WT_EXECUTEINWAITTHREAD`: it could wait for itself. Nor
    /// does it belong into the destructor of a thread-local, which runs while no thread can begin
    /// or end: the pool may need a new one.) What is signalled after that is left for the next
    /// wait; at the same moment, the system can have reset an event for a wait that is cancelled.
    ///
    /// ```
    /// use overlapped::{Completion, CompletionQueue, Completions, Key};
    /// use std::process::Command;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let queue = CompletionQueue::<Vec<u8>>::new()?;
    /// let mut child = Command::new("cmd").args(["/c", "exit 3"]).spawn()?;
    /// let _watch = queue.watch(&child, Key(7))?;
    ///
    /// let mut batch = Completions::with_capacity(8);
    /// for completion in queue.wait(&mut batch, None)? {
    ///     let Completion::Signalled { key, result, .. } = completion else {
    ///         panic!("{completion:?}");
    ///     };
    ///     assert_eq!((key, result?), (Key(7), ()));
    ///     // It has ended, so this does not wait.
    ///     assert_eq!(child.wait()?.code(), Some(3));
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// A timer is made through [`ffi`](super::ffi):
    ///
    /// ```
    /// use overlapped::{Completion, CompletionQueue, Completions, Key};
    /// use overlapped::ffi::{constants::TIMER_ALL_ACCESS, kernel32};
    /// use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
    /// use std::ptr::{null, null_mut};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// // SAFETY: NULL stands for no attributes and no name.
    /// let timer = unsafe {
    ///     let access = TIMER_ALL_ACCESS;
    ///     kernel32::CreateWaitableTimerExW(null(), null(), 0, access)
    /// };
    /// assert!(!timer.is_null());
    /// // SAFETY: the handle is open, new, and nobody else's.
    /// let timer = unsafe { OwnedHandle::from_raw_handle(timer) };
    /// let due = -100_000; // in 10 ms, counted in steps of 100 ns
    /// // SAFETY: it is a timer, and nothing is to be called.
    /// let set = unsafe {
    ///     let timer = timer.as_raw_handle();
    ///     kernel32::SetWaitableTimer(timer, &due, 0, None, null_mut(), 0)
    /// };
    /// assert_ne!(set, 0);
    ///
    /// let queue = CompletionQueue::<Vec<u8>>::new()?;
    /// let _watch = queue.watch(&timer, Key(8))?;
    /// let mut batch = Completions::with_capacity(8);
    /// let due = queue.wait(&mut batch, None)?.next();
    /// let Some(Completion::Signalled { key, result, .. }) = due else {
    ///     panic!("{due:?}");
    /// };
    /// assert_eq!((key, result?), (Key(8), ()));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// * `PermissionDenied` if the handle has not the right to wait, `SYNCHRONIZE`, and the object
    ///   does not grant it to this process (`ERROR_ACCESS_DENIED`);
    /// * `InvalidInput` if it is of a mutex, or of something else that cannot be watched;
    /// * `OutOfMemory` if there is no memory for one more operation in flight;
    /// * another error of the system, when it is out of handles, memory or threads.
    ///
    /// Calls
    /// [`NtQueryObject`](https://learn.microsoft.com/en-us/windows/win32/api/winternl/nf-winternl-ntqueryobject),
    /// [`DuplicateHandle`](https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-duplicatehandle)
    /// and
    /// [`RegisterWaitForSingleObject`](https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-registerwaitforsingleobject).
    #[doc(alias = "RegisterWaitForSingleObject", alias = "WaitForSingleObject")]
    pub fn watch(&self, handle: impl AsHandle, key: Key) -> io::Result<Registration<Watched, B>> {
        let watched = self.register_checked(Watched::of(handle.as_handle())?, key)?;
        watched.again()?;
        Ok(watched)
    }
}

impl<B: Buffer> Registration<Watched, B> {
    /// Waits once more, when the last [`Completion::Signalled`](super::Completion::Signalled) has
    /// been read, under the same key. What is signalled at this moment counts: for an event that
    /// does not reset itself, and for a process, the completion comes at once, each time.
    ///
    /// # Errors
    ///
    /// * `InvalidInput` while a wait is under way, or its completion has not been read;
    /// * `BrokenPipe` if the queue has been dropped; `OutOfMemory` if there is no memory for one
    ///   more operation in flight;
    /// * another error of the system, when it is out of memory or threads.
    ///
    /// Calls
    /// [`UnregisterWaitEx`](https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex)
    /// for the last wait, and
    /// [`RegisterWaitForSingleObject`](https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-registerwaitforsingleobject).
    #[doc(alias = "RegisterWaitForSingleObject", alias = "UnregisterWaitEx")]
    pub fn again(&self) -> io::Result<OperationId> {
        let mut turn = self.memo.get().lock();
        if self.in_flight() > 0 {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "the handle is being waited for, or the completion of the last wait has not been \
                 read; wait for that, or watch the handle a second time",
            ));
        }
        turn.unregister()?;
        let reserved = self.association.reserve(OperationKind::Wait)?;
        let lent = self.association.lend(reserved)?;
        let outcome = match turn.begin(lent.overlapped()) {
            Ok(()) | Err((_, false)) => SubmitOutcome::Pending,
            Err((error, true)) => SubmitOutcome::Failed(error),
        };
        // SAFETY: this was the call, and it has returned. If it has failed, and the operation is
        // ours, nobody else ends it. Without skipping, nothing else is asked.
        Ok(unsafe { self.association.settle::<Queued>(lent, outcome) }?)
    }
}

const NOT_WAITED_FOR: &str = "the system waits here for processes, threads, events, semaphores, \
    timers, jobs and files, and not for what this handle is of; if it is a mutex, wait for it in a \
    thread of your own, which posts when it has the mutex";

/// The text of the system's error does not say what is denied.
fn explain(error: io::Error) -> io::Error {
    if error.kind() != io::ErrorKind::PermissionDenied {
        return error;
    }
    io::Error::new(
        io::ErrorKind::PermissionDenied,
        "the handle does not have the right to wait; open it with the right SYNCHRONIZE (Windows \
         error 5)",
    )
}
