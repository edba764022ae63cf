//! Whether the system is Wine, for what it does wrong where nothing else tells.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "it makes calls of Windows that std does not make")]

use std::ffi::{CStr, c_char, c_void};

use overlapped::ffi::types::HANDLE;

pub fn is_wine() -> bool {
    !version().is_null()
}

/// The function of Wine's that says its version.
fn version() -> *const c_void {
    // SAFETY: the name ends with a zero.
    let ntdll = unsafe { GetModuleHandleA(c"ntdll.dll".as_ptr()) };
    // SAFETY: this DLL stays in every process to its end, and the name ends with a zero.
    unsafe { GetProcAddress(ntdll, c"wine_get_version".as_ptr()) }
}

/// Whether it is Wine before its version 9.
pub fn is_old_wine() -> bool {
    let version = version();
    if version.is_null() {
        return false;
    }
    type Version = unsafe extern "C" fn() -> *const c_char;
    // SAFETY: it is a function of this type, which takes nothing and returns a text.
    let version = unsafe { std::mem::transmute::<*const c_void, Version>(version) };
    // SAFETY: as above.
    let text = unsafe { version() };
    // SAFETY: the text ends with a zero and stays for ever.
    let text = unsafe { CStr::from_ptr(text) }.to_string_lossy();
    text.split('.').next().and_then(|number| number.parse::<u32>().ok()).is_some_and(|n| n < 9)
}

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetModuleHandleA(lpModuleName: *const c_char) -> HANDLE;
    fn GetProcAddress(hModule: HANDLE, lpProcName: *const c_char) -> *const c_void;
}
