//! Wake-ups: one for any number of wakes, and none is lost, whenever it comes.
#![cfg(windows)]

use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::thread;

use overlapped::{Completion, CompletionQueue, Completions, Key, Waker};

mod support;
use support::{DEADLINE, assert_quiet, collect, one, until, within_deadline};

type Queue = CompletionQueue<Vec<u8>>;

#[track_caller]
fn assert_woken(queue: &Queue) {
    let woken = one(queue);
    assert!(matches!(woken, Completion::Woken), "a wake-up was expected: {woken:?}");
}

#[test]
fn a_wake_before_a_wait_ends_it() -> io::Result<()> {
    let queue = Queue::new()?;
    queue.waker().wake()?;
    assert_woken(&queue);
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn a_wake_during_a_wait_ends_it() {
    for _ in 0..50 {
        within_deadline(|| {
            let queue = Queue::new()?;
            let waker = queue.waker();
            let other = thread::spawn(move || waker.wake());
            // The wake comes before, while or after this thread goes to sleep: it must not matter.
            let mut batch = Completions::with_capacity(8);
            let woken = queue.wait(&mut batch, None)?.next();
            assert!(matches!(woken, Some(Completion::Woken)), "{woken:?}");
            other.join().expect("waking does not panic")
        })
        .expect("waking and waiting");
    }
}

#[test]
fn a_wake_after_a_wait_is_there_for_the_next_one() -> io::Result<()> {
    let queue = Queue::new()?;
    let waker = queue.waker();
    for _ in 0..3 {
        assert_quiet(&queue);
        waker.wake()?;
        assert_woken(&queue);
    }
    Ok(())
}

#[test]
fn a_thousand_wakes_before_a_wait_are_one_wake_up() -> io::Result<()> {
    let queue = Queue::new()?;
    let wakers = [queue.waker(), queue.waker()];
    for waker in wakers.iter().cycle().take(1_000) {
        waker.wake()?;
    }
    assert_woken(&queue);
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn a_wake_up_takes_its_turn_among_what_was_posted() -> io::Result<()> {
    let queue = Queue::new()?;
    queue.post(Key(0), 1)?;
    queue.waker().wake()?;
    queue.post(Key(0), 2)?;
    let came = collect(&queue, 3);
    assert!(
        matches!(
            came[..],
            [
                Completion::Posted { value: 1, .. },
                Completion::Woken,
                Completion::Posted { value: 2, .. }
            ]
        ),
        "{came:?}"
    );
    Ok(())
}

/// The usual way to hand work to the thread that waits: put it where that thread looks, and wake.
#[test]
fn what_was_pushed_before_a_wake_is_found_after_a_wake_up() -> io::Result<()> {
    const THREADS: usize = 4;
    const EACH: usize = 500;
    let queue = Queue::new()?;
    let pushed = Mutex::new(Vec::new());
    let push_and_wake = |thread: usize, waker: Waker| {
        for number in 0..EACH {
            pushed.lock().unwrap().push(thread * EACH + number);
            waker.wake().unwrap();
        }
    };
    let mut found = Vec::new();
    thread::scope(|scope| {
        for number in 0..THREADS {
            let waker = queue.waker();
            scope.spawn(move || push_and_wake(number, waker));
        }
        while found.len() < THREADS * EACH {
            assert_woken(&queue);
            found.append(&mut pushed.lock().unwrap());
        }
    });
    found.sort_unstable();
    assert!(found.into_iter().eq(0..THREADS * EACH));
    Ok(())
}

/// As above, but each thread goes on only when it has been heard: then a single wake that is lost
/// leaves everybody waiting, and is not covered up by the next. The ordering is the weakest one,
/// since waking is what makes the count visible.
#[test]
fn no_single_wake_is_lost() -> io::Result<()> {
    const THREADS: usize = 3;
    const EACH: usize = 400;
    let queue = Queue::new()?;
    let (asked, heard) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let ask_and_wait = |waker: Waker| {
        for _ in 0..EACH {
            let ticket = asked.fetch_add(1, Relaxed) + 1;
            waker.wake().unwrap();
            until("a wake is answered", || heard.load(Relaxed) >= ticket);
        }
    };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            let waker = queue.waker();
            scope.spawn(move || ask_and_wait(waker));
        }
        while heard.load(Relaxed) < THREADS * EACH {
            assert_woken(&queue);
            heard.store(asked.load(Relaxed), Relaxed);
        }
    });
    Ok(())
}

