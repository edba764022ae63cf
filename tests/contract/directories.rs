//! `ReadDirectoryChangesW`: what has changed in a directory, or that it was too much to keep.
#![allow(unsafe_code, reason = "it makes the calls that the tests are about")]

use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::null_mut;

use overlapped::ffi;
use overlapped::ffi::constants::{
    FALSE, FILE_ACTION_ADDED, FILE_ACTION_REMOVED, FILE_ACTION_RENAMED_NEW_NAME,
    FILE_ACTION_RENAMED_OLD_NAME, FILE_FLAG_BACKUP_SEMANTICS, FILE_FLAG_OVERLAPPED,
    FILE_LIST_DIRECTORY, FILE_NOTIFY_CHANGE_FILE_NAME, OPEN_EXISTING,
};
use overlapped::ffi::ntstatus::{
    STATUS_CANCELLED, STATUS_NOTIFY_CLEANUP, STATUS_NOTIFY_ENUM_DIR, STATUS_SUCCESS,
};
use overlapped::ffi::types::{DWORD, FILE_NOTIFY_INFORMATION, NTSTATUS};

use super::handles::{Folder, open};
use super::kernel::{Answer, Operation, Port};

/// A directory that is on a port.
fn watched() -> (Folder, Port, OwnedHandle) {
    let (folder, port) = (Folder::new(), Port::new());
    let flags = FILE_FLAG_OVERLAPPED | FILE_FLAG_BACKUP_SEMANTICS;
    let directory = open(folder.path(), FILE_LIST_DIRECTORY, OPEN_EXISTING, flags);
    let directory = directory.expect("the directory");
    port.associate(directory.as_raw_handle(), 7);
    (folder, port, directory)
}

/// `ReadDirectoryChangesW`, of names of files. The room must be aligned to 4, as an allocation of
/// so many bytes is, although none of bytes need be.
fn watch(directory: &OwnedHandle, room: usize) -> (Operation, Answer) {
    let operation = Operation::new(vec![0; room], 0, null_mut());
    let (buffer, length) = (operation.buffer().cast(), operation.length());
    assert!(operation.buffer().addr() % 4 == 0);
    let (directory, overlapped) = (directory.as_raw_handle(), operation.overlapped());
    let (filter, count) = (FILE_NOTIFY_CHANGE_FILE_NAME, null_mut());
    // SAFETY: the directory is open. The room and the operation stay where they are until the
    // packet was dequeued, or for ever; nobody touches them before.
    let answer = unsafe {
        ffi::kernel32::ReadDirectoryChangesW(
            directory, buffer, length, FALSE, filter, count, overlapped, None,
        )
    };
    let answer = Answer::of(answer != FALSE);
    (operation, answer)
}

/// A watch that has begun. TRUE says no more than that.
#[track_caller]
fn watching(directory: &OwnedHandle, room: usize) -> Operation {
    let (operation, answer) = watch(directory, room);
    assert!(matches!(answer, Answer::AtOnce | Answer::Pending), "{answer:?}");
    operation
}

/// The changes in the bytes: actions and names. Nothing is read by its alignment, since with Wine
/// records begin where the one before ends (116).
fn changes(bytes: &[u8]) -> Vec<(DWORD, String)> {
    let number = |at: usize| {
        let number: [u8; 4] = bytes[at..at + 4].try_into().expect("four bytes");
        u32::from_ne_bytes(number)
    };
    const NAME: usize = std::mem::offset_of!(FILE_NOTIFY_INFORMATION, FileName);
    let (mut changes, mut at) = (Vec::new(), 0);
    while !bytes.is_empty() {
        let (next, action, length) = (number(at), number(at + 4), number(at + 8));
        let name = &bytes[at + NAME..at + NAME + length as usize];
        let units = name.chunks(2).map(|unit| u16::from_ne_bytes([unit[0], unit[1]]));
        changes.push((action, String::from_utf16_lossy(&units.collect::<Vec<_>>())));
        if next == 0 {
            break;
        }
        println!("the next record is {next} bytes on");
        at += next as usize;
    }
    changes
}

