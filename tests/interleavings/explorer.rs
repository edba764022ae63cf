//! Runs a model in all orders of its steps, within a bound.
//!
//! A model is a function that is called once for each execution: it makes what the threads share,
//! says what each thread does, and looks at what has come of it. What fails in it, on whichever
//! thread, fails the model, and is reported with the schedule. This repeats one execution:
//!
//!     SCHEDULE=name_of_the_model:0,1,1,0 cargo test --test interleavings name_of_the_test
//!
//! and this explores with a higher bound where preemptions are bounded:
//!
//!     PREEMPTIONS=4 cargo test --release --test interleavings

use std::cell::Cell;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use super::plan::{Bound, Plan};
use super::report::{Failure, message};
use super::turns::{Abandoned, Task, Turns, set_explores};

/// What has been explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Explored {
    /// How many executions were different.
    pub executions: usize,
    /// And how many were found to be others in another order; they are not explored to their end.
    pub redundant: usize,
}

/// One execution, as the model sees it.
pub struct Execution<'a> {
    turns: &'a Arc<Turns>,
    workers: &'a mut Vec<JoinHandle<()>>,
    has_run: Cell<bool>,
}

impl Execution<'_> {
    /// Runs the threads until all of them have ended. To be called once.
    pub fn run<const N: usize>(&mut self, tasks: [Task<'_>; N]) {
        self.run_all(tasks.into());
    }

    /// The same, for threads whose number is found out.
    #[allow(unsafe_code, reason = "threads that outlive the call are given what does not")]
    pub fn run_all(&mut self, tasks: Vec<Task<'_>>) {
        assert!(!self.has_run.replace(true), "an execution runs once");
        if self.workers.is_empty() {
            self.hire(tasks.len());
        }
        let forget_lifetime = |task: Task<'_>| {
            // SAFETY: the types differ in the lifetime alone. `Turns::run` returns when each task
            // has ended, or has been dropped, on the thread that took it, and until then this call
            // lasts.
            unsafe { std::mem::transmute::<Task<'_>, Task<'static>>(task) }
        };
        self.turns.run(tasks.into_iter().map(forget_lifetime).collect());
        if self.turns.state().failure.is_some() {
            resume_unwind(Box::new(Abandoned));
        }
    }

    fn hire(&mut self, threads: usize) {
        for number in 0..threads {
            let turns = Arc::clone(self.turns);
            self.workers.push(thread::spawn(move || turns.work(number)));
        }
        self.turns.introduce(self.workers.iter().map(|worker| worker.thread().clone()).collect());
    }
}

/// Explores a model of so many threads. The error is the first execution that has failed.
pub fn explore(
    threads: usize,
    plan: Plan,
    model: impl Fn(&mut Execution<'_>),
) -> Result<Explored, Failure> {
    set_explores(true);
    let (turns, mut workers) = (Turns::new(threads, plan), Vec::new());
    let mut explored = Explored { executions: 0, redundant: 0 };
    let result = loop {
        let (turns, workers) = (&turns, &mut workers);
        let mut execution = Execution { turns, workers, has_run: Cell::new(false) };
        let panic = catch_unwind(AssertUnwindSafe(|| model(&mut execution))).err();
        let has_run = execution.has_run.get();
        let mut state = turns.state();
        let panic = panic.map(|panic| format!("after the threads: {}", message(&*panic)));
        if let Some(what) = state.failure.take().or(panic) {
            break Err(Failure { what, trace: std::mem::take(&mut state.trace) });
        }
        assert!(has_run, "a model runs its threads");
        let count = if state.plan.is_redundant() {
            &mut explored.redundant
        } else {
            &mut explored.executions
        };
        *count += 1;
        if !state.plan.advance() {
            break Ok(explored);
        }
    };
    set_explores(false);
    if !workers.is_empty() {
        turns.dismiss();
    }
    workers.into_iter().for_each(|worker| worker.join().expect("it has caught what was thrown"));
    result
}

/// Explores a model, prints how much there was to explore, and panics if an execution has failed.
#[track_caller]
pub fn check(name: &str, threads: usize, bound: Bound, model: impl Fn(&mut Execution<'_>)) {
    let (schedule, start) = (schedule_of(name), Instant::now());
    let bound = match (bound, std::env::var("PREEMPTIONS")) {
        (Bound::Preemptions(_), Ok(most)) => Bound::Preemptions(most.parse().expect("a number")),
        _ => bound,
    };
    match explore(threads, Plan::new(bound, schedule), model) {
        Ok(Explored { executions, redundant }) => {
            // Not with `println`, which the test harness keeps to itself when nothing fails.
            let line = format!(
                "{name}: {bound}: {executions} executions, {redundant} redundant, {} ms\n",
                start.elapsed().as_millis()
            );
            io::stdout().write_all(line.as_bytes()).expect("printed");
        }
        Err(failure) => {
            let schedule: Vec<_> = failure.schedule().iter().map(ToString::to_string).collect();
            panic!("{name}: {failure}SCHEDULE={name}:{}", schedule.join(","));
        }
    }
}

/// The schedule that the environment gives for a model of this name.
fn schedule_of(name: &str) -> Option<Vec<usize>> {
    let variable = std::env::var("SCHEDULE").ok()?;
    let (of, threads) = variable.split_once(':')?;
    let number = |thread: &str| thread.trim().parse().expect("a schedule is made of numbers");
    (of == name).then(|| threads.split(',').map(number).collect())
}
