//! Files: reading and writing at offsets.
//!
//! The calls themselves are in [`transfer`](super::transfer), for pipes have the same.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it asks the system what a handle is")]

use std::fs::File;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle};

use super::buffer::Buffer;
use super::ffi;
use super::ffi::constants::*;
use super::operation::OperationKind;
use super::registration::{Inline, Mode, Registration, Rejected, Source, sealed};
use super::socket::set_notification_modes;
use super::transfer::{APPEND, FAR, invalid};

/// A file that was opened with `FILE_FLAG_OVERLAPPED`:
///
/// ```
/// use overlapped::{Completion, CompletionQueue, Completions};
/// use overlapped::{Content, Key};
/// use std::fs::File;
/// use std::os::windows::fs::OpenOptionsExt;
///
/// const FILE_FLAG_OVERLAPPED: u32 = 0x4000_0000;
///
/// # fn main() -> std::io::Result<()> {
/// # let path = std::env::temp_dir().join(format!("overlapped-source-{}", std::process::id()));
/// # std::fs::write(&path, "hello")?;
/// let file = File::options()
///     .read(true)
///     .custom_flags(FILE_FLAG_OVERLAPPED)
///     .open(&path)?;
/// let queue = CompletionQueue::new()?;
/// let file = queue.register(file, Key(1))?;
/// file.read_at(1, Vec::with_capacity(4096))?;
///
/// let mut batch = Completions::with_capacity(16);
/// for completion in queue.wait(&mut batch, None)? {
///     if let Completion::Read { buffer, result, .. } = completion {
///         assert_eq!(result?, Content::Bytes(4));
///         assert_eq!(buffer, b"ello");
///     }
/// }
/// # drop(file);
/// # std::fs::remove_file(path)
/// # }
/// ```
///
/// # What std can still do with it
///
/// What is no reading or writing: `metadata`, `set_len`, `sync_all`, `set_times` and the like.
///
/// An overlapped file has no position, so `read`, `write` and `seek` of std's, and whatever is
/// built on them, have no meaning there; the first two fail with error 87. And do not call
/// `seek_read` or `seek_write` on it: if such a call does not end at once, std **aborts the
/// process**. To read in both ways, open the file twice.
impl Source for File {}

impl sealed::Handle for File {
    type Memo = ();

    /// std waits for a file itself when one of its calls does not end at once.
    const IS_WAITED_FOR: bool = true;

    fn handle(&self) -> BorrowedHandle<'_> {
        self.as_handle()
    }

    fn check(&self) -> io::Result<()> {
        // SAFETY: the handle is open.
        let kind = unsafe { ffi::kernel32::GetFileType(self.as_raw_handle()) };
        match kind {
            FILE_TYPE_DISK if self.metadata().is_ok_and(|its| its.is_dir()) => {
                Err(invalid(A_DIRECTORY))
            }
            FILE_TYPE_DISK => Ok(()),
            FILE_TYPE_PIPE => Err(invalid(A_PIPE)),
            _ => Err(invalid(A_DEVICE)),
        }
    }
}

const A_DIRECTORY: &str = "it is a directory, which has no bytes to read; make an `OwnedHandle` of \
                           it, register that, and start `ReadDirectoryChangesW` with `submit`";
const A_PIPE: &str = "it is a pipe, of which an offset means nothing; make a `NamedPipe` of it and \
                      register that";
const A_DEVICE: &str = "it is no file on a disk but a device, such as NUL, a console or a serial \
                        port, whose operations can end otherwise than those of files; make an \
                        `OwnedHandle` of it, register that, and use `submit`";

