//! kernel32.dll: the completion port itself. Make it, put files and sockets on it, wait for
//! packets, post one's own, ask for cancellation, close. And what goes on a port or tells it
//! something: files, pipes, jobs, and waits for other objects, each in a text of its own below this
//! one, and under this name as all else is.
//!
//! Some of Microsoft's pages call ioapiset.h by another name, IoAPI.h.
//!
//! Every call reports failure by its return value and leaves the reason in the thread's last
//! error (`GetLastError`, in Rust `std::io::Error::last_os_error`), which the next call of any
//! kind may overwrite: read it first thing.
//!
//! The operations on files and pipes are lent memory: what is lent belongs to the kernel until the
//! packet of the operation has been dequeued, or, where no packet comes, until the call has
//! returned. They answer in three ways, which decide whose the memory is after the call:
//!
//! | return | last error | memory | packet |
//! | --- | --- | --- | --- |
//! | not 0 | not looked at | lent | one, as if it had been pending |
//! | 0 | `ERROR_IO_PENDING` | lent | one, later |
//! | 0 | anything else | the caller's again | none |
//!
//! Two lines have an exception each. With `FILE_SKIP_COMPLETION_PORT_ON_SUCCESS` set on the file a
//! success at once brings no packet, and the memory is the caller's again. And `ERROR_MORE_DATA`,
//! the message that was cut, brings a packet although it is an error:
//! [`Internal`](super::types::OVERLAPPED::Internal) tells such errors from the others.
#![allow(unsafe_code, reason = "this file declares what another DLL defines")]

use super::types::{BOOL, DWORD, HANDLE, OVERLAPPED, OVERLAPPED_ENTRY, UCHAR, ULONG, ULONG_PTR};

mod files;
mod pipes;
mod processes;
mod waits;

pub use files::*;
pub use pipes::*;
pub use processes::*;
pub use waits::*;

