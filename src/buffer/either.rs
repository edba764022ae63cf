//! A buffer of one of two types.

#![allow(unsafe_code, reason = "what is sent and received is a promise about memory")]

use std::mem::MaybeUninit;

use super::Buffer;

/// A buffer of one of two types.
///
/// All buffers of a queue have the same type, those that it receives into and those that it sends.
/// So a program that receives into vectors, and sends pages that are a part of the program, takes
/// this type, and needs no unsafe code for it. Where the variants are imported they can get names
/// that fit the program:
///
/// ```
/// use overlapped::{Buffer, Either};
/// use overlapped::{Either::Left as Request, Either::Right as Page};
///
/// type Message = Either<Vec<u8>, &'static [u8]>;
///
/// let mut request: Message = Request(Vec::with_capacity(4096));
/// assert!(request.spare(0).len() >= 4096);
/// let page: Message = Page(b"HTTP/1.1 204 No Content\r\n\r\n");
/// assert_eq!(page.filled(0).len(), 27);
/// ```
///
/// What was lent as `Left` comes back as `Left`, and what was lent as `Right` as `Right`. For three
/// types take an `Either` in an `Either`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Either<A, B> {
    /// It is of the first type.
    Left(A),
    /// It is of the second type.
    Right(B),
}

// SAFETY: all that is returned is that of the one buffer that is in the value. That rests where the
// value rests, and stays the one that is there, for to put another in its place is a use of the
// value. Which of the two types it has is asked again by each method, with the same answer.
unsafe impl<A: Buffer, B: Buffer> Buffer for Either<A, B> {
    fn parts(&self) -> usize {
        match self {
            Self::Left(buffer) => buffer.parts(),
            Self::Right(buffer) => buffer.parts(),
        }
    }

    fn filled(&self, part: usize) -> &[u8] {
        match self {
            Self::Left(buffer) => buffer.filled(part),
            Self::Right(buffer) => buffer.filled(part),
        }
    }

    fn spare(&mut self, part: usize) -> &mut [MaybeUninit<u8>] {
        match self {
            Self::Left(buffer) => buffer.spare(part),
            Self::Right(buffer) => buffer.spare(part),
        }
    }

    unsafe fn advance(&mut self, count: usize) {
        match self {
            // SAFETY: the caller's promise, passed on to the buffer that it was made for.
            Self::Left(buffer) => unsafe { buffer.advance(count) },
            // SAFETY: as above.
            Self::Right(buffer) => unsafe { buffer.advance(count) },
        }
    }
}
