//! What buffers are filled with, in the part of the kernel, and that they stay where they are.

#![allow(unsafe_code, reason = "the tests read and write what is lent")]

use std::sync::Arc;

use super::*;

/// What the kernel does: it is given the addresses of all spare parts, then writes to the front of
/// that room, and says how much.
fn receive(buffer: &mut impl Buffer, bytes: &[u8]) {
    let mut bytes_left = bytes.iter();
    let rooms: Vec<_> = (0..buffer.parts()).map(|part| &raw mut *buffer.spare(part)).collect();
    for room in rooms {
        for (at, byte) in (0..room.len()).zip(bytes_left.by_ref()) {
            let byte_of_room = room.cast::<u8>().wrapping_add(at);
            // SAFETY: `at` is within the room, which stays what it is while the buffer rests.
            unsafe { byte_of_room.write(*byte) };
        }
    }
    // SAFETY: the tests give no more bytes than there is room for, and those were written.
    unsafe { buffer.advance(bytes.len()) };
}

/// What the kernel does: it is given the addresses of all filled parts, and reads there when it
/// gets to it, on a thread of its own.
fn send(buffer: &impl Buffer) -> Vec<u8> {
    struct Lent(*const [u8]);
    // SAFETY: the bytes can be read on any thread, which is what a buffer promises.
    unsafe impl Send for Lent {}

    let parts: Vec<_> = (0..buffer.parts()).map(|part| Lent(buffer.filled(part))).collect();
    let reads = move || {
        // SAFETY: the buffer rests, so each part stays allocated, and nobody writes to it.
        parts.iter().flat_map(|part| unsafe { &*part.0 }).copied().collect()
    };
    std::thread::spawn(reads).join().expect("it reads what is there")
}

/// All that `buffer` holds is sent, and there is no room to receive into.
#[track_caller]
fn can_only_be_sent(mut buffer: impl Buffer, bytes: &[u8]) {
    assert_eq!(buffer.parts(), 1);
    assert_eq!(send(&buffer), bytes);
    assert!(buffer.spare(0).is_empty());
    receive(&mut buffer, b"");
    assert_eq!(buffer.filled(0), bytes);
}

#[test]
fn a_vector_receives_behind_what_it_holds() {
    let mut buffer = Vec::with_capacity(16);
    buffer.extend_from_slice(b"head ");
    receive(&mut buffer, b"tail");
    assert_eq!(buffer.filled(0), b"head tail");
}

#[test]
fn a_cleared_vector_receives_from_its_beginning() {
    let mut buffer = b"old".to_vec();
    buffer.clear();
    receive(&mut buffer, b"new");
    assert_eq!(buffer, b"new");
}

#[test]
fn a_full_vector_has_no_spare_room() {
    let mut buffer = vec![0; 8];
    buffer.shrink_to_fit();
    assert!(buffer.spare(0).is_empty());
    assert!(Vec::<u8>::new().spare(0).is_empty());
}

#[test]
fn receiving_does_not_move_a_vector() {
    let mut buffer = Vec::with_capacity(16);
    let before = buffer.as_ptr();
    receive(&mut buffer, &[7; 16]);
    assert_eq!((buffer.as_ptr(), buffer.len()), (before, 16));
}

#[test]
fn the_spare_room_stays_put_when_a_vector_moves() {
    let mut buffer = Vec::<u8>::with_capacity(16);
    let before = buffer.spare(0).as_ptr();
    let mut moved = Box::new(buffer);
    assert_eq!(moved.spare(0).as_ptr(), before);
}

#[test]
fn an_array_has_the_parts_of_its_buffers() {
    let nested = [[b"a".to_vec(), b"bc".to_vec()], [Vec::new(), b"d".to_vec()]];
    assert_eq!(nested.parts(), 4);
    let parts: Vec<_> = (0..5).map(|part| nested.filled(part)).collect();
    assert_eq!(parts, [b"a".as_slice(), b"bc", b"", b"d", b""]);
}

#[test]
fn an_array_is_filled_from_one_buffer_to_the_next() {
    let mut array = [3, 0, 4].map(Vec::<u8>::with_capacity);
    let first = array[0].capacity();
    let bytes: Vec<u8> = (0..).take(first + 2).collect();
    receive(&mut array, &bytes);
    assert_eq!(array.concat(), bytes);
    assert_eq!((array[0].len(), array[1].len(), array[2].len()), (first, 0, 2));
}

