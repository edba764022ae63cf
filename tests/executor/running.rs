//! Tasks, timers and wakers.

use std::cell::{Cell, RefCell};
use std::future::{pending, poll_fn};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};
use std::thread;
use std::time::{Duration, Instant};

use overlapped::Key;

use crate::combine::{join, sleep, spawn, until_shutdown};
use crate::executor::{self, Executor};
use crate::support::{registered, within_deadline};
use crate::{panics_in_one_line, poll, runs, turn};

type Vectors = Rc<Executor>;

/// Counts itself when it is dropped.
struct Dropped(Arc<AtomicUsize>);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.fetch_add(1, SeqCst);
    }
}

#[test]
fn timers_fire_in_their_order_and_not_before_their_time() {
    runs(async |executor: Vectors| {
        let (start, fired) = (Instant::now(), Rc::new(RefCell::new(Vec::new())));
        let tasks = [30, 10, 20, 10, 0].map(|ms| {
            let (executor, fired) = (Rc::clone(&executor), Rc::clone(&fired));
            spawn(&Rc::clone(&executor), async move {
                let moment = start + Duration::from_millis(ms);
                executor.until(moment, false).await;
                assert!(Instant::now() >= moment, "before its time");
                fired.borrow_mut().push(ms);
            })
        });
        for task in tasks {
            task.await.expect("no panic");
        }
        assert_eq!(*fired.borrow(), [0, 10, 10, 20, 30]);
    });
}

#[test]
fn timers_that_are_due_together_fire_in_their_order() {
    runs(async |executor: Vectors| {
        loop {
            let (start, fired) = (Instant::now(), Rc::new(RefCell::new(Vec::new())));
            let moment = move |ms| start + Duration::from_millis(ms);
            for ms in [100, 98, 99, 97] {
                let (executor, fired) = (Rc::clone(&executor), Rc::clone(&fired));
                Rc::clone(&executor).spawn(async move {
                    executor.until(moment(ms), false).await;
                    fired.borrow_mut().push(ms);
                });
            }
            turn().await;
            if !fired.borrow().is_empty() {
                // The machine was busy, and a moment had come before its timer had begun.
                continue;
            }
            // The loop does not turn before all are due.
            while Instant::now() < moment(100) {
                thread::yield_now();
            }
            while fired.borrow().len() < 4 {
                turn().await;
            }
            return assert_eq!(*fired.borrow(), [97, 98, 99, 100]);
        }
    });
}

#[test]
fn a_timer_that_is_dropped_leaves_nothing_behind() {
    struct Nothing;

    impl Wake for Nothing {
        fn wake(self: Arc<Self>) {}
    }

    runs(async |executor: Vectors| {
        let waker = Arc::new(Nothing);
        let mut timer = Box::pin(sleep(&executor, Duration::MAX));
        let task_waker = Waker::from(Arc::clone(&waker));
        let mut context = Context::from_waker(&task_waker);
        assert!(timer.as_mut().poll(&mut context).is_pending());
        assert!(timer.as_mut().poll(&mut context).is_pending());
        assert_eq!(Arc::strong_count(&waker), 3);
        drop(timer);
        assert_eq!(Arc::strong_count(&waker), 2);
    });
}

#[test]
fn the_shutdown_ends_what_waits_for_it_and_no_other() {
    runs(async |executor: Vectors| {
        let waker = executor.queue.waker();
        let mut ends = Box::pin(until_shutdown(&executor));
        assert!(poll(&mut ends).is_pending());
        let time = Duration::from_millis(50);
        let (start, mut goes_on) = (Instant::now(), Box::pin(sleep(&executor, time)));
        assert!(poll(&mut goes_on).is_pending());
        thread::spawn(move || waker.shut_down().expect("told")).join().expect("no panic");
        ends.await;
        until_shutdown(&executor).await;
        goes_on.await;
        assert!(start.elapsed() >= time);
        // Operations go on, too.
        let (stream, mut peer) = registered(&executor.queue, Key(0));
        peer.write_all(b"late").expect("sent");
        assert_eq!(
            executor.receive(&stream, Vec::with_capacity(9)).await.expect("bytes").1,
            b"late"
        );
    });
}

#[test]
fn a_thousand_wakes_from_each_of_eight_threads_lose_none() {
    const THREADS: usize = 8;
    const WAKES: usize = 1_000;
    runs(async |_: Vectors| {
        let (count, place) = (Arc::new(AtomicUsize::new(0)), Arc::new(Mutex::new(None::<Waker>)));
        for _ in 0..THREADS {
            let (count, place) = (Arc::clone(&count), Arc::clone(&place));
            thread::spawn(move || {
                for _ in 0..WAKES {
                    count.fetch_add(1, SeqCst);
                    let waker = place.lock().expect("no panic").clone();
                    waker.into_iter().for_each(Waker::wake);
                    thread::yield_now();
                }
            });
        }
        // Each time it sleeps until it is woken: a wake that is lost is waited for in vain.
        poll_fn(|context| {
            *place.lock().expect("no panic") = Some(context.waker().clone());
            if count.load(SeqCst) == THREADS * WAKES { Poll::Ready(()) } else { Poll::Pending }
        })
        .await;
    });
}

