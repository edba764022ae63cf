//! Async on a completion queue, on one thread, with std alone. A future that is polled leaves its
//! waker in a table, under the id of its operation. The loop waits on the queue, puts what has
//! ended into the table, and polls the tasks that were woken.

#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, ThreadId};
use std::time::{Duration, Instant};

use overlapped::{
    Buffer, Completion, CompletionQueue, Completions, OperationId, Registration, Source,
};

/// What all tasks of one `run` share.
pub struct Executor<B: Buffer = Vec<u8>> {
    pub queue: CompletionQueue<B>,
    /// Of each operation that a future waits for: how it has ended, or else whom to wake.
    ends: RefCell<HashMap<OperationId, Result<Completion<B>, Waker>>>,
    timers: RefCell<BTreeMap<(Instant, u64), Waker>>,
    is_shut_down: Cell<bool>,
    next_number: Cell<u64>,
    spawned: mpsc::Sender<Task<'static>>,
}

/// The end of an operation. It owns nothing of what was lent. It is to be polled before the loop
/// turns again, for an end that nobody waits for is dropped.
pub struct End<'a, S: Source, B: Buffer> {
    pub executor: &'a Executor<B>,
    pub on: &'a Registration<S, B>,
    pub id: OperationId,
}

impl<S: Source, B: Buffer> Future for End<'_, S, B> {
    type Output = Completion<B>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Completion<B>> {
        // To drop a waker can run anybody's code, so no table is borrowed meanwhile, here and below.
        let waiting = self.executor.ends.borrow_mut().remove(&self.id);
        if let Some(Ok(completion)) = waiting {
            return Poll::Ready(completion);
        }
        self.executor.ends.borrow_mut().insert(self.id, Err(context.waker().clone()));
        Poll::Pending
    }
}

impl<S: Source, B: Buffer> Drop for End<'_, S, B> {
    fn drop(&mut self) {
        let waiting = self.executor.ends.borrow_mut().remove(&self.id);
        if let Some(Err(_)) = waiting {
            // A request. The buffer stays in the queue until the packet has come, and is dropped
            // then, for nobody waits here any more. Should the request fail, that is later.
            let _ = self.on.cancel(self.id);
        }
    }
}

/// What [`Executor::until`] returns.
pub struct Timer<'a, B: Buffer> {
    executor: &'a Executor<B>,
    /// The number tells it from others of the same moment.
    due: (Instant, u64),
    or_shutdown: bool,
}

impl<B: Buffer> Future for Timer<'_, B> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let is_over = self.or_shutdown && self.executor.is_shut_down.get();
        if is_over || self.due.0 <= Instant::now() {
            return Poll::Ready(());
        }
        let _before = self.executor.timers.borrow_mut().insert(self.due, context.waker().clone());
        Poll::Pending
    }
}

impl<B: Buffer> Drop for Timer<'_, B> {
    fn drop(&mut self) {
        let _waker = self.executor.timers.borrow_mut().remove(&self.due);
    }
}

type Task<'a> = Pin<Box<dyn Future<Output = ()> + 'a>>;

/// Puts a task on the list, from any thread. When `run` has returned there is no list.
struct TaskWaker {
    number: u64,
    is_listed: AtomicBool,
    list: mpsc::Sender<u64>,
    queue: overlapped::Waker,
    thread: ThreadId,
}

impl Wake for TaskWaker {
    fn wake(self: Arc<Self>) {
        if self.is_listed.swap(true, SeqCst) || self.list.send(self.number).is_err() {
            return;
        }
        // The thread of `run` looks at the list before it sleeps. Another has to end its sleep; if
        // there is no memory for that, the next completion does it.
        if thread::current().id() != self.thread {
            let _ = self.queue.wake();
        }
    }
}

impl<B: Buffer> Executor<B> {
    /// Ends at a moment, or at the shutdown if that comes first and `or_shutdown` is set.
    pub fn until(&self, moment: Instant, or_shutdown: bool) -> Timer<'_, B> {
        Timer { executor: self, due: (moment, self.number()), or_shutdown }
    }

    /// Begins a task. It is dropped when `run` returns. Its panic comes out of `run`.
    pub fn spawn(&self, future: impl Future<Output = ()> + 'static) {
        // Without a `run` nobody takes it.
        let _ = self.spawned.send(Box::pin(future));
    }

    fn number(&self) -> u64 {
        self.next_number.replace(self.next_number.get() + 1)
    }

    /// Wakes who waits for a moment that has come, and returns the next moment.
    fn fire_timers(&self) -> Option<Instant> {
        let later = self.timers.borrow_mut().split_off(&(Instant::now(), u64::MAX));
        self.timers.replace(later).into_values().for_each(Waker::wake);
        self.timers.borrow().keys().next().map(|due| due.0)
    }

    fn ended(&self, completion: Completion<B>) {
        if let Completion::ShutDown = completion {
            self.is_shut_down.set(true);
            // Those that do not wait for this wait again.
            self.timers.take().into_values().for_each(Waker::wake);
        } else if let Some(id) = completion.id() {
            let waiting = self.ends.borrow_mut().remove(&id);
            if let Some(Err(waker)) = waiting {
                self.ends.borrow_mut().insert(id, Ok(completion));
                waker.wake();
            }
        }
    }
}

/// Runs a task, and those that are spawned, until it returns. The others are dropped then.
pub fn run<B: Buffer, F: Future>(main: impl FnOnce(Rc<Executor<B>>) -> F) -> io::Result<F::Output> {
    let ((spawned, new), (list, listed)) = (mpsc::channel(), mpsc::channel());
    let (ends, timers, is_shut_down, next_number) = Default::default();
    let queue = CompletionQueue::new()?;
    let executor = Rc::new(Executor { queue, ends, timers, is_shut_down, next_number, spawned });
    let (queue, value, main) = (&executor.queue, Cell::new(None), main(Rc::clone(&executor)));
    let main: Task<'_> = Box::pin(async { value.set(Some(main.await)) });
    let (mut first, mut batch) = (Some(main), Completions::with_capacity(64));
    let (mut tasks, mut round) = (HashMap::<u64, (Arc<TaskWaker>, Task<'_>)>::new(), Vec::new());
    loop {
        let new = new.try_iter().map(|task| -> Task<'_> { task });
        for task in first.take().into_iter().chain(new) {
            let (number, is_listed, list) =
                (executor.number(), AtomicBool::new(true), list.clone());
            let (queue, thread) = (queue.waker(), thread::current().id());
            let waker = TaskWaker { number, is_listed, list, queue, thread };
            tasks.insert(number, (Arc::new(waker), task));
            round.push(number);
        }
        let next = executor.fire_timers();
        round.extend(listed.try_iter());
        let batch = match next {
            // Packets have their turn however many tasks are woken all the time.
            _ if !round.is_empty() => queue.wait(&mut batch, Some(Duration::ZERO))?,
            Some(moment) => queue.wait_until(&mut batch, moment)?,
            None => queue.wait(&mut batch, None)?,
        };
        batch.for_each(|completion| executor.ended(completion));
        round.extend(listed.try_iter());
        for number in round.drain(..) {
            let Some((waker, task)) = tasks.get_mut(&number) else { continue };
            waker.is_listed.swap(false, SeqCst);
            let waker = Waker::from(Arc::clone(waker));
            if task.as_mut().poll(&mut Context::from_waker(&waker)).is_ready() {
                tasks.remove(&number);
            }
        }
        if let Some(value) = value.take() {
            return Ok(value);
        }
    }
}
