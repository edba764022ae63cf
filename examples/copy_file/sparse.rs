//! A file whose zeros take no room on the disk.

#![allow(unsafe_code, reason = "std does not make this call")]

use std::fs::File;
use std::io;
use std::os::windows::io::AsRawHandle;
use std::ptr::{null, null_mut};

use overlapped::ffi::constants::FALSE;
use overlapped::ffi::kernel32::DeviceIoControl;

/// From winioctl.h.
const FSCTL_SET_SPARSE: u32 = 0x0009_00C4;

/// Of a file that is not overlapped.
///
/// Calls
/// [`DeviceIoControl`](https://learn.microsoft.com/en-us/windows/win32/api/winioctl/ni-winioctl-fsctl_set_sparse).
pub fn make_sparse(file: &File) -> io::Result<()> {
    let (handle, mut returned) = (file.as_raw_handle(), 0);
    // SAFETY: the file is open and waits for the call; nothing goes in, nothing comes out, and the
    // count is there during the call.
    let done = unsafe {
        let (none, count, code) = (null_mut(), &raw mut returned, FSCTL_SET_SPARSE);
        DeviceIoControl(handle, code, null(), 0, none, 0, count, null_mut())
    };
    if done == FALSE { Err(io::Error::last_os_error()) } else { Ok(()) }
}
