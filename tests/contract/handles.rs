//! Files and pipes, as the tests take them from the kernel: opened, read and written as a port
//! wants it, and what a call that was refused leaves behind.
#![allow(unsafe_code, reason = "it makes the calls that the tests are about")]

use std::ffi::{OsStr, c_void};
use std::fs::File;
use std::io::Read;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::path::{Path, PathBuf};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use overlapped::ffi;
use overlapped::ffi::constants::{
    DUPLICATE_SAME_ACCESS, FALSE, FILE_SHARE_DELETE, FILE_SHARE_READ, FILE_SHARE_WRITE,
    FILE_SYNCHRONOUS_IO_ALERT, FILE_SYNCHRONOUS_IO_NONALERT, FileModeInformation,
    INVALID_HANDLE_VALUE,
};
use overlapped::ffi::ntstatus::STATUS_PENDING;
use overlapped::ffi::types::{DWORD, FILE_MODE_INFORMATION, HANDLE, IO_STATUS_BLOCK};

use super::kernel::{Answer, DEADLINE, End, Operation, Port, last_error};

/// A name as Windows wants it.
pub fn wide(name: impl AsRef<OsStr>) -> Vec<u16> {
    name.as_ref().encode_wide().chain([0]).collect()
}

/// A number that no other test of this or another process has.
fn unique() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("overlapped-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed))
}

/// A pipe's name that nobody has.
pub fn pipe_name() -> String {
    format!(r"\\.\pipe\{}", unique())
}

