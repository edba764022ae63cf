//! kernel32.dll: jobs, which are groups of processes and tell a port about them, and duplicates of
//! handles.
#![allow(unsafe_code, reason = "this file declares what another DLL defines")]

use core::ffi::c_void;

use super::super::types::{BOOL, DWORD, HANDLE, JOBOBJECTINFOCLASS, SECURITY_ATTRIBUTES, UINT};

#[cfg_attr(windows, link(name = "kernel32"))]
unsafe extern "system" {
    /// Makes a second handle of what a handle stands for, in this process or another.
    ///
    /// Not 0: `*lpTargetHandle` is the new one, to be closed on its own. 0: there is none, for the
    /// reason in the thread's last error.
    ///
    /// * Two handles of a file share its port, its flags, and its position.
    /// * `DUPLICATE_SAME_ACCESS` takes the rights over, and `dwDesiredAccess` is not looked at.
    /// * A socket is not to be duplicated so, where its provider has no IFS handles:
    ///   `WSADuplicateSocketW` is for that.
    ///
    /// Header: handleapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/handleapi/nf-handleapi-duplicatehandle)
    ///
    /// # Safety
    ///
    /// * `hSourceProcessHandle` and `hTargetProcessHandle` are processes that are open during the
    ///   call, or [`GetCurrentProcess`].
    /// * `hSourceHandle` is open in the first of them during the call. With
    ///   `DUPLICATE_CLOSE_SOURCE` it is its last use.
    /// * `lpTargetHandle` is NULL, or valid for a write.
    pub fn DuplicateHandle(
        hSourceProcessHandle: HANDLE,
        hSourceHandle: HANDLE,
        hTargetProcessHandle: HANDLE,
        lpTargetHandle: *mut HANDLE,
        dwDesiredAccess: DWORD,
        bInheritHandle: BOOL,
        dwOptions: DWORD,
    ) -> BOOL;

    /// A number that stands for the process that calls. It is no handle, and is not closed.
    ///
    /// It is declared safe: it takes nothing, changes nothing, and cannot fail.
    ///
    /// Header: processthreadsapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/processthreadsapi/nf-processthreadsapi-getcurrentprocess)
    pub safe fn GetCurrentProcess() -> HANDLE;

    /// Makes a job, with no process in it, or opens the one that has this name.
    ///
    /// Returns the handle, or NULL; the reason is the thread's last error.
    ///
    /// * When its last handle is closed the processes go on, unless
    ///   `JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE` was set.
    ///
    /// Header: jobapi2.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/jobapi2/nf-jobapi2-createjobobjectw)
    ///
    /// # Safety
    ///
    /// * `lpJobAttributes` is NULL, or valid for a read during the call.
    /// * `lpName` is NULL, or UTF-16 that ends with a 0 and is valid for reads during the call.
    pub fn CreateJobObjectW(
        lpJobAttributes: *const SECURITY_ATTRIBUTES,
        lpName: *const u16,
    ) -> HANDLE;

    /// Puts a process into the job, for life. What it starts from then on is in it too.
    ///
    /// Not 0 when it is in the job, else the reason is the thread's last error:
    /// `ERROR_ACCESS_DENIED` if it is in another job that this one cannot be a part of.
    ///
    /// * Processes that it had started before are not in the job.
    ///
    /// Header: jobapi2.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/jobapi2/nf-jobapi2-assignprocesstojobobject)
    ///
    /// # Safety
    ///
    /// * `hJob` is a job and `hProcess` a process, both open during the call.
    pub fn AssignProcessToJobObject(hJob: HANDLE, hProcess: HANDLE) -> BOOL;

    /// Sets one thing about the job, named by its class: its port, or its limits.
    ///
    /// Not 0 when it was set, else the reason is the thread's last error.
    ///
    /// * With `JobObjectAssociateCompletionPortInformation` messages come to the port: the number
    ///   of bytes is a `JOB_OBJECT_MSG_*`, and the operation's address is the number of a process,
    ///   or NULL. Such a number can equal the address of an operation.
    /// * Processes that are in the job already are told as new.
    /// * That a message comes is not guaranteed, but for those of limits.
    ///
    /// Header: jobapi2.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/jobapi2/nf-jobapi2-setinformationjobobject)
    ///
    /// # Safety
    ///
    /// * `hJob` is a job that is open during the call.
    /// * `lpJobObjectInformation` is valid for reads of `cbJobObjectInformationLength` bytes during
    ///   the call, and what is there is the struct that the class names.
    /// * If that names a port, whoever dequeues from it follows `lpOverlapped` only if the key says
    ///   that it is one.
    pub fn SetInformationJobObject(
        hJob: HANDLE,
        JobObjectInformationClass: JOBOBJECTINFOCLASS,
        lpJobObjectInformation: *const c_void,
        cbJobObjectInformationLength: DWORD,
    ) -> BOOL;

    /// Ends all processes in the job, with this code.
    ///
    /// Not 0 when it was asked for, else the reason is the thread's last error.
    ///
    /// * They may still be there when it returns. Their handles say when they have ended.
    ///
    /// Header: jobapi2.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/jobapi2/nf-jobapi2-terminatejobobject)
    ///
    /// # Safety
    ///
    /// * `hJob` is a job that is open during the call. What its processes leave half done is
    ///   theirs.
    pub fn TerminateJobObject(hJob: HANDLE, uExitCode: UINT) -> BOOL;
}
