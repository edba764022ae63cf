//! `RegisterWaitForSingleObject`: how what is not a file tells a port that something has happened.
#![allow(unsafe_code, reason = "it makes the calls that the tests are about")]

use std::ffi::c_void;
use std::os::windows::io::{AsRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};
use std::slice;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::SeqCst;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use overlapped::ffi;
use overlapped::ffi::constants::{
    CREATE_WAITABLE_TIMER_HIGH_RESOLUTION, CREATE_WAITABLE_TIMER_MANUAL_RESET,
    ERROR_INVALID_PARAMETER, ERROR_IO_PENDING, FALSE, INFINITE, INVALID_HANDLE_VALUE,
    ObjectTypeInformation, TIMER_ALL_ACCESS, WT_EXECUTEDEFAULT, WT_EXECUTEINWAITTHREAD,
    WT_EXECUTEONLYONCE,
};
use overlapped::ffi::types::{
    BOOLEAN, DWORD, HANDLE, PUBLIC_OBJECT_TYPE_INFORMATION, ULONG, WAITORTIMERCALLBACK,
};

use super::handles::{duplicate, made};
use super::kernel::{DEADLINE, Port, last_error, post};
use super::start::event;

/// `SetEvent`.
fn set(event: &OwnedHandle) {
    // SAFETY: the event is open during the call.
    assert_ne!(unsafe { ffi::kernel32::SetEvent(event.as_raw_handle()) }, FALSE);
}

/// A wait. It is taken back when it is dropped, which waits for its callback.
struct Wait(HANDLE);

impl Wait {
    /// `RegisterWaitForSingleObject`.
    ///
    /// # Safety
    ///
    /// The callback may be called with the context until the wait is dropped, and the object is
    /// open until then.
    unsafe fn register(
        object: &OwnedHandle,
        callback: WAITORTIMERCALLBACK,
        context: *mut c_void,
        milliseconds: ULONG,
        flags: ULONG,
    ) -> Self {
        let (mut wait, object) = (null_mut(), object.as_raw_handle());
        // SAFETY: there is room for the wait, and the caller promises the rest.
        let answer = unsafe {
            ffi::kernel32::RegisterWaitForSingleObject(
                &mut wait,
                object,
                callback,
                context,
                milliseconds,
                flags,
            )
        };
        assert_ne!(answer, FALSE, "error {}", last_error());
        Self(wait)
    }

    /// A wait that posts the kind of its end, 0 for the object and 1 for the time, under key 7.
    ///
    /// # Safety
    ///
    /// The object and the port are open until the wait is dropped.
    unsafe fn posting(
        port: &Port,
        object: &OwnedHandle,
        milliseconds: ULONG,
        flags: ULONG,
    ) -> Self {
        // SAFETY: the callback takes a port for its context, and the caller promises the rest.
        unsafe { Self::register(object, post_to, port.handle(), milliseconds, flags) }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        // SAFETY: this is the last use of the wait, and not in its own callback.
        let answer = unsafe { ffi::kernel32::UnregisterWaitEx(self.0, INVALID_HANDLE_VALUE) };
        assert_ne!(answer, FALSE, "error {}", last_error());
    }
}

unsafe extern "system" fn post_to(port: *mut c_void, time_is_up: BOOLEAN) {
    // A callback must not unwind, so an error shows by the packet that does not come.
    let _ = post(port, time_is_up.into(), 7, 0);
}

const ONCE: ULONG = WT_EXECUTEONLYONCE | WT_EXECUTEINWAITTHREAD;

/// (102) A wait that posts tells a port when an object is signalled, once.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-registerwaitforsingleobject>
#[test]
fn a_wait_posts_when_its_object_is_signalled() {
    let (port, event) = (Port::new(), event());
    // SAFETY: both outlive the wait.
    let wait = unsafe { Wait::posting(&port, &event, INFINITE, ONCE) };
    port.assert_empty();
    set(&event);
    let packet = port.packet();
    assert_eq!((packet.key, packet.count), (7, 0));
    drop(wait);
    port.assert_empty();
}

/// (102) An object that is signalled already counts, and so does time that is up.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-registerwaitforsingleobject>
#[test]
fn a_wait_ends_at_once_when_its_object_is_signalled_and_when_time_is_up() {
    let (port, signalled, never) = (Port::new(), event(), event());
    set(&signalled);
    // SAFETY: both outlive the wait.
    let wait = unsafe { Wait::posting(&port, &signalled, INFINITE, ONCE) };
    assert_eq!(port.packet().count, 0);
    drop(wait);
    // SAFETY: both outlive the wait.
    let _wait = unsafe { Wait::posting(&port, &never, 10, ONCE) };
    assert_eq!(port.packet().count, 1);
}

