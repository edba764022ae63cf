//! Raw calls: those that the layer has no method for, on pipes, files and directories.
#![cfg(windows)]
#![allow(unsafe_code, reason = "to submit a raw operation is unsafe")]

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::null_mut;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Acquire;
use std::thread;
use std::time::Duration;

use overlapped::ffi::constants::*;
use overlapped::ffi::ntstatus::STATUS_PENDING;
use overlapped::{
    Buffer, Completion, CompletionQueue, Completions, Failure, Key, RawCall, Rejected, ffi,
};

mod support;
use support::{assert_quiet, one};

#[path = "support/files.rs"]
mod files;
use files::Folder;

#[path = "support/raw.rs"]
mod raw;
use raw::{client, directory, one_raw, read, registered_client, server, start_read};

/// Writes a message to the pipe and reads the answer, both from one buffer.
fn transact(call: &RawCall<'_>) -> io::Result<()> {
    let ((input, input_length), (room, length)) = (call.filled(), call.spare());
    let handle = call.handle().as_raw_handle();
    // SAFETY: all this is lent.
    call.answer(unsafe {
        ffi::kernel32::TransactNamedPipe(
            handle,
            input.cast(),
            input_length,
            room.cast(),
            length,
            null_mut(),
            call.overlapped(),
        )
    })
}

fn connect(call: &RawCall<'_>) -> io::Result<()> {
    let handle = call.handle().as_raw_handle();
    // SAFETY: the `OVERLAPPED` is lent.
    call.answer(unsafe { ffi::kernel32::ConnectNamedPipe(handle, call.overlapped()) })
}

fn question(room: usize) -> Vec<u8> {
    let mut buffer = Vec::with_capacity(8 + room);
    buffer.extend_from_slice(b"question");
    buffer
}

#[test]
fn a_transaction_sends_what_is_filled_and_fills_what_is_spare() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (pipe, mut server) = registered_client(&queue, Key(7));
    // SAFETY: it makes one call, with what it is given, and passes its answer on.
    let id = unsafe { pipe.submit(0, question(64), transact) }?;
    let mut asked = [0; 64];
    assert_eq!(server.read(&mut asked)?, 8);
    assert_eq!(&asked[..8], b"question");
    server.write_all(b"answer")?;
    let Completion::Raw { key: Key(7), id: of, mut buffer, count, result: Ok(()) } = one(&queue)
    else {
        panic!("the answer was expected");
    };
    assert_eq!((of, count, buffer.as_slice()), (id, 6, b"question".as_slice()));
    // SAFETY: so many bytes were written to the front of the spare room.
    unsafe { buffer.advance(count) };
    assert_eq!(buffer, b"questionanswer");
    assert_eq!((queue.in_flight(), pipe.in_flight()), (0, 0));
    Ok(())
}

/// A warning: the call may say so at once, and the operation has run.
#[test]
fn an_answer_that_is_too_long_is_a_warning_with_the_bytes_that_fit() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (pipe, mut server) = registered_client(&queue, Key(1));
    for there_before in [false, true] {
        if there_before {
            server.write_all(b"answer")?;
            read(&pipe, Vec::with_capacity(4))?;
        } else {
            // SAFETY: as above.
            unsafe { pipe.submit(0, question(4), transact) }?;
            assert_eq!(server.read(&mut [0; 64])?, 8);
            server.write_all(b"answer")?;
        }
        let (mut buffer, count, result) = one_raw(&queue);
        let Err(Failure::Error(error)) = result else { panic!("{result:?}") };
        assert_eq!((error.raw_os_error(), count), (Some(ERROR_MORE_DATA as i32), 4));
        // SAFETY: as above.
        unsafe { buffer.advance(count) };
        assert!(buffer.ends_with(b"answ"), "{buffer:?}");
        read(&pipe, Vec::with_capacity(4))?;
        let (mut buffer, count, result) = one_raw(&queue);
        result?;
        // SAFETY: as above.
        unsafe { buffer.advance(count) };
        assert_eq!(buffer, b"er");
    }
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn a_client_is_waited_for_and_one_that_is_there_is_an_error_of_the_call() -> io::Result<()> {
    let queue = CompletionQueue::<Vec<u8>>::new()?;
    let (pipe, name) = server(FILE_FLAG_OVERLAPPED);
    let pipe = queue.register(pipe, Key(1))?;
    // SAFETY: it makes one call, with what it is given, and passes its answer on.
    unsafe { pipe.submit(0, Vec::new(), connect) }?;
    assert_quiet(&queue);
    let _client = client(&name, 0);
    one_raw(&queue).2?;
    // SAFETY: as above.
    let again = unsafe { pipe.submit(0, vec![7], connect) };
    let Rejected { error, returned } = again.expect_err("there is one");
    assert_eq!(error.raw_os_error(), Some(ERROR_PIPE_CONNECTED as i32));
    assert_eq!(returned, [7]);
    assert_quiet(&queue);
    assert_eq!(pipe.in_flight(), 0);
    Ok(())
}

