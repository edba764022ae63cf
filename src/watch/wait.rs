//! One wait of the system's pool after the other, for one handle.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it makes the system calls of waits, and is called back")]

use std::ffi::c_void;
use std::io;
use std::mem::forget;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::null_mut;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::control::Control;
use super::super::ffi;
use super::super::ffi::constants::{
    FALSE, INFINITE, INVALID_HANDLE_VALUE, WT_EXECUTEINWAITTHREAD, WT_EXECUTEONLYONCE,
};
use super::super::ffi::types::{HANDLE, OVERLAPPED};
use super::super::operation::Canceller;
use super::super::status::Status;
use super::arming::{Arming, Pool};

/// What a wait that is under way is to find, at an address that stays: the callback has it, and the
/// canceller.
pub(super) struct Wait {
    arming: Arming,
    control: Arc<Control>,
    /// Open until the wait has been unregistered, whoever drops the rest.
    handle: Arc<OwnedHandle>,
    registered: Mutex<Registered>,
}

/// What the pool has.
enum Registered {
    Nothing,
    /// A wait, which may have fired.
    Wait(HANDLE),
    /// It is not known whether a callback still runs. So it can be at any time.
    Unknown,
}

// SAFETY: the handle of a wait is a number, which any thread may give back to the system.
unsafe impl Send for Registered {}

impl Pool for Wait {
    type Turn<'a> = Turn<'a>;

    fn end(&self, operation: *mut OVERLAPPED, status: Status) -> io::Result<()> {
        // SAFETY: `Arming` gives each operation that was armed to one who ends it, and `again` arms
        // those that are lent, for which it asks nobody but the pool to wait.
        unsafe { self.control.end(operation, status) }
    }

    fn owe(&self, operation: *mut OVERLAPPED, status: Status) {
        // SAFETY: as above, and with this whoever had it to end has given it away.
        unsafe { self.control.owe_end(operation, status) };
    }

    fn stop(&self) -> Turn<'_> {
        let mut turn = self.lock();
        // If it fails, the callback may come at any time, and finds nothing to end then.
        let _ = turn.unregister();
        turn
    }

    fn resume(turn: &mut Turn<'_>) -> io::Result<()> {
        turn.register()
    }
}

impl Wait {
    pub(super) fn new(control: &Arc<Control>, handle: &Arc<OwnedHandle>) -> Self {
        Self {
            arming: Arming::new(),
            control: Arc::clone(control),
            handle: Arc::clone(handle),
            registered: Mutex::new(Registered::Nothing),
        }
    }

    /// For one who begins a wait, or ends the last.
    pub(super) fn lock(&self) -> Turn<'_> {
        Turn { wait: self, registered: lock(&self.registered) }
    }
}

fn lock(registered: &Mutex<Registered>) -> MutexGuard<'_, Registered> {
    registered.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The right to change what the pool has.
pub(super) struct Turn<'a> {
    wait: &'a Wait,
    registered: MutexGuard<'a, Registered>,
}

impl Turn<'_> {
    /// Takes the last wait back, and returns when its callback runs no more.
    pub(super) fn unregister(&mut self) -> io::Result<()> {
        let wait = match &*self.registered {
            Registered::Nothing => return Ok(()),
            Registered::Wait(wait) => *wait,
            Registered::Unknown => return Err(stuck()),
        };
        // SAFETY: it is a wait that was made for this object, and this is its last use: what stands
        // in its place after this is something else. No callback of it calls this.
        let done = unsafe { ffi::kernel32::UnregisterWaitEx(wait, INVALID_HANDLE_VALUE) };
        if done == FALSE {
            let error = io::Error::last_os_error();
            *self.registered = Registered::Unknown;
            return Err(error);
        }
        *self.registered = Registered::Nothing;
        Ok(())
    }

    /// Has an operation ended when the handle is signalled, which can be before this returns. It is
    /// lent, and the only one of its registration.
    ///
    /// After an error the answer says whether the operation is the caller's again; if not, whoever
    /// cancels it at this moment ends it.
    pub(super) fn begin(&mut self, operation: *mut OVERLAPPED) -> Result<(), (io::Error, bool)> {
        let arming = &self.wait.arming;
        arming.arm(operation);
        self.register().map_err(|error| (error, arming.leave().is_some()))
    }

    fn register(&mut self) -> io::Result<()> {
        if !matches!(*self.registered, Registered::Nothing) {
            return Err(stuck());
        }
        let mut registered = null_mut();
        // SAFETY: the variable is there during the call. The handle is open until the wait has been
        // unregistered: `Wait` owns a reference to it, and `Waits` does not let go of that before.
        // Until then the callback may be called with the address of `Wait`, for the same reason.
        let done = unsafe {
            ffi::kernel32::RegisterWaitForSingleObject(
                &mut registered,
                self.wait.handle.as_raw_handle(),
                signalled,
                (&raw const *self.wait).cast_mut().cast(),
                INFINITE,
                WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD,
            )
        };
        if done == FALSE {
            return Err(io::Error::last_os_error());
        }
        *self.registered = Registered::Wait(registered);
        Ok(())
    }
}

/// The handle is signalled. It runs on the thread of the pool that waits, and nothing of the
/// program's is called here.
///
/// # Safety
///
/// * The context is the address of a [`Wait`] that stays until the call has returned.
unsafe extern "system" fn signalled(context: *mut c_void, _timed_out: u8) {
    // SAFETY: the caller vouches for it, and whoever has such a `Wait` shares it.
    let wait = unsafe { &*context.cast::<Wait>() };
    wait.arming.signal(wait);
}

/// What is remembered of a handle that is watched: its waits.
///
/// Dropping it unregisters the last one, so that no callback runs after that. If that fails, what a
/// callback would find stays for ever.
#[derive(Default)]
pub struct Waits(Option<Arc<Wait>>);

impl Waits {
    pub(super) fn new(wait: Wait) -> Self {
        Self(Some(Arc::new(wait)))
    }

    pub(super) fn get(&self) -> &Wait {
        self.0.as_deref().expect("made by `new` for each registration")
    }

    /// What ends the wait that is under way. The number in it is the address of [`Wait`].
    pub(super) fn canceller(&self) -> Canceller {
        let wait: *const Wait = self.get();
        Canceller::of_function(wait.expose_provenance(), cancel)
    }
}

/// Cancels the wait of this operation, or whichever there is with NULL.
///
/// # Safety
///
/// * The number is the address of a [`Wait`] that is there during the call, and was exposed.
unsafe fn cancel(wait: usize, operation: *mut OVERLAPPED) -> io::Result<bool> {
    let wait: *const Wait = std::ptr::with_exposed_provenance(wait);
    // SAFETY: the caller vouches for it, and whoever has it shares it.
    let wait = unsafe { &*wait };
    wait.arming.cancel(operation, wait)
}

impl Drop for Waits {
    fn drop(&mut self) {
        let Some(wait) = &self.0 else { return };
        // The registration has cancelled the wait. Should that have failed, the operation is to end
        // all the same, for the queue counts it. Nobody hears of it any more.
        if let Some(operation) = wait.arming.leave() {
            wait.owe(operation, Status::CANCELLED);
        }
        if wait.lock().unregister().is_err() {
            forget(self.0.take());
        }
    }
}

#[cold]
fn stuck() -> io::Error {
    io::Error::other(
        "the system has failed to take back the last wait for this handle, so no other can begin; \
         watch the handle anew",
    )
}
