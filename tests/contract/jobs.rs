//! Jobs: processes that tell a port when they come and go.
#![allow(unsafe_code, reason = "it makes the calls that the tests are about")]

use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::process::Child;
use std::ptr::{null, without_provenance_mut};

use overlapped::ffi;
use overlapped::ffi::constants::{
    FALSE, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE, JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS,
    JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO, JOB_OBJECT_MSG_EXIT_PROCESS, JOB_OBJECT_MSG_NEW_PROCESS,
    JobObjectAssociateCompletionPortInformation, JobObjectExtendedLimitInformation, WAIT_TIMEOUT,
};
use overlapped::ffi::types::{
    DWORD, IO_COUNTERS, JOBOBJECT_ASSOCIATE_COMPLETION_PORT, JOBOBJECT_BASIC_LIMIT_INFORMATION,
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION, JOBOBJECTINFOCLASS,
};

use super::children::{child, end_of, end_with_input};
use super::handles::made;
use super::kernel::{DEADLINE, Packet, Port, dequeue, last_error};

/// `CreateJobObjectW`.
fn job() -> OwnedHandle {
    // SAFETY: without attributes and a name the call touches no memory of ours.
    let handle = unsafe { ffi::kernel32::CreateJobObjectW(null(), null()) };
    // SAFETY: it is what the call has just made.
    unsafe { made(handle) }.expect("a job")
}

/// `SetInformationJobObject`.
///
/// # Safety
///
/// The struct is the one that the class names, and if it names a port nobody follows the addresses
/// in the packets.
unsafe fn set<T>(job: &OwnedHandle, class: JOBOBJECTINFOCLASS, information: &T) {
    let (job, size) = (job.as_raw_handle(), size_of::<T>() as u32);
    let start = (&raw const *information).cast();
    // SAFETY: the job is open, the struct is there during the call, and the caller promises the
    // rest.
    let answer = unsafe { ffi::kernel32::SetInformationJobObject(job, class, start, size) };
    assert_ne!(answer, FALSE, "error {}", last_error());
}

/// Has the job tell the port what happens, with 9 as the key.
fn tell(job: &OwnedHandle, port: &Port) {
    let information = JOBOBJECT_ASSOCIATE_COMPLETION_PORT {
        CompletionKey: without_provenance_mut(9),
        CompletionPort: port.handle(),
    };
    // SAFETY: it is the struct of this class; a packet's operation is a number here.
    unsafe { set(job, JobObjectAssociateCompletionPortInformation, &information) };
}

/// `AssignProcessToJobObject`.
fn assign(job: &OwnedHandle, child: &Child) {
    let (job, process) = (job.as_raw_handle(), child.as_raw_handle());
    // SAFETY: both are open during the call.
    let answer = unsafe { ffi::kernel32::AssignProcessToJobObject(job, process) };
    assert_ne!(answer, FALSE, "error {}", last_error());
}

/// `TerminateJobObject`.
fn terminate(job: &OwnedHandle, code: u32) {
    // SAFETY: the job is open, and what is in it is the test's own child.
    let answer = unsafe { ffi::kernel32::TerminateJobObject(job.as_raw_handle(), code) };
    assert_ne!(answer, FALSE, "error {}", last_error());
}

/// Reads messages until there is one of these. None need come (109), so there may be none at all.
fn message(port: &Port, kinds: &[DWORD]) -> Option<Packet> {
    loop {
        let packet = match dequeue(port.handle(), 1, DEADLINE, FALSE) {
            Ok(packets) => packets[0],
            Err(error) => {
                assert_eq!(error, WAIT_TIMEOUT);
                println!("no message of {kinds:?} has come");
                return None;
            }
        };
        println!("message {} of {}", packet.count, packet.operation);
        assert_eq!(packet.key, 9);
        if kinds.contains(&packet.count) {
            return Some(packet);
        }
    }
}

