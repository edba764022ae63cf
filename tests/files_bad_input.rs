//! What cannot be done with files: each gets an error that names the cause, and nothing is lost.
#![cfg(windows)]
#![allow(unsafe_code, reason = "it makes pipes, and locks, which std does not")]

use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};

use overlapped::ffi::constants::*;
use overlapped::ffi::types::OVERLAPPED;
use overlapped::{Buffer, Completion, CompletionQueue, Key, Registration, Rejected, ffi};

mod support;
use support::{assert_quiet, one};

#[path = "support/files.rs"]
mod files;
use files::{Folder, one_written, registered_file};

/// The queue does not take it, for a reason that has these words, and it comes back open.
#[track_caller]
fn assert_refused(queue: &CompletionQueue, file: File, words: &str) -> File {
    let number = file.as_raw_handle();
    let Rejected { error, returned } = queue.register(file, Key(1)).expect_err("refused");
    assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    assert_eq!(returned.as_raw_handle(), number);
    returned
}

/// Nothing was started, for a reason that has these words, and the buffer comes back.
#[track_caller]
fn assert_rejected<T: std::fmt::Debug, B: Buffer>(
    submitted: Result<T, Rejected<B>>,
    kind: ErrorKind,
    words: &str,
) -> B {
    let Rejected { error, returned } = submitted.expect_err("refused");
    assert_eq!(error.kind(), kind, "{error}");
    assert!(error.to_string().contains(words), "{error}");
    returned
}

#[test]
fn a_file_that_is_not_overlapped_comes_back_with_the_way_to_open_it() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = File::open(folder.file(b"hello"))?;
    let file = assert_refused(&queue, file, "custom_flags(0x4000_0000)");
    assert_eq!(io::read_to_string(&file)?, "hello", "std can read on");
    Ok(())
}

#[test]
fn a_file_that_is_registered_already_comes_back() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(1), &folder, b"hello");
    let duplicate = file.get_ref().try_clone()?;
    assert_refused(&queue, duplicate, "registered already");
    let other = CompletionQueue::new()?;
    assert_refused(&other, file.into_inner(), "registered already");
    Ok(())
}

#[test]
fn what_is_no_file_is_told_where_it_belongs() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let mut options = File::options();
    let flags = FILE_FLAG_OVERLAPPED | FILE_FLAG_BACKUP_SEMANTICS;
    let directory = options.read(true).custom_flags(flags).open(folder.path())?;
    assert_refused(&queue, directory, "ReadDirectoryChangesW");

    let null = File::options().write(true).custom_flags(FILE_FLAG_OVERLAPPED).open("NUL")?;
    assert_refused(&queue, null, "OwnedHandle");

    assert_refused(&queue, File::from(pipe()), "NamedPipe");
    Ok(())
}

/// The server's end of a pipe.
fn pipe() -> OwnedHandle {
    let name = format!(r"\\.\pipe\overlapped-bad-input-{}", std::process::id());
    let name: Vec<u16> = name.encode_utf16().chain([0]).collect();
    let open = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED;
    // SAFETY: the name ends with 0, and the rest is numbers.
    let pipe = unsafe {
        ffi::kernel32::CreateNamedPipeW(name.as_ptr(), open, PIPE_TYPE_BYTE, 1, 64, 64, 0, null())
    };
    assert_ne!(pipe, INVALID_HANDLE_VALUE, "{}", io::Error::last_os_error());
    // SAFETY: the handle is open, new, and nobody else's.
    unsafe { OwnedHandle::from_raw_handle(pipe) }
}

/// Locks the beginning of a file for this handle, until that is closed.
fn lock(file: &File) {
    let mut place =
        OVERLAPPED { Internal: 0, InternalHigh: 0, Offset: 0, OffsetHigh: 0, hEvent: null_mut() };
    let flags = LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY;
    // SAFETY: the file is open and not overlapped, so the call is over when it returns.
    let locked =
        unsafe { ffi::kernel32::LockFileEx(file.as_raw_handle(), flags, 0, 100, 0, &mut place) };
    assert_ne!(locked, FALSE, "{}", io::Error::last_os_error());
}