/// (102) Without the flag for once it is told again and again, for as long as the object is
/// signalled: an event that stays so is told hundreds of times.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-registerwaitforsingleobject>
#[test]
fn without_the_flag_for_once_a_wait_ends_again_and_again() {
    let (port, event) = (Port::new(), event());
    set(&event);
    // SAFETY: both outlive the wait.
    let wait = unsafe { Wait::posting(&port, &event, INFINITE, WT_EXECUTEDEFAULT) };
    for _ in 0..100 {
        port.packet();
    }
    drop(wait);
}

/// What a callback tells, and waits for.
struct Gate {
    entered: Sender<()>,
    open: Receiver<()>,
    left: AtomicBool,
}

unsafe extern "system" fn wait_at_gate(gate: *mut c_void, _: BOOLEAN) {
    // SAFETY: the test keeps it until the wait is taken back.
    let gate = unsafe { &*gate.cast::<Gate>() };
    let _ = gate.entered.send(());
    let _ = gate.open.recv_timeout(Duration::from_millis(DEADLINE.into()));
    gate.left.store(true, SeqCst);
}

/// (103) A wait that is taken back with INVALID for an event is not called any more when the call
/// returns: whatever the callback uses can be freed then.
/// <https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex>
#[test]
fn taking_a_wait_back_waits_for_its_callback() {
    let (event, (entered, inside), (opener, open)) = (event(), channel(), channel());
    let gate = Box::leak(Box::new(Gate { entered, open, left: AtomicBool::new(false) }));
    let context = (&raw mut *gate).cast();
    set(&event);
    // SAFETY: the gate is never freed, and the event outlives the wait.
    let wait =
        unsafe { Wait::register(&event, wait_at_gate, context, INFINITE, WT_EXECUTEONLYONCE) };
    inside.recv_timeout(Duration::from_millis(DEADLINE.into())).expect("the callback");
    // It is inside, and may stay there for as long as it likes once the gate is open.
    opener.send(()).expect("the gate");
    drop(wait);
    // SAFETY: the gate is never freed, and nobody changes it any more.
    assert!(unsafe { &*context.cast::<Gate>() }.left.load(SeqCst));
}

/// What a callback is given that takes its own wait back, and what it tells.
struct Own {
    wait: Receiver<usize>,
    answer: Sender<Result<(), DWORD>>,
}

unsafe extern "system" fn take_back_oneself(own: *mut c_void, _: BOOLEAN) {
    // SAFETY: the test never frees it.
    let own = unsafe { &*own.cast::<Own>() };
    let Ok(wait) = own.wait.recv_timeout(Duration::from_millis(DEADLINE.into())) else { return };
    let wait = std::ptr::without_provenance_mut(wait);
    // SAFETY: this is the last use of the wait; with NULL the call does not wait for this callback.
    let answer = unsafe { ffi::kernel32::UnregisterWaitEx(wait, null_mut()) };
    let _ = own.answer.send(if answer == FALSE { Err(last_error()) } else { Ok(()) });
}

/// (103) From its own callback a wait is taken back with NULL, which does not wait: "pending", or
/// done.
/// <https://learn.microsoft.com/en-us/windows/win32/api/threadpoollegacyapiset/nf-threadpoollegacyapiset-unregisterwaitex>
#[test]
fn a_callback_can_take_its_own_wait_back() {
    let (event, (give, wait), (answer, told)) = (event(), channel(), channel());
    let own = (&raw mut *Box::leak(Box::new(Own { wait, answer }))).cast();
    // SAFETY: what the callback uses is never freed, and the event outlives the wait.
    let wait =
        unsafe { Wait::register(&event, take_back_oneself, own, INFINITE, WT_EXECUTEONLYONCE) };
    give.send(wait.0.addr()).expect("the callback");
    // The callback takes it back.
    std::mem::forget(wait);
    set(&event);
    let answer = told.recv_timeout(Duration::from_millis(DEADLINE.into())).expect("its answer");
    println!("taken back from its own callback: {answer:?}");
    assert!(matches!(answer, Ok(()) | Err(ERROR_IO_PENDING)));
}

/// (104) A wait goes on as long as its own handle is open: with a duplicate for it nobody else can
/// close that. One that has ended is taken back too, and its handle closed after that.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winbase/nf-winbase-registerwaitforsingleobject>
#[test]
fn a_wait_on_a_duplicate_outlives_the_original() {
    let (port, original) = (Port::new(), event());
    let (own, signal) = (duplicate(&original), duplicate(&original));
    // SAFETY: the duplicate and the port outlive the wait.
    let wait = unsafe { Wait::posting(&port, &own, INFINITE, ONCE) };
    drop(original);
    port.assert_empty();
    set(&signal);
    assert_eq!(port.packet().count, 0);
    drop(wait);
    drop(own);
}