/// (108, 109) A job tells its port of processes: which message it is stands in the number of bytes,
/// and the number of the process in the place of an operation. It is told that one has come, that
/// it has gone, and that there is none any more, for which there is no process to name. That a
/// message comes is not promised, so the test takes it for granted of none.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winnt/ns-winnt-jobobject_associate_completion_port>
#[test]
fn a_job_tells_a_port_of_its_processes() {
    let child = child("jobs::a_job_tells_a_port_of_its_processes");
    let (port, job) = (Port::new(), job());
    let number = child.id() as usize;
    tell(&job, &port);
    assign(&job, &child);
    if let Some(packet) = message(&port, &[JOB_OBJECT_MSG_NEW_PROCESS]) {
        assert_eq!(packet.operation, number);
    }
    assert_eq!(end_of(child).code(), Some(3));
    // The order of the last two is not promised.
    for _ in 0..2 {
        let Some(packet) = message(&port, &LAST) else { return };
        let none = packet.count == JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO;
        assert_eq!(packet.operation, if none { 0 } else { number });
    }
    port.assert_empty();
}

/// What a job says of the end of a process, and of the last one.
const LAST: [DWORD; 3] = [
    JOB_OBJECT_MSG_EXIT_PROCESS,
    JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS,
    JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO,
];

/// (108, 109) A job can end its processes, and says when there is none any more. (Whether it says
/// of each that it has gone differs: Wine does not.)
/// <https://learn.microsoft.com/en-us/windows/win32/api/jobapi2/nf-jobapi2-terminatejobobject>
#[test]
fn a_job_can_end_its_processes() {
    let mut child = child("jobs::a_job_can_end_its_processes");
    let (port, job) = (Port::new(), job());
    tell(&job, &port);
    assign(&job, &child);
    terminate(&job, 5);
    assert_eq!(end_with_input(&mut child).code(), Some(5));
    if let Some(packet) = message(&port, &LAST[2..]) {
        assert_eq!(packet.operation, 0);
    }
}

/// (108) A process that was in the job before there was a port is told as new.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winnt/ns-winnt-jobobject_associate_completion_port>
#[test]
fn a_process_that_is_in_the_job_already_is_told_as_new() {
    let child = child("jobs::a_process_that_is_in_the_job_already_is_told_as_new");
    let (port, job) = (Port::new(), job());
    assign(&job, &child);
    tell(&job, &port);
    if let Some(packet) = message(&port, &[JOB_OBJECT_MSG_NEW_PROCESS]) {
        assert_eq!(packet.operation, child.id() as usize);
    }
    assert_eq!(end_of(child).code(), Some(3));
}

/// (109) The handle of a process says for certain that it has ended, as it does when the last
/// handle of a job is closed that was told to end its processes then.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winnt/ns-winnt-jobobject_basic_limit_information>
#[test]
fn a_job_can_end_its_processes_when_it_is_closed() {
    let mut child = child("jobs::a_job_can_end_its_processes_when_it_is_closed");
    let job = job();
    let limits = JOBOBJECT_EXTENDED_LIMIT_INFORMATION {
        BasicLimitInformation: JOBOBJECT_BASIC_LIMIT_INFORMATION {
            PerProcessUserTimeLimit: 0,
            PerJobUserTimeLimit: 0,
            LimitFlags: JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE,
            MinimumWorkingSetSize: 0,
            MaximumWorkingSetSize: 0,
            ActiveProcessLimit: 0,
            Affinity: 0,
            PriorityClass: 0,
            SchedulingClass: 0,
        },
        IoInfo: IO_COUNTERS {
            ReadOperationCount: 0,
            WriteOperationCount: 0,
            OtherOperationCount: 0,
            ReadTransferCount: 0,
            WriteTransferCount: 0,
            OtherTransferCount: 0,
        },
        ProcessMemoryLimit: 0,
        JobMemoryLimit: 0,
        PeakProcessMemoryUsed: 0,
        PeakJobMemoryUsed: 0,
    };
    // SAFETY: it is the struct of this class.
    unsafe { set(&job, JobObjectExtendedLimitInformation, &limits) };
    assign(&job, &child);
    drop(job);
    // It has no other reason to end: its input is still open.
    println!("it has ended with {}", end_with_input(&mut child));
}
