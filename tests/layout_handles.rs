//! What `ffi` declares for files, pipes, waits, jobs and messages is what a C compiler makes of the
//! Windows headers: the tables of `tests/layout.rs`, continued.

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr::null_mut;

use overlapped::ffi::constants::{FILE_SYNCHRONOUS_IO_ALERT, FILE_SYNCHRONOUS_IO_NONALERT};
use overlapped::ffi::mswsock::{
    LPFN_DISCONNECTEX, LPFN_TRANSMITFILE, LPFN_WSARECVMSG, LPFN_WSASENDMSG, WSAID_ACCEPTEX,
    WSAID_TRANSMITFILE,
};
use overlapped::ffi::socket_address::SOCKADDR;
use overlapped::ffi::types::{
    BOOL, BOOLEAN, DWORD, FILE_INFORMATION_CLASS, FILE_MODE_INFORMATION, FILE_NOTIFY_INFORMATION,
    GUID, HANDLE, IO_COUNTERS, IO_STATUS_BLOCK, JOBOBJECT_ASSOCIATE_COMPLETION_PORT,
    JOBOBJECT_BASIC_LIMIT_INFORMATION, JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JOBOBJECTINFOCLASS,
    LARGE_INTEGER, LPOVERLAPPED_COMPLETION_ROUTINE, LPWSAOVERLAPPED_COMPLETION_ROUTINE, NTSTATUS,
    OVERLAPPED, PTIMERAPCROUTINE, SECURITY_ATTRIBUTES, SIZE_T, SOCKET, TRANSMIT_FILE_BUFFERS, UINT,
    WAITORTIMERCALLBACK, WSABUF, WSAMSG, WSAOVERLAPPED,
};

