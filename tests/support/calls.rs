//! The system calls that this program makes, counted, and spoilt where a test asks for it.
//!
//! The first [`Calls::watch`] puts a function of ours into each entry of the import table that
//! matters; from then on the program's own calls go through here. What a test does not spoil is
//! passed on, so the system below is the real one. Counts and faults are those of the whole
//! process: tests that watch take turns.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]
#![allow(non_snake_case, non_camel_case_types, reason = "the names are the system's")]

use std::ffi::c_void;
use std::ptr::{null_mut, slice_from_raw_parts_mut, without_provenance_mut};
use std::sync::atomic::Ordering::SeqCst;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

use overlapped::ffi::constants::*;
use overlapped::ffi::mswsock::{WSAID_ACCEPTEX, WSAID_CONNECTEX};
use overlapped::ffi::ntstatus::STATUS_INSUFFICIENT_RESOURCES;
use overlapped::ffi::types::*;

#[path = "faults.rs"]
mod faults;
pub use faults::*;

#[path = "imports.rs"]
mod imports;
use imports::replace;

/// Watches, and lets nobody else watch, until it is dropped.
pub struct Calls {
    _turn: MutexGuard<'static, ()>,
}

impl Calls {
    /// Counts from 0, and spoils nothing until it is told to.
    pub fn watch() -> Self {
        static TURN: Mutex<()> = Mutex::new(());
        static INSTALLED: Once = Once::new();
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        INSTALLED.call_once(install);
        let calls = Self { _turn: turn };
        calls.start_again();
        calls
    }

    /// Counts from 0 again, and forgets the faults that were planned.
    pub fn start_again(&self) {
        *plan() = Plan::default();
        [&SHARED, &ON_STACK].iter().for_each(|count| count.store(0, SeqCst));
        COUNTS.iter().chain([&STRANGERS]).for_each(|count| count.store(0, SeqCst));
    }

    #[track_caller]
    pub fn count(&self, call: Call) -> u64 {
        assert_is_hooked(call);
        COUNTS[call as usize].load(SeqCst)
    }

    /// The counts of all, in the order of [`Call::ALL`].
    pub fn counts(&self) -> [u64; Call::ALL.len()] {
        Call::ALL.map(|call| COUNTS[call as usize].load(SeqCst))
    }

    /// The family for which this program has last made a socket by `WSASocketW`.
    pub fn family(&self) -> u16 {
        FAMILY.load(SeqCst) as u16
    }

    /// The flags with which this program has last opened something by `CreateFileW`.
    pub fn opened_with(&self) -> u32 {
        OPENED_WITH.load(SeqCst) as u32
    }

    /// For how many milliseconds at most this program has last waited in a port.
    pub fn waited(&self) -> u32 {
        WAITED.load(SeqCst) as u32
    }

    /// How many packets of nobody have been mixed in.
    pub fn strangers(&self) -> u64 {
        STRANGERS.load(SeqCst)
    }

    /// Spoils the `nth` call from now on; 1 is the next.
    #[track_caller]
    pub fn spoil(&self, call: Call, nth: u64, fault: Fault) {
        let nth = self.count(call) + nth;
        plan().add(call, nth, fault);
    }

    /// Spoils one call in so many, by chance, with whatever can happen to it.
    pub fn spoil_at_random(&self, seed: u64, one_in: u64) {
        plan().at_random(seed, one_in);
    }

    /// Spoils each call that sends or receives, unless it is spoilt otherwise.
    pub fn spoil_always(&self, fault: Fault) {
        plan().always(fault);
    }

    /// Spoils nothing any more, and goes on counting.
    pub fn spare(&self) {
        *plan() = Plan::default();
    }
}

impl Drop for Calls {
    fn drop(&mut self) {
        let left = std::mem::take(&mut *plan());
        if !std::thread::panicking() {
            assert!(left.is_over(), "a fault was planned, and its call never came");
            let shared = SHARED.load(SeqCst);
            assert_eq!(shared, 0, "calls were given memory that another call could still write to");
            let on_stack = ON_STACK.load(SeqCst);
            assert_eq!(on_stack, 0, "calls were given memory that is gone when they return");
        }
    }
}