/// `CreateWaitableTimerExW`, with these flags.
fn timer(flags: DWORD) -> Result<OwnedHandle, DWORD> {
    // SAFETY: without attributes and a name the call touches no memory of ours.
    let handle =
        unsafe { ffi::kernel32::CreateWaitableTimerExW(null(), null(), flags, TIMER_ALL_ACCESS) };
    // SAFETY: it is what the call has just made.
    unsafe { made(handle) }
}

/// `SetWaitableTimer`, once, so long from now.
fn set_timer(timer: &OwnedHandle, after: Duration) {
    let due = -i64::try_from(after.as_nanos() / 100).expect("a short time");
    let (timer, argument) = (timer.as_raw_handle(), null_mut());
    // SAFETY: the timer is open, and the time is there during the call.
    let answer = unsafe { ffi::kernel32::SetWaitableTimer(timer, &due, 0, None, argument, FALSE) };
    assert_ne!(answer, FALSE, "error {}", last_error());
}

/// (107) A timer tells a port through a wait, not before its time. One that was stopped, or set for
/// later, does not.
/// <https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-setwaitabletimer>
#[test]
fn a_timer_posts_through_a_wait() {
    const SHORT: Duration = Duration::from_millis(50);
    for flags in [CREATE_WAITABLE_TIMER_MANUAL_RESET, CREATE_WAITABLE_TIMER_HIGH_RESOLUTION] {
        let timer = match timer(flags) {
            Err(ERROR_INVALID_PARAMETER) if flags == CREATE_WAITABLE_TIMER_HIGH_RESOLUTION => {
                println!("no timer of a high resolution");
                continue;
            }
            timer => timer.expect("a timer"),
        };
        let port = Port::new();
        set_timer(&timer, Duration::from_secs(3600));
        // SAFETY: the timer is open during the call.
        assert_ne!(unsafe { ffi::kernel32::CancelWaitableTimer(timer.as_raw_handle()) }, FALSE);
        let start = Instant::now();
        set_timer(&timer, SHORT);
        // SAFETY: both outlive the wait.
        let wait = unsafe { Wait::posting(&port, &timer, INFINITE, ONCE) };
        assert_eq!(port.packet().count, 0);
        println!("{SHORT:?} took {:?}", start.elapsed());
        // The clocks of the two may tick at different times.
        assert!(start.elapsed() + Duration::from_millis(20) > SHORT);
        drop(wait);
    }
}

/// An event is signalled until it is reset, and not longer.
/// <https://learn.microsoft.com/en-us/windows/win32/api/synchapi/nf-synchapi-resetevent>
#[test]
fn an_event_that_was_reset_is_not_signalled() {
    let (port, event) = (Port::new(), event());
    set(&event);
    // SAFETY: the event is open during the call.
    assert_ne!(unsafe { ffi::kernel32::ResetEvent(event.as_raw_handle()) }, FALSE);
    // SAFETY: both outlive the wait.
    let _wait = unsafe { Wait::posting(&port, &event, 10, ONCE) };
    assert_eq!(port.packet().count, 1);
}

/// What `NtQueryObject` says a handle is of.
/// <https://learn.microsoft.com/en-us/windows/win32/api/winternl/nf-winternl-ntqueryobject>
#[test]
fn what_a_handle_is_of_is_told_by_name() {
    #[link(name = "kernel32")]
    unsafe extern "system" {
        fn CreateMutexW(attributes: *const c_void, owned: i32, name: *const u16) -> HANDLE;
    }

    // SAFETY: without attributes and a name the call reads nothing.
    let mutex = unsafe { CreateMutexW(null(), FALSE, null()) };
    // SAFETY: it is what the call has just made.
    let mutex = unsafe { made(mutex) }.expect("a mutex");
    for (handle, expected) in [(mutex, "Mutant"), (event(), "Event")] {
        let mut room = [0_u64; 64];
        // SAFETY: the handle is open, and there is room for the answer.
        let status = unsafe {
            let (room, class) = (room.as_mut_ptr().cast(), ObjectTypeInformation);
            ffi::ntdll::NtQueryObject(handle.as_raw_handle(), class, room, 512, null_mut())
        };
        assert_eq!(status, 0, "{status:#010x}");
        let head = room.as_ptr().cast::<PUBLIC_OBJECT_TYPE_INFORMATION>();
        // SAFETY: the room is larger than the struct and as aligned, and holds one.
        let name = unsafe { (*head).TypeName };
        // SAFETY: the system has written the name there, so long.
        let name = unsafe { slice::from_raw_parts(name.Buffer, usize::from(name.Length) / 2) };
        assert_eq!(String::from_utf16_lossy(name), expected);
    }
}
