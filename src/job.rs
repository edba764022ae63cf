//! Jobs: groups of processes, and what they tell.

#![cfg(windows)]
#![allow(unsafe_code, reason = "it makes the system calls of jobs")]

use std::ffi::c_void;
use std::io;
use std::mem::zeroed;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::ptr::{from_ref, null, null_mut, without_provenance_mut};
use std::sync::Arc;

use super::control::Control;
use super::ffi;
use super::ffi::constants::*;
use super::ffi::types::{
    HANDLE, JOBOBJECT_ASSOCIATE_COMPLETION_PORT, JOBOBJECT_EXTENDED_LIMIT_INFORMATION,
    JOBOBJECTINFOCLASS, OVERLAPPED,
};
use super::operation::Canceller;
use super::port::Key;
use super::registration::{Source, sealed};

/// A group of processes, which can be ended together. What a process in it starts is in it, too.
///
/// [Registered](super::CompletionQueue::register) with a queue, it tells what happens in it: each
/// message is a [`Completion::Job`](super::Completion::Job). Windows does not guarantee that all
/// messages come, so they are hints: that a process has ended its handle says, which can be
/// [watched](super::CompletionQueue::watch). Of processes that are in it when it is registered
/// Windows tells as of new ones, but what begins or ends at that moment can be missed: so register
/// it first.
///
/// ```
/// use overlapped::{Completion, CompletionQueue, Completions};
/// use overlapped::{Job, JobMessage, Key};
/// use std::process::{Command, Stdio};
///
/// # fn main() -> std::io::Result<()> {
/// let queue = CompletionQueue::<Vec<u8>>::new()?;
/// let job = queue.register(Job::new()?, Key(3))?;
/// // Should this program end before they do:
/// job.get_ref().kill_on_close()?;
/// let mut child = Command::new("cmd")
///     .stdin(Stdio::piped())
///     .stdout(Stdio::null())
///     .spawn()?;
/// job.get_ref().assign(&child)?;
///
/// let mut batch = Completions::with_capacity(8);
/// let first = queue.wait(&mut batch, None)?.next();
/// let Some(Completion::Job { key, message }) = first else {
///     panic!("{first:?}");
/// };
/// assert_eq!(key, Key(3));
/// assert_eq!(message, JobMessage::NewProcess(child.id()));
///
/// job.get_ref().terminate(77)?;
/// assert_eq!(child.wait()?.code(), Some(77));
/// # Ok(())
/// # }
/// ```
///
/// A process that [`Command`](std::process::Command) has started runs before it is assigned, and
/// what it starts until then is not in the job. The file `examples/run_all/start.rs` shows how to
/// start one within a job. A program that is in a job itself has no such gap, for its children are
/// in it from their beginning.
#[derive(Debug)]
pub struct Job {
    handle: Arc<OwnedHandle>,
}

impl Job {
    /// Makes a job without a name and without processes.
    ///
    /// # Errors
    ///
    /// What the system answers when it is out of handles or memory.
    ///
    /// Calls
    /// [`CreateJobObjectW`](https://learn.microsoft.com/en-us/windows/win32/api/jobapi2/nf-jobapi2-createjobobjectw).
    #[doc(alias = "CreateJobObjectW")]
    pub fn new() -> io::Result<Self> {
        // SAFETY: NULL stands for no attributes and no name.
        let handle = unsafe { ffi::kernel32::CreateJobObjectW(null(), null()) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the handle is open, new, and nobody else's.
        let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
        Ok(Self { handle: Arc::new(handle) })
    }

    /// From now on all processes in it are ended when the job is closed: when it is dropped, or its
    /// registration, or when this program ends, however it does. (A handle of it that was
    /// duplicated or inherited keeps it open.)
    ///
    /// # Errors
    ///
    /// The system's error.
    ///
    /// Calls
    /// [`SetInformationJobObject`](https://learn.microsoft.com/en-us/windows/win32/api/jobapi2/nf-jobapi2-setinformationjobobject)
    /// with `JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE`, and no other limit.
    #[doc(alias = "SetInformationJobObject", alias = "JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE")]
    pub fn kill_on_close(&self) -> io::Result<()> {
        // SAFETY: these are numbers, for which zeros are right.
        let mut limits: JOBOBJECT_EXTENDED_LIMIT_INFORMATION = unsafe { zeroed() };
        limits.BasicLimitInformation.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE;
        // SAFETY: the class is that of this struct.
        unsafe { set(self.raw(), JobObjectExtendedLimitInformation, &limits) }
    }

    /// Puts a process into the job, for life. What it starts from then on is in it, too.
    ///
    /// # Errors
    ///
    /// `PermissionDenied` if it has ended, if it is in another job that this one cannot be a part
    /// of, or if the handle lacks one of the rights `PROCESS_SET_QUOTA` and `PROCESS_TERMINATE`;
    /// else the system's error, which is 6 for a handle that is none of a process.
    ///
    /// Calls
    /// [`AssignProcessToJobObject`](https://learn.microsoft.com/en-us/windows/win32/api/jobapi2/nf-jobapi2-assignprocesstojobobject).
    #[doc(alias = "AssignProcessToJobObject")]
    pub fn assign(&self, process: &impl AsHandle) -> io::Result<()> {
        let process = process.as_handle().as_raw_handle();
        // SAFETY: both handles are open during the call. The system checks what they are of.
        let done = unsafe { ffi::kernel32::AssignProcessToJobObject(self.raw(), process) };
        if done != FALSE {
            return Ok(());
        }
        Err(explain(io::Error::last_os_error(), ERROR_ACCESS_DENIED, NOT_ASSIGNED))
    }

    /// Ends all processes in the job, each with this exit code. They may still be there when this
    /// returns: their handles say when they have ended. A job without processes stays as it is.
    ///
    /// # Errors
    ///
    /// The system's error.
    ///
    /// Calls
    /// [`TerminateJobObject`](https://learn.microsoft.com/en-us/windows/win32/api/jobapi2/nf-jobapi2-terminatejobobject).
    #[doc(alias = "TerminateJobObject")]
    pub fn terminate(&self, code: u32) -> io::Result<()> {
        // SAFETY: the job is open.
        let done = unsafe { ffi::kernel32::TerminateJobObject(self.raw(), code) };
        if done == FALSE { Err(io::Error::last_os_error()) } else { Ok(()) }
    }

    fn raw(&self) -> HANDLE {
        self.handle.as_raw_handle()
    }
}

impl AsHandle for Job {
    /// The handle, for other calls that take a job.
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

impl Source for Job {}

impl sealed::Handle for Job {
    type Memo = Messages;