/// The key of packets of nobody, which no test uses.
pub const STRANGER: usize = 0xBAD;

static COUNTS: [AtomicU64; Call::ALL.len()] = [const { AtomicU64::new(0) }; Call::ALL.len()];
static STRANGERS: AtomicU64 = AtomicU64::new(0);
static REAL: [AtomicPtr<c_void>; Call::ALL.len()] =
    [const { AtomicPtr::new(null_mut()) }; Call::ALL.len()];
static IOCTL: AtomicPtr<c_void> = AtomicPtr::new(null_mut());
/// The address of an operation that was lent, whatever has become of it.
static LENT: AtomicUsize = AtomicUsize::new(0);
/// The family that a socket was last made for.
static FAMILY: AtomicUsize = AtomicUsize::new(0);
/// The flags with which something was last opened.
static OPENED_WITH: AtomicUsize = AtomicUsize::new(0);
/// The limit of the last wait, in milliseconds.
static WAITED: AtomicUsize = AtomicUsize::new(0);
/// The addresses of operations whose calls are under way.
static UNDER_WAY: [AtomicUsize; 32] = [const { AtomicUsize::new(0) }; 32];
/// How many calls were given an operation of which another call had not returned.
static SHARED: AtomicU64 = AtomicU64::new(0);
/// How many calls were given variables of their callers to write to, which are gone when they
/// return.
static ON_STACK: AtomicU64 = AtomicU64::new(0);

fn plan() -> MutexGuard<'static, Plan> {
    static PLAN: Mutex<Plan> = Mutex::new(Plan::NONE);
    PLAN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Counts a call, and says what is to become of it.
fn next(call: Call) -> Fault {
    let nth = COUNTS[call as usize].fetch_add(1, SeqCst) + 1;
    plan().take(call, nth)
}

/// Whether an address is one where this thread has its variables.
fn is_on_this_stack(address: usize) -> bool {
    let (mut low, mut high) = (0, 0);
    // SAFETY: both numbers are written during the call.
    unsafe { GetCurrentThreadStackLimits(&mut low, &mut high) };
    (low..high).contains(&address)
}

/// Makes a call of an operation, or fails as the fault says. What the call is given to write to is
/// its own until it returns: that is watched here, for every call of every test.
fn make<R: Copy + PartialEq>(
    call: Call,
    operation: Operation<R>,
    real: impl FnOnce() -> R,
    failure: R,
) -> R {
    let address = operation.overlapped.addr();
    if address == 0 {
        return next(call).around(operation, real, failure);
    }
    LENT.store(address, SeqCst);
    let room = operation.room.map_or(0, |room| room.cast::<u8>().addr());
    let places = [operation.count.addr(), operation.flags.addr(), operation.length.addr(), room];
    if places.into_iter().any(is_on_this_stack) {
        ON_STACK.fetch_add(1, SeqCst);
    }
    if UNDER_WAY.iter().any(|other| other.load(SeqCst) == address) {
        SHARED.fetch_add(1, SeqCst);
    }
    let free = |place: &&AtomicUsize| place.compare_exchange(0, address, SeqCst, SeqCst).is_ok();
    let place = UNDER_WAY.iter().find(free);
    let answer = next(call).around(operation, real, failure);
    if let Some(place) = place {
        place.store(0, SeqCst);
    }
    answer
}

/// One list of calls: it becomes the names, the functions that stand in their places, and the list
/// of what to put where. Behind the signature: what the call answers when it fails, and the
/// operation that it lends. The first has a function of its own, below.
macro_rules! calls {
    ($first:ident is $function:ident; $($name:ident($($argument:ident: $type:ty),*) -> $answer:ty, $failure:expr, $operation:expr;)*) => {
        /// A call that is counted, under its name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Call { $first, $($name),* }

        impl Call {
            const COUNT: usize = [Self::$first, $(Self::$name),*].len();
            pub const ALL: [Self; Self::COUNT] = [Self::$first, $(Self::$name),*];
        }

        /// What stands in the place of each call, under its name. Each passes on what it was given,
        /// so its contract is that of the call.
        mod hook {
            use super::*;

            $(pub unsafe extern "system" fn $name($($argument: $type),*) -> $answer {
                type Real = unsafe extern "system" fn($($type),*) -> $answer;
                let real = || {
                    let real = REAL[Call::$name as usize].load(SeqCst);
                    // SAFETY: this is what the import table, or the provider, had for the name.
                    let real = unsafe { std::mem::transmute::<*mut c_void, Real>(real) };
                    // SAFETY: the caller's promises, passed on.
                    unsafe { real($($argument),*) }
                };
                make(Call::$name, $operation, real, $failure)
            })*
        }

        fn hook_of(call: Call) -> *mut c_void {
            match call {
                Call::$first => $function as *mut c_void,
                $(Call::$name => hook::$name as *mut c_void),*
            }
        }
    };
}

