//! Tasks that panic, futures and wakers that act when they are dropped, and who is woken for a place
//! that is free.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use overlapped::Key;

use crate::buffers::Acting;
use crate::combine::{Limit, sleep, spawn};
use crate::executor::{self, Executor};
use crate::support::{DEADLINE, registered, within_deadline};
use crate::{panics_in_one_line, poll, runs, settle, turn};

type Vectors = Rc<Executor>;

thread_local! {
    static EXECUTOR: RefCell<Option<Vectors>> = const { RefCell::new(None) };
    static USED: Cell<u32> = const { Cell::new(0) };
}

/// Uses the executor of its thread when it is dropped.
struct UsesTheExecutor;

impl Wake for UsesTheExecutor {
    fn wake(self: Arc<Self>) {}
}

impl Drop for UsesTheExecutor {
    fn drop(&mut self) {
        let executor = EXECUTOR.with_borrow(Clone::clone).expect("it runs");
        let (stream, _peer) = registered(&executor.queue, Key(0));
        let mut receive = Box::pin(executor.receive(&stream, Vec::with_capacity(4)));
        let mut timer = Box::pin(sleep(&executor, DEADLINE));
        assert!(poll(&mut receive).is_pending() && poll(&mut timer).is_pending());
        USED.set(USED.get() + 1);
    }
}

/// Polls with a waker of which nothing else is left then.
fn poll_for_one_more(future: &mut Pin<Box<impl Future>>) -> bool {
    let waker = Waker::from(Arc::new(UsesTheExecutor));
    future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending()
}

/// A second poll drops the waker of the first, and the future's drop that of the second.
#[test]
fn a_waker_may_use_the_executor_when_it_is_dropped() {
    runs(async |executor: Vectors| {
        EXECUTOR.set(Some(Rc::clone(&executor)));
        let (stream, _peer) = registered(&executor.queue, Key(0));
        let mut receive = Box::pin(executor.receive(&stream, Vec::with_capacity(4)));
        let mut timer = Box::pin(sleep(&executor, DEADLINE));
        assert!(poll_for_one_more(&mut receive) && poll_for_one_more(&mut receive));
        assert!(poll_for_one_more(&mut timer) && poll_for_one_more(&mut timer));
        assert_eq!(USED.get(), 2);
        drop((receive, timer));
        assert_eq!(USED.get(), 4);
        EXECUTOR.set(None);
        settle(&executor).await;
    });
}

#[test]
fn a_panic_of_a_task_that_is_joined_ends_no_other() {
    panics_in_one_line();
    runs(async |executor: Vectors| {
        let (stream, mut peer) = registered(&executor.queue, Key(0));
        let other = Rc::clone(&executor);
        let receiving = spawn(&executor, async move {
            other.receive(&stream, Vec::with_capacity(9)).await.expect("received").1
        });
        let panics = spawn(&executor, async {
            turn().await;
            panic!("on purpose")
        });
        let panic: Result<(), _> = panics.await;
        assert_eq!(panic.expect_err("a panic").downcast_ref::<&str>(), Some(&"on purpose"));
        peer.write_all(b"hello").expect("sent");
        assert_eq!(receiving.await.expect("no panic"), b"hello");
    });
}

struct PanicsInDrop;

impl Drop for PanicsInDrop {
    fn drop(&mut self) {
        panic!("on purpose, in a drop");
    }
}

/// A future by hand, since what an `async` block owns is dropped while it is polled.
struct Panics {
    in_poll: bool,
    _in_drop: PanicsInDrop,
}

impl Future for Panics {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        assert!(!self.in_poll, "on purpose, in a poll");
        Poll::Ready(())
    }
}

#[test]
fn a_panic_where_a_joined_task_is_dropped_ends_no_other() {
    panics_in_one_line();
    runs(async |executor: Vectors| {
        for (in_poll, first) in [(false, "on purpose, in a drop"), (true, "on purpose, in a poll")]
        {
            let panic = spawn(&executor, Panics { in_poll, _in_drop: PanicsInDrop }).await;
            assert_eq!(panic.expect_err("a panic").downcast_ref::<&str>(), Some(&first));
        }
        // Nobody waits for this value, so its task drops it.
        drop(spawn(&executor, async { PanicsInDrop }));
        let after = spawn(&executor, async { 7 });
        assert_eq!(after.await.expect("no panic"), 7);
    });
}

/// What is filled or dropped by the loop is code of no task.
#[test]
fn a_panic_of_a_buffer_comes_out_of_run() {
    panics_in_one_line();
    fn panics() {
        panic!("on purpose, in a buffer");
    }
    for (buffer, is_dropped) in
        [(Acting::in_advance(panics), false), (Acting::in_drop(panics), true)]
    {
        let ended = within_deadline(move || {
            catch_unwind(AssertUnwindSafe(move || {
                executor::run(async move |executor: Rc<Executor<Acting>>| {
                    let (stream, mut peer) = registered(&executor.queue, Key(0));
                    let mut receive = Box::pin(executor.receive(&stream, buffer));
                    assert!(poll(&mut receive).is_pending());
                    peer.write_all(b"!").expect("sent");
                    if !is_dropped {
                        return receive.await.is_ok();
                    }
                    drop(receive);
                    settle(&executor).await;
                    true
                })
                .expect("the queue")
            }))
        });
        let panic = ended.expect_err("a panic");
        assert_eq!(panic.downcast_ref::<&str>(), Some(&"on purpose, in a buffer"));
    }
}

#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn one_is_woken_for_a_place_and_the_next_if_it_gives_up() {
    runs(async |_: Vectors| {
        let (limit, woken) = (Limit::new(1), [(); 3].map(|()| Arc::new(Woken::default())));
        let counts = || [0, 1, 2].map(|at| woken[at].0.load(SeqCst));
        let place = limit.enter().await;
        let [first, mut second, mut third] = [0, 1, 2].map(|at| {
            let (mut enter, waker) = (Box::pin(limit.enter()), Waker::from(Arc::clone(&woken[at])));
            assert!(enter.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
            enter
        });
        drop(place);
        assert_eq!(counts(), [1, 0, 0]);
        drop(first);
        assert_eq!(counts(), [1, 1, 0]);
        // It was overtaken, and stays before those who came later.
        let overtakes = limit.enter().await;
        let waker = Waker::from(Arc::clone(&woken[1]));
        assert!(second.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        let before = counts();
        drop(overtakes);
        assert_eq!(counts()[1], before[1] + 1);
        let Poll::Ready(place) = poll(&mut second) else { panic!("the place is free") };
        assert!(poll(&mut third).is_pending());
        drop(place);
        assert!(poll(&mut third).is_ready());
    });
}

/// With ten thousand, more would be too much.
#[test]
fn who_waits_for_a_place_looks_a_few_times_only() {
    const TASKS: usize = 1_000;
    let looked = runs(async |executor: Vectors| {
        let (limit, looked) = (Limit::new(3), Rc::new(Cell::new(0)));
        let tasks: Vec<_> = (0..TASKS)
            .map(|_| {
                let (limit, looked) = (limit.clone(), Rc::clone(&looked));
                spawn(&executor, async move {
                    let mut enter = pin!(limit.enter());
                    let place = poll_fn(|context| {
                        looked.set(looked.get() + 1);
                        enter.as_mut().poll(context)
                    });
                    let place = place.await;
                    turn().await;
                    drop(place);
                })
            })
            .collect();
        for task in tasks {
            task.await.expect("no panic");
        }
        limit.until_empty().await;
        looked.get()
    });
    assert!((TASKS..=4 * TASKS).contains(&looked), "{looked} looks of {TASKS} tasks");
}