/// (112) A watch that has begun says TRUE; its packet comes when something has changed.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-readdirectorychangesw>
#[test]
fn a_watch_says_that_it_is_queued_and_not_that_something_has_changed() {
    let (folder, port, directory) = watched();
    let (operation, answer) = watch(&directory, 1024);
    println!("a watch: {answer:?}");
    assert!(matches!(answer, Answer::AtOnce | Answer::Pending));
    port.assert_empty();
    std::fs::write(folder.file("new"), b"").expect("a new file");
    let end = port.end(operation);
    assert_eq!((end.key, end.status), (7, STATUS_SUCCESS));
    assert_eq!(changes(&end.bytes), [(FILE_ACTION_ADDED, "new".to_owned())]);
}

/// (113, 116) What changes between two watches is kept for the second. A file that is renamed has
/// two records, that lead from one to the other.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-readdirectorychangesw>
#[test]
fn what_changes_between_two_watches_is_kept() {
    let (folder, port, directory) = watched();
    let operation = watching(&directory, 1024);
    std::fs::write(folder.file("first"), b"").expect("a new file");
    assert_eq!(changes(&port.end(operation).bytes), [(FILE_ACTION_ADDED, "first".to_owned())]);
    std::fs::rename(folder.file("first"), folder.file("other")).expect("renamed");
    std::fs::remove_file(folder.file("other")).expect("removed");
    let mut seen = Vec::new();
    while seen.len() < 3 {
        seen.extend(changes(&port.end(watching(&directory, 1024)).bytes));
    }
    let expected = [
        (FILE_ACTION_RENAMED_OLD_NAME, "first".to_owned()),
        (FILE_ACTION_RENAMED_NEW_NAME, "other".to_owned()),
        (FILE_ACTION_REMOVED, "other".to_owned()),
    ];
    assert_eq!(seen, expected);
}

/// (114) When more has changed than can be kept, the packet has 0 bytes, with a success or with a
/// status of its own: the directory is to be read anew.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-readdirectorychangesw>
#[test]
fn more_than_can_be_kept_is_a_success_of_no_bytes() {
    let (folder, port, directory) = watched();
    let operation = watching(&directory, 16);
    std::fs::write(folder.file("a name that is much longer than the room"), b"").expect("a file");
    let end = port.end(operation);
    println!("too much: {:#010x}, {} bytes", end.status, end.count);
    assert!([STATUS_SUCCESS, STATUS_NOTIFY_ENUM_DIR].contains(&end.status));
    assert_eq!(end.count, 0);
    // The watch is well, and goes on.
    let operation = watching(&directory, 1024);
    std::fs::write(folder.file("next"), b"").expect("a file");
    let end = port.end(operation);
    assert!(end.status == STATUS_SUCCESS || end.count == 0, "{:#010x}", end.status);
}

/// (115) Closing the directory ends the watch: with a success of no bytes, as others have seen on
/// Windows, with the status for it, or cancelled; Wine has a mere warning, 8000000A. It is not to
/// be taken for (114).
/// <https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-readdirectorychangesw>
#[test]
fn closing_a_directory_ends_its_watch() {
    let (_folder, port, directory) = watched();
    let operation = watching(&directory, 1024);
    drop(directory);
    let end = port.end(operation);
    println!("closed: {:#010x}, {} bytes", end.status, end.count);
    const CLOSED_HERE: NTSTATUS = 0x8000_000A_u32 as NTSTATUS;
    let ends = [STATUS_SUCCESS, STATUS_NOTIFY_CLEANUP, STATUS_CANCELLED, CLOSED_HERE];
    assert!(ends.contains(&end.status));
    assert_eq!(end.count, 0);
}