/// A property's name, what this compiler says, and what C says for 64 and for 32 bits.
type Row = (&'static str, usize, usize, usize);

#[track_caller]
fn assert_layout(rows: &[Row]) {
    for &(property, ours, on_64_bits, on_32_bits) in rows {
        let expected = if size_of::<usize>() == 8 { on_64_bits } else { on_32_bits };
        assert_eq!(ours, expected, "{property}");
    }
}

#[test]
fn security_attributes_and_the_status_block_are_laid_out_as_in_c() {
    assert_layout(&[
        ("size", size_of::<SECURITY_ATTRIBUTES>(), 24, 12),
        ("nLength", offset_of!(SECURITY_ATTRIBUTES, nLength), 0, 0),
        ("lpSecurityDescriptor", offset_of!(SECURITY_ATTRIBUTES, lpSecurityDescriptor), 8, 4),
        ("bInheritHandle", offset_of!(SECURITY_ATTRIBUTES, bInheritHandle), 16, 8),
        ("size", size_of::<IO_STATUS_BLOCK>(), 16, 8),
        ("Status", offset_of!(IO_STATUS_BLOCK, Status), 0, 0),
        ("Information", offset_of!(IO_STATUS_BLOCK, Information), 8, 4),
        ("size", size_of::<FILE_MODE_INFORMATION>(), 4, 4),
    ]);
}

/// The SDK's own shape, with the union that `ffi::types::IO_STATUS_BLOCK` does without.
#[test]
fn flattening_the_union_of_the_status_block_moves_nothing() {
    #[repr(C)]
    union StatusOrPointer {
        status: NTSTATUS,
        pointer: *mut c_void,
    }

    #[repr(C)]
    struct WithUnion {
        union: StatusOrPointer,
        information: usize,
    }

    assert_eq!(size_of::<IO_STATUS_BLOCK>(), size_of::<WithUnion>());
    assert_eq!(align_of::<IO_STATUS_BLOCK>(), align_of::<WithUnion>());
    assert_eq!(offset_of!(IO_STATUS_BLOCK, Information), offset_of!(WithUnion, information));
}

#[test]
fn a_record_of_a_change_is_laid_out_as_in_c() {
    assert_layout(&[
        ("size", size_of::<FILE_NOTIFY_INFORMATION>(), 16, 16),
        ("align", align_of::<FILE_NOTIFY_INFORMATION>(), 4, 4),
        ("NextEntryOffset", offset_of!(FILE_NOTIFY_INFORMATION, NextEntryOffset), 0, 0),
        ("Action", offset_of!(FILE_NOTIFY_INFORMATION, Action), 4, 4),
        ("FileNameLength", offset_of!(FILE_NOTIFY_INFORMATION, FileNameLength), 8, 8),
        ("FileName", offset_of!(FILE_NOTIFY_INFORMATION, FileName), 12, 12),
    ]);
}

#[test]
fn the_structs_of_jobs_are_laid_out_as_in_c() {
    type Port = JOBOBJECT_ASSOCIATE_COMPLETION_PORT;
    type Basic = JOBOBJECT_BASIC_LIMIT_INFORMATION;
    type Extended = JOBOBJECT_EXTENDED_LIMIT_INFORMATION;
    assert_layout(&[
        ("size", size_of::<Port>(), 16, 8),
        ("CompletionKey", offset_of!(Port, CompletionKey), 0, 0),
        ("CompletionPort", offset_of!(Port, CompletionPort), 8, 4),
        ("size", size_of::<Basic>(), 64, 48),
        ("align", align_of::<Basic>(), 8, 8),
        ("LimitFlags", offset_of!(Basic, LimitFlags), 16, 16),
        ("MinimumWorkingSetSize", offset_of!(Basic, MinimumWorkingSetSize), 24, 20),
        ("ActiveProcessLimit", offset_of!(Basic, ActiveProcessLimit), 40, 28),
        ("Affinity", offset_of!(Basic, Affinity), 48, 32),
        ("SchedulingClass", offset_of!(Basic, SchedulingClass), 60, 40),
        ("size", size_of::<IO_COUNTERS>(), 48, 48),
        ("size", size_of::<Extended>(), 144, 112),
        ("align", align_of::<Extended>(), 8, 8),
        ("LimitFlags", offset_of!(Extended, BasicLimitInformation.LimitFlags), 16, 16),
        ("IoInfo", offset_of!(Extended, IoInfo), 64, 48),
        ("ProcessMemoryLimit", offset_of!(Extended, ProcessMemoryLimit), 112, 96),
        ("PeakJobMemoryUsed", offset_of!(Extended, PeakJobMemoryUsed), 136, 108),
    ]);
}

#[test]
fn messages_and_what_goes_around_a_file_are_laid_out_as_in_c() {
    assert_layout(&[
        ("size", size_of::<WSAMSG>(), 56, 28),
        ("align", align_of::<WSAMSG>(), 8, 4),
        ("name", offset_of!(WSAMSG, name), 0, 0),
        ("namelen", offset_of!(WSAMSG, namelen), 8, 4),
        ("lpBuffers", offset_of!(WSAMSG, lpBuffers), 16, 8),
        ("dwBufferCount", offset_of!(WSAMSG, dwBufferCount), 24, 12),
        ("Control", offset_of!(WSAMSG, Control), 32, 16),
        ("dwFlags", offset_of!(WSAMSG, dwFlags), 48, 24),
        ("size", size_of::<TRANSMIT_FILE_BUFFERS>(), 32, 16),
        ("Head", offset_of!(TRANSMIT_FILE_BUFFERS, Head), 0, 0),
        ("HeadLength", offset_of!(TRANSMIT_FILE_BUFFERS, HeadLength), 8, 4),
        ("Tail", offset_of!(TRANSMIT_FILE_BUFFERS, Tail), 16, 8),
        ("TailLength", offset_of!(TRANSMIT_FILE_BUFFERS, TailLength), 24, 12),
    ]);
}

#[test]
fn the_integers_are_as_wide_as_in_c() {
    assert_layout(&[
        ("BOOLEAN", size_of::<BOOLEAN>(), 1, 1),
        ("FILE_INFORMATION_CLASS", size_of::<FILE_INFORMATION_CLASS>(), 4, 4),
        ("JOBOBJECTINFOCLASS", size_of::<JOBOBJECTINFOCLASS>(), 4, 4),
        ("LARGE_INTEGER", size_of::<LARGE_INTEGER>(), 8, 8),
        ("SIZE_T", size_of::<SIZE_T>(), 8, 4),
        ("UINT", size_of::<UINT>(), 4, 4),
    ]);
    assert_eq!([BOOLEAN::MIN.into(), UINT::MIN], [0, 0]);
    assert_eq!(LARGE_INTEGER::MIN.signum(), -1);
}

// The next two do not compile when a struct has a field more or a field less, or one of another
// type: there is no `..` in them.

#[test]
fn literals_of_what_files_and_sockets_take_name_every_field() {
    let attributes = SECURITY_ATTRIBUTES {
        nLength: 1_u32,
        lpSecurityDescriptor: null_mut::<c_void>(),
        bInheritHandle: 1_i32,
    };
    let block = IO_STATUS_BLOCK { Status: -1_i32, Information: usize::MAX };
    let mode = FILE_MODE_INFORMATION { Mode: 2_u32 };
    let change = FILE_NOTIFY_INFORMATION {
        NextEntryOffset: 0_u32,
        Action: 1_u32,
        FileNameLength: 2_u32,
        FileName: [3_u16],
    };
    let message = WSAMSG {
        name: null_mut::<SOCKADDR>(),
        namelen: -1_i32,
        lpBuffers: null_mut::<WSABUF>(),
        dwBufferCount: 1_u32,
        Control: WSABUF { len: 0, buf: null_mut() },
        dwFlags: u32::MAX,
    };
    let around = TRANSMIT_FILE_BUFFERS {
        Head: null_mut::<c_void>(),
        HeadLength: 1_u32,
        Tail: null_mut::<c_void>(),
        TailLength: 2_u32,
    };
    assert_eq!((attributes.bInheritHandle, block.Status, mode.Mode), (1, -1, 2));
    assert_eq!((change.FileName, message.namelen, around.TailLength), ([3], -1, 2));
}

#[test]
fn literals_of_what_jobs_take_name_every_field() {
    let port = JOBOBJECT_ASSOCIATE_COMPLETION_PORT {
        CompletionKey: null_mut::<c_void>(),
        CompletionPort: null_mut::<c_void>(),
    };
    let limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION {
        BasicLimitInformation: JOBOBJECT_BASIC_LIMIT_INFORMATION {
            PerProcessUserTimeLimit: -1_i64,
            PerJobUserTimeLimit: -1_i64,
            LimitFlags: 1_u32,
            MinimumWorkingSetSize: 0_usize,
            MaximumWorkingSetSize: 0_usize,
            ActiveProcessLimit: 2_u32,
            Affinity: 0_usize,
            PriorityClass: 0_u32,
            SchedulingClass: 0_u32,
        },
        IoInfo: IO_COUNTERS {
            ReadOperationCount: u64::MAX,
            WriteOperationCount: 0_u64,
            OtherOperationCount: 0_u64,
            ReadTransferCount: 0_u64,
            WriteTransferCount: 0_u64,
            OtherTransferCount: 0_u64,
        },
        ProcessMemoryLimit: 0_usize,
        JobMemoryLimit: 0_usize,
        PeakProcessMemoryUsed: 0_usize,
        PeakJobMemoryUsed: usize::MAX,
    };
    assert!(port.CompletionPort.is_null());
    assert_eq!(limits.BasicLimitInformation.ActiveProcessLimit, 2);
    assert_eq!(limits.PeakJobMemoryUsed, usize::MAX);
}

#[test]
fn the_two_flags_of_files_that_are_not_overlapped_are_bits_of_their_own() {
    assert_eq!(FILE_SYNCHRONOUS_IO_ALERT | FILE_SYNCHRONOUS_IO_NONALERT, 0x30);
    // The headers made these two one after the other.
    let next = GUID { Data1: WSAID_TRANSMITFILE.Data1 + 1, ..WSAID_TRANSMITFILE };
    assert_eq!(next, WSAID_ACCEPTEX);
}

/// Each parameter of a function has the type that the pointer says: else this does not compile.
#[test]
fn the_functions_have_the_shape_of_the_header() {
    extern "system" fn receive(
        _: SOCKET,
        _: *mut WSAMSG,
        _: *mut DWORD,
        _: *mut WSAOVERLAPPED,
        _: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
    ) -> i32 {
        1
    }

    extern "system" fn send(
        _: SOCKET,
        _: *const WSAMSG,
        _: DWORD,
        _: *mut DWORD,
        _: *mut WSAOVERLAPPED,
        _: LPWSAOVERLAPPED_COMPLETION_ROUTINE,
    ) -> i32 {
        2
    }

    extern "system" fn transmit(
        _: SOCKET,
        _: HANDLE,
        _: DWORD,
        _: DWORD,
        _: *mut OVERLAPPED,
        _: *const TRANSMIT_FILE_BUFFERS,
        _: DWORD,
    ) -> BOOL {
        3
    }

    extern "system" fn disconnect(_: SOCKET, _: *mut OVERLAPPED, _: DWORD, _: DWORD) -> BOOL {
        4
    }

    extern "system" fn fired(_: *mut c_void, _: BOOLEAN) {}
    extern "system" fn timer(_: *mut c_void, _: DWORD, _: DWORD) {}
    extern "system" fn ended(_: DWORD, _: DWORD, _: *mut OVERLAPPED) {}

    let (_, _): (LPFN_WSARECVMSG, LPFN_WSASENDMSG) = (receive, send);
    let (_, _): (LPFN_TRANSMITFILE, LPFN_DISCONNECTEX) = (transmit, disconnect);
    let _: WAITORTIMERCALLBACK = fired;
    let (_, _): (PTIMERAPCROUTINE, LPOVERLAPPED_COMPLETION_ROUTINE) = (Some(timer), Some(ended));
    let pointer = size_of::<*const c_void>();
    assert_eq!(size_of::<Option<LPFN_TRANSMITFILE>>(), pointer);
    assert_eq!([size_of::<PTIMERAPCROUTINE>(), size_of::<WAITORTIMERCALLBACK>()], [pointer; 2]);
}

/// A wrong name or a wrong DLL does not link. On other targets there is nothing to link with. The
/// shapes are compared with the headers by `tests/abi.rs`.
#[cfg(windows)]
#[test]
fn every_call_links() {
    use overlapped::ffi::{kernel32, ntdll, ws2_32};

    macro_rules! addresses {
        ($($module:ident::$name:ident)*) => {
            std::collections::BTreeSet::from([$($module::$name as *const () as usize),*])
        };
    }

    let addresses = addresses![
        kernel32::CreateFileW kernel32::ReadFile kernel32::WriteFile kernel32::FlushFileBuffers
        kernel32::GetFileType kernel32::DeviceIoControl kernel32::LockFileEx kernel32::UnlockFileEx
        kernel32::ReadDirectoryChangesW kernel32::CreateNamedPipeW kernel32::ConnectNamedPipe
        kernel32::DisconnectNamedPipe kernel32::SetNamedPipeHandleState kernel32::GetNamedPipeInfo
        kernel32::PeekNamedPipe kernel32::WaitNamedPipeW kernel32::TransactNamedPipe
        kernel32::DuplicateHandle kernel32::GetCurrentProcess kernel32::CreateJobObjectW
        kernel32::AssignProcessToJobObject kernel32::SetInformationJobObject
        kernel32::TerminateJobObject kernel32::RegisterWaitForSingleObject
        kernel32::UnregisterWaitEx kernel32::CreateWaitableTimerExW kernel32::SetWaitableTimer
        kernel32::CancelWaitableTimer kernel32::CreateEventW kernel32::SetEvent kernel32::ResetEvent
        ntdll::NtQueryInformationFile ntdll::NtQueryObject ntdll::RtlNtStatusToDosError
        ws2_32::WSARecvFrom ws2_32::WSASendTo
    ];
    assert_eq!(addresses.len(), 36);
    assert!(!addresses.contains(&0));
}