calls! {
    GetQueuedCompletionStatusEx is dequeue;
    CreateIoCompletionPort(file: HANDLE, port: HANDLE, key: usize, threads: u32) -> HANDLE,
        null_mut(), Operation::NONE;
    PostQueuedCompletionStatus(port: HANDLE, bytes: u32, key: usize,
        overlapped: *mut OVERLAPPED) -> BOOL, FALSE, Operation::NONE;
    CancelIoEx(file: HANDLE, overlapped: *mut OVERLAPPED) -> BOOL, FALSE, Operation::NONE;
    SetFileCompletionNotificationModes(file: HANDLE, flags: u8) -> BOOL, FALSE, Operation::NONE;
    WSARecv(socket: SOCKET, buffers: *const WSABUF, count: u32, bytes: *mut u32, flags: *mut u32,
        overlapped: *mut OVERLAPPED, routine: *mut c_void) -> i32, SOCKET_ERROR,
        Operation { overlapped, count: bytes, flags, ..Operation::NONE };
    WSASend(socket: SOCKET, buffers: *const WSABUF, count: u32, bytes: *mut u32, flags: u32,
        overlapped: *mut OVERLAPPED, routine: *mut c_void) -> i32, SOCKET_ERROR,
        Operation { overlapped, count: bytes, ..Operation::NONE };
    WSARecvFrom(socket: SOCKET, buffers: *const WSABUF, count: u32, bytes: *mut u32,
        flags: *mut u32, from: *mut u8, length: *mut i32, overlapped: *mut OVERLAPPED,
        routine: *mut c_void) -> i32, SOCKET_ERROR,
        Operation {
            overlapped,
            count: bytes,
            flags,
            length,
            room: (!length.is_null()).then(|| room(from, length)),
            ..Operation::NONE
        };
    WSASendTo(socket: SOCKET, buffers: *const WSABUF, count: u32, bytes: *mut u32, flags: u32,
        to: *const u8, length: i32, overlapped: *mut OVERLAPPED, routine: *mut c_void) -> i32,
        SOCKET_ERROR,
        Operation {
            overlapped,
            count: bytes,
            room: Some(slice_from_raw_parts_mut(to.cast_mut(), 0)),
            ..Operation::NONE
        };
    AcceptEx(listener: SOCKET, socket: SOCKET, room: *mut c_void, data: u32, near: u32, far: u32,
        bytes: *mut u32, overlapped: *mut OVERLAPPED) -> BOOL, FALSE,
        Operation {
            overlapped,
            count: bytes,
            at_once: Some(TRUE),
            room: Some(slice_from_raw_parts_mut(room.cast(), (data + near + far) as usize)),
            ..Operation::NONE
        };
    ConnectEx(socket: SOCKET, name: *const c_void, length: i32, data: *const c_void, size: u32,
        bytes: *mut u32, overlapped: *mut OVERLAPPED) -> BOOL, FALSE,
        Operation { overlapped, count: bytes, ..Operation::NONE };
    WSASocketW(family: i32, kind: i32, protocol: i32, info: *const c_void, group: u32,
        flags: u32) -> SOCKET, !0, { FAMILY.store(family as usize, SeqCst); Operation::NONE };
    bind(socket: SOCKET, name: *const c_void, length: i32) -> i32, SOCKET_ERROR, Operation::NONE;
    setsockopt(socket: SOCKET, level: i32, name: i32, value: *const u8, length: i32) -> i32,
        SOCKET_ERROR, Operation::NONE;
    getsockopt(socket: SOCKET, level: i32, name: i32, value: *mut u8, length: *mut i32) -> i32,
        SOCKET_ERROR, Operation { room: Some(room(value, length)), ..Operation::NONE };
    closesocket(socket: SOCKET) -> i32, SOCKET_ERROR, Operation::NONE;
    DuplicateHandle(of: HANDLE, source: HANDLE, to: HANDLE, target: *mut HANDLE, access: u32,
        inherit: BOOL, options: u32) -> BOOL, FALSE, Operation::NONE;
    RegisterWaitForSingleObject(wait: *mut HANDLE, object: HANDLE, callback: WAITORTIMERCALLBACK,
        context: *mut c_void, milliseconds: u32, flags: u32) -> BOOL, FALSE, Operation::NONE;
    UnregisterWaitEx(wait: HANDLE, event: HANDLE) -> BOOL, FALSE, Operation::NONE;
    SetInformationJobObject(job: HANDLE, class: u32, information: *const c_void,
        length: u32) -> BOOL, FALSE, Operation::NONE;
    ReadFile(file: HANDLE, buffer: *mut c_void, size: u32, bytes: *mut u32,
        overlapped: *mut OVERLAPPED) -> BOOL, FALSE,
        Operation { overlapped, count: bytes, ..Operation::NONE };
    WriteFile(file: HANDLE, buffer: *const c_void, size: u32, bytes: *mut u32,
        overlapped: *mut OVERLAPPED) -> BOOL, FALSE,
        Operation { overlapped, count: bytes, ..Operation::NONE };
    ConnectNamedPipe(pipe: HANDLE, overlapped: *mut OVERLAPPED) -> BOOL, FALSE,
        Operation { overlapped, at_once: Some(TRUE), ..Operation::NONE };
    DisconnectNamedPipe(pipe: HANDLE) -> BOOL, FALSE, Operation::NONE;
    SetNamedPipeHandleState(pipe: HANDLE, mode: *const u32, most: *const u32,
        time: *const u32) -> BOOL, FALSE, Operation::NONE;
    CreateFileW(name: *const u16, access: u32, share: u32, attributes: *const c_void,
        disposition: u32, flags: u32, template: HANDLE) -> HANDLE, INVALID_HANDLE_VALUE,
        { OPENED_WITH.store(flags as usize, SeqCst); Operation::NONE };
    NtQueryInformationFile(file: HANDLE, block: *mut IO_STATUS_BLOCK, room: *mut c_void,
        length: u32, class: u32) -> i32, STATUS_INSUFFICIENT_RESOURCES, Operation::NONE;
    NtQueryObject(handle: HANDLE, class: u32, room: *mut c_void, length: u32,
        needed: *mut u32) -> i32, STATUS_INSUFFICIENT_RESOURCES, Operation::NONE;
}

