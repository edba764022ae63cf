//! Files: reads and writes at a position, their end, and what is refused.
#![allow(unsafe_code, reason = "it makes the calls that the tests are about")]

use std::fs::File;
use std::io::{Read, Write};
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};

use overlapped::ffi;
use overlapped::ffi::constants::{
    CREATE_NEW, ERROR_ACCESS_DENIED, ERROR_HANDLE_EOF, ERROR_INVALID_PARAMETER,
    ERROR_INVALID_USER_BUFFER, ERROR_NOACCESS, ERROR_NOT_FOUND, FALSE, FILE_FLAG_NO_BUFFERING,
    FILE_FLAG_OVERLAPPED, FILE_TYPE_DISK, FSCTL_SET_SPARSE, GENERIC_READ, GENERIC_WRITE,
    OPEN_EXISTING,
};
use overlapped::ffi::ntstatus::{STATUS_CANCELLED, STATUS_END_OF_FILE, STATUS_SUCCESS};

use super::handles::{Folder, is_synchronous, open, read_at, write_at};
use super::kernel::{Answer, Operation, Port, create_port};
use super::start::{cancel_on, skip_on_success_of};

const BOTH: u32 = GENERIC_READ | GENERIC_WRITE;

/// A new file that is on a port, with these bytes in it.
fn holding(bytes: &[u8]) -> (Folder, Port, OwnedHandle) {
    let (folder, port) = (Folder::new(), Port::new());
    std::fs::write(folder.file("file"), bytes).expect("the bytes of the file");
    let file = open(folder.file("file"), BOTH, OPEN_EXISTING, FILE_FLAG_OVERLAPPED);
    let file = file.expect("the file");
    port.associate(file.as_raw_handle(), 7);
    (folder, port, file)
}

fn contents(folder: &Folder) -> Vec<u8> {
    std::fs::read(folder.file("file")).expect("the file")
}

/// (81) A read or a write of a file may be done at once or be pending; a packet comes either way,
/// with the count. (Wine says that all are pending.)
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/synchronous-and-asynchronous-i-o>
#[test]
fn a_read_or_a_write_of_a_file_brings_one_packet() {
    let (folder, port, file) = holding(b"0123456789");
    let (operation, answer) = write_at(&file, b"abc", 3);
    println!("a write: {answer:?}");
    let end = port.end_of((operation, answer));
    assert_eq!((end.key, end.status, end.count), (7, STATUS_SUCCESS, 3));
    let (operation, answer) = read_at(&file, 4, 2);
    println!("a read: {answer:?}");
    let end = port.end_of((operation, answer));
    assert_eq!((end.status, end.bytes), (STATUS_SUCCESS, b"2abc".to_vec()));
    port.assert_empty();
    assert_eq!(contents(&folder), b"012abc6789");
    // SAFETY: the file is open.
    assert_eq!(unsafe { ffi::kernel32::GetFileType(file.as_raw_handle()) }, FILE_TYPE_DISK);
}

/// (82) Reading at the end is an error at once, without a packet, or a packet with the status of
/// the end; either has 0 bytes. Reading across the end is a success with fewer bytes. (The packet
/// is what Wine has, and what its tests expect of Windows; others have met the error there.)
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/testing-for-the-end-of-a-file>
#[test]
fn the_end_of_a_file_is_an_error_at_once_or_in_the_packet() {
    let (_folder, port, file) = holding(b"0123456789");
    assert_eq!(port.end_of(read_at(&file, 8, 6)).bytes, b"6789");
    for position in [10, 11, 1 << 40] {
        let (operation, answer) = read_at(&file, 8, position);
        println!("reading at {position}: {answer:?}");
        if let Answer::Failed(_) = answer {
            port.refused((operation, answer), &[ERROR_HANDLE_EOF]);
        } else {
            let end = port.end(operation);
            assert_eq!((end.status, end.count), (STATUS_END_OF_FILE, 0));
        }
    }
}

/// (83) All ones for a position is the end of the file, wherever that is: what is written there is
/// appended.
/// <https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile>
#[test]
fn a_position_of_all_ones_appends() {
    let (folder, port, file) = holding(b"begin");
    for bytes in [b"ning", b"-end"] {
        let end = port.end_of(write_at(&file, bytes, u64::MAX));
        assert_eq!((end.status, end.count), (STATUS_SUCCESS, 4));
    }
    assert_eq!(contents(&folder), b"beginning-end");
}