#[test]
fn a_waker_that_is_kept_does_nothing_after_the_end() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let witness = Dropped(Arc::clone(&dropped));
    let wakers = runs(async move |executor: Vectors| {
        let wakers = Rc::new(RefCell::new(Vec::new()));
        let kept = Rc::clone(&wakers);
        executor.spawn(async move {
            let _witness = witness;
            poll_fn(|context| {
                kept.borrow_mut().push(context.waker().clone());
                Poll::<()>::Pending
            })
            .await;
        });
        while wakers.borrow().is_empty() {
            turn().await;
        }
        let own = poll_fn(|context| Poll::Ready(context.waker().clone())).await;
        wakers.borrow_mut().push(own);
        wakers.take()
    });
    assert_eq!((wakers.len(), dropped.load(SeqCst)), (2, 1), "a task ends with the executor");
    for waker in &wakers {
        waker.wake_by_ref();
    }
    thread::spawn(move || wakers.into_iter().for_each(|waker| waker.wake()))
        .join()
        .expect("no panic");
}

#[test]
fn a_panic_comes_out_of_run_and_the_other_tasks_are_dropped() {
    panics_in_one_line();
    let dropped = Arc::new(AtomicUsize::new(0));
    let witness = Dropped(Arc::clone(&dropped));
    let panic = within_deadline(|| {
        catch_unwind(AssertUnwindSafe(move || {
            executor::run(async |executor: Vectors| {
                executor.spawn(async move {
                    let _witness = witness;
                    pending::<()>().await
                });
                executor.spawn(async { panic!("on purpose") });
                pending::<()>().await
            })
        }))
        .map(drop)
    });
    assert_eq!(panic.expect_err("a panic").downcast_ref::<&str>(), Some(&"on purpose"));
    assert_eq!(dropped.load(SeqCst), 1);
}

#[test]
fn tasks_begin_tasks() {
    fn next(executor: &Vectors, left: u32, done: Rc<Cell<u32>>) {
        let again = Rc::clone(executor);
        executor.spawn(async move {
            turn().await;
            done.set(done.get() + 1);
            if left > 1 {
                next(&again, left - 1, done);
            }
        });
    }

    runs(async |executor: Vectors| {
        let done = Rc::new(Cell::new(0));
        next(&executor, 500, Rc::clone(&done));
        while done.get() < 500 {
            turn().await;
        }
    });
}

#[test]
fn what_is_spawned_after_the_end_is_dropped() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let witness = Dropped(Arc::clone(&dropped));
    within_deadline(move || {
        let executor = executor::run(async |executor: Vectors| executor).expect("the queue");
        executor.spawn(async move {
            let _witness = witness;
        });
    });
    assert_eq!(dropped.load(SeqCst), 1);
}

#[test]
fn a_task_that_wakes_itself_for_ever_keeps_nobody_from_anything() {
    runs(async |executor: Vectors| {
        let turns = Rc::new(Cell::new(0));
        let count = Rc::clone(&turns);
        executor.spawn(async move {
            loop {
                count.set(count.get() + 1);
                turn().await;
            }
        });
        let (stream, mut peer) = registered(&executor.queue, Key(0));
        thread::spawn(move || peer.write_all(b"hello").expect("sent"));
        let received = executor.receive(&stream, Vec::with_capacity(9));
        let (received, ()) = join(received, sleep(&executor, Duration::from_millis(5))).await;
        assert_eq!(received.expect("received").1, b"hello");
        assert!(turns.get() > 0);
    });
}

#[test]
fn two_executors_run_on_two_threads() {
    let run = |size: usize| {
        thread::spawn(move || {
            runs(async move |executor: Vectors| {
                let (stream, peer) = registered(&executor.queue, Key(0));
                let peer = executor.queue.register(peer, Key(0)).expect("registered");
                for round in 0..200 {
                    let bytes = vec![round as u8; size];
                    let receive = executor.receive(&peer, Vec::with_capacity(size));
                    let (sent, received) = join(executor.send(&stream, bytes), receive).await;
                    let (sent, received) = (sent.expect("sent").1, received.expect("received"));
                    assert!(received.0 > 0 && sent.starts_with(&received.1));
                    let mut rest = received.1;
                    while rest.len() < size {
                        rest = executor.receive(&peer, rest).await.expect("received").1;
                    }
                    assert_eq!(rest, sent);
                }
            });
        })
    };
    let threads = [run(100), run(1_000)];
    threads.into_iter().for_each(|thread| thread.join().expect("no panic"));
}