/// The room that a question has for its answer.
fn room(value: *mut u8, length: *mut i32) -> *mut [u8] {
    // SAFETY: who asks says how much room there is, in a number that is there until the call
    // returns.
    slice_from_raw_parts_mut(value, unsafe { *length } as usize)
}

/// Fails for a call that would not come through here, so that a test which is about it cannot pass
/// without it.
#[track_caller]
fn assert_is_hooked(call: Call) {
    let real = match call {
        // These two are no imports: the provider's answer leads to them.
        Call::AcceptEx | Call::ConnectEx => &IOCTL,
        _ => &REAL[call as usize],
    };
    assert!(!real.load(SeqCst).is_null(), "{call:?} is not in the import table of this program");
}

fn install() {
    for call in Call::ALL {
        // SAFETY: the hook has the type of the call of this name. A call that this program does not
        // import is never made, and those two that are no imports are replaced in `ioctl`.
        if let Some(real) = unsafe { replace(&format!("{call:?}"), hook_of(call)) } {
            REAL[call as usize].store(real, SeqCst);
        }
    }
    // SAFETY: as above.
    if let Some(real) = unsafe { replace("WSAIoctl", ioctl as *mut c_void) } {
        IOCTL.store(real, SeqCst);
    }
}

/// Mixes packets of nobody in before those of the port, if the fault says so.
unsafe extern "system" fn dequeue(
    port: HANDLE,
    entries: *mut OVERLAPPED_ENTRY,
    count: u32,
    removed: *mut u32,
    milliseconds: u32,
    alertable: BOOL,
) -> BOOL {
    type Real =
        unsafe extern "system" fn(HANDLE, *mut OVERLAPPED_ENTRY, u32, *mut u32, u32, BOOL) -> BOOL;
    let call = Call::GetQueuedCompletionStatusEx;
    let fault = next(call);
    let strangers = fault.strangers.min(count - 1);
    let real = || {
        let real = REAL[call as usize].load(SeqCst);
        // SAFETY: this is what the import table had for the name.
        let real = unsafe { std::mem::transmute::<*mut c_void, Real>(real) };
        let behind = entries.wrapping_add(strangers as usize);
        WAITED.store(milliseconds as usize, SeqCst);
        // SAFETY: the caller's promises, passed on; the room is what the strangers leave of it.
        let answer =
            unsafe { real(port, behind, count - strangers, removed, milliseconds, alertable) };
        if strangers == 0 || answer == FALSE && last_error() != WAIT_TIMEOUT {
            return answer;
        }
        for number in 0..strangers {
            let entry = entries.wrapping_add(number as usize);
            // SAFETY: there is room for `count` entries, which is more than there are strangers.
            unsafe { entry.write(stranger(number)) };
        }
        STRANGERS.fetch_add(u64::from(strangers), SeqCst);
        // SAFETY: the caller vouches for the number, which the system has written if it succeeded.
        let removed = unsafe { &mut *removed };
        *removed = strangers + if answer == FALSE { 0 } else { *removed };
        TRUE
    };
    fault.around(Operation::NONE, real, FALSE)
}