#[test]
fn what_has_one_length_for_ever_can_only_be_sent() {
    const PAGE: &[u8] = b"a page";
    can_only_be_sent(PAGE, PAGE);
    can_only_be_sent(Box::<[u8]>::from(PAGE), PAGE);
    can_only_be_sent(Arc::<[u8]>::from(PAGE), PAGE);
    can_only_be_sent(Box::<[u8]>::default(), b"");
}

/// The address is taken where the value rests, and its memory does not follow when the value moves.
#[test]
fn what_is_sent_stays_put_when_its_owner_moves() {
    fn stays_put(buffer: impl Buffer) {
        let before = buffer.filled(0).as_ptr();
        let moved = Box::new(buffer);
        assert_eq!(moved.filled(0).as_ptr(), before);
    }
    stays_put(b"a page".as_slice());
    stays_put(Box::<[u8]>::from(*b"a page"));
    stays_put(Arc::<[u8]>::from(*b"a page"));
    stays_put(Either::<_, Vec<u8>>::Left(b"a page".to_vec()));
}

#[test]
fn nobody_can_write_to_shared_bytes_while_one_handle_is_lent() {
    let mut mine = Arc::<[u8]>::from(*b"a page");
    let lent = Arc::clone(&mine);
    let address: *const [u8] = lent.filled(0);
    assert!(Arc::get_mut(&mut mine).is_none());
    // This gives another allocation to `mine`, and leaves the lent one as it is.
    Arc::make_mut(&mut mine)[0] = b'A';
    // SAFETY: the handle that is lent keeps the bytes, and nobody has written to them.
    assert_eq!(unsafe { &*address }, b"a page");
    assert_eq!((lent.filled(0), &*mine), (b"a page".as_slice(), b"A page".as_slice()));
}

#[test]
fn shared_bytes_outlive_the_handles_of_others() {
    let mine = Arc::<[u8]>::from(*b"a page");
    let lent = Arc::clone(&mine);
    let part: *const [u8] = lent.filled(0);
    drop(mine);
    // SAFETY: the handle that is lent keeps the bytes, and nobody has written to them.
    assert_eq!(unsafe { &*part }, b"a page");
}

#[test]
fn a_box_has_the_parts_of_its_buffers() {
    let head = |text: &[u8]| [text.to_vec(), Vec::new()];
    let boxed: Box<[_]> = [head(b"a"), head(b"bc"), head(b"")].into();
    assert_eq!((boxed.parts(), boxed.filled(6)), (6, b"".as_slice()));
    assert_eq!(send(&boxed), b"abc");
    assert_eq!(send(&Box::<[Vec<u8>]>::default()), b"");
}

#[test]
fn a_box_is_filled_from_one_buffer_to_the_next() {
    let mut boxed: Box<[_]> = [3, 0, 4].map(Vec::<u8>::with_capacity).into();
    let first = boxed[0].capacity();
    let bytes: Vec<u8> = (0..).take(first + 2).collect();
    receive(&mut boxed, &bytes);
    assert_eq!(boxed.concat(), bytes);
    assert_eq!((boxed[0].len(), boxed[1].len(), boxed[2].len()), (first, 0, 2));
    assert!(boxed.spare(3).is_empty());
}

#[test]
fn either_is_the_buffer_that_it_holds() {
    type Message = Either<[Vec<u8>; 2], &'static [u8]>;

    let mut left = Message::Left([1, 2].map(Vec::with_capacity));
    assert_eq!(left.parts(), 2);
    let Either::Left(parts) = &left else { unreachable!("it is the left one") };
    let (first, room) = (parts[0].capacity(), parts[0].capacity() + parts[1].capacity());
    let bytes: Vec<u8> = (0..).take(room).collect();
    receive(&mut left, &bytes);
    assert_eq!((send(&left), left.filled(0)), (bytes.clone(), &bytes[..first]));
    assert!(left.spare(0).is_empty() && left.spare(1).is_empty());

    can_only_be_sent(Message::Right(b"a page"), b"a page");
}