    // It has no operations that could signal it or not.
    const IS_WAITED_FOR: bool = true;

    fn handle(&self) -> BorrowedHandle<'_> {
        self.as_handle()
    }

    fn check(&self) -> io::Result<()> {
        Ok(())
    }

    fn associate(&self, control: &Arc<Control>, key: Key) -> io::Result<Messages> {
        let internal = control.senders().add(key)?;
        let port = control.port().as_handle().as_raw_handle();
        if let Err(error) = set_port(self.raw(), internal, port) {
            control.senders().leave(internal);
            return Err(explain(error, ERROR_INVALID_PARAMETER, HAS_A_PORT));
        }
        let (control, job) = (Arc::clone(control), Arc::clone(&self.handle));
        Ok(Messages(Some(Sending { internal, control, job })))
    }

    fn canceller(&self, _: &Messages) -> Canceller {
        Canceller::of_function(0, nothing_to_cancel)
    }
}

/// What is remembered of a job that is registered. Dropping it ends its messages.
#[derive(Default)]
pub struct Messages(Option<Sending>);

struct Sending {
    /// The key of its packets.
    internal: Key,
    control: Arc<Control>,
    job: Arc<OwnedHandle>,
}

impl Drop for Messages {
    fn drop(&mut self) {
        let Some(Sending { internal, control, job }) = &self.0 else { return };
        control.senders().leave(*internal);
        // Before Windows 8, and in Wine, a job keeps its port. Then messages come that nobody gets.
        let _ = set_port(job.as_raw_handle(), *internal, null_mut());
    }
}

/// Has the job send its messages to this port, or to none.
fn set_port(job: HANDLE, internal: Key, port: HANDLE) -> io::Result<()> {
    let association = JOBOBJECT_ASSOCIATE_COMPLETION_PORT {
        CompletionKey: without_provenance_mut(internal.0),
        CompletionPort: port,
    };
    // SAFETY: the class is that of this struct. Whoever dequeues from the port of a queue looks at
    // the key first, and does not take the number of a process for an address.
    unsafe { set(job, JobObjectAssociateCompletionPortInformation, &association) }
}

/// Sets one thing about a job.
///
/// # Safety
///
/// * The job is open, and the struct is that of the class.
/// * If it names a port, whoever dequeues from it does as `SetInformationJobObject` asks.
unsafe fn set<T>(job: HANDLE, class: JOBOBJECTINFOCLASS, information: &T) -> io::Result<()> {
    let (pointer, length) = (from_ref(information).cast::<c_void>(), size_of::<T>() as u32);
    // SAFETY: the caller vouches for the job, the class and the port; the struct is there.
    let done = unsafe { ffi::kernel32::SetInformationJobObject(job, class, pointer, length) };
    if done == FALSE { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// # Safety
///
/// * None: a job has no operations.
unsafe fn nothing_to_cancel(_: usize, _: *mut OVERLAPPED) -> io::Result<bool> {
    Ok(false)
}

const NOT_ASSIGNED: &str = "the process cannot be put into the job: it has ended, or it is in another job that does not \
     allow it, or its handle has not the rights PROCESS_SET_QUOTA and PROCESS_TERMINATE (Windows \
     error 5)";
const HAS_A_PORT: &str = "the job sends its messages to a completion port already, and before Windows 8 it does so for \
     life, as it does in Wine; drop the registration that it has, or make a new job (Windows error \
     87)";

/// The same error with a text that says more, if it is the one of this code.
fn explain(error: io::Error, code: u32, text: &'static str) -> io::Error {
    if error.raw_os_error() != Some(code as i32) {
        return error;
    }
    io::Error::new(error.kind(), text)
}