/// (64, 80, 83) Other positions below zero are refused, and nothing may be read at the position
/// that appends. No packet comes; Wine has one all the same.
/// <https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile>
#[test]
fn positions_below_zero_are_refused() {
    let (folder, port, file) = holding(b"bytes");
    for position in [1 << 63, u64::MAX - 2] {
        port.refused_by_a_file(write_at(&file, b"!", position), &[ERROR_INVALID_PARAMETER]);
        port.refused_by_a_file(read_at(&file, 1, position), &[ERROR_INVALID_PARAMETER]);
    }
    port.refused_by_a_file(read_at(&file, 1, u64::MAX), &[ERROR_INVALID_PARAMETER]);
    assert_eq!(contents(&folder), b"bytes");
}

/// (64, 80) Nor is anything written from no memory.
/// <https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile>
#[test]
fn bytes_that_are_nowhere_are_refused() {
    let (folder, port, file) = holding(b"bytes");
    let operation = Operation::new(Vec::new(), 0, null_mut());
    let (handle, overlapped) = (file.as_raw_handle(), operation.overlapped());
    // SAFETY: the file is open, and the operation stays where it is. There is no memory to read,
    // which is an error of the call.
    let answer = Answer::of(
        unsafe { ffi::kernel32::WriteFile(handle, null(), 5, null_mut(), overlapped) } != FALSE,
    );
    let errors = [ERROR_INVALID_USER_BUFFER, ERROR_NOACCESS, ERROR_INVALID_PARAMETER];
    println!("error {}", port.refused_by_a_file((operation, answer), &errors));
    assert_eq!(contents(&folder), b"bytes");
}

/// `DeviceIoControl`, which makes a file sparse, on a handle of its own that waits. (On one that is
/// overlapped Wine says that it is done, and brings no packet.)
fn make_sparse(folder: &Folder) -> bool {
    let file = open(folder.file("file"), BOTH, OPEN_EXISTING, 0).expect("the file again");
    let (file, mut count) = (file.as_raw_handle(), 0);
    let (code, input, output, nothing) = (FSCTL_SET_SPARSE, null(), null_mut(), null_mut());
    // SAFETY: the file is open, and there is room for the count. The code takes no memory.
    let answer = unsafe {
        ffi::kernel32::DeviceIoControl(file, code, input, 0, output, 0, &mut count, nothing)
    };
    answer != FALSE
}

/// (84) A position has 64 bits, so a file can be written and read beyond 4 GiB. It is made sparse
/// before, so that what nobody has written takes no room; a file system need not know how.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/sparse-files>
#[test]
fn a_file_can_be_longer_than_four_gib() {
    const FAR: u64 = (5 << 30) + 3;
    let (folder, port, file) = holding(b"near");
    println!("it is sparse: {}", make_sparse(&folder));
    assert_eq!(port.end_of(write_at(&file, b"far", FAR)).count, 3);
    assert_eq!(port.end_of(read_at(&file, 8, FAR - 2)).bytes, b"\0\0far");
    assert_eq!(port.end_of(read_at(&file, 6, 0)).bytes, b"near\0\0");
}

/// (7, 85) A file that was not opened for overlapped operations, and one that has a port already,
/// are refused with the same error. How the file was opened tells which it is.
/// <https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntifs/ns-ntifs-_file_mode_information>
#[test]
fn how_a_file_was_opened_tells_why_a_port_refuses_it() {
    let (folder, port, overlapped) = holding(b"bytes");
    let plain = open(folder.file("file"), BOTH, OPEN_EXISTING, 0).expect("the file again");
    for (file, synchronous) in [(&overlapped, false), (&plain, true)] {
        let again = create_port(file.as_raw_handle(), port.handle(), 8, 0);
        assert_eq!(again, Err(ERROR_INVALID_PARAMETER));
        assert_eq!(is_synchronous(file), synchronous);
    }
    let of_std = File::open(folder.file("file")).expect("the file once more");
    assert!(is_synchronous(&of_std));
}