/// Ready when another thread has said so, and has woken whoever polls it.
struct Flag {
    raised: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Future for Flag {
    type Output = &'static str;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<&'static str> {
        if self.raised.load(SeqCst) {
            return Poll::Ready("raised");
        }
        let (raised, waker) = (Arc::clone(&self.raised), context.waker().clone());
        self.thread.get_or_insert_with(|| {
            thread::spawn(move || {
                raised.store(true, SeqCst);
                waker.wake();
            })
        });
        Poll::Pending
    }
}

#[test]
fn a_future_is_polled_by_the_thread_that_waits() -> io::Result<()> {
    let queue = Queue::new()?;
    let waker = std::task::Waker::from(Arc::new(queue.waker()));
    let mut context = Context::from_waker(&waker);
    let mut flag = pin!(Flag { raised: Arc::default(), thread: None });
    let said = loop {
        match flag.as_mut().poll(&mut context) {
            Poll::Ready(said) => break said,
            Poll::Pending => assert_woken(&queue),
        }
    };
    assert_eq!(said, "raised");
    Ok(())
}

#[test]
fn a_task_waker_wakes_by_reference_and_by_value() -> io::Result<()> {
    let queue = Queue::new()?;
    let waker = std::task::Waker::from(Arc::new(queue.waker()));
    waker.wake_by_ref();
    assert_woken(&queue);
    let copy = waker.clone();
    copy.wake();
    waker.wake();
    assert_woken(&queue);
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn a_wake_up_that_nobody_has_read_goes_back_to_the_queue() -> io::Result<()> {
    let queue = Queue::new()?;
    queue.waker().wake()?;
    let mut batch = Completions::with_capacity(8);
    assert_eq!(queue.wait(&mut batch, Some(DEADLINE))?.len(), 1);
    assert_quiet(&queue);

    drop(batch);

    assert_woken(&queue);
    // This one has been read, so dropping its batch gave nothing back.
    assert_quiet(&queue);
    Ok(())
}

#[test]
fn a_batch_may_be_dropped_after_its_queue() -> io::Result<()> {
    let queue = Queue::new()?;
    queue.waker().wake()?;
    let mut batch = Completions::with_capacity(8);
    queue.wait(&mut batch, Some(DEADLINE))?;
    drop(queue);
    assert!(matches!(batch.next(), Some(Completion::Woken)));
    drop(batch);
    Ok(())
}

#[test]
fn a_waker_that_outlives_its_queue_says_so() -> io::Result<()> {
    let queue = Queue::new()?;
    let (waker, copy) = (queue.waker(), queue.waker().clone());
    // A wake-up that is still in the port when the queue goes stands for no other.
    waker.wake()?;
    drop(queue);
    for waker in [&waker, &copy] {
        let error = waker.wake().expect_err("nobody is there to be woken");
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        let error = waker.shut_down().expect_err("nobody is there to be told");
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
        let error = waker.post(Key(1), 2).expect_err("nobody is there to get it");
        assert_eq!(error.kind(), ErrorKind::BrokenPipe);
    }
    // std's waker has no way to say it, and does not panic.
    std::task::Waker::from(Arc::new(waker)).wake();
    Ok(())
}

#[test]
fn a_waker_can_post_values_too() -> io::Result<()> {
    let queue = Queue::new()?;
    let waker = queue.waker();
    thread::spawn(move || waker.post(Key(7), 42)).join().expect("no panic")?;
    let posted = one(&queue);
    let Completion::Posted { key: Key(7), value: 42 } = posted else { panic!("{posted:?}") };
    Ok(())
}