/// A packet that belongs to nobody: its address is none, or lies inside an operation that was lent,
/// where none begins, also where that of an end of ours would lie, or is nonsense.
fn stranger(number: u32) -> OVERLAPPED_ENTRY {
    let inside = LENT.load(SeqCst).wrapping_add(8);
    let addresses = [0, inside, 64, usize::MAX - 7, inside - 7];
    let lpOverlapped = without_provenance_mut(addresses[number as usize % addresses.len()]);
    OVERLAPPED_ENTRY {
        lpCompletionKey: STRANGER,
        lpOverlapped,
        Internal: 0,
        dwNumberOfBytesTransferred: 1,
    }
}

/// As the call, which hands out the two that the import table lacks: ours in place of them.
unsafe extern "system" fn ioctl(
    socket: SOCKET,
    code: u32,
    input: *const GUID,
    input_size: u32,
    output: *mut *mut c_void,
    output_size: u32,
    bytes: *mut u32,
    overlapped: *mut OVERLAPPED,
    routine: *mut c_void,
) -> i32 {
    type Real = unsafe extern "system" fn(
        SOCKET,
        u32,
        *const GUID,
        u32,
        *mut *mut c_void,
        u32,
        *mut u32,
        *mut OVERLAPPED,
        *mut c_void,
    ) -> i32;
    // SAFETY: this is what the import table had for the name.
    let real = unsafe { std::mem::transmute::<*mut c_void, Real>(IOCTL.load(SeqCst)) };
    // SAFETY: the caller's promises, passed on.
    let answer = unsafe {
        real(socket, code, input, input_size, output, output_size, bytes, overlapped, routine)
    };
    if answer == SOCKET_ERROR || code != SIO_GET_EXTENSION_FUNCTION_POINTER {
        return answer;
    }
    // SAFETY: with this code the input is a `GUID`.
    let asked = unsafe { input.read_unaligned() };
    let same = |other: &GUID| (asked.Data1, asked.Data4) == (other.Data1, other.Data4);
    let call = match () {
        () if same(&WSAID_ACCEPTEX) => Call::AcceptEx,
        () if same(&WSAID_CONNECTEX) => Call::ConnectEx,
        () => return answer,
    };
    // SAFETY: with this code, and success, the output is a pointer.
    let output = unsafe { &mut *output };
    REAL[call as usize].store(*output, SeqCst);
    *output = hook_of(call);
    answer
}

#[link(name = "kernel32")]
unsafe extern "system" {
    fn GetCurrentThreadStackLimits(LowLimit: *mut usize, HighLimit: *mut usize);
}