/// (86) Without a cache all is in multiples of the sector: what is not is refused by Windows. Wine
/// has a cache all the same, and refuses nothing.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/file-buffering>
#[test]
fn without_a_cache_all_is_in_multiples_of_the_sector() {
    const SECTOR: usize = 4096;
    let (folder, port) = (Folder::new(), Port::new());
    let flags = FILE_FLAG_OVERLAPPED | FILE_FLAG_NO_BUFFERING;
    let file = open(folder.file("file"), BOTH, CREATE_NEW, flags).expect("a new file");
    port.associate(file.as_raw_handle(), 7);
    let start = |length: u32, shift: usize| {
        let operation = Operation::new(vec![1; 3 * SECTOR], 0, null_mut());
        let (file, overlapped, buffer) =
            (file.as_raw_handle(), operation.overlapped(), operation.buffer());
        let aligned = buffer.wrapping_add(buffer.align_offset(SECTOR) + shift).cast();
        // SAFETY: the file is open. The bytes, of which there are enough from there on, and the
        // operation stay where they are until the packet was dequeued, or for ever.
        let answer =
            unsafe { ffi::kernel32::WriteFile(file, aligned, length, null_mut(), overlapped) };
        let answer = Answer::of(answer != FALSE);
        (operation, answer)
    };
    let end = port.end_of(start(SECTOR as u32, 0));
    assert_eq!((end.status, end.count), (STATUS_SUCCESS, SECTOR as u32));
    for (length, shift) in [(100, 0), (SECTOR as u32, 1)] {
        let (operation, answer) = start(length, shift);
        println!("{length} bytes, {shift} beside the sector: {answer:?}");
        if let Answer::Failed(_) = answer {
            port.refused((operation, answer), &[ERROR_INVALID_PARAMETER]);
        } else {
            assert_eq!(port.end(operation).count, length);
        }
    }
}

/// (87) A file's operation can be cancelled, or has ended meanwhile; its packet comes either way.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func>
#[test]
fn cancelling_an_operation_on_a_file_is_a_race() {
    let (_folder, port, file) = holding(&[1; 1000]);
    let (operation, answer) = read_at(&file, 1000, 0);
    assert!(matches!(answer, Answer::AtOnce | Answer::Pending), "{answer:?}");
    let cancelled = cancel_on(file.as_raw_handle(), Some(&operation));
    let end = port.end(operation);
    println!("cancelled: {cancelled:?}, and the packet says {:#010x}", end.status);
    assert!(matches!(cancelled, Ok(()) | Err(ERROR_NOT_FOUND)));
    assert!([STATUS_SUCCESS, STATUS_CANCELLED].contains(&end.status));
    port.assert_empty();
}

/// (64, 88) Writing without the right to write, or reading without that to read, is refused.
/// <https://learn.microsoft.com/en-us/windows/win32/fileio/file-security-and-access-rights>
#[test]
fn what_the_handle_has_no_right_to_is_refused() {
    let (folder, port, _file) = holding(b"bytes");
    let name = folder.file("file");
    let readable = open(&name, GENERIC_READ, OPEN_EXISTING, FILE_FLAG_OVERLAPPED).expect("opened");
    let writable = open(&name, GENERIC_WRITE, OPEN_EXISTING, FILE_FLAG_OVERLAPPED).expect("opened");
    port.associate(readable.as_raw_handle(), 8);
    port.associate(writable.as_raw_handle(), 9);
    port.refused_by_a_file(write_at(&readable, b"!", 0), &[ERROR_ACCESS_DENIED]);
    port.refused_by_a_file(read_at(&writable, 1, 0), &[ERROR_ACCESS_DENIED]);
    assert_eq!(contents(&folder), b"bytes");
}

/// (46, 89) A file that skips the port on success brings packets of what was pending, and of
/// nothing else.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-setfilecompletionnotificationmodes>
#[test]
fn a_file_that_skips_the_port_on_success_brings_packets_of_what_was_pending() {
    let (folder, port, file) = holding(b"01234");
    skip_on_success_of(file.as_raw_handle());
    for position in 0..3 {
        let (operation, answer) = write_at(&file, b"x", position);
        println!("a write: {answer:?}");
        if answer == Answer::AtOnce {
            port.assert_empty();
            // SAFETY: it has succeeded at once, on a file that queues no packet then.
            assert_eq!(unsafe { operation.take_back() }.overlapped.InternalHigh, 1);
        } else {
            assert_eq!(port.end_of((operation, answer)).count, 1);
        }
    }
    assert_eq!(contents(&folder), b"xxx34");
}

/// (90) std's own reads and writes without a position are errors on an overlapped file, since it
/// has none; what is no read and no write works. (std's `seek_read` and `seek_write` end the
/// process if they stay pending, so nobody may rely on them.)
/// <https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile>
#[test]
fn reads_and_writes_of_std_fail_on_an_overlapped_file() {
    let (folder, _port, file) = holding(b"bytes");
    let mut file = File::from(file);
    let refused = Some(ERROR_INVALID_PARAMETER as i32);
    let read = file.read(&mut [0; 4]).expect_err("a file without a position");
    let written = file.write(b"!").expect_err("a file without a position");
    assert_eq!((read.raw_os_error(), written.raw_os_error()), (refused, refused));
    assert_eq!(file.metadata().expect("its length").len(), 5);
    file.set_len(3).expect("cut");
    file.sync_all().expect("on the disk");
    assert_eq!(contents(&folder), b"byt");
}
