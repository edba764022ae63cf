//! Whether the system is Wine, for what it does wrong where nothing else tells.

#![allow(unsafe_code, reason = "it makes calls of Windows that std does not make")]

use std::ffi::{c_char, c_void};

use overlapped::ffi::types::HANDLE;

pub fn is_wine() -> bool {
    // SAFETY: the name ends with a zero.
    let ntdll = unsafe { GetModuleHandleA(c"ntdll.dll".as_ptr()) };
    // SAFETY: this DLL stays in every process to its end, and the name ends with a zero.
    let version = unsafe { GetProcAddress(ntdll, c"wine_get_version".as_ptr()) };
    !version.is_null()
}

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetModuleHandleA(lpModuleName: *const c_char) -> HANDLE;
    fn GetProcAddress(hModule: HANDLE, lpProcName: *const c_char) -> *const c_void;
}
