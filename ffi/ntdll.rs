//! ntdll.dll: what only the kernel's own calls say. Whether a file was opened for overlapped
//! operations, what kind of object a handle is of, and which of Win32's errors a status is.
//!
//! These calls return what happened, an [`NTSTATUS`], and leave the thread's last error alone.
#![allow(unsafe_code, reason = "this file declares what another DLL defines")]

use core::ffi::c_void;

use super::types::{
    FILE_INFORMATION_CLASS, HANDLE, IO_STATUS_BLOCK, NTSTATUS, OBJECT_INFORMATION_CLASS, ULONG,
};

#[cfg_attr(windows, link(name = "ntdll"))]
unsafe extern "system" {
    /// Asks something of a file, by a class that says what is written.
    ///
    /// Returns a status: not negative when it was written.
    ///
    /// * With `FileModeInformation` it writes a `FILE_MODE_INFORMATION`, which says whether the
    ///   file is overlapped. It takes no right for that.
    /// * On a file that is not overlapped it waits for the operation that is under way there.
    ///
    /// Header: winternl.h; documented for drivers, with ntifs.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntifs/nf-ntifs-ntqueryinformationfile)
    ///
    /// # Safety
    ///
    /// * `FileHandle` is open until the call returns.
    /// * `IoStatusBlock` is valid for a write.
    /// * `FileInformation` is valid for writes of `Length` bytes, and aligned as the struct that
    ///   the class names.
    pub fn NtQueryInformationFile(
        FileHandle: HANDLE,
        IoStatusBlock: *mut IO_STATUS_BLOCK,
        FileInformation: *mut c_void,
        Length: ULONG,
        FileInformationClass: FILE_INFORMATION_CLASS,
    ) -> NTSTATUS;

    /// Asks something of a handle of any kind, by a class that says what is written.
    ///
    /// Returns a status: not negative when it was written.
    ///
    /// * With `ObjectTypeInformation` it writes a `PUBLIC_OBJECT_TYPE_INFORMATION`, which says what
    ///   kind of object it is, and behind it the text that is named there. It takes no right for
    ///   that.
    /// * Microsoft may change it, the page says. It is there since Windows XP.
    ///
    /// Header: winternl.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winternl/nf-winternl-ntqueryobject)
    ///
    /// # Safety
    ///
    /// * `Handle` is open until the call returns.
    /// * `ObjectInformation` is valid for writes of `ObjectInformationLength` bytes, and aligned as
    ///   the struct that the class names.
    /// * `ReturnLength` is NULL, or valid for a write.
    pub fn NtQueryObject(
        Handle: HANDLE,
        ObjectInformationClass: OBJECT_INFORMATION_CLASS,
        ObjectInformation: *mut c_void,
        ObjectInformationLength: ULONG,
        ReturnLength: *mut ULONG,
    ) -> NTSTATUS;

    /// Which of Win32's errors a status is.
    ///
    /// Returns `ERROR_MR_MID_NOT_FOUND` for a status that it does not know, and the status itself
    /// for one with the bit 0x20000000, which those of Microsoft do not have.
    ///
    /// * It has the errors of files: a connection that was reset is `ERROR_NETNAME_DELETED`, and
    ///   not `WSAECONNRESET`.
    /// * It is declared safe: it reads a table, and cannot fail.
    ///
    /// Header: winternl.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winternl/nf-winternl-rtlntstatustodoserror)
    pub safe fn RtlNtStatusToDosError(Status: NTSTATUS) -> ULONG;
}
