//! The types of files, directories, waits and timers, and of what a handle is.

use core::ffi::c_void;
use core::mem::offset_of;

use super::{BOOL, BOOLEAN, DWORD, HANDLE, NTSTATUS, OVERLAPPED, ULONG, ULONG_PTR, USHORT, WIDE};

/// Who may do what with an object, and whether programs that this one starts inherit its handle.
/// A NULL in its place is what its user usually may, and no inheritance.
///
/// Header: wtypesbase.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/wtypesbase/ns-wtypesbase-security_attributes)
#[doc(alias = "LPSECURITY_ATTRIBUTES")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct SECURITY_ATTRIBUTES {
    /// The size of this struct.
    pub nLength: DWORD,
    /// A security descriptor, or NULL.
    pub lpSecurityDescriptor: *mut c_void,
    /// Whether the handle is inherited.
    pub bInheritHandle: BOOL,
}

const _: () = {
    assert!(size_of::<SECURITY_ATTRIBUTES>() == if WIDE { 24 } else { 12 });
    assert!(align_of::<SECURITY_ATTRIBUTES>() == if WIDE { 8 } else { 4 });
    assert!(offset_of!(SECURITY_ATTRIBUTES, nLength) == 0);
    assert!(offset_of!(SECURITY_ATTRIBUTES, lpSecurityDescriptor) == if WIDE { 8 } else { 4 });
    assert!(offset_of!(SECURITY_ATTRIBUTES, bInheritHandle) == if WIDE { 16 } else { 8 });
};

/// How a call of ntdll has ended. What is in flight through kernel32 has an [`OVERLAPPED`], whose
/// first two fields are this.
///
/// In the SDK `Status` shares its place with `PVOID Pointer`, in a union. It is flattened here,
/// since nobody uses `Pointer`, and without a change of layout: where a pointer is wider, padding
/// follows.
///
/// Header: winternl.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/wdm/ns-wdm-_io_status_block)
#[doc(alias = "PIO_STATUS_BLOCK")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct IO_STATUS_BLOCK {
    /// How it has ended.
    pub Status: NTSTATUS,
    /// What there is to say besides, mostly a number of bytes.
    pub Information: ULONG_PTR,
}

const _: () = {
    assert!(size_of::<IO_STATUS_BLOCK>() == if WIDE { 16 } else { 8 });
    assert!(align_of::<IO_STATUS_BLOCK>() == if WIDE { 8 } else { 4 });
    assert!(offset_of!(IO_STATUS_BLOCK, Status) == 0);
    assert!(offset_of!(IO_STATUS_BLOCK, Information) == if WIDE { 8 } else { 4 });
};

/// What can be asked of a file, such as
/// [`FileModeInformation`](super::super::constants::FileModeInformation). An `enum` in the SDK.
/// Header: winternl.h.
pub type FILE_INFORMATION_CLASS = u32;

/// How a file was opened: some of the flags that it was opened with.
///
/// Header: ntifs.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows-hardware/drivers/ddi/ntifs/ns-ntifs-_file_mode_information)
#[doc(alias = "PFILE_MODE_INFORMATION")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FILE_MODE_INFORMATION {
    /// The flags. With one of `FILE_SYNCHRONOUS_IO_ALERT` and `FILE_SYNCHRONOUS_IO_NONALERT` the
    /// file is not overlapped.
    pub Mode: DWORD,
}

const _: () = {
    assert!(size_of::<FILE_MODE_INFORMATION>() == 4);
    assert!(align_of::<FILE_MODE_INFORMATION>() == 4);
    assert!(offset_of!(FILE_MODE_INFORMATION, Mode) == 0);
};

/// A text of the kernel's, which has no 0 at its end.
///
/// Header: winternl.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/ntdef/ns-ntdef-_unicode_string)
#[doc(alias = "PUNICODE_STRING")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct UNICODE_STRING {
    /// How long it is, in bytes.
    pub Length: USHORT,
    /// How long it could be, in bytes.
    pub MaximumLength: USHORT,
    /// Where it is.
    pub Buffer: *mut u16,
}

const _: () = {
    assert!(size_of::<UNICODE_STRING>() == if WIDE { 16 } else { 8 });
    assert!(align_of::<UNICODE_STRING>() == if WIDE { 8 } else { 4 });
    assert!(offset_of!(UNICODE_STRING, Length) == 0);
    assert!(offset_of!(UNICODE_STRING, MaximumLength) == 2);
    assert!(offset_of!(UNICODE_STRING, Buffer) == if WIDE { 8 } else { 4 });
};

