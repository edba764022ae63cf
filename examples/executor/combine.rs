//! Futures made of other futures. They know nothing of completion ports, and of the executor only
//! its timers and `spawn`.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
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

/// The wakers of those who wait for the same thing. All are woken, and look again.
#[derive(Default)]
struct Waiting(RefCell<Vec<Waker>>);

impl Waiting {
    fn add(&self, context: &Context<'_>) {
        let mut wakers = self.0.borrow_mut();
        if !wakers.iter().any(|waker| waker.will_wake(context.waker())) {
            wakers.push(context.waker().clone());
        }
    }

    fn wake(&self) {
        self.0.take().into_iter().for_each(Waker::wake);
    }
}

/// A task as a future: its value, or its panic, as of a thread that is joined. If it is dropped,
/// the task goes on.
pub struct Task<T>(Rc<Outcome<T>>);

struct Outcome<T> {
    value: Cell<Option<thread::Result<T>>>,
    waiting: Waiting,
}

/// Begins a task of which the value is wanted, or whose panic is to end nothing but itself.
pub fn spawn<B: Buffer, T: 'static>(
    executor: &Executor<B>,
    future: impl Future<Output = T> + 'static,
) -> Task<T> {
    let outcome = Rc::new(Outcome { value: Cell::new(None), waiting: Waiting::default() });
    let task = Task(Rc::clone(&outcome));
    executor.spawn(async move {
        outcome.value.set(Some(caught(future).await));
        outcome.waiting.wake();
    });
    task
}

/// The value of a future or its panic. What it has shared with others is as the panic has left it,
/// as it is with a thread.
async fn caught<F: Future>(future: F) -> thread::Result<F::Output> {
    let mut future = Box::pin(future);
    let ended = poll_fn(move |context| {
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(context))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(value)) => Poll::Ready(Ok(value)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    });
    ended.await
}

impl<T> Future for Task<T> {
    type Output = thread::Result<T>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<thread::Result<T>> {
        match self.0.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                self.0.waiting.add(context);
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
    waiting: Waiting,
}

/// A place inside, until it is dropped.
pub struct Place(Rc<Places>);

impl Limit {
    pub fn new(places: usize) -> Self {
        let free = Cell::new(places);
        Self(Rc::new(Places { free, all: places, waiting: Waiting::default() }))
    }

    pub async fn enter(&self) -> Place {
        self.until(|free| free > 0).await;
        self.0.free.set(self.0.free.get() - 1);
        Place(Rc::clone(&self.0))
    }

    /// Waits until nobody is inside.
    pub async fn until_empty(&self) {
        self.until(|free| free == self.0.all).await;
    }

    async fn until(&self, condition: impl Fn(usize) -> bool) {
        poll_fn(|context| {
            if condition(self.0.free.get()) {
                return Poll::Ready(());
            }
            self.0.waiting.add(context);
            Poll::Pending
        })
        .await
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.free.set(self.0.free.get() + 1);
        self.0.waiting.wake();
    }
}
