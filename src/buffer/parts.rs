//! The parts of a buffer in the form that Winsock takes: an array of lengths and addresses. And the
//! one part that the calls of files take.

#![cfg_attr(not(windows), allow(dead_code, reason = "tested everywhere, used on Windows"))]
#![allow(unsafe_code, reason = "it reads what it has written")]

use std::mem::MaybeUninit;

use super::super::ffi::types::WSABUF;
use super::Buffer;

/// How many parts one operation uses, so that their array fits on the stack.
pub(crate) const MAX_PARTS: usize = 16;

/// How many bytes of one part: the system locks the pages of what it is lent, and for more than
/// this it often answers that it is out of buffers.
const MAX_PART_LEN: u32 = 1 << 30;

/// Memory for the array, on the stack of whoever makes the call. It is apart from the counts, which
/// so need no memory. It is not zeroed, for most operations use one element.
pub(crate) type Array = [MaybeUninit<WSABUF>; MAX_PARTS];

#[inline]
pub(crate) fn array() -> Array {
    [const { MaybeUninit::uninit() }; MAX_PARTS]
}

/// What one operation sends or fills. The system reads the array during the call; only the memory
/// that it names is lent.
pub(crate) struct Parts<'a> {
    /// The first `count` are written.
    array: &'a mut Array,
    count: u32,
    /// How many bytes more one operation can move.
    left: u32,
    is_empty: bool,
}

impl<'a> Parts<'a> {
    /// Of no bytes, in one part.
    #[inline]
    pub(crate) fn empty(array: &'a mut Array) -> Self {
        Self::new(array).or_empty()
    }

    /// With at least one part, for what Winsock makes of none is not documented.
    #[inline]
    fn or_empty(mut self) -> Self {
        if self.count == 0 {
            self.push(std::ptr::null_mut(), 0);
        }
        self
    }

    /// The spare room of a buffer.
    #[inline]
    pub(crate) fn spare<B: Buffer>(buffer: &mut B, array: &'a mut Array) -> Self {
        let mut parts = Self::new(array);
        for part in 0..buffer.parts().min(MAX_PARTS) {
            let spare = buffer.spare(part);
            parts.push(spare.as_mut_ptr().cast(), spare.len());
        }
        parts.or_empty()
    }

    /// The filled bytes of a buffer. Sending only reads them, whatever the type of the pointer.
    #[inline]
    pub(crate) fn filled<B: Buffer>(buffer: &B, array: &'a mut Array) -> Self {
        let mut parts = Self::new(array);
        for part in 0..buffer.parts().min(MAX_PARTS) {
            let filled = buffer.filled(part);
            parts.push(filled.as_ptr().cast_mut(), filled.len());
        }
        parts.or_empty()
    }

    #[inline]
    pub(crate) fn as_ptr(&self) -> *const WSABUF {
        self.array.as_ptr().cast()
    }

    #[inline]
    pub(crate) fn count(&self) -> u32 {
        self.count
    }

    /// Whether there are no bytes in them.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.is_empty
    }

    /// How many bytes one operation can move of them. If it cannot move all, `u32::MAX`.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        (u32::MAX - self.left) as usize
    }

    #[inline]
    fn new(array: &'a mut Array) -> Self {
        Self { array, count: 0, left: u32::MAX, is_empty: true }
    }

    /// Adds a part, cut to what the operation can still move. Behind a part that was cut the others
    /// have a length of 0, so that no byte goes past the gap.
    #[inline]
    fn push(&mut self, buf: *mut u8, len: usize) {
        let whole = u32::try_from(len).unwrap_or(u32::MAX);
        let len = whole.min(MAX_PART_LEN).min(self.left);
        self.left = if len < whole { 0 } else { self.left - len };
        self.is_empty &= len == 0;
        self.array[self.count as usize].write(WSABUF { len, buf });
        self.count += 1;
    }
}

/// The first spare room of a buffer that is not empty, as far as one operation can fill it. A file
/// and a pipe are read into one piece of memory.
pub(crate) fn one_spare<B: Buffer>(buffer: &mut B) -> (*mut u8, u32) {
    for part in 0..buffer.parts() {
        let spare = buffer.spare(part);
        if !spare.is_empty() {
            return (spare.as_mut_ptr().cast(), length(spare.len()));
        }
    }
    (std::ptr::null_mut(), 0)
}

/// The filled bytes of a buffer if they are all in one part. `None` if they are in several.
pub(crate) fn one_filled<B: Buffer>(buffer: &B) -> Option<(*const u8, u32)> {
    // Not NULL, for some systems refuse that even where nothing is read.
    let mut found = (std::ptr::dangling(), 0);
    for part in 0..buffer.parts() {
        let filled = buffer.filled(part);
        if !filled.is_empty() {
            if found.1 != 0 {
                return None;
            }
            found = (filled.as_ptr(), length(filled.len()));
        }
    }
    Some(found)
}

