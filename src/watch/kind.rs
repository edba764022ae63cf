//! Which handles cannot be watched, by what they are of.
//!
//! The system's pool does not wait for a mutex, since the thread that has waited for one owns it,
//! nor for an object that is never signalled. Given such a handle it does not fail, but raises an
//! exception, which no Rust code can catch. Safe code must not come to that, so the system is asked
//! before what the handle is of.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it asks the system what a handle is")]

use std::os::windows::io::{AsRawHandle, BorrowedHandle};
use std::ptr::null_mut;

use super::super::ffi;
use super::super::ffi::constants::ObjectTypeInformation;
use super::super::ffi::types::PUBLIC_OBJECT_TYPE_INFORMATION;

/// What Microsoft lists as what the pool waits for, and jobs, by the system's own names. Consoles
/// and notifications of changes are files, and those of a shortage of memory are events. A timer of
/// high resolution has a name of its own.
const WAITED_FOR: [&str; 8] =
    ["Process", "Thread", "Event", "Semaphore", "Timer", "IRTimer", "Job", "File"];

/// Room for the answer, with the name behind it. The longest names have some 25 characters.
#[repr(C, align(8))]
struct Room([u16; 128]);

/// Whether the pool waits for such a handle. Where the system does not say what it is of, that is
/// left to the pool.
pub(super) fn is_waited_for(handle: BorrowedHandle<'_>) -> bool {
    let mut room = Room([0; 128]);
    // SAFETY: the handle is open, and there is room for the answer, of that length and aligned as
    // its struct, during the call. No length is asked for.
    let status = unsafe {
        let (handle, length) = (handle.as_raw_handle(), size_of::<Room>() as u32);
        let answer = (&raw mut room).cast();
        ffi::ntdll::NtQueryObject(handle, ObjectTypeInformation, answer, length, null_mut())
    };
    let Some(name) = name_in(&room).filter(|_| status >= 0) else { return true };
    WAITED_FOR.iter().any(|kind| kind.encode_utf16().eq(name.iter().copied()))
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
