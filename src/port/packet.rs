//! What comes out of a port, and the keys in it.

#![allow(unsafe_code, reason = "a packet has an address in it, and is sent among threads")]

use std::fmt;

use super::super::ffi::types::{OVERLAPPED, OVERLAPPED_ENTRY};

/// The number that a program gives to a socket when it registers it, and finds in each of its
/// completions. Every value may be used, and several sockets may have the same one.
///
/// An index makes a key, and a key gives the index back:
///
/// ```
/// use overlapped::Key;
///
/// let names = ["web", "mail"];
/// let key = Key::from(1);
/// assert_eq!(names[usize::from(key)], "mail");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(pub usize);

impl From<usize> for Key {
    fn from(number: usize) -> Self {
        Self(number)
    }
}

impl From<Key> for usize {
    fn from(key: Key) -> Self {
        key.0
    }
}

/// What comes out of a port: a key, a count of bytes, and the address of an operation.
///
/// All three are numbers that anybody may have posted. Whoever knows which operations there are can
/// tell by the address *which* of them is meant. That there is one is not promised.
#[derive(Clone, Copy)]
#[repr(transparent)]
pub struct Packet(OVERLAPPED_ENTRY);

// SAFETY: a packet is three numbers. No safe function follows the address in it.
unsafe impl Send for Packet {}
// SAFETY: as above.
unsafe impl Sync for Packet {}

impl Packet {
    /// The key of the association, or of the post.
    #[doc(alias = "lpCompletionKey")]
    #[inline]
    pub fn key(&self) -> Key {
        Key(self.0.lpCompletionKey)
    }

    /// How many bytes were moved, or what was posted in place of that.
    #[doc(alias = "dwNumberOfBytesTransferred")]
    #[inline]
    pub fn bytes(&self) -> u32 {
        self.0.dwNumberOfBytesTransferred
    }

    /// The address that was given when the operation was started, or when the packet was posted. It
    /// may be NULL.
    #[doc(alias = "lpOverlapped")]
    #[inline]
    pub fn overlapped(&self) -> *mut OVERLAPPED {
        self.0.lpOverlapped
    }
}

/// For the batch of a queue, which keeps its books in the packets: what a packet was found to be in
/// the field that Microsoft reserves, and of an operation where it is in place of its address.
impl Packet {
    #[inline]
    pub(crate) fn note(&mut self, found: usize) {
        self.0.Internal = found;
    }

    #[inline]
    pub(crate) fn noted(&self) -> usize {
        self.0.Internal
    }

    #[inline]
    pub(crate) fn redirect(&mut self, address: *const (), number: u32) {
        self.0.lpOverlapped = address.cast_mut().cast();
        self.0.dwNumberOfBytesTransferred = number;
    }
}

impl fmt::Debug for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packet")
            .field("key", &self.key())
            .field("bytes", &self.bytes())
            .field("overlapped", &self.overlapped())
            .finish()
    }
}
