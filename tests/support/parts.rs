//! A buffer of several vectors.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "it is a buffer")]

use std::mem::MaybeUninit;

use overlapped::Buffer;

#[derive(Debug)]
pub struct Pieces(Vec<Vec<u8>>);

impl Pieces {
    pub fn with_room(room: &[usize]) -> Self {
        Self(room.iter().map(|room| Vec::with_capacity(*room)).collect())
    }

    pub fn of(texts: &[&str]) -> Self {
        Self(texts.iter().map(|text| text.as_bytes().to_vec()).collect())
    }

    pub fn joined(&self) -> Vec<u8> {
        self.0.concat()
    }
}

// SAFETY: each part is a vector, which nothing else can reach; they are filled one after the other.
unsafe impl Buffer for Pieces {
    fn parts(&self) -> usize {
        self.0.len()
    }

    fn filled(&self, part: usize) -> &[u8] {
        &self.0[part]
    }

    fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>] {
        self.0[part].spare_capacity_mut()
    }

    unsafe fn advance(&mut self, count: usize) {
        let mut left = count;
        for piece in &mut self.0 {
            let more = left.min(piece.capacity() - piece.len());
            // SAFETY: the caller vouches that so many bytes were written, from the first room on.
            unsafe { piece.set_len(piece.len() + more) };
            left -= more;
        }
    }
}