#[test]
fn an_offset_that_no_file_has_is_refused_before_the_call() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(1), &folder, b"hello");
    let (last, negative) = (i64::MAX as u64, -1_i64 as u64);
    for offset in [negative, -2_i64 as u64, last + 1, last, last - 6] {
        let buffer = file.read_at(offset, Vec::with_capacity(7));
        assert_eq!(assert_rejected(buffer, ErrorKind::InvalidInput, "offset").capacity(), 7);
        let buffer = file.write_at(offset, b"1234567".to_vec());
        assert_eq!(assert_rejected(buffer, ErrorKind::InvalidInput, "offset"), b"1234567");
    }
    // A write of nothing at -1 is not at the end either.
    assert_rejected(file.write_at(negative, Vec::new()), ErrorKind::InvalidInput, "offset");
    assert_eq!(file.get_ref().metadata()?.len(), 5);
    assert_quiet(&queue);
    assert_eq!((queue.in_flight(), file.in_flight()), (0, 0));
    Ok(())
}

#[test]
fn a_buffer_that_does_not_fit_comes_back() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(1), &folder, b"hello");
    let full = file.read_at(0, b"full".to_vec().into_boxed_slice().into_vec());
    assert_eq!(assert_rejected(full, ErrorKind::InvalidInput, "spare room"), b"full");

    let queue = CompletionQueue::<[Vec<u8>; 2]>::new()?;
    let file = registered_file(&queue, Key(1), &folder, b"hello");
    let scattered = file.write_at(0, [b"ab".to_vec(), b"cd".to_vec()]);
    let back = assert_rejected(scattered, ErrorKind::InvalidInput, "several parts");
    assert_eq!(back, [b"ab", b"cd"]);
    // In one of the parts it can be, whichever.
    file.write_at(1, [Vec::new(), b"cd".to_vec()])?;
    assert_eq!(one_written(&queue).1, 2);
    file.read_at(0, [b"full".to_vec().into_boxed_slice().into_vec(), Vec::with_capacity(9)])?;
    let Completion::Read { buffer, .. } = one(&queue) else { panic!("a read was expected") };
    assert_eq!(buffer, [b"full".as_slice(), b"hcdlo"]);
    Ok(())
}

#[test]
fn what_a_file_was_not_opened_for_is_denied() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let path = folder.file(b"hello");
    let mut options = File::options();
    options.custom_flags(FILE_FLAG_OVERLAPPED);
    let to_read = queue.register(options.clone().read(true).open(&path)?, Key(1))?;
    let to_write = queue.register(options.clone().write(true).open(&path)?, Key(2))?;
    let back = assert_rejected(to_read.write_at(0, b"!".to_vec()), ErrorKind::PermissionDenied, "");
    assert_eq!(back, b"!");
    let back = assert_rejected(to_read.append(b"!".to_vec()), ErrorKind::PermissionDenied, "");
    assert_eq!(back, b"!");
    let read = to_write.read_at(0, Vec::with_capacity(4));
    assert_rejected(read, ErrorKind::PermissionDenied, "");
    assert_quiet(&queue);
    Ok(())
}

/// At once or by a packet, as the system likes: an error of the lock, and the buffer.
#[test]
fn what_other_code_has_locked_is_an_error_and_no_end() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(1), &folder, b"hello");
    let other = File::open(folder.at("file"))?;
    lock(&other);
    let error = match file.read_at(0, Vec::with_capacity(4)) {
        Err(Rejected { error, returned }) => {
            assert_eq!(returned.capacity(), 4);
            Some(error)
        }
        Ok(_) => match one(&queue) {
            Completion::Read { result, .. } => result.err().map(io::Error::from),
            other => panic!("{other:?}"),
        },
    };
    // Wine locks for those who lock, and lets others read.
    if let Some(error) = error {
        assert_eq!(error.raw_os_error(), Some(ERROR_LOCK_VIOLATION as i32), "{error}");
    }
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn a_file_that_outlives_its_queue_says_so() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file: Registration<File> = registered_file(&queue, Key(1), &folder, b"hello");
    drop(queue);
    let back = file.read_at(0, Vec::with_capacity(9));
    assert_eq!(assert_rejected(back, ErrorKind::BrokenPipe, "queue").capacity(), 9);
    let back = file.write_at(0, b"!".to_vec());
    assert_eq!(assert_rejected(back, ErrorKind::BrokenPipe, "queue"), b"!");
    assert_eq!(file.get_ref().metadata()?.len(), 5);
    Ok(())
}
