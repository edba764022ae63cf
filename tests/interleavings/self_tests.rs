//! What the explorer finds in models of a few lines, of which it is known what there is to find.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::sync::atomic::Ordering::SeqCst;

use super::explorer::{Execution, Explored, check, explore};
use super::layer::sync::{AtomicUsize, Mutex, yield_now};
use super::plan::{Bound, Plan};
use super::report::Failure;
use super::turns::Task;

fn explore_all(
    threads: usize,
    bound: Bound,
    model: impl Fn(&mut Execution<'_>),
) -> Result<Explored, Failure> {
    explore(threads, Plan::new(bound, None), model)
}

fn add_one_in_two_steps(number: &AtomicUsize) {
    let before = number.load(SeqCst);
    number.store(before + 1, SeqCst);
}

fn lost_update(execution: &mut Execution<'_>) {
    let number = AtomicUsize::new(0);
    let add = || add_one_in_two_steps(&number);
    execution.run([Box::new(add), Box::new(add)]);
    assert_eq!(number.load(SeqCst), 2, "an update was lost");
}

#[test]
fn a_lost_update_is_found_and_can_be_repeated() {
    for bound in [Bound::Orders, Bound::Outcomes, Bound::Preemptions(1)] {
        let failure = explore_all(2, bound, lost_update).expect_err("it is there to be found");
        assert!(failure.what.contains("an update was lost"), "{failure}");
        let again = explore(2, Plan::new(bound, Some(failure.schedule())), lost_update);
        assert_eq!(again.expect_err("as before").schedule(), failure.schedule());
    }
    assert!(explore_all(2, Bound::Preemptions(0), lost_update).is_ok(), "it takes a preemption");
}

#[test]
fn a_lock_keeps_an_update_from_being_lost() {
    check("locked_update", 3, Bound::Orders, |execution| {
        let (number, lock) = (AtomicUsize::new(0), Mutex::new(()));
        let add = || {
            let _alone = lock.lock().expect("nobody panics");
            add_one_in_two_steps(&number);
        };
        execution.run([Box::new(add), Box::new(add), Box::new(add)]);
        assert_eq!(number.load(SeqCst), 3);
    });
}

#[test]
fn a_deadlock_is_found() {
    for bound in [Bound::Orders, Bound::Outcomes, Bound::Preemptions(1)] {
        let failure = explore_all(2, bound, |execution| {
            let locks = [Mutex::new(()), Mutex::new(())];
            let lock_both = |first: usize| {
                let _one = locks[first].lock();
                let _other = locks[1 - first].lock();
            };
            execution.run([Box::new(|| lock_both(0)), Box::new(|| lock_both(1))]);
        });
        let what = failure.expect_err("it is there to be found").what;
        assert!(what.contains("nobody can go on: thread 0 is at lock in"), "{what}");
    }
}

#[test]
fn a_panic_on_a_thread_is_a_failure_and_unwinds_the_others() {
    let failure = explore_all(2, Bound::Orders, |execution| {
        let (number, lock) = (AtomicUsize::new(0), Mutex::new(()));
        let fail = || assert_ne!(number.load(SeqCst), 1, "seen in between");
        let change = || {
            let _alone = lock.lock();
            number.store(1, SeqCst);
            number.store(2, SeqCst);
        };
        execution.run([Box::new(change), Box::new(fail)]);
    });
    let failure = failure.expect_err("it is there to be found");
    assert!(failure.what.contains("thread 1 panicked"), "{failure}");
    assert!(failure.what.contains("seen in between"), "{failure}");
    assert_eq!(failure.schedule(), [0, 0, 1]);
}

/// A thread that waits in a loop for another is no execution without an end.
#[test]
fn who_yields_goes_on_when_another_has_made_a_step() {
    for bound in [Bound::Orders, Bound::Outcomes, Bound::Preemptions(2)] {
        let explored = explore_all(2, bound, |execution| {
            let number = AtomicUsize::new(0);
            let wait = || {
                while number.load(SeqCst) < 3 {
                    yield_now();
                }
            };
            let count = || (1..=3).for_each(|value| number.store(value, SeqCst));
            execution.run([Box::new(wait), Box::new(count)]);
        });
        assert!(explored.is_ok(), "{explored:?}");
    }
}

#[test]
fn who_waits_for_what_never_comes_is_a_failure() {
    let failure = explore_all(2, Bound::Orders, |execution| {
        let number = AtomicUsize::new(0);
        let wait = || {
            while number.load(SeqCst) == 0 {
                yield_now();
            }
        };
        execution.run([Box::new(wait), Box::new(|| number.store(0, SeqCst))]);
    });
    let failure = failure.expect_err("it is there to be found");
    assert!(failure.what.contains("nobody can go on"), "{failure}");
}

/// Two threads, with so many steps on one number each, or each on a number of its own.
fn steps(counts: [usize; 2], own: bool) -> impl Fn(&mut Execution<'_>) {
    move |execution| {
        let numbers = [AtomicUsize::new(0), AtomicUsize::new(0)];
        let count = |thread: usize| {
            let number = &numbers[if own { thread } else { 0 }];
            (0..counts[thread]).for_each(|_| _ = number.fetch_add(1, SeqCst));
        };
        execution.run([Box::new(|| count(0)), Box::new(|| count(1))]);
    }
}

fn binomial(n: usize, k: usize) -> usize {
    (1..=k).fold(1, |product, i| product * (n - k + i) / i)
}

#[test]
fn all_orders_are_as_many_as_there_are() {
    for (n, m) in [(0, 3), (1, 1), (2, 2), (3, 5), (6, 6)] {
        let wanted = Explored { executions: binomial(n + m, n), redundant: 0 };
        for (bound, own) in
            [(Bound::Orders, false), (Bound::Orders, true), (Bound::Outcomes, false)]
        {
            let explored = explore_all(2, bound, steps([n, m], own));
            assert_eq!(explored.expect("nothing to find"), wanted, "{n} and {m}, {bound}");
        }
        let explored = explore_all(2, Bound::Outcomes, steps([n, m], true));
        assert_eq!(explored.expect("nothing to find").executions, 1, "nothing depends on order");
    }
}

/// Runs a model in which each of three threads makes four steps, on two numbers, under a lock or
/// not, that a number tells; and gives all that can come of it.
fn outcomes(program: usize, bound: Bound) -> BTreeSet<[usize; 5]> {
    let outcomes = RefCell::new(BTreeSet::new());
    let explored = explore_all(3, bound, |execution| {
        let (numbers, lock) = ([AtomicUsize::new(0), AtomicUsize::new(0)], Mutex::new(()));
        let mut seen = [0; 3];
        let mut tasks: Vec<Task<'_>> = Vec::new();
        for (thread, seen) in seen.iter_mut().enumerate() {
            let (numbers, lock) = (&numbers, &lock);
            tasks.push(Box::new(move || {
                // Two bits for each step of each thread.
                let step = |n: usize| program >> (6 * thread + 2 * n) & 3;
                let guard = (step(0) == 3).then(|| lock.lock());
                for n in 0..3 {
                    *seen = *seen * 8 + make_step(numbers, step(n), thread);
                }
                drop(guard);
            }));
        }
        execution.run_all(tasks);
        let [one, other] = numbers.map(|mut number| *number.get_mut());
        outcomes.borrow_mut().insert([seen[0], seen[1], seen[2], one, other]);
    });
    assert!(explored.is_ok(), "{explored:?}");
    outcomes.into_inner()
}

fn make_step(numbers: &[AtomicUsize; 2], step: usize, thread: usize) -> usize {
    match step {
        0 => numbers[0].load(SeqCst),
        1 => numbers[1].load(SeqCst),
        2 => numbers[0].swap(thread + 1, SeqCst),
        _ => numbers[1].fetch_add(1, SeqCst),
    }
}

/// What is left out because steps have nothing to do with each other has no outcome of its own:
/// shown with programs put together by chance, always the same ones.
#[test]
fn no_outcome_is_left_out() {
    let mut program = 1_usize;
    for _ in 0..12 {
        program = program.wrapping_mul(0x5DEE_CE66D).wrapping_add(11) % (1 << 48);
        let [all, reduced] =
            [Bound::Orders, Bound::Outcomes].map(|bound| outcomes(program >> 20, bound));
        assert_eq!(all, reduced, "{program:x}");
    }
}

/// With no preemption one thread runs to its end, and then the other; with one, the first is
/// stopped once, before any of its steps but the first.
#[test]
fn preemptions_are_bounded() {
    for (most, wanted) in [(0, 2), (1, 2 + 4 + 4)] {
        let explored = explore_all(2, Bound::Preemptions(most), steps([5, 5], false));
        assert_eq!(explored.expect("nothing to find").executions, wanted);
    }
}

/// Three threads count, in steps that all depend on each other: as many orders as words of that
/// many letters.
#[test]
fn three_threads_are_explored_too() {
    let explored = explore_all(3, Bound::Orders, |execution| {
        let number = AtomicUsize::new(0);
        let count = || (0..2).for_each(|_| _ = number.fetch_add(1, SeqCst));
        execution.run([Box::new(count), Box::new(count), Box::new(count)]);
        assert_eq!(number.load(SeqCst), 6);
    });
    assert_eq!(explored.expect("nothing to find").executions, 90);
}