#[test]
fn what_changes_in_a_directory_comes_as_records() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::<Box<[Vec<u8>]>>::new()?);
    let watched = queue.register(directory(folder.path()), Key(1))?;
    let room = Box::new([Vec::with_capacity(4096)]) as Box<[Vec<u8>]>;
    let watch = |call: &RawCall<'_>| {
        let ((room, length), handle) = (call.spare(), call.handle().as_raw_handle());
        assert_eq!(room.addr() % 4, 0, "the system's allocator aligns to 8 or 16");
        // SAFETY: the room is lent and aligned, and so is the `OVERLAPPED`.
        call.answer(unsafe {
            ffi::kernel32::ReadDirectoryChangesW(
                handle,
                room.cast(),
                length,
                FALSE,
                FILE_NOTIFY_CHANGE_FILE_NAME,
                null_mut(),
                call.overlapped(),
                None,
            )
        })
    };
    // SAFETY: it makes one call, with what it is given, and passes its answer on.
    unsafe { watched.submit(0, room, watch) }?;
    fs::write(folder.at("new"), "")?;
    let (mut buffer, count, result) = one_raw(&queue);
    result?;
    // SAFETY: so many bytes were written to the front of the spare room.
    unsafe { buffer.advance(count) };
    let name: Vec<u8> = "new".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(buffer[0][4..8], FILE_ACTION_ADDED.to_le_bytes());
    assert_eq!(buffer[0][8..12], 6_u32.to_le_bytes());
    assert_eq!(buffer[0][12..18], name);
    Ok(())
}

/// Wine locks, and brings no packet for it; then what was lent stays in flight, and goes with the
/// queue.
#[test]
fn a_lock_is_granted_at_its_offset() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::<Vec<u8>>::new()?);
    let path = folder.file(b"0123456789");
    let file = queue.register(OwnedHandle::from(files::overlapped().open(&path)?), Key(1))?;
    let lock = |call: &RawCall<'_>| {
        let flags = LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY;
        let handle = call.handle().as_raw_handle();
        let overlapped = call.overlapped();
        // SAFETY: the `OVERLAPPED` is lent.
        let answer = unsafe { ffi::kernel32::LockFileEx(handle, flags, 0, 4, 0, overlapped) };
        let answer = call.answer(answer);
        // A lock that is refused at once may bring a packet all the same, and says so here.
        // SAFETY: it is lent, and everybody touches its first field, the status, as an atomic.
        let status = unsafe { &*overlapped.cast::<AtomicUsize>() };
        let has_run = status.load(Acquire) as i32 != STATUS_PENDING;
        answer.or_else(|error| if has_run { Ok(()) } else { Err(error) })
    };
    // SAFETY: it makes one call, with what it is given, and passes its answer on.
    unsafe { file.submit(3, Vec::new(), lock) }?;
    let mut batch = Completions::with_capacity(4);
    match queue.wait(&mut batch, Some(Duration::from_millis(500)))?.next() {
        Some(Completion::Raw { result, .. }) => result?,
        None => assert_eq!(file.in_flight(), 1),
        Some(other) => panic!("{other:?}"),
    }
    let other = queue.register(OwnedHandle::from(files::overlapped().open(&path)?), Key(2))?;
    // SAFETY: as above.
    match unsafe { other.submit(5, vec![7], lock) } {
        Err(Rejected { error, returned }) => {
            assert_eq!(error.raw_os_error(), Some(ERROR_LOCK_VIOLATION as i32));
            assert_eq!(returned, [7]);
        }
        Ok(_) => {
            let Err(Failure::Error(error)) = one_raw(&queue).2 else {
                panic!("a lock was granted")
            };
            assert_eq!(error.raw_os_error(), Some(ERROR_LOCK_VIOLATION as i32));
        }
    }
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn a_read_at_an_offset_goes_there() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let path = folder.file(b"0123456789");
    let file = queue.register(OwnedHandle::from(files::overlapped().open(&path)?), Key(1))?;
    for (offset, expected) in [(0, b"012"), (7, b"789")] {
        // SAFETY: it makes one call, with what it is given, and passes its answer on.
        unsafe { file.submit(offset, Vec::with_capacity(3), start_read) }?;
        let (mut buffer, count, result) = one_raw(&queue);
        result?;
        assert_eq!((buffer.len(), count), (0, 3));
        // SAFETY: so many bytes were read.
        unsafe { buffer.advance(count) };
        assert_eq!(buffer, expected);
    }
    Ok(())
}