/// What can be asked of any handle, such as
/// [`ObjectTypeInformation`](super::super::constants::ObjectTypeInformation). An `enum` in the SDK.
/// Header: winternl.h.
pub type OBJECT_INFORMATION_CLASS = u32;

/// What kind of object it is. The text stands behind this, in the same room.
///
/// Header: winternl.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winternl/nf-winternl-ntqueryobject)
#[doc(alias = "PPUBLIC_OBJECT_TYPE_INFORMATION")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct PUBLIC_OBJECT_TYPE_INFORMATION {
    /// The name of the kind, such as `Event`, or `Mutant` for a mutex.
    pub TypeName: UNICODE_STRING,
    /// The system's own.
    pub Reserved: [ULONG; 22],
}

const _: () = {
    assert!(size_of::<PUBLIC_OBJECT_TYPE_INFORMATION>() == if WIDE { 104 } else { 96 });
    assert!(align_of::<PUBLIC_OBJECT_TYPE_INFORMATION>() == if WIDE { 8 } else { 4 });
    assert!(offset_of!(PUBLIC_OBJECT_TYPE_INFORMATION, TypeName) == 0);
    assert!(offset_of!(PUBLIC_OBJECT_TYPE_INFORMATION, Reserved) == if WIDE { 16 } else { 8 });
};

/// One change in a directory, the head of a record whose name goes on beyond it.
///
/// Header: winnt.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winnt/ns-winnt-file_notify_information)
#[doc(alias = "PFILE_NOTIFY_INFORMATION")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct FILE_NOTIFY_INFORMATION {
    /// How many bytes after the beginning of this record the next one begins, or 0 if there is
    /// none. Microsoft promises a multiple of 4; Wine keeps no such promise.
    pub NextEntryOffset: DWORD,
    /// What has happened: one of the `FILE_ACTION_*`.
    pub Action: DWORD,
    /// The length of the name in bytes.
    pub FileNameLength: DWORD,
    /// The first unit of the name in UTF-16, relative to the directory and not ended by a 0.
    pub FileName: [u16; 1],
}

const _: () = {
    assert!(size_of::<FILE_NOTIFY_INFORMATION>() == 16);
    assert!(align_of::<FILE_NOTIFY_INFORMATION>() == 4);
    assert!(offset_of!(FILE_NOTIFY_INFORMATION, NextEntryOffset) == 0);
    assert!(offset_of!(FILE_NOTIFY_INFORMATION, Action) == 4);
    assert!(offset_of!(FILE_NOTIFY_INFORMATION, FileNameLength) == 8);
    assert!(offset_of!(FILE_NOTIFY_INFORMATION, FileName) == 12);
};

/// A function for the system to call, in an alertable wait of the thread that started the
/// operation.
///
/// `None` is the SDK's NULL, and what this crate always gives: a file on a completion port reports
/// to the port.
///
/// Header: minwinbase.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/minwinbase/nc-minwinbase-lpoverlapped_completion_routine)
pub type LPOVERLAPPED_COMPLETION_ROUTINE = Option<
    unsafe extern "system" fn(
        dwErrorCode: DWORD,
        dwNumberOfBytesTransfered: DWORD,
        lpOverlapped: *mut OVERLAPPED,
    ),
>;

/// A function for the system to call when a timer is signalled, in an alertable wait of the thread
/// that has set the timer. `None` is the SDK's NULL.
///
/// Header: synchapi.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nc-synchapi-ptimerapcroutine)
pub type PTIMERAPCROUTINE = Option<
    unsafe extern "system" fn(
        lpArgToCompletionRoutine: *mut c_void,
        dwTimerLowValue: DWORD,
        dwTimerHighValue: DWORD,
    ),
>;

/// A function for the system's pool to call when a wait has ended. It must not unwind.
///
/// `TimerOrWaitFired` is not 0 if time was up, and 0 if the object was signalled.
///
/// Header: winnt.h, which calls the function's own type `WAITORTIMERCALLBACKFUNC`.
/// [Microsoft's page](https://learn.microsoft.com/en-us/previous-versions/windows/desktop/legacy/ms687066(v=vs.85))
pub type WAITORTIMERCALLBACK =
    unsafe extern "system" fn(lpParameter: *mut c_void, TimerOrWaitFired: BOOLEAN);

// `Option` around a function pointer is NULL or the pointer, which is what makes it usable here.
const _: () = assert!(size_of::<LPOVERLAPPED_COMPLETION_ROUTINE>() == size_of::<HANDLE>());
const _: () = assert!(size_of::<PTIMERAPCROUTINE>() == size_of::<HANDLE>());
