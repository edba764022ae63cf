//! A buffer of whole pages, as a file without buffering asks for it: its memory begins at a
//! multiple of the sector, and it can be filled up with zeros to such a multiple.

#![allow(unsafe_code, reason = "it allocates memory, and is lent to the kernel")]

use std::alloc::{Layout, alloc_zeroed, dealloc, handle_alloc_error};
use std::mem::MaybeUninit;
use std::ptr::NonNull;
use std::slice;

use overlapped::Buffer;

use super::arguments::SECTOR;

/// One block of the file, and where it belongs. So whoever gets it back needs no list of what was
/// on its way.
pub struct Block {
    memory: NonNull<u8>,
    layout: Layout,
    filled: usize,
    /// How many bytes of the memory are used.
    room: usize,
    /// Where in the file it begins.
    pub offset: u64,
    /// How many bytes of the file it is to hold.
    pub wanted: usize,
}

// SAFETY: the memory belongs to this value alone, and is not bound to a thread.
unsafe impl Send for Block {}

impl Block {
    pub fn new(size: usize) -> Self {
        let size = size.max(1).next_multiple_of(SECTOR as usize);
        let layout = Layout::from_size_align(size, SECTOR as usize).expect("64 MiB are no trouble");
        // SAFETY: the size is not 0.
        let memory = unsafe { alloc_zeroed(layout) };
        let Some(memory) = NonNull::new(memory) else { handle_alloc_error(layout) };
        Self { memory, layout, filled: 0, room: 0, offset: 0, wanted: 0 }
    }

    /// Makes it empty, for so many bytes from there; with or without room for a whole sector.
    pub fn begin(&mut self, offset: u64, wanted: usize, whole_sectors: bool) {
        let room = if whole_sectors { wanted.next_multiple_of(SECTOR as usize) } else { wanted };
        assert!(room <= self.layout.size());
        (self.filled, self.room, self.offset, self.wanted) = (0, room, offset, wanted);
    }

    pub fn len(&self) -> usize {
        self.filled
    }

    /// Takes no more than is wanted.
    pub fn truncate(&mut self) {
        self.filled = self.filled.min(self.wanted);
    }

    /// Fills it up with zeros, to a multiple of the sector.
    pub fn fill_sector(&mut self) {
        let end = self.filled.next_multiple_of(SECTOR as usize);
        let rest = end - self.filled;
        for byte in &mut self.spare(0)[..rest] {
            byte.write(0);
        }
        self.filled = end;
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        // SAFETY: it was allocated so, and is freed once.
        unsafe { dealloc(self.memory.as_ptr(), self.layout) }
    }
}

// SAFETY: the memory is this value's alone, and stays where it is until that is dropped. All of it
// is initialised, the filled part and the spare one do not overlap, and what was spare at the front
// is filled after `advance`.
unsafe impl Buffer for Block {
    fn filled(&self, _: usize) -> &[u8] {
        // SAFETY: so many bytes are there, and initialised from the beginning.
        unsafe { slice::from_raw_parts(self.memory.as_ptr(), self.filled) }
    }

    fn spare(&mut self, _: usize) -> &mut [MaybeUninit<u8>] {
        let (size, filled) = (self.room, self.filled);
        // SAFETY: the filled bytes are within the memory.
        let spare = unsafe { self.memory.as_ptr().add(filled) };
        // SAFETY: `begin` has seen that so many bytes are behind them, and nobody else has them.
        unsafe { slice::from_raw_parts_mut(spare.cast(), size - filled) }
    }

    unsafe fn advance(&mut self, count: usize) {
        self.filled += count;
    }
}
