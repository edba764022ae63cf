//! Starting a command within a job.
//!
//! A process comes into a job when it is put there, and what it has started before is outside. So
//! it is made without letting it run, put into the job, and let run then. For that its first thread
//! is needed. Std keeps it to itself, so it is looked for among all threads of the system: that of
//! a process which has not run yet is the only one it has.

#![allow(unsafe_code, reason = "it lets a thread run, which std does not do")]

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle, RawHandle};
use std::os::windows::process::CommandExt;
use std::process::{Child, Command, Stdio};

use overlapped::Job;

const CREATE_SUSPENDED: u32 = 4;
const TH32CS_SNAPTHREAD: u32 = 4;
const THREAD_SUSPEND_RESUME: u32 = 2;
const INVALID_HANDLE_VALUE: RawHandle = -1_isize as RawHandle;

/// `THREADENTRY32` of tlhelp32.h.
#[repr(C)]
#[derive(Default)]
struct ThreadEntry {
    size: u32,
    usage: u32,
    thread: u32,
    process: u32,
    base_priority: i32,
    delta_priority: i32,
    flags: u32,
}

#[link(name = "kernel32")]
unsafe extern "system" {
    /// <https://learn.microsoft.com/en-us/windows/win32/api/tlhelp32/nf-tlhelp32-createtoolhelp32snapshot>
    fn CreateToolhelp32Snapshot(dwFlags: u32, th32ProcessID: u32) -> RawHandle;
    /// <https://learn.microsoft.com/en-us/windows/win32/api/tlhelp32/nf-tlhelp32-thread32first>
    fn Thread32First(hSnapshot: RawHandle, lpte: *mut ThreadEntry) -> i32;
    /// <https://learn.microsoft.com/en-us/windows/win32/api/tlhelp32/nf-tlhelp32-thread32next>
    fn Thread32Next(hSnapshot: RawHandle, lpte: *mut ThreadEntry) -> i32;
    /// <https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-openthread>
    fn OpenThread(dwDesiredAccess: u32, bInheritHandle: i32, dwThreadId: u32) -> RawHandle;
    /// <https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-resumethread>
    fn ResumeThread(hThread: RawHandle) -> u32;
}

/// Starts a command line in the job, with pipes for what it prints.
pub fn start(line: &str, job: &Job) -> io::Result<Child> {
    let mut command = Command::new("cmd");
    // With /s cmd takes off the outer quotes, and leaves all between them as it is.
    command.raw_arg(format!("/d /s /c \"{line}\"")).creation_flags(CREATE_SUSPENDED);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn()?;
    match job.assign(&child).and_then(|()| let_run(child.id())) {
        Ok(()) => Ok(child),
        Err(error) => {
            let _ = child.kill();
            Err(error)
        }
    }
}

/// Lets a process run that was made suspended.
fn let_run(process: u32) -> io::Result<()> {
    // SAFETY: the call takes two numbers.
    let snapshot = unsafe { CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0) };
    if snapshot == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is open, new, and nobody else's.
    let snapshot = unsafe { OwnedHandle::from_raw_handle(snapshot) };
    let mut entry = ThreadEntry { size: size_of::<ThreadEntry>() as u32, ..Default::default() };
    // SAFETY: the snapshot is open, and the entry is one of the size that it says.
    let mut found = unsafe { Thread32First(snapshot.as_raw_handle(), &mut entry) };
    while found != 0 && entry.process != process {
        // SAFETY: as above.
        found = unsafe { Thread32Next(snapshot.as_raw_handle(), &mut entry) };
    }
    if found == 0 {
        return Err(io::Error::other("the system does not show the new process"));
    }
    // SAFETY: the call takes three numbers.
    let thread = unsafe { OpenThread(THREAD_SUSPEND_RESUME, 0, entry.thread) };
    if thread.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is open, new, and nobody else's.
    let thread = unsafe { OwnedHandle::from_raw_handle(thread) };
    // SAFETY: it is a thread, with the right to be resumed.
    match unsafe { ResumeThread(thread.as_raw_handle()) } {
        u32::MAX => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}
