//! Watching: one `ReadDirectoryChangesW` is always in flight.
//!
//! Between two calls the system keeps what changes, as far as it has room. So the next call is made
//! before the records of the last one are looked at, with another buffer.

#![allow(unsafe_code, reason = "it starts an operation that the crate has no method for")]

use std::fs::OpenOptions;
use std::io;
use std::mem::MaybeUninit;
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr::null_mut;
use std::slice;

use overlapped::ffi::constants::*;
use overlapped::{Buffer, CompletionQueue, Key, RawCall, Registration, ffi};

/// How many bytes of records come at a time. Directories on other machines take no more.
const SIZE: usize = 64 << 10;

/// What is told.
const FILTER: u32 = FILE_NOTIFY_CHANGE_FILE_NAME
    | FILE_NOTIFY_CHANGE_DIR_NAME
    | FILE_NOTIFY_CHANGE_SIZE
    | FILE_NOTIFY_CHANGE_LAST_WRITE
    | FILE_NOTIFY_CHANGE_CREATION;

/// Room for records. The system asks for memory that is aligned to 4, which a `Vec<u8>` does not
/// promise.
#[derive(Debug)]
pub struct Room {
    memory: Box<[u32]>,
    filled: usize,
}

impl Room {
    pub fn new() -> Self {
        Self { memory: vec![0; SIZE / 4].into(), filled: 0 }
    }

    /// What the system has written, so many bytes.
    pub fn written(&mut self, count: usize) -> &[u8] {
        self.filled = count;
        self.filled(0)
    }
}

// SAFETY: the memory belongs to the box, which nothing else can reach. All of it is initialised, so
// that the filled bytes are does not depend on what is counted.
unsafe impl Buffer for Room {
    fn filled(&self, _: usize) -> &[u8] {
        let count = self.filled.min(SIZE);
        // SAFETY: so many bytes are there, and initialised.
        unsafe { slice::from_raw_parts(self.memory.as_ptr().cast(), count) }
    }

    fn spare(&mut self, _: usize) -> &mut [MaybeUninit<u8>] {
        let (count, memory) = (self.filled.min(SIZE), self.memory.as_mut_ptr());
        // SAFETY: it is within the box.
        let spare = unsafe { memory.cast::<MaybeUninit<u8>>().add(count) };
        // SAFETY: so many bytes are left, and borrowed with `self`.
        unsafe { slice::from_raw_parts_mut(spare, SIZE - count) }
    }

    unsafe fn advance(&mut self, count: usize) {
        self.filled += count;
    }
}

pub struct Watch {
    directory: Registration<OwnedHandle, Room>,
    recursive: bool,
}

impl Watch {
    pub fn new(
        queue: &CompletionQueue<Room>,
        directory: &Path,
        recursive: bool,
    ) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options.access_mode(FILE_LIST_DIRECTORY);
        // The second is what opens a directory.
        options.custom_flags(FILE_FLAG_OVERLAPPED | FILE_FLAG_BACKUP_SEMANTICS);
        let directory = OwnedHandle::from(options.open(directory)?);
        Ok(Self { directory: queue.register(directory, Key(0))?, recursive })
    }

    /// Waits for changes from now on; or, after the first time, from when the last ones were told.
    pub fn go_on(&self, mut room: Room) -> io::Result<()> {
        room.filled = 0;
        let start = |call: &RawCall<'_>| {
            let ((room, length), recursive) = (call.spare(), i32::from(self.recursive));
            let handle = call.handle().as_raw_handle();
            // SAFETY: the directory is open. The room is lent, and aligned as its box is, and so is
            // the `OVERLAPPED`. The count is NULL, and there is no routine.
            call.answer(unsafe {
                ffi::kernel32::ReadDirectoryChangesW(
                    handle,
                    room.cast(),
                    length,
                    recursive,
                    FILTER,
                    null_mut(),
                    call.overlapped(),
                    None,
                )
            })
        };
        // SAFETY: this is one call, on the handle of the registration, with what is lent, and its
        // answer is passed on.
        unsafe { self.directory.submit(0, room, start) }?;
        Ok(())
    }
}