fn length(len: usize) -> u32 {
    len.min(MAX_PART_LEN as usize) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(parts: &[usize]) -> (Vec<u32>, bool) {
        let mut memory = array();
        let mut array = Parts::new(&mut memory);
        for len in parts {
            array.push(std::ptr::null_mut(), *len);
        }
        let written = &array.array[..array.count() as usize];
        // SAFETY: `push` writes what it counts.
        let lengths = written.iter().map(|part| unsafe { part.assume_init() }.len).collect();
        (lengths, array.is_empty())
    }

    #[test]
    fn what_one_operation_moves_is_counted() {
        for (parts, len) in [(&[][..], 0), (&[5, 0, 7], 12), (&[1 << 30; 3], 3 << 30)] {
            let mut memory = array();
            let mut array = Parts::new(&mut memory);
            parts.iter().for_each(|len| array.push(std::ptr::null_mut(), *len));
            assert_eq!(array.len() as u64, len);
        }
        let mut memory = array();
        let mut array = Parts::new(&mut memory);
        array.push(std::ptr::null_mut(), (1 << 30) + 1);
        assert_eq!(array.len(), u32::MAX as usize, "a part was cut");
    }

    #[test]
    fn parts_keep_their_lengths_and_order() {
        assert_eq!(lengths(&[5, 0, 7]), (vec![5, 0, 7], false));
    }

    #[test]
    fn parts_without_bytes_are_empty() {
        assert_eq!(lengths(&[]), (vec![], true));
        assert_eq!(
            Parts::filled::<[Vec<u8>; 0]>(&[], &mut array()).count(),
            1,
            "Winsock is given one, of no bytes"
        );
        assert_eq!(Parts::spare::<[Vec<u8>; 0]>(&mut [], &mut array()).count(), 1);
        assert_eq!(lengths(&[0, 0]), (vec![0, 0], true));
        assert!(Parts::empty(&mut array()).is_empty() && Parts::empty(&mut array()).count() == 1);
    }

    #[cfg(target_pointer_width = "64")]
    #[test]
    fn what_one_operation_cannot_move_is_cut() {
        let giga = 1 << 30;
        assert_eq!(lengths(&[5 * giga]), (vec![1 << 30], false));
        assert_eq!(lengths(&[giga, giga + 1, 1]), (vec![1 << 30, 1 << 30, 0], false));
        let most = vec![1 << 30, 1 << 30, 1 << 30, (1 << 30) - 1, 0];
        assert_eq!(lengths(&[giga, giga, giga, giga, 1]), (most, false));
    }

    #[test]
    fn a_buffer_of_many_parts_is_used_up_to_the_sixteenth() {
        let many: [Vec<u8>; 20] = std::array::from_fn(|n| vec![0; n + 1]);
        let mut memory = array();
        let parts = Parts::filled(&many, &mut memory);
        assert_eq!(parts.count(), 16);
        assert_eq!(u32::MAX - parts.left, (1..=16).sum());
    }

    /// What Winsock reads, through the pointer and the count that it is given.
    fn given(parts: &Parts<'_>) -> Vec<(*mut u8, u32)> {
        let count = parts.count() as usize;
        // SAFETY: so many elements are written, and they are there as long as `parts` is borrowed.
        let array = unsafe { std::slice::from_raw_parts(parts.as_ptr(), count) };
        array.iter().map(|part| (part.buf, part.len)).collect()
    }

    #[test]
    fn the_system_is_given_the_array_of_the_parts() {
        let mut array = [vec![1_u8, 2], Vec::with_capacity(9), vec![3]];
        let filled = given(&Parts::filled(&array, &mut super::array()));
        let expected = array.each_mut().map(|part| (part.as_mut_ptr(), part.len() as u32));
        // Of a part of no bytes no address counts.
        assert_eq!([filled[0], filled[2]], [expected[0], expected[2]]);
        assert_eq!((filled.len(), filled[1].1), (3, 0));

        let spare = given(&Parts::spare(&mut array, &mut super::array()));
        let second = (array[1].as_mut_ptr(), array[1].capacity() as u32);
        assert_eq!((spare.len(), spare[1]), (3, second));
    }

    #[test]
    fn the_parts_are_where_the_buffer_is() {
        let mut array = [vec![1_u8], Vec::with_capacity(9)];
        let mut memory = super::array();
        let parts = Parts::filled(&array, &mut memory);
        // SAFETY: two parts were pushed.
        assert_eq!(unsafe { parts.array[0].assume_init() }.buf.cast_const(), array[0].as_ptr());
        let mut memory = super::array();
        let parts = Parts::spare(&mut array, &mut memory);
        // SAFETY: as above.
        let second = unsafe { parts.array[1].assume_init() };
        assert_eq!(second.buf.cast_const(), array[1].as_ptr());
        assert_eq!(second.len as usize, array[1].capacity());
    }
}
