//! Which handle cannot be watched: that of a mutex.
//!
//! Whoever waits for a mutex owns it then, and that would be a thread of the system's pool. So the
//! pool does not do it: it raises an exception, says Microsoft, which no Rust code can catch. Safe
//! code must not come to that, so it is asked before what a handle is of.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it asks the system what a handle is")]

use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::ptr::null_mut;

use super::super::ffi;
use super::super::ffi::constants::ObjectTypeInformation;
use super::super::ffi::types::PUBLIC_OBJECT_TYPE_INFORMATION;

/// Room for the answer, with the name behind it. The longest names have some 25 characters.
#[repr(C, align(8))]
struct Room([u16; 128]);

/// The system's own name for a mutex.
const MUTEX: &str = "Mutant";

/// Whether it is a mutex, as far as the system says what it is.
pub(super) fn is_mutex(handle: BorrowedHandle<'_>) -> bool {
    let mut room = Room([0; 128]);
    // SAFETY: the handle is open, and there is room for the answer, of that length and aligned as
    // its struct, during the call. No length is asked for.
    let status = unsafe {
        let (handle, length) = (handle.as_raw_handle(), size_of::<Room>() as u32);
        let answer = (&raw mut room).cast();
        ffi::ntdll::NtQueryObject(handle, ObjectTypeInformation, answer, length, null_mut())
    };
    status >= 0 && name_in(&room).is_some_and(|name| MUTEX.encode_utf16().eq(name.iter().copied()))
}

/// The name in an answer, which says where in the room it is.
fn name_in(room: &Room) -> Option<&[u16]> {
    const { assert!(size_of::<PUBLIC_OBJECT_TYPE_INFORMATION>() < size_of::<Room>()) };
    const { assert!(align_of::<PUBLIC_OBJECT_TYPE_INFORMATION>() <= align_of::<Room>()) };
    // SAFETY: the room is larger than the struct, and aligned as that is; whatever is in it, these
    // are numbers and a pointer, which is not followed.
    let name = unsafe { (&raw const *room).cast::<PUBLIC_OBJECT_TYPE_INFORMATION>().read() };
    let offset = name.TypeName.Buffer.addr().wrapping_sub(room.0.as_ptr().addr());
    room.0.get(offset / 2..)?.get(..usize::from(name.TypeName.Length) / 2)
}
