//! What can happen to a system call, planned for a certain one or by chance.

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "it looks at operations that are the kernel's")]

use std::fmt::Debug;
use std::io;
use std::ptr::null_mut;
use std::sync::Arc;
use std::sync::atomic::Ordering::{Acquire, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::thread;
use std::time::Instant;

/// The error of calls that fail when the system has no memory of its own left.
pub use overlapped::ffi::constants::ERROR_NO_SYSTEM_RESOURCES;
use overlapped::ffi::constants::*;
use overlapped::ffi::ntstatus::STATUS_PENDING;
use overlapped::ffi::types::OVERLAPPED;

use super::super::support::{DEADLINE, give_way, until};
use super::Call;

/// What happens to one call. By default nothing.
#[derive(Clone)]
pub struct Fault {
    /// The system is not asked; the call fails with this error.
    fails: Option<u32>,
    /// Before the system is asked.
    before: Pause,
    /// After the system has answered, and before the caller hears of it.
    after: Pause,
    /// The call returns when its operation has ended.
    ends_first: bool,
    /// The system is asked, and its operation has ended when the call fails with this error.
    fails_though_begun: Option<u32>,
    /// So it is only if the operation was pending: one that succeeds at once may have no packet.
    unless_at_once: bool,
    /// The system is asked, and the call fails with this error while its operation is pending.
    fails_though_pending: Option<u32>,
    /// The first number of what the call has written as its answer is 0.
    answers_zeros: bool,
    /// Success at once is reported only after the second pause: the flags, and the count again.
    writes_late: bool,
    /// So many packets of nobody come out of the port besides.
    pub strangers: u32,
}

/// For how long a call is held up.
#[derive(Clone)]
enum Pause {
    None,
    Until(Gate),
    Turns(u64),
}

impl Fault {
    const NONE: Self = Self {
        fails: None,
        before: Pause::None,
        after: Pause::None,
        ends_first: false,
        fails_though_begun: None,
        unless_at_once: false,
        fails_though_pending: None,
        answers_zeros: false,
        writes_late: false,
        strangers: 0,
    };

    pub const fn fails(error: u32) -> Self {
        Self { fails: Some(error), ..Self::NONE }
    }

    /// The system hears of the call only when the gate is open.
    pub fn starts_at(gate: &Gate) -> Self {
        Self { before: Pause::Until(gate.clone()), ..Self::NONE }
    }

    /// The call returns only when the gate is open: meanwhile another thread can dequeue the
    /// packet.
    pub fn returns_at(gate: &Gate) -> Self {
        Self { after: Pause::Until(gate.clone()), ..Self::NONE }
    }

    /// The operation has ended, or had time to, when the call returns.
    pub fn ends_first() -> Self {
        Self { ends_first: true, ..Self::NONE }
    }

    /// The call writes flags and count only when the gate is open, and returns: what Microsoft
    /// allows of a call that succeeds at once, whose packet may have been dequeued long ago.
    pub fn writes_at(gate: &Gate) -> Self {
        Self { writes_late: true, ..Self::returns_at(gate) }
    }

    /// As [`writes_at`](Self::writes_at), after other threads had their turn so many times.
    pub fn writes_after(turns: u64) -> Self {
        Self { writes_late: true, after: Pause::Turns(turns), ..Self::NONE }
    }

    /// The call fails, and a packet comes all the same: as of a datagram that did not fit.
    pub fn fails_though_begun(error: u32) -> Self {
        Self { fails_though_begun: Some(error), ..Self::NONE }
    }

    /// As [`fails_though_begun`](Self::fails_though_begun), unless the operation succeeds at once,
    /// which on some handles brings no packet.
    pub fn fails_unless_at_once(error: u32) -> Self {
        Self { unless_at_once: true, ..Self::fails_though_begun(error) }
    }

    /// As [`fails_though_begun`](Self::fails_though_begun), before the status is written: Microsoft
    /// lets the system do that as late as the packet is dequeued.
    pub fn fails_though_pending(error: u32) -> Self {
        Self { fails_though_pending: Some(error), ..Self::NONE }
    }

    /// A question whose answer begins with 0: of a protocol those are the services of its provider.
    pub fn answers_zeros() -> Self {
        Self { answers_zeros: true, ..Self::NONE }
    }

    /// A dequeue that brings so many packets of nobody besides.
    pub fn strangers(strangers: u32) -> Self {
        Self { strangers, ..Self::NONE }
    }

    pub fn and_fails(self, error: u32) -> Self {
        Self { fails: Some(error), ..self }
    }

    /// Makes the call, or does not, as this says. The error of the call is that of the thread
    /// after.
    pub fn around<R: Copy + PartialEq>(
        self,
        operation: Operation<R>,
        real: impl FnOnce() -> R,
        failure: R,
    ) -> R {
        self.before.pass();
        if let Some(error) = self.fails {
            self.after.pass();
            SetLastError(error);
            return failure;
        }
        let mut answer = real();
        let error = last_error();
        // An operation that was refused is not looked at: it may say "pending" for ever.
        let lent =
            !operation.overlapped.is_null() && (answer != failure || error == ERROR_IO_PENDING);
        if self.ends_first && lent {
            wait_for_the_end(operation.overlapped);
        }
        if self.writes_late && lent && answer == failure {
            // A call that pends reports nothing. Where it makes no difference to its caller, one
            // that has ended by now is told as a success at once.
            let ended = operation.at_once.filter(|_| wait_for_the_end(operation.overlapped));
            answer = ended.unwrap_or(failure);
        }
        if let Some(error) = self.fails_though_pending {
            SetLastError(error);
            return failure;
        }
        let at_once = self.unless_at_once && answer != failure;
        if let Some(error) = self.fails_though_begun.filter(|_| !at_once) {
            // Its bytes were sent before, so this takes as long as the system takes, and no longer.
            let start = Instant::now();
            while !wait_for_the_end(operation.overlapped) {
                assert_or_abort(start.elapsed() < DEADLINE, "the operation has not ended");
            }
            SetLastError(error);
            return failure;
        }
        if self.answers_zeros {
            operation.answer_zeros();
        }
        let reports_late = self.writes_late && answer != failure;
        let count = operation.count();
        let written = if reports_late { operation.written() } else { Default::default() };
        self.after.pass();
        if reports_late {
            operation.report(count, &written);
        }
        SetLastError(error);
        answer
    }
}

/// What a call of an operation was given.
#[derive(Clone, Copy)]
pub struct Operation<R> {
    pub overlapped: *mut OVERLAPPED,
    /// Where it reports: either may be NULL.
    pub count: *mut u32,
    pub flags: *mut u32,
    /// Where it says how much of the room it has filled; NULL if it does not.
    pub length: *mut i32,
    /// What it answers when it succeeds at once, if its caller does not mind whether it does.
    pub at_once: Option<R>,
    /// Where else it writes: the answer to a question, or addresses.
    pub room: Option<*mut [u8]>,
}

impl<R> Operation<R> {
    pub const NONE: Self = Self {
        overlapped: null_mut(),
        count: null_mut(),
        flags: null_mut(),
        length: null_mut(),
        at_once: None,
        room: None,
    };

    fn answer_zeros(&self) {
        let room = self.room.expect("a call that answers something");
        // SAFETY: who makes the call gives it this room, until it returns.
        unsafe { (&mut (*room))[..4].fill(0) };
    }

    /// What the call has counted.
    fn count(&self) -> u32 {
        // SAFETY: who makes the call gives it NULL, or room for a number until it returns.
        if self.count.is_null() { 0 } else { unsafe { self.count.read() } }
    }

    /// What the call has written besides, and how much it says that it is.
    fn written(&self) -> (Vec<u8>, i32) {
        // SAFETY: who makes the call gives it this room until it returns, and it has been filled.
        let room = self.room.map_or_else(Vec::new, |room| unsafe { (*room).to_vec() });
        // SAFETY: who makes the call gives it NULL, or room for a number until it returns.
        (room, if self.length.is_null() { 0 } else { unsafe { self.length.read() } })
    }

    /// Says what a call says that succeeds. Which flags are set nobody knows.
    fn report(&self, count: u32, (written, length): &(Vec<u8>, i32)) {
        if !self.length.is_null() {
            // SAFETY: as above, and the call has not returned.
            unsafe { self.length.write(*length) };
        }
        if let Some(room) = self.room {
            // SAFETY: as above, and the call has not returned.
            unsafe { (*room).copy_from_slice(written) };
        }
        if !self.count.is_null() {
            // SAFETY: as above, and it has not returned.
            unsafe { self.count.write(count) };
        }
        if !self.flags.is_null() {
            // SAFETY: as above.
            unsafe { self.flags.write(u32::MAX) };
        }
    }
}

/// Gives way until the operation has ended, though not for ever: it may wait for something that
/// comes only after the call. Says whether it has ended.
fn wait_for_the_end(operation: *mut OVERLAPPED) -> bool {
    let internal = operation.cast::<AtomicUsize>();
    // SAFETY: the operation rests in a table that lives as long as the registration on which the
    // call is being made; only its first word is read, as an atomic.
    let internal = unsafe { &*internal };
    let is_pending = || internal.load(Acquire) as u32 == STATUS_PENDING as u32;
    give_way(|| !is_pending());
    !is_pending()
}

/// Holds calls up until a test opens it.
#[derive(Clone, Default)]
pub struct Gate(Arc<[AtomicBool; 2]>);

impl Gate {
    pub fn open(&self) {
        self.0[0].store(true, SeqCst);
    }

    /// Waits until a call is held up here.
    #[track_caller]
    pub fn reached(&self) {
        until("a call at the gate", || self.0[1].load(SeqCst));
    }

    /// Waits here until it is open, for a test that stands in the place of a call itself.
    pub fn hold(&self) {
        self.pass();
    }

    fn pass(&self) {
        let start = Instant::now();
        self.0[1].store(true, SeqCst);
        while !self.0[0].load(SeqCst) {
            assert_or_abort(start.elapsed() < DEADLINE, "a gate was not opened in time");
            thread::yield_now();
        }
    }
}

/// A panic would have to pass through the caller of a system call.
fn assert_or_abort(holds: bool, otherwise: &str) {
    if !holds {
        eprintln!("{otherwise}");
        std::process::abort();
    }
}

impl Pause {
    fn pass(&self) {
        match self {
            Self::None => {}
            Self::Until(gate) => gate.pass(),
            Self::Turns(turns) => (0..*turns).for_each(|_| thread::yield_now()),
        }
    }
}

/// What is to happen to the calls to come.
#[derive(Default)]
pub struct Plan {
    certain: Vec<(Call, u64, Fault)>,
    chance: Option<Chance>,
    /// What happens to all others that send or receive.
    always: Option<Fault>,
}

struct Chance {
    numbers: Numbers,
    one_in: u64,
}

impl Plan {
    pub const NONE: Self = Self { certain: Vec::new(), chance: None, always: None };

    pub fn add(&mut self, call: Call, nth: u64, fault: Fault) {
        self.certain.push((call, nth, fault));
    }

    pub fn at_random(&mut self, seed: u64, one_in: u64) {
        self.chance = Some(Chance { numbers: Numbers::new(seed), one_in });
    }

    pub fn always(&mut self, fault: Fault) {
        self.always = Some(fault);
    }

    /// Whether all that was planned has happened.
    pub fn is_over(&self) -> bool {
        self.certain.is_empty()
    }

    pub fn take(&mut self, call: Call, nth: u64) -> Fault {
        let planned = self.certain.iter().position(|(other, at, _)| (*other, *at) == (call, nth));
        if let Some(planned) = planned {
            return self.certain.swap_remove(planned).2;
        }
        use Call::{WSARecv, WSARecvFrom, WSASend, WSASendTo};
        if let (Some(fault), WSARecv | WSASend | WSARecvFrom | WSASendTo) = (&self.always, call) {
            return fault.clone();
        }
        let Some(Chance { numbers, one_in }) = &mut self.chance else { return Fault::NONE };
        if numbers.below(*one_in) == 0 { by_chance(call, numbers) } else { Fault::NONE }
    }
}

/// One of the things that can happen to this call and that its caller has to live with.
fn by_chance(call: Call, numbers: &mut Numbers) -> Fault {
    let error = match call {
        Call::WSARecv
        | Call::WSASend
        | Call::WSARecvFrom
        | Call::WSASendTo
        | Call::AcceptEx
        | Call::ConnectEx => WSAENOBUFS as u32,
        Call::ReadFile | Call::WriteFile | Call::ConnectNamedPipe => ERROR_NO_SYSTEM_RESOURCES,
        // A wait that ends early; every other error of it is the caller's own.
        Call::GetQueuedCompletionStatusEx => WAIT_TIMEOUT,
        Call::PostQueuedCompletionStatus
        | Call::CancelIoEx
        | Call::CreateIoCompletionPort
        | Call::RegisterWaitForSingleObject => ERROR_NO_SYSTEM_RESOURCES,
        _ => return Fault::NONE,
    };
    let turns = Pause::Turns(numbers.below(200));
    match numbers.below(6) {
        0 => Fault::fails(error),
        1 => Fault { before: turns, ..Fault::NONE },
        2 => Fault { after: turns, ..Fault::NONE },
        3 => Fault::ends_first(),
        4 => Fault { writes_late: true, after: turns, ..Fault::NONE },
        _ => Fault::strangers(1 + numbers.below(4) as u32),
    }
}

/// Numbers by chance that are the same for the same seed: the generator is known as splitmix64.
#[derive(Clone)]
pub struct Numbers(u64);

impl Numbers {
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// One of the numbers below the limit.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }
}

pub fn last_error() -> u32 {
    io::Error::last_os_error().raw_os_error().unwrap_or_default() as u32
}

/// The error is the one that the fault has given.
#[track_caller]
pub fn assert_code(error: &io::Error, code: impl TryInto<i32, Error: Debug>) {
    assert_eq!(error.raw_os_error(), Some(code.try_into().expect("a code")), "{error:?}");
}

#[link(name = "kernel32")]
unsafe extern "system" {
    safe fn SetLastError(dwErrCode: u32);
}
