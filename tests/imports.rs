//! What `support/imports.rs` finds: functions that a program imports by name, and those that it imports by
//! number, as programs of Microsoft's linker do.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::ffi::c_void;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use overlapped::ffi::types::SOCKET;

#[path = "support/imports.rs"]
mod imports;
use imports::replace;

static CLOSED: AtomicUsize = AtomicUsize::new(0);

unsafe extern "system" fn close(socket: SOCKET) -> i32 {
    CLOSED.store(socket, SeqCst);
    7
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

#[test]
fn a_function_that_is_not_imported_is_not_found() {
    // SAFETY: nothing is replaced.
    assert!(unsafe { replace("NoSuchFunction", close as *mut c_void) }.is_none());
}
