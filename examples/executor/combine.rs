//! Futures made of other futures. They know nothing of completion ports, and of the executor only
//! its timers and `spawn`.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::thread;
use std::time::{Duration, Instant};

use overlapped::Buffer;

use crate::executor::{Executor, Timer};

/// A time that no program lives to see.
const FAR: Duration = Duration::from_secs(30 * 365 * 24 * 60 * 60);

/// Ends so much later.
pub fn sleep<B: Buffer>(executor: &Executor<B>, time: Duration) -> Timer<'_, B> {
    executor.until(Instant::now() + time.min(FAR), false)
}

/// Ends when the queue is shut down, or is already.
pub fn until_shutdown<B: Buffer>(executor: &Executor<B>) -> Timer<'_, B> {
    executor.until(Instant::now() + FAR, true)
}

/// What came first.
#[derive(Debug, PartialEq, Eq)]
pub enum First<A, B> {
    One(A),
    Other(B),
}

/// Waits for one of two, and drops the other. If both are there, the first one counts.
pub async fn first<A: Future, B: Future>(one: A, other: B) -> First<A::Output, B::Output> {
    let (mut one, mut other) = (pin!(one), pin!(other));
    poll_fn(|context| {
        if let Poll::Ready(value) = one.as_mut().poll(context) {
            return Poll::Ready(First::One(value));
        }
        other.as_mut().poll(context).map(First::Other)
    })
    .await
}

/// Waits so long at the most; `None` if that was not long enough. The future is dropped then.
pub async fn timeout<B: Buffer, F: Future>(
    executor: &Executor<B>,
    limit: Duration,
    future: F,
) -> Option<F::Output> {
    match first(future, sleep(executor, limit)).await {
        First::One(value) => Some(value),
        First::Other(()) => None,
    }
}

/// Waits for two at the same time.
pub async fn join<A: Future, B: Future>(one: A, other: B) -> (A::Output, B::Output) {
    let (mut one, mut other) = (pin!(one), pin!(other));
    let mut values = (None, None);
    poll_fn(move |context| {
        poll_once(&mut values.0, || one.as_mut().poll(context));
        poll_once(&mut values.1, || other.as_mut().poll(context));
        match (values.0.take(), values.1.take()) {
            (Some(one), Some(other)) => Poll::Ready((one, other)),
            some => {
                values = some;
                Poll::Pending
            }
        }
    })
    .await
}

/// A future that has ended is not to be polled again.
fn poll_once<T>(value: &mut Option<T>, poll: impl FnOnce() -> Poll<T>) {
    if value.is_none() {
        if let Poll::Ready(new) = poll() {
            *value = Some(new);
        }
    }
}

/// Those who wait for the same thing, in the order in which they came.
#[derive(Default)]
struct Waiting {
    wakers: RefCell<BTreeMap<u64, Waker>>,
    next_number: Cell<u64>,
}

impl Waiting {
    /// Waits until it is true. Who is woken looks again, and only one is woken at a time: if all
    /// were, ten thousand who wait for a few places would look half a million times each.
    async fn until(&self, condition: impl Fn() -> bool) -> Turn<'_> {
        let number = self.next_number.replace(self.next_number.get() + 1);
        let turn = Turn { waiting: self, number };
        poll_fn(|context| {
            if condition() {
                return Poll::Ready(());
            }
            let _before = self.wakers.borrow_mut().insert(number, context.waker().clone());
            Poll::Pending
        })
        .await;
        turn
    }

    fn wake_first(&self) {
        let first = self.wakers.borrow_mut().pop_first();
        if let Some((_, waker)) = first {
            waker.wake();
        }
    }
}

/// To be kept until what was waited for is taken.
struct Turn<'a> {
    waiting: &'a Waiting,
    number: u64,
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let waker = self.waiting.wakers.borrow_mut().remove(&self.number);
        if waker.is_none() {
            // It was woken, and may have given up since, or left something: then the next is due.
            self.waiting.wake_first();
        }
    }
}

/// A task as a future: its value, or its panic, as of a thread that is joined. If it is dropped,
/// the task goes on.
pub struct Task<T>(Rc<Outcome<T>>);

struct Outcome<T> {
    value: Cell<Option<thread::Result<T>>>,
    waiting: Cell<Option<Waker>>,
}

/// Begins a task of which the value is wanted, or whose panic is to end nothing but itself. (A buffer
/// of one's own that panics when it is filled or dropped does so in the loop, and comes out of `run`.)
pub fn spawn<B: Buffer, T: 'static>(
    executor: &Executor<B>,
    future: impl Future<Output = T> + 'static,
) -> Task<T> {
    let outcome = Rc::new(Outcome { value: Cell::new(None), waiting: Cell::new(None) });
    let task = Task(Rc::clone(&outcome));
    executor.spawn(async move {
        outcome.value.set(Some(caught(future).await));
        outcome.waiting.take().into_iter().for_each(Waker::wake);
        // A value that nobody waits for is dropped here, and its panic is the task's as well.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(outcome)));
    });
    task
}

/// The value of a future or its panic, be it that of its drop. What it has shared with others is as
/// the panic has left it, as it is with a thread.
async fn caught<F: Future>(future: F) -> thread::Result<F::Output> {
    let mut future = Box::pin(future);
    let ended =
        poll_fn(|context| match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        });
    let ended = ended.await;
    let dropped = catch_unwind(AssertUnwindSafe(|| drop(future)));
    ended.and_then(|value| dropped.map(|()| value))
}

impl<T> Future for Task<T> {
    type Output = thread::Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<thread::Result<T>> {
        match self.0.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                self.0.waiting.set(Some(context.waker().clone()));
                Poll::Pending
            }
        }
    }
}

/// So many may be inside at the same time; who comes later waits outside.
#[derive(Clone)]
pub struct Limit(Rc<Places>);

struct Places {
    free: Cell<usize>,
    all: usize,
    outside: Waiting,
    until_empty: Waiting,
}

/// A place inside, until it is dropped.
pub struct Place(Rc<Places>);

impl Limit {
    pub fn new(places: usize) -> Self {
        let (outside, until_empty) = Default::default();
        Self(Rc::new(Places { free: Cell::new(places), all: places, outside, until_empty }))
    }

    pub async fn enter(&self) -> Place {
        let Places { free, outside, .. } = &*self.0;
        let _turn = outside.until(|| free.get() > 0).await;
        free.set(free.get() - 1);
        Place(Rc::clone(&self.0))
    }

    /// Waits until nobody is inside.
    pub async fn until_empty(&self) {
        let Places { free, all, until_empty, .. } = &*self.0;
        until_empty.until(|| free.get() == *all).await;
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let Places { free, all, outside, until_empty } = &*self.0;
        free.set(free.get() + 1);
        outside.wake_first();
        if free.get() == *all {
            until_empty.wake_first();
        }
    }
}