#[test]
fn a_start_that_fails_gives_the_buffer_back() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (pipe, _server) = registered_client(&queue, Key(1));
    let refuses = |call: &RawCall<'_>| {
        call.overlapped();
        Err(io::Error::new(ErrorKind::AddrInUse, "of my own"))
    };
    // SAFETY: no call is made.
    let refused = unsafe { pipe.submit(0, vec![7], refuses) }.expect_err("refused");
    assert_eq!((refused.error.kind(), refused.returned), (ErrorKind::AddrInUse, vec![7]));

    // A call that the system refuses: to read nothing from what cannot be read.
    let folder = Folder::new();
    let path = folder.file(b"hello");
    let mut options = File::options();
    std::os::windows::fs::OpenOptionsExt::custom_flags(&mut options, FILE_FLAG_OVERLAPPED);
    let file = queue.register(OwnedHandle::from(options.write(true).open(path)?), Key(2))?;
    // SAFETY: it makes one call, with what it is given, and passes its answer on.
    let refused =
        unsafe { file.submit(0, Vec::with_capacity(7), start_read) }.expect_err("refused");
    assert_eq!(refused.error.kind(), ErrorKind::PermissionDenied);
    assert_eq!(refused.returned.capacity(), 7);

    // SAFETY: no call is made, and none can be: nobody was given the `OVERLAPPED`.
    let nothing = unsafe { pipe.submit(0, vec![8], |_| Ok(())) }.expect_err("nothing was started");
    assert_eq!((nothing.error.kind(), nothing.returned), (ErrorKind::InvalidInput, vec![8]));
    let pending = |_: &RawCall<'_>| Err(io::Error::from_raw_os_error(997));
    // SAFETY: as above.
    let nothing = unsafe { pipe.submit(0, vec![9], pending) }.expect_err("nothing was started");
    assert_eq!((nothing.error.raw_os_error(), nothing.returned), (Some(997), vec![9]));
    assert_quiet(&queue);
    assert_eq!((queue.in_flight(), pipe.in_flight(), file.in_flight()), (0, 0, 0));
    Ok(())
}

#[test]
fn what_cannot_be_given_to_a_call_is_refused_before_it() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (pipe, _server) = registered_client(&queue, Key(1));
    let scattered = [vec![1], vec![2]];
    let never = |_: &RawCall<'_>| -> io::Result<()> { panic!("it is not to be called") };
    // SAFETY: no call is made.
    let refused = unsafe { pipe.submit(0, scattered, never) }.expect_err("refused");
    assert_eq!(refused.error.kind(), ErrorKind::InvalidInput);
    assert_eq!(refused.returned, [[1], [2]]);
    drop(queue);
    // SAFETY: as above.
    let refused = unsafe { pipe.submit(0, [vec![1], vec![]], never) }.expect_err("refused");
    assert_eq!(refused.error.kind(), ErrorKind::BrokenPipe);
    Ok(())
}

/// An error with a code that becomes of warnings says that a packet comes.
#[test]
fn with_each_warning_the_packet_is_waited_for() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (pipe, mut server) = registered_client(&queue, Key(1));
    for code in [234, 997, 10040, 1022, 18, 28, 254, 259, 299, 680, 1100, 1111, 1166, 5065] {
        let warns = |call: &RawCall<'_>| {
            // It is pending, whatever is told of it.
            let _ = start_read(call);
            Err(io::Error::from_raw_os_error(code))
        };
        // SAFETY: the call's operation is pending, and a packet comes.
        unsafe { pipe.submit(0, Vec::with_capacity(9), warns) }?;
        assert_eq!(queue.in_flight(), 1, "after {code}");
        server.write_all(b"message")?;
        let (buffer, count, result) = one_raw(&queue);
        assert_eq!((buffer.capacity(), count), (9, 7));
        result?;
    }
    Ok(())
}

#[test]
fn what_is_pending_can_be_cancelled_and_dropped() -> io::Result<()> {
    let queue = CompletionQueue::new()?;
    let (pipe, mut server) = registered_client(&queue, Key(1));
    let ids = [read(&pipe, Vec::with_capacity(9))?, read(&pipe, Vec::with_capacity(9))?];
    assert!(pipe.cancel(ids[1])?);
    let Completion::Raw { id, result: Err(Failure::Cancelled), .. } = one(&queue) else {
        panic!("it was cancelled");
    };
    assert_eq!(id, ids[1]);
    assert!(!pipe.cancel(ids[1])?);
    server.write_all(b"hello")?;
    assert_eq!(one_raw(&queue).1, 5);
    read(&pipe, Vec::with_capacity(9))?;
    assert!(pipe.cancel_all()?);
    assert!(matches!(one_raw(&queue).2, Err(Failure::Cancelled)));

    read(&pipe, Vec::with_capacity(9))?;
    drop(pipe);
    assert_eq!(server.read(&mut [0; 9]).unwrap_or(0), 0, "the client has gone");
    assert_quiet(&queue);
    support::until("the cancelled read comes back", || {
        assert_quiet(&queue);
        queue.in_flight() == 0
    });
    Ok(())
}

#[test]
fn handles_that_have_no_operations_come_back() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::<Vec<u8>>::new()?);
    let file = OwnedHandle::from(File::open(folder.file(b""))?);
    let number = file.as_raw_handle();
    let refused = queue.register(file, Key(1)).expect_err("it is not overlapped");
    assert_eq!(refused.error.kind(), ErrorKind::InvalidInput);
    assert_eq!(refused.returned.as_raw_handle(), number);
    let thread = thread::spawn(|| {});
    let thread = OwnedHandle::from(thread);
    queue.register(thread, Key(1)).expect_err("a thread is no file");
    Ok(())
}
