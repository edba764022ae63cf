//! The numbers of waits, of timers, and of jobs.
#![allow(non_upper_case_globals, reason = "members of enumerations are spelled as in the SDK")]

use super::super::types::{DWORD, JOBOBJECTINFOCLASS, ULONG};

// winnt.h: waits

/// The callback is called on a thread of the pool, again and again.
pub const WT_EXECUTEDEFAULT: ULONG = 0x0000_0000;

/// The callback is called on a thread that waits alertably and stays for its own operations.
pub const WT_EXECUTEINIOTHREAD: ULONG = 0x0000_0001;

/// The callback is called on the thread that waits: it must be short, and not block.
pub const WT_EXECUTEINWAITTHREAD: ULONG = 0x0000_0004;

/// The callback is called once. The wait must be taken back all the same.
pub const WT_EXECUTEONLYONCE: ULONG = 0x0000_0008;

/// The callback can take long, so that the pool is to have another thread.
pub const WT_EXECUTELONGFUNCTION: ULONG = 0x0000_0010;

// synchapi.h, winnt.h: timers

/// The timer stays signalled until it is set again.
pub const CREATE_WAITABLE_TIMER_MANUAL_RESET: DWORD = 0x0000_0001;

/// The timer is for times below the tick of the clock. Windows 10 1803 is the first to have it.
pub const CREATE_WAITABLE_TIMER_HIGH_RESOLUTION: DWORD = 0x0000_0002;

/// Every right to a timer.
pub const TIMER_ALL_ACCESS: DWORD = 0x001F_0003;

// winnt.h: what is set of a job

/// The port that it sends its messages to, by a
///
/// [`JOBOBJECT_ASSOCIATE_COMPLETION_PORT`][1].
///
/// [1]: super::super::types::JOBOBJECT_ASSOCIATE_COMPLETION_PORT
pub const JobObjectAssociateCompletionPortInformation: JOBOBJECTINFOCLASS = 7;

/// Its limits, by a
///
/// [`JOBOBJECT_EXTENDED_LIMIT_INFORMATION`][1].
///
/// [1]: super::super::types::JOBOBJECT_EXTENDED_LIMIT_INFORMATION
pub const JobObjectExtendedLimitInformation: JOBOBJECTINFOCLASS = 9;

/// There may be so many processes at a time.
pub const JOB_OBJECT_LIMIT_ACTIVE_PROCESS: DWORD = 0x0000_0008;

/// The processes end when the last handle of the job is closed.
pub const JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE: DWORD = 0x0000_2000;

// winnt.h: what a job says

/// The job has used up its time.
pub const JOB_OBJECT_MSG_END_OF_JOB_TIME: DWORD = 1;

/// A process has used up its time.
pub const JOB_OBJECT_MSG_END_OF_PROCESS_TIME: DWORD = 2;

/// There would be more processes than may be.
pub const JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT: DWORD = 3;

/// There is no process any more. Its operation is NULL.
pub const JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO: DWORD = 4;

/// A process has come into the job, or was there when the port was given.
pub const JOB_OBJECT_MSG_NEW_PROCESS: DWORD = 6;

/// A process has ended.
pub const JOB_OBJECT_MSG_EXIT_PROCESS: DWORD = 7;

/// A process has ended by one of some errors.
pub const JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS: DWORD = 8;

/// A process wanted more memory than it may have.
pub const JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT: DWORD = 9;

/// A process wanted more memory than the job may have.
pub const JOB_OBJECT_MSG_JOB_MEMORY_LIMIT: DWORD = 10;

/// The job has come to a limit that is only told of.
pub const JOB_OBJECT_MSG_NOTIFICATION_LIMIT: DWORD = 11;

/// The job has used up its cycles.
pub const JOB_OBJECT_MSG_JOB_CYCLE_TIME_LIMIT: DWORD = 12;
