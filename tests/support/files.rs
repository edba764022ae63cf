//! What the tests of files share: files that go with their test, and the ends of reads and writes.

#![allow(dead_code, reason = "each test file takes what it needs")]

use std::fmt::Debug;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use overlapped::ffi::constants::{FILE_FLAG_NO_BUFFERING, FILE_FLAG_OVERLAPPED};
use overlapped::{Buffer, Completion, CompletionQueue, Content, Failure, Key, Registration};

use super::support::one;

/// A folder that is deleted with all that is in it.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Self {
        static FOLDERS: AtomicUsize = AtomicUsize::new(0);
        loop {
            let number = FOLDERS.fetch_add(1, SeqCst);
            let name = format!("overlapped-{}-{number}", std::process::id());
            let path = std::env::temp_dir().join(name);
            match fs::create_dir(&path) {
                Ok(()) => return Self(path),
                // Of a program that was ended hard, and that had the same number.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
                Err(error) => panic!("a new folder among the temporary ones: {error}"),
            }
        }
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A file with this content.
    pub fn file(&self, content: &[u8]) -> PathBuf {
        let path = self.at("file");
        fs::write(&path, content).expect("written");
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// To open a file for reading and writing through a queue.
pub fn overlapped() -> OpenOptions {
    with_flags(FILE_FLAG_OVERLAPPED)
}

/// As [`overlapped`], without the system's memory in between.
pub fn unbuffered() -> OpenOptions {
    with_flags(FILE_FLAG_OVERLAPPED | FILE_FLAG_NO_BUFFERING)
}

fn with_flags(flags: u32) -> OpenOptions {
    let mut options = File::options();
    options.read(true).write(true).create(true).truncate(false).custom_flags(flags);
    options
}

/// A file with this content, registered.
#[track_caller]
pub fn registered_file<B: Buffer>(
    queue: &CompletionQueue<B>,
    key: Key,
    folder: &Folder,
    content: &[u8],
) -> Registration<File, B> {
    let file = overlapped().open(folder.file(content)).expect("opened");
    queue.register(file, key).expect("an overlapped file")
}

/// The end of a read.
#[track_caller]
pub fn one_read<B: Buffer + Debug>(queue: &CompletionQueue<B>) -> (B, Result<Content, Failure>) {
    match one(queue) {
        Completion::Read { buffer, result, .. } => (buffer, result),
        other => panic!("the end of a read was expected: {other:?}"),
    }
}

/// The end of a write that has succeeded, with its count.
#[track_caller]
pub fn one_written<B: Buffer + Debug>(queue: &CompletionQueue<B>) -> (B, usize) {
    match one(queue) {
        Completion::Written { buffer, count, result: Ok(()), .. } => (buffer, count),
        other => panic!("the end of a write was expected: {other:?}"),
    }
}

/// Makes the file sparse where the system has that, so that a hole of gigabytes takes no time.
#[allow(unsafe_code, reason = "std does not make this call")]
pub fn make_sparse(file: &File) -> io::Result<()> {
    use std::os::windows::io::AsRawHandle;
    use std::ptr::{null, null_mut};
    const FSCTL_SET_SPARSE: u32 = 0x0009_00C4;
    let (handle, mut returned) = (file.as_raw_handle(), 0);
    // SAFETY: the file is open and not overlapped, nothing is given and nothing is asked for, and
    // the count is there during the call.
    let done = unsafe {
        overlapped::ffi::kernel32::DeviceIoControl(
            handle,
            FSCTL_SET_SPARSE,
            null(),
            0,
            null_mut(),
            0,
            &mut returned,
            null_mut(),
        )
    };
    if done == 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
