//! The types of jobs: the port that a job tells what happens, and its limits.

use core::ffi::c_void;
use core::mem::offset_of;

use super::{DWORD, HANDLE, LARGE_INTEGER, SIZE_T, ULONG_PTR, WIDE};

/// What can be set of a job, such as [`JobObjectAssociateCompletionPortInformation`][1]. An `enum`
/// in the SDK. Header: winnt.h.
///
/// [1]: super::super::constants::JobObjectAssociateCompletionPortInformation
pub type JOBOBJECTINFOCLASS = u32;

/// The port that a job sends its messages to, and the key that they carry.
///
/// Header: winnt.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winnt/ns-winnt-jobobject_associate_completion_port)
#[doc(alias = "PJOBOBJECT_ASSOCIATE_COMPLETION_PORT")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct JOBOBJECT_ASSOCIATE_COMPLETION_PORT {
    /// The key. In spite of its type it is a number and not a pointer.
    pub CompletionKey: *mut c_void,
    /// The port.
    pub CompletionPort: HANDLE,
}

const _: () = {
    assert!(size_of::<JOBOBJECT_ASSOCIATE_COMPLETION_PORT>() == if WIDE { 16 } else { 8 });
    assert!(align_of::<JOBOBJECT_ASSOCIATE_COMPLETION_PORT>() == if WIDE { 8 } else { 4 });
    assert!(offset_of!(JOBOBJECT_ASSOCIATE_COMPLETION_PORT, CompletionKey) == 0);
    assert!(
        offset_of!(JOBOBJECT_ASSOCIATE_COMPLETION_PORT, CompletionPort) == if WIDE { 8 } else { 4 }
    );
};

/// The limits of a job that have been there from the start.
///
/// Its alignment is that of an integer of 64 bits, which is 8 on every Windows and stands here for
/// the sake of other systems.
///
/// Header: winnt.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winnt/ns-winnt-jobobject_basic_limit_information)
#[doc(alias = "PJOBOBJECT_BASIC_LIMIT_INFORMATION")]
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug)]
pub struct JOBOBJECT_BASIC_LIMIT_INFORMATION {
    /// The time that each process may use, in 100 ns.
    pub PerProcessUserTimeLimit: LARGE_INTEGER,
    /// The time that the job may use from now on, in 100 ns.
    pub PerJobUserTimeLimit: LARGE_INTEGER,
    /// Which of the limits there are: the `JOB_OBJECT_LIMIT_*`.
    pub LimitFlags: DWORD,
    /// The least memory that each process may be left with.
    pub MinimumWorkingSetSize: SIZE_T,
    /// The most memory that each process may have at hand.
    pub MaximumWorkingSetSize: SIZE_T,
    /// How many processes there may be at a time.
    pub ActiveProcessLimit: DWORD,
    /// The processors that they may use, a bit each.
    pub Affinity: ULONG_PTR,
    /// How urgent they are.
    pub PriorityClass: DWORD,
    /// How long they may go on before another process does, from 0 to 9.
    pub SchedulingClass: DWORD,
}

const _: () = {
    type Limits = JOBOBJECT_BASIC_LIMIT_INFORMATION;
    assert!(size_of::<Limits>() == if WIDE { 64 } else { 48 });
    assert!(align_of::<Limits>() == 8);
    assert!(offset_of!(Limits, PerProcessUserTimeLimit) == 0);
    assert!(offset_of!(Limits, PerJobUserTimeLimit) == 8);
    assert!(offset_of!(Limits, LimitFlags) == 16);
    assert!(offset_of!(Limits, MinimumWorkingSetSize) == if WIDE { 24 } else { 20 });
    assert!(offset_of!(Limits, MaximumWorkingSetSize) == if WIDE { 32 } else { 24 });
    assert!(offset_of!(Limits, ActiveProcessLimit) == if WIDE { 40 } else { 28 });
    assert!(offset_of!(Limits, Affinity) == if WIDE { 48 } else { 32 });
    assert!(offset_of!(Limits, PriorityClass) == if WIDE { 56 } else { 36 });
    assert!(offset_of!(Limits, SchedulingClass) == if WIDE { 60 } else { 40 });
};

/// How many operations there were, and how many bytes they have moved.
///
/// Its alignment is that of an integer of 64 bits, as above.
///
/// Header: winnt.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winnt/ns-winnt-io_counters)
#[doc(alias = "PIO_COUNTERS")]
#[repr(C, align(8))]
#[derive(Clone, Copy, Debug)]
pub struct IO_COUNTERS {
    /// How often something was read.
    pub ReadOperationCount: u64,
    /// How often something was written.
    pub WriteOperationCount: u64,
    /// How often anything else was done.
    pub OtherOperationCount: u64,
    /// How many bytes were read.
    pub ReadTransferCount: u64,
    /// How many bytes were written.
    pub WriteTransferCount: u64,
    /// How many bytes were moved otherwise.
    pub OtherTransferCount: u64,
}

const _: () = {
    assert!(size_of::<IO_COUNTERS>() == 48);
    assert!(align_of::<IO_COUNTERS>() == 8);
    assert!(offset_of!(IO_COUNTERS, ReadOperationCount) == 0);
    assert!(offset_of!(IO_COUNTERS, WriteOperationCount) == 8);
    assert!(offset_of!(IO_COUNTERS, OtherOperationCount) == 16);
    assert!(offset_of!(IO_COUNTERS, ReadTransferCount) == 24);
    assert!(offset_of!(IO_COUNTERS, WriteTransferCount) == 32);
    assert!(offset_of!(IO_COUNTERS, OtherTransferCount) == 40);
};

/// All limits of a job.
///
/// Header: winnt.h.
/// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winnt/ns-winnt-jobobject_extended_limit_information)
#[doc(alias = "PJOBOBJECT_EXTENDED_LIMIT_INFORMATION")]
#[repr(C)]
#[derive(Clone, Copy, Debug)]
pub struct JOBOBJECT_EXTENDED_LIMIT_INFORMATION {
    /// Which limits there are, and most of them.
    pub BasicLimitInformation: JOBOBJECT_BASIC_LIMIT_INFORMATION,
    /// Reserved.
    pub IoInfo: IO_COUNTERS,
    /// How much memory each process may be promised.
    pub ProcessMemoryLimit: SIZE_T,
    /// How much memory the job may be promised.
    pub JobMemoryLimit: SIZE_T,
    /// The most memory that any of the processes was ever promised.
    pub PeakProcessMemoryUsed: SIZE_T,
    /// The most memory that the job was ever promised.
    pub PeakJobMemoryUsed: SIZE_T,
}

const _: () = {
    type Limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION;
    assert!(size_of::<Limits>() == if WIDE { 144 } else { 112 });
    assert!(align_of::<Limits>() == 8);
    assert!(offset_of!(Limits, BasicLimitInformation) == 0);
    assert!(offset_of!(Limits, IoInfo) == if WIDE { 64 } else { 48 });
    assert!(offset_of!(Limits, ProcessMemoryLimit) == if WIDE { 112 } else { 96 });
    assert!(offset_of!(Limits, JobMemoryLimit) == if WIDE { 120 } else { 100 });
    assert!(offset_of!(Limits, PeakProcessMemoryUsed) == if WIDE { 128 } else { 104 });
    assert!(offset_of!(Limits, PeakJobMemoryUsed) == if WIDE { 136 } else { 108 });
};