impl<B: Buffer, M: Mode> Registration<File, B, M> {
    /// Reads what stands in the file from this offset on, in bytes, into the spare room of the
    /// buffer. The buffer is lent: it comes back in a
    /// [`Completion::Read`](super::Completion::Read), on whichever thread dequeues it, possibly
    /// before this returns.
    ///
    /// What is read is [`Content::Bytes`](super::Content::Bytes), from 1 to as many as there is
    /// room for; less only where the file ends before that. At the end of the file, and beyond it,
    /// it is [`Content::End`](super::Content::End), though the system has two ways to say so, an
    /// error at once and a packet.
    ///
    /// Several operations may be pending, at any offsets, and end in any order. The first spare
    /// room of the buffer that is not empty is used, as a file is read into one piece of memory,
    /// and of that at most 1 GiB.
    ///
    /// For a file without buffering (`FILE_FLAG_NO_BUFFERING`) offset and room are multiples of the
    /// disk's sector, mostly 512 or 4096 bytes, and the memory begins at such a multiple; the
    /// guide's chapter on [files](super::guide::files) has a buffer for that. Only what is read
    /// last may have fewer bytes.
    ///
    /// # Errors
    ///
    /// The buffer comes back in the [`Rejected`], and nothing else will come:
    ///
    /// * `InvalidInput`: the buffer has no spare room; or no file has bytes at this offset, since
    ///   it and the room are more than 9,223,372,036,854,775,807, or it was negative before it
    ///   became a `u64`; or, without buffering, something is no multiple of the sector (error 87,
    ///   `ERROR_INVALID_PARAMETER`);
    /// * `PermissionDenied`: it was not opened for reading (error 5, `ERROR_ACCESS_DENIED`);
    /// * a kind that std has no name for, with code 33: other code has locked what is there
    ///   (`ERROR_LOCK_VIOLATION`), with 1450: the system is out of memory
    ///   (`ERROR_NO_SYSTEM_RESOURCES`), with 1784: too many operations are pending in the system
    ///   (`ERROR_INVALID_USER_BUFFER`), or with 1816: the buffer cannot be kept in memory
    ///   (`ERROR_NOT_ENOUGH_QUOTA`);
    /// * another error of the system;
    /// * `BrokenPipe`: the queue has been dropped; `OutOfMemory`: there is no memory for one more
    ///   operation in flight, here or in the system (error 8, `ERROR_NOT_ENOUGH_MEMORY`).
    ///
    /// The errors of the system can also come in the completion.
    ///
    /// Calls
    /// [`ReadFile`](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile).
    #[doc(alias = "ReadFile", alias = "pread", alias = "seek_read")]
    pub fn read_at(&self, offset: u64, buffer: B) -> Result<M::Answer<B>, Rejected<B>> {
        self.start_read(OperationKind::ReadFile(buffer), offset)
    }

