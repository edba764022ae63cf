//! Wakers that act where they are dropped.

use std::cell::{Cell, RefCell};
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Wake, Waker};

use overlapped::Key;

use crate::combine::sleep;
use crate::executor::Executor;
use crate::support::{DEADLINE, registered};
use crate::{poll, runs, settle};

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
