//! kernel32.dll: files, whose operations go through a port as those of sockets do, and the calls
//! that pipes and devices share with them.
#![allow(unsafe_code, reason = "this file declares what another DLL defines")]

use core::ffi::c_void;

use super::super::types::{
    BOOL, DWORD, HANDLE, LPOVERLAPPED_COMPLETION_ROUTINE, OVERLAPPED, SECURITY_ATTRIBUTES,
};

#[cfg_attr(windows, link(name = "kernel32"))]
unsafe extern "system" {
    /// Opens a file, a directory, a device or the client's end of a pipe.
    ///
    /// Returns the handle, or `INVALID_HANDLE_VALUE`, never NULL; the reason is the thread's last
    /// error.
    ///
    /// * Only with `FILE_FLAG_OVERLAPPED` can it be put on a port.
    /// * A directory takes `FILE_FLAG_BACKUP_SEMANTICS` too.
    /// * `dwShareMode` says what others may do meanwhile: what is left out is
    ///   `ERROR_SHARING_VIOLATION` to them.
    /// * Opening is not overlapped: the call waits for the disk or the network.
    /// * A pipe that has no free instance is `ERROR_PIPE_BUSY`, one that nobody has made is
    ///   `ERROR_FILE_NOT_FOUND`. Without `SECURITY_SQOS_PRESENT` whoever owns its server may act in
    ///   the name of this user.
    ///
    /// Header: fileapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-createfilew)
    ///
    /// # Safety
    ///
    /// * `lpFileName` is UTF-16 that ends with a 0, and valid for reads during the call.
    /// * `lpSecurityAttributes` is NULL, or valid for a read during the call.
    /// * `hTemplateFile` is NULL, or is open during the call.
    pub fn CreateFileW(
        lpFileName: *const u16,
        dwDesiredAccess: DWORD,
        dwShareMode: DWORD,
        lpSecurityAttributes: *const SECURITY_ATTRIBUTES,
        dwCreationDisposition: DWORD,
        dwFlagsAndAttributes: DWORD,
        hTemplateFile: HANDLE,
    ) -> HANDLE;

    /// Reads from the position in `lpOverlapped`, or from a pipe what comes next.
    ///
    /// Returns not 0 or 0, to be read as the table [above](super) says.
    ///
    /// * The end of a file is `ERROR_HANDLE_EOF` at once, or a packet with `STATUS_END_OF_FILE`. A
    ///   read across the end is a success with fewer bytes.
    /// * The end of a pipe is `ERROR_BROKEN_PIPE`, or a packet with `STATUS_PIPE_BROKEN`. A message
    ///   of no bytes is a success with 0, and no end.
    /// * `ERROR_MORE_DATA` is a message that was cut. It is a warning: the packet comes.
    /// * `lpNumberOfBytesRead` is to be NULL when `lpOverlapped` is given, unless an immediate
    ///   success is used at once: the count is in the packet.
    /// * Without an `lpOverlapped` an overlapped file is not to be read: the call could say too
    ///   early that it is done.
    ///
    /// Header: fileapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-readfile)
    ///
    /// # Safety
    ///
    /// * `hFile` is open during the call.
    /// * `lpBuffer` is lent: valid for writes of `nNumberOfBytesToRead` bytes, and touched by
    ///   nobody else.
    /// * `lpNumberOfBytesRead` is valid for a write during the call, also after the packet has been
    ///   dequeued; NULL only with an `lpOverlapped`.
    /// * `lpOverlapped` is lent: valid for reads and writes, used by no other operation, and with
    ///   an `hEvent` that is NULL or an event; NULL only if the file is not overlapped.
    pub fn ReadFile(
        hFile: HANDLE,
        lpBuffer: *mut c_void,
        nNumberOfBytesToRead: DWORD,
        lpNumberOfBytesRead: *mut DWORD,
        lpOverlapped: *mut OVERLAPPED,
    ) -> BOOL;

    /// Writes at the position in `lpOverlapped`, or to a pipe after what was written before.
    ///
    /// Returns not 0 or 0, to be read as the table [above](super) says.
    ///
    /// * A position of all ones, in both halves, is the end of the file: it appends.
    /// * Success means that the system has taken the bytes, not that a disk or a peer has them.
    /// * A write of no bytes is a message of its own on a pipe that carries messages, and nothing
    ///   on one that carries bytes.
    /// * A pipe whose other end has gone is `ERROR_NO_DATA`.
    /// * `lpNumberOfBytesWritten` is to be NULL when `lpOverlapped` is given, as for [`ReadFile`].
    ///
    /// Header: fileapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-writefile)
    ///
    /// # Safety
    ///
    /// * `hFile` is open during the call.
    /// * `lpBuffer` is lent: valid for reads of `nNumberOfBytesToWrite` bytes, and written by
    ///   nobody.
    /// * `lpNumberOfBytesWritten` is valid for a write during the call, also after the packet has
    ///   been dequeued; NULL only with an `lpOverlapped`.
    /// * `lpOverlapped` is lent: valid for reads and writes, used by no other operation, and with
    ///   an `hEvent` that is NULL or an event; NULL only if the file is not overlapped.
    pub fn WriteFile(
        hFile: HANDLE,
        lpBuffer: *const c_void,
        nNumberOfBytesToWrite: DWORD,
        lpNumberOfBytesWritten: *mut DWORD,
        lpOverlapped: *mut OVERLAPPED,
    ) -> BOOL;

    /// Waits until what was written is on the disk, or, of a pipe, until its other end has read it.
    ///
    /// Not 0 when it is so, else the reason is the thread's last error.
    ///
    /// * It cannot be overlapped: it holds the thread up, of a pipe for as long as the peer likes.
    ///
    /// Header: fileapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-flushfilebuffers)
    ///
    /// # Safety
    ///
    /// * `hFile` is open until the call returns.
    pub fn FlushFileBuffers(hFile: HANDLE) -> BOOL;

    /// What kind of file it is: one of the `FILE_TYPE_*`.
    ///
    /// `FILE_TYPE_UNKNOWN` is another kind, or a failure, for the reason in the thread's last
    /// error.
    ///
    /// * A socket is a `FILE_TYPE_PIPE`, and a directory a `FILE_TYPE_DISK`.
    ///
    /// Header: fileapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-getfiletype)
    ///
    /// # Safety
    ///
    /// * `hFile` is open during the call.
    pub fn GetFileType(hFile: HANDLE) -> DWORD;

    /// Asks something of a device or a file system, by a code that says what goes in and comes out.
    ///
    /// Returns not 0 or 0. With an `lpOverlapped` it is an operation, and the answer is to be read
    /// as the table [above](super) says.
    ///
    /// * Whether the buffers are copied or used in place is in the code's lowest two bits. Lent
    ///   they are in either case.
    ///
    /// Header: ioapiset.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/ioapiset/nf-ioapiset-deviceiocontrol)
    ///
    /// # Safety
    ///
    /// * `hDevice` is open during the call.
    /// * `lpInBuffer` is lent: valid for reads of `nInBufferSize` bytes, and what they say is what
    ///   the code asks for; NULL only with 0.
    /// * `lpOutBuffer` is lent: valid for writes of `nOutBufferSize` bytes, and touched by nobody
    ///   else; NULL only with 0.
    /// * `lpBytesReturned` is valid for a write during the call, also after the packet has been
    ///   dequeued; NULL only with an `lpOverlapped`.
    /// * `lpOverlapped` is lent: valid for reads and writes, used by no other operation, and with
    ///   an `hEvent` that is NULL or an event; NULL only if the file is not overlapped.
    pub fn DeviceIoControl(
        hDevice: HANDLE,
        dwIoControlCode: DWORD,
        lpInBuffer: *const c_void,
        nInBufferSize: DWORD,
        lpOutBuffer: *mut c_void,
        nOutBufferSize: DWORD,
        lpBytesReturned: *mut DWORD,
        lpOverlapped: *mut OVERLAPPED,
    ) -> BOOL;

    /// Locks a part of the file that begins at the position in `lpOverlapped`.
    ///
    /// Returns not 0 or 0, to be read as the table [above](super) says.
    ///
    /// * It waits for whoever has locked some of it, unless `LOCKFILE_FAIL_IMMEDIATELY` is given:
    ///   then that is `ERROR_LOCK_VIOLATION`. Public sources of an earlier Windows queue a packet
    ///   in that case, too, and have written `Internal`; Microsoft's page does not say.
    /// * The lock is of the handle, so two handles of one process exclude each other. It may reach
    ///   beyond the end of the file.
    /// * The system keeps others from reading and writing there, not only from locking.
    ///
    /// Header: fileapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-lockfileex)
    ///
    /// # Safety
    ///
    /// * `hFile` is open during the call.
    /// * `lpOverlapped` is lent: valid for reads and writes, used by no other operation, and with
    ///   an `hEvent` that is NULL or an event. It is not NULL.
    pub fn LockFileEx(
        hFile: HANDLE,
        dwFlags: DWORD,
        dwReserved: DWORD,
        nNumberOfBytesToLockLow: DWORD,
        nNumberOfBytesToLockHigh: DWORD,
        lpOverlapped: *mut OVERLAPPED,
    ) -> BOOL;

    /// Unlocks a part of the file, that was locked with this position and this length.
    ///
    /// Not 0 when it was unlocked, else the reason is the thread's last error: `ERROR_NOT_LOCKED`
    /// if no lock is exactly so.
    ///
    /// * It waits for nothing. Whether a packet comes is not documented. It is no operation: do not
    ///   wait for one.
    /// * Closing the handle unlocks too, at a time of the system's choice.
    ///
    /// Header: fileapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/fileapi/nf-fileapi-unlockfileex)
    ///
    /// # Safety
    ///
    /// * `hFile` is open during the call.
    /// * `lpOverlapped` is lent: valid for reads and writes, used by no other operation, and with
    ///   an `hEvent` that is NULL or an event. It is not NULL.
    pub fn UnlockFileEx(
        hFile: HANDLE,
        dwReserved: DWORD,
        nNumberOfBytesToUnlockLow: DWORD,
        nNumberOfBytesToUnlockHigh: DWORD,
        lpOverlapped: *mut OVERLAPPED,
    ) -> BOOL;

    /// Waits for changes in a directory, and writes what they are as a chain of
    /// `FILE_NOTIFY_INFORMATION`.
    ///
    /// Returns not 0 or 0, to be read as the table [above](super) says: not 0 means that it was
    /// queued, and not that something has changed.
    ///
    /// * The first call fixes the filter, and what happens between two calls is kept for the
    ///   second.
    /// * A success of 0 bytes, and `STATUS_NOTIFY_ENUM_DIR`, say that there was more than could be
    ///   kept: the directory is to be read anew.
    /// * Names are relative to the directory, of any length, and not ended by a 0.
    /// * Microsoft lists `ERROR_NOTIFY_ENUM_DIR` among the errors of the call, too. It becomes of
    ///   that status, a success: so the memory stays lent then, and a packet comes.
    /// * On a directory of the network a buffer of more than 64 KiB is `ERROR_INVALID_PARAMETER`.
    ///   Where there is no such thing as a change, the error is `ERROR_INVALID_FUNCTION`.
    ///
    /// Header: winbase.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-readdirectorychangesw)
    ///
    /// # Safety
    ///
    /// * `hDirectory` is a directory that is open during the call, with `FILE_LIST_DIRECTORY`.
    /// * `lpBuffer` is lent: aligned to 4, valid for writes of `nBufferLength` bytes, and touched
    ///   by nobody else.
    /// * `lpBytesReturned` is valid for a write during the call; NULL only with an `lpOverlapped`.
    /// * `lpOverlapped` is lent: valid for reads and writes, used by no other operation, and with
    ///   an `hEvent` that is NULL or an event; NULL only if the directory is not overlapped.
    /// * `lpCompletionRoutine` is `None`, or may be called on this thread in a later alertable
    ///   wait. It is `None` if the directory is on a completion port.
    pub fn ReadDirectoryChangesW(
        hDirectory: HANDLE,
        lpBuffer: *mut c_void,
        nBufferLength: DWORD,
        bWatchSubtree: BOOL,
        dwNotifyFilter: DWORD,
        lpBytesReturned: *mut DWORD,
        lpOverlapped: *mut OVERLAPPED,
        lpCompletionRoutine: LPOVERLAPPED_COMPLETION_ROUTINE,
    ) -> BOOL;
}