#[cfg_attr(windows, link(name = "kernel32"))]
unsafe extern "system" {
    /// Makes a port, or puts a file or socket on one, or both at once.
    ///
    /// Returns the port: the existing one if it was given, else a new one. Failure is NULL, never
    /// `INVALID_HANDLE_VALUE`; the reason is the thread's last error.
    ///
    /// * `FileHandle` INVALID and `ExistingCompletionPort` NULL make a port with nothing on it;
    ///   the key is then ignored. A NULL `FileHandle` is an error.
    /// * A file stays with its first port for life, with all its duplicates and even after that
    ///   port was closed. A second association fails with `ERROR_INVALID_PARAMETER`; a file that
    ///   was not opened for overlapped operations fails with the same.
    /// * What was pending on the file already delivers its packet to the port, with the new key.
    /// * `NumberOfConcurrentThreads` counts only when a port is made; 0 is the number of
    ///   processors.
    ///
    /// Header: ioapiset.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/fileio/createiocompletionport)
    ///
    /// # Safety
    ///
    /// * `FileHandle` is `INVALID_HANDLE_VALUE`, or is open during the call.
    /// * `ExistingCompletionPort` is NULL, or is a port that is open during the call.
    /// * Whoever dequeues from the port follows `lpOverlapped` only if it is known: from now on
    ///   the port gets a packet for each operation on the file, those of its duplicates included.
    pub fn CreateIoCompletionPort(
        FileHandle: HANDLE,
        ExistingCompletionPort: HANDLE,
        CompletionKey: ULONG_PTR,
        NumberOfConcurrentThreads: DWORD,
    ) -> HANDLE;

    /// Waits for one packet and takes it off the port.
    ///
    /// Not 0: a packet of a success, or one that was posted. 0 has two meanings, told apart by
    /// `*lpOverlapped`: not NULL is the packet of an operation that failed, and the thread's last
    /// error is the operation's; NULL is a wait that failed, with `WAIT_TIMEOUT` if time was up.
    ///
    /// * `lpOverlapped` is a pointer to a pointer: the call writes the operation's address there.
    /// * A posted packet may carry NULL, so NULL alone does not mean that the wait failed.
    /// * After a wait that failed, the count and the key were not written.
    ///
    /// Header: ioapiset.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-getqueuedcompletionstatus)
    ///
    /// # Safety
    ///
    /// * `CompletionPort` is a port that is open until the call returns.
    /// * `lpNumberOfBytesTransferred`, `lpCompletionKey` and `lpOverlapped` are each valid for a
    ///   write.
    pub fn GetQueuedCompletionStatus(
        CompletionPort: HANDLE,
        lpNumberOfBytesTransferred: *mut DWORD,
        lpCompletionKey: *mut ULONG_PTR,
        lpOverlapped: *mut *mut OVERLAPPED,
        dwMilliseconds: DWORD,
    ) -> BOOL;

    /// Waits for packets and takes as many off the port as there are, up to `ulCount`.
    ///
    /// Not 0: `*ulNumEntriesRemoved` entries were written, one at least; whether an operation
    /// failed stands in the `OVERLAPPED` that its entry names. 0: nothing was taken, and the
    /// thread's last error is `WAIT_TIMEOUT` if time was up, `WAIT_IO_COMPLETION` if the wait was
    /// alertable and an APC ran, `ERROR_ABANDONED_WAIT_0` if the port was closed meanwhile.
    ///
    /// * After 0, `*ulNumEntriesRemoved` means nothing: it may read 1 when time was up.
    /// * It does not wait for the array to be full, and can return some milliseconds early.
    /// * What a count of 0 does is not documented, and differs from one system to the next.
    ///
    /// Header: ioapiset.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/fileio/getqueuedcompletionstatusex-func)
    ///
    /// # Safety
    ///
    /// * `CompletionPort` is a port that is open until the call returns.
    /// * `lpCompletionPortEntries` is valid for writes of `ulCount` entries, 1 at least.
    /// * `ulNumEntriesRemoved` is valid for a write.
    /// * If `fAlertable` is not 0, the APCs queued to this thread may run here.
    pub fn GetQueuedCompletionStatusEx(
        CompletionPort: HANDLE,
        lpCompletionPortEntries: *mut OVERLAPPED_ENTRY,
        ulCount: ULONG,
        ulNumEntriesRemoved: *mut ULONG,
        dwMilliseconds: DWORD,
        fAlertable: BOOL,
    ) -> BOOL;

    /// Puts a packet of one's own on the port, from any thread.
    ///
    /// Not 0: it is queued, and kept until someone waits. 0: it is not, for the reason in the
    /// thread's last error; that happens with every argument right when the system is out of
    /// non-paged memory.
    ///
    /// * Count, key and pointer come out as they went in. Nothing looks at what they mean, so the
    ///   pointer may be NULL or no pointer at all.
    /// * Each call queues one packet; they do not merge.
    ///
    /// Header: ioapiset.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/fileio/postqueuedcompletionstatus)
    ///
    /// # Safety
    ///
    /// * `CompletionPort` is a port that is open during the call.
    /// * Whoever dequeues the packet either knows `lpOverlapped` to be this one, or does not
    ///   follow it. It is not the address of an operation that is in flight.
    pub fn PostQueuedCompletionStatus(
        CompletionPort: HANDLE,
        dwNumberOfBytesTransferred: DWORD,
        dwCompletionKey: ULONG_PTR,
        lpOverlapped: *mut OVERLAPPED,
    ) -> BOOL;

    /// Asks for the cancellation of one operation on the file, or with NULL of all that this
    /// process has started, on whichever thread.
    ///
    /// Not 0: it was asked, no more. The packet still comes, as `STATUS_CANCELLED` or as whatever
    /// the operation had become meanwhile, and until it is dequeued the memory is the kernel's. 0
    /// with `ERROR_NOT_FOUND` as the thread's last error: there was nothing to cancel, which is
    /// the usual end of a race and no mishap.
    ///
    /// * A receive that is cancelled can lose data that had arrived.
    /// * On a TCP stream Windows cancels all receives that are pending with the one that is named,
    ///   though not the sends. Each still has its own packet.
    /// * After a send that was cancelled the stream is in no known state: it is to be closed.
    ///
    /// Header: ioapiset.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/fileio/cancelioex-func)
    ///
    /// # Safety
    ///
    /// * `hFile` is open during the call.
    /// * `lpOverlapped` is NULL, or the address of an operation whose packet has not been dequeued
    ///   yet: the address of a later operation may be the same, and that would be cancelled.
    pub fn CancelIoEx(hFile: HANDLE, lpOverlapped: *mut OVERLAPPED) -> BOOL;

    /// Closes a handle, such as a port. A socket wants `closesocket` instead.
    ///
    /// Not 0 when it was closed, else the reason is the thread's last error.
    ///
    /// * Operations that are in flight when their port closes still write to their memory, and
    ///   there is no way left to learn when: drain first.
    /// * Threads that wait on the port are not to be woken this way. Windows wakes them with
    ///   `ERROR_ABANDONED_WAIT_0`, but the handle's number may be in use again by then.
    ///
    /// Header: handleapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-closehandle)
    ///
    /// # Safety
    ///
    /// * `hObject` is open, is the caller's to close, and is not used again.
    /// * If it is a port, the memory of each operation still in flight on it is never freed.
    pub fn CloseHandle(hObject: HANDLE) -> BOOL;

    /// Chooses how the file tells of operations that end at once: the `FILE_SKIP_*` flags.
    ///
    /// Not 0 when they were set, else the reason is the thread's last error.
    ///
    /// * A flag cannot be taken back, and holds for all duplicates of the handle.
    /// * With `FILE_SKIP_COMPLETION_PORT_ON_SUCCESS` an immediate success queues no packet: the
    ///   memory is the caller's again at once. Pending operations still queue theirs.
    /// * That flag is only safe on a socket whose provider has IFS handles, and not on UDP, where
    ///   a datagram that was cut leaves open whether a packet comes.
    ///
    /// Header: winbase.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-setfilecompletionnotificationmodes)
    ///
    /// # Safety
    ///
    /// * `FileHandle` is open during the call.
    /// * Nobody frees or keeps an operation's memory in the belief that the flags are as before.
    pub fn SetFileCompletionNotificationModes(FileHandle: HANDLE, Flags: UCHAR) -> BOOL;
}
