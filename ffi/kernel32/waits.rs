//! kernel32.dll: waits that the system's pool makes, and what can be waited for: events and timers.
//! None of these goes on a port; a callback posts a packet instead.
#![allow(unsafe_code, reason = "this file declares what another DLL defines")]

use core::ffi::c_void;

use super::super::types::{
    BOOL, DWORD, HANDLE, LARGE_INTEGER, PTIMERAPCROUTINE, SECURITY_ATTRIBUTES, ULONG,
    WAITORTIMERCALLBACK,
};

#[cfg_attr(windows, link(name = "kernel32"))]
unsafe extern "system" {
    /// Has the callback called, on a thread of the system's pool, when the object is signalled or
    /// time is up.
    ///
    /// Not 0: `*phNewWaitObject` is the wait, which is no handle for `CloseHandle`. 0: there is
    /// none, for the reason in the thread's last error.
    ///
    /// * An object that is signalled already counts. The callback may have run when the call
    ///   returns.
    /// * Without `WT_EXECUTEONLYONCE` it is called again and again for as long as the object is
    ///   signalled.
    /// * With `WT_EXECUTEINWAITTHREAD` it is called on the thread that waits, and holds up the
    ///   other waits of that thread.
    /// * A wait that has fired is to be unregistered too, and before the object's handle is closed:
    ///   a handle that is closed meanwhile is undefined behaviour in Microsoft's words.
    /// * A mutex cannot be waited for so: the thread that waits would own it. Given one, or an
    ///   object that is never signalled, the pool raises STATUS_THREADPOOL_HANDLE_EXCEPTION, which
    ///   ends a program of Rust.
    /// * An object that such a wait changes is changed: an event that resets itself is reset, and a
    ///   semaphore counted down. An event that is pulsed can be missed.
    ///
    /// Header: winbase.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-registerwaitforsingleobject)
    ///
    /// # Safety
    ///
    /// * `phNewWaitObject` is valid for a write during the call.
    /// * `hObject` is open, with the right `SYNCHRONIZE`, until the wait has been unregistered, and
    ///   is of something that can be signalled, and no mutex.
    /// * `Callback` may be called with `Context`, on any thread, until [`UnregisterWaitEx`] says
    ///   that it runs no more, and it does not unwind.
    pub fn RegisterWaitForSingleObject(
        phNewWaitObject: *mut HANDLE,
        hObject: HANDLE,
        Callback: WAITORTIMERCALLBACK,
        Context: *mut c_void,
        dwMilliseconds: ULONG,
        dwFlags: ULONG,
    ) -> BOOL;

    /// Takes a wait back.
    ///
    /// Not 0 when it was taken back and no callback runs. 0 with `ERROR_IO_PENDING` as the thread's
    /// last error: it was taken back, and a callback still runs. 0 with another: it was not.
    ///
    /// * With `INVALID_HANDLE_VALUE` for an event it returns when no callback runs any more, and so
    ///   never from a callback of this wait. With NULL it does not wait.
    ///
    /// Header: threadpoollegacyapiset.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex)
    ///
    /// # Safety
    ///
    /// * `WaitHandle` is a wait that nobody else takes back: this is its last use.
    /// * `CompletionEvent` is NULL, or `INVALID_HANDLE_VALUE`, or an event that is open until it
    ///   has been signalled.
    pub fn UnregisterWaitEx(WaitHandle: HANDLE, CompletionEvent: HANDLE) -> BOOL;

    /// Makes a timer that can be waited for, or opens the one that has this name.
    ///
    /// Returns the handle, or NULL; the reason is the thread's last error.
    ///
    /// * Without `CREATE_WAITABLE_TIMER_MANUAL_RESET` it lets one wait through each time.
    /// * `CREATE_WAITABLE_TIMER_HIGH_RESOLUTION` is for times below some 15 ms. Windows 10 1803 is
    ///   the first to have it; before, it is `ERROR_INVALID_PARAMETER`.
    ///
    /// Header: synchapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createwaitabletimerexw)
    ///
    /// # Safety
    ///
    /// * `lpTimerAttributes` is NULL, or valid for a read during the call.
    /// * `lpTimerName` is NULL, or UTF-16 that ends with a 0 and is valid for reads during the
    ///   call.
    pub fn CreateWaitableTimerExW(
        lpTimerAttributes: *const SECURITY_ATTRIBUTES,
        lpTimerName: *const u16,
        dwFlags: DWORD,
        dwDesiredAccess: DWORD,
    ) -> HANDLE;

    /// Sets when the timer is signalled, and makes it not signalled until then.
    ///
    /// Not 0 when it was set, else the reason is the thread's last error.
    ///
    /// * `*lpDueTime` counts 100 ns. Below zero it is from now on; else it is a time since the year
    ///   1601, which moves when somebody sets the clock.
    /// * `lPeriod` counts milliseconds. With 0 the timer is signalled once.
    ///
    /// Header: synchapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-setwaitabletimer)
    ///
    /// # Safety
    ///
    /// * `hTimer` is a timer that is open during the call.
    /// * `lpDueTime` is valid for a read during the call.
    /// * `pfnCompletionRoutine` is `None`, or may be called on this thread with
    ///   `lpArgToCompletionRoutine`, in a later alertable wait.
    pub fn SetWaitableTimer(
        hTimer: HANDLE,
        lpDueTime: *const LARGE_INTEGER,
        lPeriod: i32,
        pfnCompletionRoutine: PTIMERAPCROUTINE,
        lpArgToCompletionRoutine: *mut c_void,
        fResume: BOOL,
    ) -> BOOL;

    /// Stops the timer.
    ///
    /// Not 0 when it was stopped or did not run, else the reason is the thread's last error.
    ///
    /// * It leaves the timer signalled, or not, as it is.
    ///
    /// Header: synchapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-cancelwaitabletimer)
    ///
    /// # Safety
    ///
    /// * `hTimer` is a timer that is open during the call.
    pub fn CancelWaitableTimer(hTimer: HANDLE) -> BOOL;

    /// Makes an event, or opens the one that has this name.
    ///
    /// Returns the handle, or NULL; the reason is the thread's last error.
    ///
    /// * With a `bManualReset` it stays signalled until [`ResetEvent`]; else it lets one wait
    ///   through each time.
    ///
    /// Header: synchapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-createeventw)
    ///
    /// # Safety
    ///
    /// * `lpEventAttributes` is NULL, or valid for a read during the call.
    /// * `lpName` is NULL, or UTF-16 that ends with a 0 and is valid for reads during the call.
    pub fn CreateEventW(
        lpEventAttributes: *const SECURITY_ATTRIBUTES,
        bManualReset: BOOL,
        bInitialState: BOOL,
        lpName: *const u16,
    ) -> HANDLE;

    /// Signals the event.
    ///
    /// Not 0 when it is signalled, also when it was before; else the reason is the thread's last
    /// error.
    ///
    /// Header: synchapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-setevent)
    ///
    /// # Safety
    ///
    /// * `hEvent` is an event that is open during the call.
    pub fn SetEvent(hEvent: HANDLE) -> BOOL;

    /// Makes the event not signalled.
    ///
    /// Not 0 when it is so, also when it was before; else the reason is the thread's last error.
    ///
    /// Header: synchapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-resetevent)
    ///
    /// # Safety
    ///
    /// * `hEvent` is an event that is open during the call.
    pub fn ResetEvent(hEvent: HANDLE) -> BOOL;
}
