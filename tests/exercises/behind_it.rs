//! Of the last part: a binding by hand, memory of one's own, and a future.

#![allow(unsafe_code, reason = "it declares a call, and vouches for memory of its own")]

use std::cell::RefCell;
use std::future::Future;
use std::io::{self, Write};
use std::mem::{MaybeUninit, align_of, offset_of, size_of};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, SystemTime};

use overlapped::{Buffer, Completion, CompletionQueue, Completions, Failure, Key};

use crate::support::{registered, within_deadline};

/// The time since the year 1601 in units of 100 nanoseconds, in two halves.
#[repr(C)]
#[allow(non_snake_case, clippy::upper_case_acronyms, reason = "the names of the SDK")]
struct FILETIME {
    dwLowDateTime: u32,
    dwHighDateTime: u32,
}

// Two halves of 32 bits, so it may stand where a number of 64 bits may not.
const _: () = assert!(size_of::<FILETIME>() == 8 && align_of::<FILETIME>() == 4);
const _: () = assert!(offset_of!(FILETIME, dwHighDateTime) == 4);

#[link(name = "kernel32")]
unsafe extern "system" {
    /// Writes the time.
    ///
    /// # Safety
    ///
    /// There is room for a `FILETIME` at the address.
    fn GetSystemTimeAsFileTime(lpSystemTimeAsFileTime: *mut FILETIME);
}

/// Declare a call by hand, prove the layout of its struct, and its result by what std says.
#[test]
fn declare_a_call_by_hand() {
    /// From 1601 to 1970.
    const SECONDS: u64 = 11_644_473_600;
    let before = SystemTime::now();
    let mut time = MaybeUninit::<FILETIME>::uninit();
    // SAFETY: there is room for one.
    unsafe { GetSystemTimeAsFileTime(time.as_mut_ptr()) };
    // SAFETY: the call has written both halves, and it cannot fail.
    let time = unsafe { time.assume_init() };

    let units = u64::from(time.dwHighDateTime) << 32 | u64::from(time.dwLowDateTime);
    let since_1970 = Duration::from_micros(units / 10) - Duration::from_secs(SECONDS);
    let told = SystemTime::UNIX_EPOCH + since_1970;
    // std's clock is finer, and somebody may set the clock meanwhile: a minute either way is right.
    let minute = Duration::from_secs(60);
    assert!(told + minute > before && told < before + minute, "{told:?}, and not {before:?}");
}

/// A line of 64 bytes at most, which lie in the value itself.
struct Line {
    /// Not `u8`: `spare` gives the bytes to anybody, who may write what is no value to them.
    bytes: [MaybeUninit<u8>; 64],
    filled: usize,
}

// SAFETY: the slices are the value's own memory, which stays where the value stays and is reached
// through nothing else. What `advance` counts are the bytes behind those filled, which is where
// `spare` begins.
unsafe impl Buffer for Line {
    fn filled(&self, _part: usize) -> &[u8] {
        let filled = &self.bytes[..self.filled];
        // SAFETY: so many bytes have been written, by the promise of those who call `advance`.
        unsafe { std::slice::from_raw_parts(filled.as_ptr().cast(), filled.len()) }
    }

    fn spare(&mut self, _part: usize) -> &mut [MaybeUninit<u8>] {
        &mut self.bytes[self.filled..]
    }

    unsafe fn advance(&mut self, count: usize) {
        self.filled += count;
    }
}

/// Lend memory of a type of your own, and prove that receiving appends to what is there.
#[test]
fn lend_memory_of_your_own() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::new()?;
        let (stream, mut peer) = registered(&queue, Key(1));
        let mut line = Line { bytes: [MaybeUninit::uninit(); 64], filled: 0 };
        let mut batch = Completions::with_capacity(1);
        for word in ["one ", "two ", "three"] {
            peer.write_all(word.as_bytes())?;
            let wanted = line.filled + word.len();
            while line.filled < wanted {
                stream.receive(line)?;
                let received = queue.wait(&mut batch, None)?.next();
                let Some(Completion::Received { buffer, result, .. }) = received else {
                    panic!("it comes")
                };
                assert!(result? > 0);
                line = buffer;
            }
        }
        assert_eq!(line.filled(0), b"one two three");
        Ok(())
    })
}

type Answer = Option<(Vec<u8>, Result<usize, Failure>)>;

/// What was received, as soon as the loop below has put it here.
struct Receive(Rc<RefCell<Answer>>);

impl Future for Receive {
    type Output = (Vec<u8>, Result<usize, Failure>);

    fn poll(self: std::pin::Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
        // Nobody has to be woken: there is one task, and it is polled after each completion.
        self.0.borrow_mut().take().map_or(Poll::Pending, Poll::Ready)
    }
}

/// Write `async` code that receives twice, and the loop that runs it.
#[test]
fn await_two_receives() -> io::Result<()> {
    within_deadline(|| {
        let queue = CompletionQueue::new()?;
        let (stream, mut peer) = registered(&queue, Key(1));
        let answer = Rc::new(RefCell::new(None));
        let mut task = pin!(async {
            let mut counts = Vec::new();
            for _ in 0..2 {
                stream.receive(Vec::with_capacity(1))?;
                let (buffer, result) = Receive(answer.clone()).await;
                result?;
                counts.extend(buffer);
            }
            Ok::<_, io::Error>(counts)
        });

        let mut batch = Completions::with_capacity(1);
        peer.write_all(b"ab")?;
        loop {
            let mut context = Context::from_waker(Waker::noop());
            if let Poll::Ready(done) = task.as_mut().poll(&mut context) {
                assert_eq!(done?, b"ab");
                return Ok(());
            }
            for completion in queue.wait(&mut batch, None)? {
                if let Completion::Received { buffer, result, .. } = completion {
                    *answer.borrow_mut() = Some((buffer, result));
                }
            }
        }
    })
}