/// A new directory, which goes with all that is in it when it is dropped.
#[derive(Debug)]
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        let path = std::env::temp_dir().join(unique());
        std::fs::create_dir(&path).expect("a directory for the test");
        Self(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A test that fails has more to say than that its directory is still in use.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// What a call has made, or why it has made nothing.
///
/// # Safety
///
/// The handle is new and nobody else's, or is NULL or INVALID.
pub unsafe fn made(handle: HANDLE) -> Result<OwnedHandle, DWORD> {
    if handle.is_null() || handle == INVALID_HANDLE_VALUE {
        return Err(last_error());
    }
    // SAFETY: the caller promises that it is ours.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// `CreateFileW`, which shares with everybody.
pub fn open(
    name: impl AsRef<OsStr>,
    access: DWORD,
    disposition: DWORD,
    flags: DWORD,
) -> Result<OwnedHandle, DWORD> {
    const SHARED: DWORD = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    let name = wide(name);
    let (name, nobody) = (name.as_ptr(), null_mut());
    // SAFETY: the name ends with a 0 and is there during the call.
    let handle = unsafe {
        ffi::kernel32::CreateFileW(name, access, SHARED, null(), disposition, flags, nobody)
    };
    // SAFETY: it is what the call has just made.
    unsafe { made(handle) }
}

/// `DuplicateHandle`, in this process.
pub fn duplicate(handle: &impl AsRawHandle) -> OwnedHandle {
    let (process, mut new) = (ffi::kernel32::GetCurrentProcess(), null_mut());
    let (old, same) = (handle.as_raw_handle(), DUPLICATE_SAME_ACCESS);
    // SAFETY: the handle is open, and there is room for the new one.
    let answer =
        unsafe { ffi::kernel32::DuplicateHandle(process, old, process, &mut new, 0, FALSE, same) };
    assert_ne!(answer, FALSE, "error {}", last_error());
    // SAFETY: it is what the call has just made.
    unsafe { made(new) }.expect("a duplicate")
}

/// Whether the file was not opened for overlapped operations, which `NtQueryInformationFile` says.
pub fn is_synchronous(file: &impl AsRawHandle) -> bool {
    let mut block = IO_STATUS_BLOCK { Status: 0, Information: 0 };
    let mut information = FILE_MODE_INFORMATION { Mode: 0 };
    let (file, class) = (file.as_raw_handle(), FileModeInformation);
    let (room, length) = ((&raw mut information).cast::<c_void>(), size_of_val(&information));
    // SAFETY: the file is open, and both have room during the call.
    let status =
        unsafe { ffi::ntdll::NtQueryInformationFile(file, &mut block, room, length as u32, class) };
    assert_eq!(status, 0, "{status:#010x}");
    information.Mode & (FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT) != 0
}

impl Operation {
    /// Where in the file it is to begin, to be said before the call.
    pub fn at(self, position: u64) -> Self {
        // SAFETY: the memory was leaked, and no call has been given it yet.
        let overlapped = unsafe { &mut *self.overlapped() };
        overlapped.Offset = position as u32;
        overlapped.OffsetHigh = (position >> 32) as u32;
        self
    }
}

/// `ReadFile`, from a position in a file. A pipe has none.
pub fn read_at(file: &impl AsRawHandle, room: usize, position: u64) -> (Operation, Answer) {
    let operation = Operation::new(vec![0; room], 0, null_mut()).at(position);
    let (buffer, length) = (operation.buffer().cast(), operation.length());
    let (file, overlapped) = (file.as_raw_handle(), operation.overlapped());
    // SAFETY: the file is open. The room and the operation stay where they are until the packet was
    // dequeued, or for ever; nobody touches them before.
    let answer = Answer::of(
        unsafe { ffi::kernel32::ReadFile(file, buffer, length, null_mut(), overlapped) } != FALSE,
    );
    (operation, answer)
}

/// `ReadFile`, of what comes next.
pub fn read(file: &impl AsRawHandle, room: usize) -> (Operation, Answer) {
    read_at(file, room, 0)
}

/// A read that finds nothing there.
#[track_caller]
pub fn pending_read(file: &impl AsRawHandle, room: usize) -> Operation {
    let (operation, answer) = read(file, room);
    assert_eq!(answer, Answer::Pending);
    operation
}

/// `WriteFile`, at a position in a file. A pipe has none.
pub fn write_at(file: &impl AsRawHandle, bytes: &[u8], position: u64) -> (Operation, Answer) {
    let operation = Operation::new(bytes.to_vec(), 0, null_mut()).at(position);
    let (buffer, length) = (operation.buffer().cast(), operation.length());
    let (file, overlapped) = (file.as_raw_handle(), operation.overlapped());
    // SAFETY: the file is open. The bytes and the operation stay where they are until the packet
    // was dequeued, or for ever; nobody touches them before.
    let answer = Answer::of(
        unsafe { ffi::kernel32::WriteFile(file, buffer, length, null_mut(), overlapped) } != FALSE,
    );
    (operation, answer)
}

/// `WriteFile`, after what was written before.
pub fn write(file: &impl AsRawHandle, bytes: &[u8]) -> (Operation, Answer) {
    write_at(file, bytes, 0)
}

/// What a file that waits has to read, or as many bytes as are wanted. It is read by a thread of
/// its own, since nobody can say to such a read how long it may take.
#[track_caller]
fn read_in_time(file: &File, room: usize, all: bool) -> Vec<u8> {
    let (mut file, (sender, receiver)) = (file.try_clone().expect("a duplicate"), channel());
    thread::spawn(move || {
        let mut bytes = vec![0; room];
        let count =
            if all { file.read_exact(&mut bytes).map(|()| room) } else { file.read(&mut bytes) };
        // The duplicate would keep the pipe open.
        drop(file);
        let _ = sender.send(count.map(|count| bytes[..count].to_vec()));
    });
    let limit = Duration::from_millis(DEADLINE.into());
    receiver.recv_timeout(limit).expect("the end of a read").expect("bytes")
}

/// What a file that waits has to read next.
#[track_caller]
pub fn read_some(file: &File, room: usize) -> Vec<u8> {
    read_in_time(file, room, false)
}

/// So many bytes from a file that waits.
#[track_caller]
pub fn read_all(file: &File, count: usize) -> Vec<u8> {
    read_in_time(file, count, true)
}

impl Port {
    /// Waits for the packet of an operation that the call has not refused.
    #[track_caller]
    pub fn end_of(&self, (operation, answer): (Operation, Answer)) -> End {
        assert!(matches!(answer, Answer::AtOnce | Answer::Pending), "{answer:?}");
        self.end(operation)
    }

    /// Asserts that the call has refused the operation with one of these errors, that no packet is
    /// there, and that the status is as before the call or an error, and neither a success nor a
    /// warning (64). Returns the error.
    #[track_caller]
    pub fn refused(&self, (operation, answer): (Operation, Answer), errors: &[DWORD]) -> DWORD {
        let Answer::Failed(error) = answer else { panic!("not refused: {answer:?}") };
        let (error, status) = (error as DWORD, operation.status());
        assert!(errors.contains(&error), "refused with {error}");
        assert!(status == STATUS_PENDING || status as u32 >> 30 == 3, "{status:#010x}");
        self.assert_empty();
        error
    }

    /// The same of a file, where Wine posts a packet all the same after some calls that it refuses,
    /// of an operation that still reads "pending" (80).
    #[track_caller]
    pub fn refused_by_a_file(
        &self,
        (operation, answer): (Operation, Answer),
        errors: &[DWORD],
    ) -> DWORD {
        // A packet of the call itself is in the port before this one.
        self.post(0, 0, 0);
        let packet = self.packet();
        if packet.operation == operation.address() {
            println!("a packet of what was refused: {:#010x}", operation.status());
            assert_eq!(operation.status(), STATUS_PENDING);
            assert_eq!(self.packet().operation, 0);
        }
        self.refused((operation, answer), errors)
    }
}
