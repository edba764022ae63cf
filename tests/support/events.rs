//! Events to be watched, and what is told of them.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "events are made through `ffi`")]

use std::fmt::Debug;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr::null;

use overlapped::ffi::constants::FALSE;
use overlapped::ffi::kernel32::{CreateEventW, GetCurrentProcess, ResetEvent, SetEvent};
use overlapped::ffi::types::HANDLE;
use overlapped::{Completion, Failure, Key, OperationId};

/// An event that is not set.
pub struct Event(OwnedHandle);

impl Event {
    /// One that resets itself when a wait gets through, or one that stays set.
    pub fn new(resets_itself: bool) -> Self {
        // SAFETY: NULL stands for no attributes and no name.
        Self(owned(unsafe { CreateEventW(null(), (!resets_itself).into(), FALSE, null()) }))
    }

    pub fn set(&self) {
        // SAFETY: the event is open.
        let done = unsafe { SetEvent(self.0.as_raw_handle()) };
        assert_ne!(done, FALSE, "{}", io::Error::last_os_error());
    }

    pub fn reset(&self) {
        // SAFETY: the event is open.
        let done = unsafe { ResetEvent(self.0.as_raw_handle()) };
        assert_ne!(done, FALSE, "{}", io::Error::last_os_error());
    }
}

impl AsHandle for Event {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

/// A handle that a call has just made.
#[track_caller]
pub fn owned(handle: HANDLE) -> OwnedHandle {
    assert!(!handle.is_null(), "{}", io::Error::last_os_error());
    // SAFETY: the handle is open, new, and nobody else's.
    unsafe { OwnedHandle::from_raw_handle(handle) }
}

/// The end of a wait.
#[track_caller]
pub fn signalled<B: Debug>(completion: Completion<B>) -> (Key, OperationId, Result<(), Failure>) {
    match completion {
        Completion::Signalled { key, id, result } => (key, id, result),
        other => panic!("the end of a wait was expected: {other:?}"),
    }
}

/// How many handles this process has.
pub fn handles() -> u32 {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn GetProcessHandleCount(hProcess: HANDLE, pdwHandleCount: *mut u32) -> i32;
    }

    let mut count = 0;
    // SAFETY: it is this process, and the number is written during the call.
    let done = unsafe { GetProcessHandleCount(GetCurrentProcess(), &mut count) };
    assert_ne!(done, FALSE, "{}", io::Error::last_os_error());
    count
}
