//! What `ffi` declares is what a C compiler makes of the Windows headers.
//!
//! `ffi/types.rs` asserts its layouts when it is compiled. Here the same numbers stand a second
//! time, as tables to be read beside a C compiler's answers, and with what a `const` assertion
//! cannot say: that no field was forgotten, what the sentinels are, and, on Windows, that every
//! call links and has the shape that callers rely on. What accepting and connecting need follows
//! in `tests/layout_sockets.rs`.

use std::ffi::c_void;
use std::mem::offset_of;
use std::ptr;

use overlapped::ffi;
use overlapped::ffi::types::{
    BOOL, DWORD, HANDLE, LPWSAOVERLAPPED_COMPLETION_ROUTINE, NTSTATUS, OVERLAPPED,
    OVERLAPPED_ENTRY, SOCKET, UCHAR, ULONG, ULONG_PTR, WSABUF, WSAOVERLAPPED,
};

/// A property's name, what this compiler says, and what C says for 64 and for 32 bits.
type Row = (&'static str, usize, usize, usize);

#[track_caller]
fn assert_layout(rows: &[Row]) {
    for &(property, ours, on_64_bits, on_32_bits) in rows {
        let expected = match size_of::<usize>() {
            8 => on_64_bits,
            4 => on_32_bits,
            other => panic!("no Windows has pointers of {other} bytes"),
        };
        assert_eq!(ours, expected, "{property}");
    }
}

#[test]
fn overlapped_is_laid_out_as_in_c() {
    assert_layout(&[
        ("size", size_of::<OVERLAPPED>(), 32, 20),
        ("align", align_of::<OVERLAPPED>(), 8, 4),
        ("Internal", offset_of!(OVERLAPPED, Internal), 0, 0),
        ("InternalHigh", offset_of!(OVERLAPPED, InternalHigh), 8, 4),
        ("Offset", offset_of!(OVERLAPPED, Offset), 16, 8),
        ("OffsetHigh", offset_of!(OVERLAPPED, OffsetHigh), 20, 12),
        ("hEvent", offset_of!(OVERLAPPED, hEvent), 24, 16),
    ]);
}

#[test]
fn overlapped_entry_is_laid_out_as_in_c() {
    assert_layout(&[
        ("size", size_of::<OVERLAPPED_ENTRY>(), 32, 16),
        ("align", align_of::<OVERLAPPED_ENTRY>(), 8, 4),
        ("lpCompletionKey", offset_of!(OVERLAPPED_ENTRY, lpCompletionKey), 0, 0),
        ("lpOverlapped", offset_of!(OVERLAPPED_ENTRY, lpOverlapped), 8, 4),
        ("Internal", offset_of!(OVERLAPPED_ENTRY, Internal), 16, 8),
        (
            "dwNumberOfBytesTransferred",
            offset_of!(OVERLAPPED_ENTRY, dwNumberOfBytesTransferred),
            24,
            12,
        ),
    ]);
}

#[test]
fn wsabuf_is_laid_out_as_in_c() {
    assert_layout(&[
        ("size", size_of::<WSABUF>(), 16, 8),
        ("align", align_of::<WSABUF>(), 8, 4),
        ("len", offset_of!(WSABUF, len), 0, 0),
        ("buf", offset_of!(WSABUF, buf), 8, 4),
    ]);
}

#[test]
fn the_integers_are_as_wide_as_in_c() {
    assert_layout(&[
        ("BOOL", size_of::<BOOL>(), 4, 4),
        ("DWORD", size_of::<DWORD>(), 4, 4),
        ("HANDLE", size_of::<HANDLE>(), 8, 4),
        ("NTSTATUS", size_of::<NTSTATUS>(), 4, 4),
        ("SOCKET", size_of::<SOCKET>(), 8, 4),
        ("UCHAR", size_of::<UCHAR>(), 1, 1),
        ("ULONG", size_of::<ULONG>(), 4, 4),
        ("ULONG_PTR", size_of::<ULONG_PTR>(), 8, 4),
    ]);
}

#[test]
fn only_yes_or_no_and_the_status_have_a_sign() {
    assert_eq!([BOOL::MIN < 0, NTSTATUS::MIN < 0], [true, true]);
    assert_eq!([DWORD::MIN, ULONG::MIN], [0, 0]);
    assert_eq!([SOCKET::MIN, ULONG_PTR::MIN], [0, 0]);
    assert_eq!(UCHAR::MIN, 0);
}

/// The SDK's own shape, with the union that `ffi::types::OVERLAPPED` does without.
#[test]
fn flattening_the_union_of_overlapped_moves_nothing() {
    #[repr(C)]
    #[derive(Clone, Copy)]
    struct Position {
        low: DWORD,
        high: DWORD,
    }

    #[repr(C)]
    union PositionOrPointer {
        position: Position,
        pointer: *mut c_void,
    }

    #[repr(C)]
    struct WithUnion {
        internal: ULONG_PTR,
        internal_high: ULONG_PTR,
        union: PositionOrPointer,
        event: HANDLE,
    }

    assert_eq!(size_of::<OVERLAPPED>(), size_of::<WithUnion>());
    assert_eq!(align_of::<OVERLAPPED>(), align_of::<WithUnion>());
    assert_eq!(offset_of!(OVERLAPPED, Offset), offset_of!(WithUnion, union));
    assert_eq!(offset_of!(OVERLAPPED, hEvent), offset_of!(WithUnion, event));
}

// The next three do not compile when a struct has a field more or a field less, or one of another
// type: there is no `..` in them.

#[test]
fn a_literal_of_overlapped_names_every_field() {
    let OVERLAPPED { Internal, InternalHigh, Offset, OffsetHigh, hEvent } = OVERLAPPED {
        Internal: 1_usize,
        InternalHigh: 2_usize,
        Offset: 3_u32,
        OffsetHigh: 4_u32,
        hEvent: ptr::null_mut::<c_void>(),
    };
    assert_eq!((Internal, InternalHigh, Offset, OffsetHigh), (1, 2, 3, 4));
    assert!(hEvent.is_null());
}

#[test]
fn a_literal_of_overlapped_entry_names_every_field() {
    let entry = OVERLAPPED_ENTRY {
        lpCompletionKey: usize::MAX,
        lpOverlapped: ptr::null_mut::<OVERLAPPED>(),
        Internal: 2_usize,
        dwNumberOfBytesTransferred: u32::MAX,
    };
    assert_eq!(entry.lpCompletionKey, usize::MAX);
    assert!(entry.lpOverlapped.is_null());
    assert_eq!(entry.Internal, 2);
    assert_eq!(entry.dwNumberOfBytesTransferred, u32::MAX);
}

#[test]
fn a_literal_of_wsabuf_names_every_field() {
    let mut bytes = [1_u8, 2, 3];
    let lent = WSABUF { len: 3_u32, buf: bytes.as_mut_ptr() };
    assert_eq!(lent.len, 3);
    assert_eq!(lent.buf, bytes.as_mut_ptr());
}

#[test]
fn winsock_means_the_same_overlapped() {
    let mut operation = OVERLAPPED {
        Internal: 0,
        InternalHigh: 0,
        Offset: 0,
        OffsetHigh: 0,
        hEvent: ptr::null_mut(),
    };
    let of_winsock: *mut WSAOVERLAPPED = &raw mut operation;
    assert_eq!(of_winsock, &raw mut operation);
}

#[test]
fn a_completion_routine_is_a_pointer_or_null() {
    extern "system" fn routine(_: DWORD, _: DWORD, _: *mut WSAOVERLAPPED, _: DWORD) {}

    let given: LPWSAOVERLAPPED_COMPLETION_ROUTINE = Some(routine);
    assert!(given.is_some());
    assert_layout(&[
        ("size", size_of::<LPWSAOVERLAPPED_COMPLETION_ROUTINE>(), 8, 4),
        ("align", align_of::<LPWSAOVERLAPPED_COMPLETION_ROUTINE>(), 8, 4),
    ]);
}

#[test]
fn the_sentinels_have_all_bits_set() {
    assert_eq!(ffi::constants::INVALID_HANDLE_VALUE.addr(), usize::MAX);
    assert_eq!(ffi::constants::INVALID_SOCKET, usize::MAX);
    assert_eq!(ffi::constants::INFINITE, u32::MAX);
    assert_eq!(ffi::constants::SOCKET_ERROR, -1);
}

#[test]
fn no_sentinel_is_null_and_no_is_zero() {
    assert!(!ffi::constants::INVALID_HANDLE_VALUE.is_null());
    assert_ne!(ffi::constants::INVALID_SOCKET, 0);
    assert_eq!([ffi::constants::FALSE, ffi::constants::TRUE], [0, 1]);
}

#[test]
fn one_number_with_two_names_is_one_number() {
    let pairs = [
        (ffi::constants::WSA_IO_PENDING, ffi::constants::ERROR_IO_PENDING),
        (ffi::constants::WSA_OPERATION_ABORTED, ffi::constants::ERROR_OPERATION_ABORTED),
        (ffi::ntstatus::STATUS_USER_APC, ffi::constants::WAIT_IO_COMPLETION),
    ];
    for (signed, unsigned) in pairs {
        assert_eq!(u32::try_from(signed), Ok(unsigned));
    }
}

#[test]
fn warnings_and_errors_are_negative_and_pending_is_not() {
    for status in [
        ffi::ntstatus::STATUS_SUCCESS,
        ffi::ntstatus::STATUS_USER_APC,
        ffi::ntstatus::STATUS_TIMEOUT,
        ffi::ntstatus::STATUS_PENDING,
    ] {
        assert!(status >= 0, "{status:#010X}");
    }
    for status in [
        ffi::ntstatus::STATUS_BUFFER_OVERFLOW,
        ffi::ntstatus::STATUS_CANCELLED,
        ffi::ntstatus::STATUS_CONNECTION_RESET,
    ] {
        assert!(status < 0, "{status:#010X}");
    }
}

/// Taking the address makes the linker find it: a wrong name or a wrong DLL does not link. On
/// other targets there is nothing to link with.
#[cfg(windows)]
#[test]
fn every_call_links_and_has_the_shape_of_the_header() {
    let create: unsafe extern "system" fn(HANDLE, HANDLE, ULONG_PTR, DWORD) -> HANDLE =
        ffi::kernel32::CreateIoCompletionPort;
    let wait_for_one: unsafe extern "system" fn(
        HANDLE,
        *mut DWORD,
        *mut ULONG_PTR,
        *mut *mut OVERLAPPED,
        DWORD,
    ) -> BOOL = ffi::kernel32::GetQueuedCompletionStatus;
    let wait_for_some: unsafe extern "system" fn(
        HANDLE,
        *mut OVERLAPPED_ENTRY,
        ULONG,
        *mut ULONG,
        DWORD,
        BOOL,
    ) -> BOOL = ffi::kernel32::GetQueuedCompletionStatusEx;
    let post: unsafe extern "system" fn(HANDLE, DWORD, ULONG_PTR, *mut OVERLAPPED) -> BOOL =
        ffi::kernel32::PostQueuedCompletionStatus;
    let cancel: unsafe extern "system" fn(HANDLE, *mut OVERLAPPED) -> BOOL =
        ffi::kernel32::CancelIoEx;
    let close: unsafe extern "system" fn(HANDLE) -> BOOL = ffi::kernel32::CloseHandle;
    let set_modes: unsafe extern "system" fn(HANDLE, UCHAR) -> BOOL =
        ffi::kernel32::SetFileCompletionNotificationModes;
    let receive: unsafe extern "system" fn(
        SOCKET,
        *const WSABUF,
        DWORD,
        *mut DWORD,
        *mut DWORD,
        *mut WSAOVERLAPPED,
        LPWSAOVERLAPPED_COMPLETION_ROUTINE,
    ) -> i32 = ffi::ws2_32::WSARecv;
    let send: unsafe extern "system" fn(
        SOCKET,
        *const WSABUF,
        DWORD,
        *mut DWORD,
        DWORD,
        *mut WSAOVERLAPPED,
        LPWSAOVERLAPPED_COMPLETION_ROUTINE,
    ) -> i32 = ffi::ws2_32::WSASend;
    let last_error: extern "system" fn() -> i32 = ffi::ws2_32::WSAGetLastError;

    let addresses = std::collections::BTreeSet::from([
        create as usize,
        wait_for_one as usize,
        wait_for_some as usize,
        post as usize,
        cancel as usize,
        close as usize,
        set_modes as usize,
        receive as usize,
        send as usize,
        last_error as usize,
    ]);
    assert_eq!(addresses.len(), 10);
    assert!(!addresses.contains(&0));
}
