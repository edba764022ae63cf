//! Events to be watched, and what is told of them.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "events are made through `ffi`")]

use std::ffi::c_void;
use std::fmt::Debug;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr::null;

use overlapped::ffi::constants::{FALSE, INVALID_HANDLE_VALUE, TRUE};
use overlapped::ffi::kernel32::{
    CreateEventW, DuplicateHandle, GetCurrentProcess, ResetEvent, SetEvent,
};
use overlapped::ffi::types::{HANDLE, SECURITY_ATTRIBUTES};
use overlapped::{Completion, Failure, Key, OperationId};

/// An event that is not set.
pub struct Event(OwnedHandle);

impl Event {
    /// One that resets itself when a wait gets through, or one that stays set.
    pub fn new(resets_itself: bool) -> Self {
        // SAFETY: NULL stands for no attributes and no name.
        Self(owned(unsafe { CreateEventW(null(), (!resets_itself).into(), FALSE, null()) }))
    }

    /// One that stays set, and that nobody may open but for what its owner always may.
    pub fn that_grants_nothing() -> Self {
        let (mut list, mut descriptor) = ([0_u64; 4], [0_usize; 8]);
        let (entries, whole) = (list.as_mut_ptr().cast(), descriptor.as_mut_ptr().cast());
        // SAFETY: there is room for a list without entries, which takes 8 bytes.
        checked(unsafe { InitializeAcl(entries, 32, 2) });
        // SAFETY: there is room for a descriptor, which takes 40 bytes at most.
        checked(unsafe { InitializeSecurityDescriptor(whole, 1) });
        // SAFETY: both were made above, and are there as long as the descriptor is used.
        checked(unsafe { SetSecurityDescriptorDacl(whole, TRUE, entries, FALSE) });
        let attributes = SECURITY_ATTRIBUTES {
            nLength: size_of::<SECURITY_ATTRIBUTES>() as u32,
            lpSecurityDescriptor: descriptor.as_mut_ptr().cast(),
            bInheritHandle: FALSE,
        };
        // SAFETY: the attributes are there during the call.
        Self(owned(unsafe { CreateEventW(&attributes, TRUE, FALSE, null()) }))
    }

    /// A handle of it that has the right to set it, and no other.
    pub fn for_setting(&self) -> OwnedHandle {
        const EVENT_MODIFY_STATE: u32 = 2;
        let (process, mut handle) = (GetCurrentProcess(), std::ptr::null_mut());
        let access = EVENT_MODIFY_STATE;
        // SAFETY: the event is open, and the variable is there.
        let done = unsafe {
            let event = self.0.as_raw_handle();
            DuplicateHandle(process, event, process, &mut handle, access, FALSE, 0)
        };
        assert_ne!(done, FALSE, "{}", io::Error::last_os_error());
        owned(handle)
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

#[track_caller]
fn checked(done: i32) {
    assert_ne!(done, FALSE, "{}", io::Error::last_os_error());
}

/// A mutex that nobody owns.
pub fn mutex() -> OwnedHandle {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn CreateMutexW(
            lpMutexAttributes: *const SECURITY_ATTRIBUTES,
            bInitialOwner: i32,
            lpName: *const u16,
        ) -> HANDLE;
    }

    // SAFETY: NULL stands for no attributes and no name.
    owned(unsafe { CreateMutexW(null(), FALSE, null()) })
}

/// Memory that can be shared, which is never signalled.
pub fn mapping() -> OwnedHandle {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn CreateFileMappingW(
            hFile: HANDLE,
            lpFileMappingAttributes: *const SECURITY_ATTRIBUTES,
            flProtect: u32,
            dwMaximumSizeHigh: u32,
            dwMaximumSizeLow: u32,
            lpName: *const u16,
        ) -> HANDLE;
    }

    const PAGE_READWRITE: u32 = 4;
    let nothing = INVALID_HANDLE_VALUE;
    // SAFETY: NULL stands for no attributes and no name, and this handle for no file.
    owned(unsafe { CreateFileMappingW(nothing, null(), PAGE_READWRITE, 0, 4096, null()) })
}

/// A semaphore that lets so many through.
pub fn semaphore(count: i32) -> OwnedHandle {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn CreateSemaphoreW(
            lpSemaphoreAttributes: *const SECURITY_ATTRIBUTES,
            lInitialCount: i32,
            lMaximumCount: i32,
            lpName: *const u16,
        ) -> HANDLE;
    }

    // SAFETY: NULL stands for no attributes and no name.
    owned(unsafe { CreateSemaphoreW(null(), count, count, null()) })
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

#[link(name = "advapi32")]
unsafe extern "system" {
    fn InitializeAcl(pAcl: *mut c_void, nAclLength: u32, dwAclRevision: u32) -> i32;
    fn InitializeSecurityDescriptor(pSecurityDescriptor: *mut c_void, dwRevision: u32) -> i32;
    fn SetSecurityDescriptorDacl(
        pSecurityDescriptor: *mut c_void,
        bDaclPresent: i32,
        pDacl: *mut c_void,
        bDaclDefaulted: i32,
    ) -> i32;
}
