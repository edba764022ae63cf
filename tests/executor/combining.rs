//! Futures that are made of others.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;
use std::time::Duration;

use crate::combine::{First, Limit, first, join, sleep};
use crate::executor::Executor;
use crate::{poll, runs, turn};

type Vectors = Rc<Executor>;

#[test]
fn the_first_of_two_that_are_there_counts() {
    runs(async |executor: Vectors| {
        let now = || async {};
        assert_eq!(first(now(), now()).await, First::One(()));
        assert_eq!(first(pending::<()>(), turn()).await, First::Other(()));
        assert_eq!(first(sleep(&executor, Duration::ZERO), pending::<()>()).await, First::One(()));
        assert_eq!(join(async { 1 }, async { turn().await }).await, (1, ()));
        assert_eq!(join(async { turn().await }, async { 2 }).await, ((), 2));
    });
}

#[test]
fn no_more_are_inside_than_a_limit_says() {
    runs(async |executor: Vectors| {
        let (limit, inside, most) = (Limit::new(3), Rc::new(Cell::new(0)), Rc::new(Cell::new(0)));
        // One that gives up keeps no place.
        let mut gives_up = Box::pin(limit.enter());
        assert!(poll(&mut gives_up).is_ready());
        drop(gives_up);
        for _ in 0..20 {
            let (limit, inside, most) = (limit.clone(), Rc::clone(&inside), Rc::clone(&most));
            executor.spawn(async move {
                let _place = limit.enter().await;
                inside.set(inside.get() + 1);
                most.set(most.get().max(inside.get()));
                turn().await;
                inside.set(inside.get() - 1);
            });
        }
        turn().await;
        limit.until_empty().await;
        assert_eq!((inside.get(), most.get()), (0, 3));
    });
}
