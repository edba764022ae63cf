//! What `support/imports.rs` finds: functions that a program imports by name, and those that it
//! imports by number, as programs of Microsoft's linker do.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::ffi::{CString, c_char, c_void};
use std::ptr::{null, null_mut, without_provenance};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use overlapped::ffi::types::SOCKET;

#[path = "support/imports.rs"]
mod imports;
use imports::{ORDINALS, replace};

static CLOSED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "system" fn close(socket: SOCKET) -> i32 {
    CLOSED.store(socket, SeqCst);
    7
}

unsafe extern "system" fn astray(_: *const u16, _: u32) -> *mut c_void {
    null_mut()
}

#[link(name = "ws2_32", kind = "raw-dylib")]
unsafe extern "system" {
    /// `closesocket`, under its number.
    #[link_ordinal(3)]
    fn number_three(socket: SOCKET) -> i32;
}

#[test]
fn a_function_that_is_imported_by_number_is_found() {
    // SAFETY: the two are of the same type, and no socket of this program is closed meanwhile.
    let real = unsafe { replace("closesocket", close as *mut c_void) };
    assert!(real.is_some(), "it was not found");
    // SAFETY: this leads to the function above, which touches nothing.
    let answer = unsafe { number_three(42) };
    assert_eq!((answer, CLOSED.load(SeqCst)), (7, 42), "the call went past");
}

// Another DLL, which has other functions under these numbers.
#[link(name = "oleaut32", kind = "raw-dylib")]
unsafe extern "system" {
    /// `SysAllocStringLen`, under a number that is `connect` in Winsock: with NULL and 0 it makes
    /// an empty string.
    #[link_ordinal(4)]
    fn number_four(characters: *const u16, length: u32) -> *mut c_void;
}

#[test]
fn a_number_counts_only_in_the_dll_of_winsock() {
    // SAFETY: nobody in this program connects, so that nobody is led there who wants something
    // else.
    unsafe { replace("connect", astray as *mut c_void) };
    // SAFETY: with NULL and 0 the call reads nothing; the string is never freed.
    let string = unsafe { number_four(null(), 0) };
    assert!(!string.is_null(), "the call was led astray");
}

/// The system's own DLL says what has which number.
#[test]
fn the_numbers_are_those_of_the_dll() {
    // SAFETY: the name ends with a zero.
    let winsock = unsafe { LoadLibraryA(c"ws2_32.dll".as_ptr()) };
    assert!(!winsock.is_null(), "ws2_32.dll: {}", std::io::Error::last_os_error());
    for (name, ordinal) in ORDINALS {
        let terminated = CString::new(name).expect("a name without a zero");
        // SAFETY: the DLL stays loaded, and the name ends with a zero.
        let by_name = unsafe { GetProcAddress(winsock, terminated.as_ptr()) };
        // SAFETY: a number below 65536 in the place of the name is taken for a number.
        let by_number = unsafe { GetProcAddress(winsock, without_provenance(ordinal)) };
        assert!(!by_name.is_null() && by_name == by_number, "{name} is not number {ordinal}");
    }
}

#[test]
fn a_function_that_is_not_imported_is_not_found() {
    // SAFETY: nothing is replaced.
    assert!(unsafe { replace("NoSuchFunction", close as *mut c_void) }.is_none());
}

#[link(name = "kernel32")]
unsafe extern "system" {
    fn LoadLibraryA(lpLibFileName: *const c_char) -> *mut c_void;
    fn GetProcAddress(hModule: *mut c_void, lpProcName: *const c_char) -> *mut c_void;
}