    /// Writes the filled bytes of the buffer to the file, from this offset on, in bytes. The buffer
    /// is lent: it comes back in a [`Completion::Written`](super::Completion::Written), on
    /// whichever thread dequeues it, possibly before this returns.
    ///
    /// The file becomes longer if it has to; what lies between its end and the offset reads as
    /// zeros. That the write has ended says that the system has the bytes, and not that they are on
    /// the disk: for that there is `sync_all` of std's, or `FILE_FLAG_WRITE_THROUGH`. Of more than
    /// 1 GiB the first 1 GiB is written, as the completion's count says.
    ///
    /// A file that was opened with `append(true)`, and not with `write(true)`, has no right but
    /// that to append: on the disks of this machine each write goes to its end, whatever the offset
    /// says.
    ///
    /// A write that makes the file longer often holds the calling thread up until it is done, says
    /// Microsoft; [`set_len`](std::fs::File::set_len) before the first write helps.
    ///
    /// ```
    /// use overlapped::{Completion, CompletionQueue, Completions, Key};
    /// use std::fs::File;
    /// use std::os::windows::fs::OpenOptionsExt;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// # let path = std::env::temp_dir().join(format!("overlapped-write-{}", std::process::id()));
    /// let file = File::options()
    ///     .write(true)
    ///     .create(true)
    ///     .custom_flags(0x4000_0000) // FILE_FLAG_OVERLAPPED
    ///     .open(&path)?;
    /// let queue = CompletionQueue::new()?;
    /// let file = queue.register(file, Key(1))?;
    /// file.write_at(5, b"world".to_vec())?;
    /// file.write_at(0, b"hello".to_vec())?;
    ///
    /// let mut batch = Completions::with_capacity(16);
    /// while file.in_flight() > 0 {
    ///     for completion in queue.wait(&mut batch, None)? {
    ///         if let Completion::Written { count, result, .. } = completion {
    ///             assert_eq!((count, result?), (5, ()));
    ///         }
    ///     }
    /// }
    /// assert_eq!(std::fs::read(&path)?, b"helloworld");
    /// # drop(file);
    /// # std::fs::remove_file(path)
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// The buffer comes back in the [`Rejected`], nothing was written, and nothing else will come:
    ///
    /// * `InvalidInput`: no file has bytes at this offset, as for [`read_at`](Self::read_at); or
    ///   the bytes are in several parts of the buffer, and a file is written from one; or, without
    ///   buffering, something is no multiple of the sector (error 87, `ERROR_INVALID_PARAMETER`);
    /// * `PermissionDenied`: it was not opened for writing (error 5, `ERROR_ACCESS_DENIED`);
    /// * `StorageFull`: the disk has no room for it (error 112, `ERROR_DISK_FULL`);
    ///   `FileTooLarge`: the file system has no files of this length (error 223,
    ///   `ERROR_FILE_TOO_LARGE`); `ReadOnlyFilesystem`: it is protected (error 19,
    ///   `ERROR_WRITE_PROTECT`);
    /// * a kind that std has no name for, with code 33: other code has locked what is there
    ///   (`ERROR_LOCK_VIOLATION`), with 1450: the system is out of memory
    ///   (`ERROR_NO_SYSTEM_RESOURCES`), with 1784: too many operations are pending in the system
    ///   (`ERROR_INVALID_USER_BUFFER`), or with 1816: the buffer cannot be kept in memory
    ///   (`ERROR_NOT_ENOUGH_QUOTA`);
    /// * another error of the system;
    /// * `BrokenPipe`: the queue has been dropped; `OutOfMemory`: there is no memory for one more
    ///   operation in flight, here or in the system (error 8, `ERROR_NOT_ENOUGH_MEMORY`).
    ///
    /// The errors of the system can also come in the completion.
    ///
    /// Calls
    /// [`WriteFile`](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile).
    #[doc(alias = "WriteFile", alias = "pwrite", alias = "seek_write")]
    pub fn write_at(&self, offset: u64, buffer: B) -> Result<M::Answer<B>, Rejected<B>> {
        if offset == APPEND {
            // To the system this is the end of the file, which nobody has asked for here.
            return Err(Rejected::new(invalid(FAR), buffer));
        }
        self.start_write(buffer, offset)
    }

    /// As [`write_at`](Self::write_at), to the end of the file, wherever that is when the system
    /// comes to write. What several of these write does not overlap, but which of them comes first
    /// is not promised. Over the network, what others write there at that moment can be
    /// overwritten.
    ///
    /// Not for a file without buffering, whose end may be no multiple of the sector.
    ///
    /// # Errors
    ///
    /// As [`write_at`](Self::write_at).
    ///
    /// Calls
    /// [`WriteFile`](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile)
    /// with the offset 0xFFFFFFFF_FFFFFFFF.
    #[doc(alias = "WriteFile", alias = "FILE_APPEND_DATA")]
    pub fn append(&self, buffer: B) -> Result<M::Answer<B>, Rejected<B>> {
        self.start_write(buffer, APPEND)
    }
}

impl<B: Buffer> Registration<File, B> {
    /// From now on an operation that ends at once is told by the submission itself, and no packet
    /// of it goes through the port: `read_at`, `write_at` and `append` answer
    /// [`Submitted`](super::Submitted). That is so for what the system has in its memory, if it
    /// answers at once; it may also send a packet. Operations that are in flight already end as
    /// before.
    ///
    /// This cannot be undone. It saves a packet for each operation that need not wait.
    ///
    /// # Errors
    ///
    /// The system's error. The registration comes back as it was.
    ///
    /// Calls
    /// [`SetFileCompletionNotificationModes`](https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-setfilecompletionnotificationmodes).
    #[doc(alias = "SetFileCompletionNotificationModes")]
    #[doc(alias = "FILE_SKIP_COMPLETION_PORT_ON_SUCCESS")]
    pub fn inline(self) -> Result<Registration<File, B, Inline>, Rejected<Self>> {
        let file = self.get_ref().as_handle();
        match set_notification_modes(file, FILE_SKIP_COMPLETION_PORT_ON_SUCCESS) {
            Ok(()) => Ok(self.into_mode()),
            Err(error) => Err(Rejected::new(error, self)),
        }
    }
}
