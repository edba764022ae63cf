//! The threads of a model, of which one runs at a time: the one whose turn it is.
//!
//! A thread comes to `step` before each access to what threads share. There it says what it is
//! about to do, and the next step is given to one of the threads that can make theirs, by the plan.
//! So an execution is a list of steps, and the list of threads that made them is its schedule.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, Location, catch_unwind, resume_unwind};
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::{Acquire, Release, SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread;

use super::plan::{Access, Plan, Threads};
use super::report::{Step, message, short};

/// More steps than any model makes that ends.
const ENDLESS: usize = 10_000;

/// Whose turn it is between executions: the thread that explores goes on.
const NOBODY: usize = usize::MAX;

/// What a thread of a model does.
pub type Task<'a> = Box<dyn FnOnce() + Send + 'a>;

/// What has to be so before a step can be made.
pub enum Gate {
    Open,
    /// Nobody holds the lock at this address; and then the thread does.
    Unlocked(usize),
    /// The number is not 0.
    NotZero(Arc<AtomicUsize>),
    /// Another thread has made a step meanwhile.
    AnotherStep,
    /// And so has each other thread that can, but for those that wait for the same.
    EachOther,
}

struct Thread {
    gate: Gate,
    access: Access,
    what: &'static str,
    place: &'static Location<'static>,
    /// How many steps had been made when it came here.
    since: usize,
    is_over: bool,
}

pub struct State {
    threads: Vec<Thread>,
    /// How many have been let run up to their first step.
    started: usize,
    held: Vec<usize>,
    pub plan: Plan,
    pub trace: Vec<Step>,
    pub failure: Option<String>,
}

/// With this a thread is unwound whose execution has failed elsewhere.
pub struct Abandoned;

pub struct Turns {
    turn: AtomicUsize,
    state: Mutex<State>,
    tasks: Vec<Mutex<Option<Task<'static>>>>,
    /// The threads of the model, and behind them the one that explores.
    handles: OnceLock<Vec<thread::Thread>>,
}

thread_local! {
    /// Whether this thread explores: what it does itself, it does while no thread of a model runs.
    static EXPLORES: Cell<bool> = const { Cell::new(false) };
    /// Of a thread that runs a part of a model, its number, and what it takes turns by.
    static PART: RefCell<Option<(usize, Arc<Turns>)>> = const { RefCell::new(None) };
}

/// To be called before each access to what threads share. Does nothing on a thread that runs no
/// part of a model, nor on one that is being unwound.
#[track_caller]
pub fn step(what: &'static str, access: Access, gate: Gate) {
    let place = Location::caller();
    if thread::panicking() {
        return;
    }
    PART.with_borrow(|part| {
        if let Some((me, turns)) = part {
            turns.step(*me, Thread { gate, access, what, place, since: 0, is_over: false });
        } else if matches!(gate, Gate::AnotherStep) && EXPLORES.get() {
            panic!("it waits for another thread, and none is running");
        }
    });
}

/// Says that the calling thread is the one that explores, or is no more.
pub fn set_explores(explores: bool) {
    EXPLORES.set(explores);
}

/// The lock at this address is free again.
pub fn unlocked(address: usize) {
    PART.with_borrow(|part| {
        if let Some((_, turns)) = part {
            turns.state().held.retain(|held| *held != address);
        }
    });
}

/// The number of the thread of a model.
pub fn current() -> Option<usize> {
    PART.with_borrow(|part| part.as_ref().map(|(me, _)| *me))
}

impl State {
    fn new(plan: Plan) -> Self {
        let (threads, held, trace) = Default::default();
        Self { threads, started: 0, held, plan, trace, failure: None }
    }

    /// Who runs next; `NOBODY` when all have ended.
    fn next(&mut self, previous: usize) -> usize {
        let left = self.threads.iter().position(|thread| !thread.is_over);
        if self.failure.is_some() {
            return left.unwrap_or(NOBODY);
        }
        // First each comes to its first step, in this order, so that all choices are between steps.
        if self.started < self.threads.len() {
            self.started += 1;
            return self.started - 1;
        }
        let Some(left) = left else { return NOBODY };
        let mut ready = Threads::default();
        (0..self.threads.len()).filter(|n| self.is_ready(*n)).for_each(|n| ready.insert(n));
        if ready.first().is_none() {
            self.failure = Some(format!("nobody can go on:{}", self.waiting()));
            return left;
        }
        let previous = (!self.trace.is_empty()).then_some(previous);
        let chosen = self.plan.choose(ready, previous, |n| self.threads[n].access);
        let Some(chosen) = chosen.filter(|_| self.trace.len() < ENDLESS) else {
            let stray = "the thread that was planned cannot go on, or there is no end to this";
            self.failure = Some(stray.to_owned());
            return left;
        };
        let Thread { gate, what, place, .. } = &self.threads[chosen];
        self.trace.push(Step { thread: chosen, what, place });
        if let Gate::Unlocked(address) = gate {
            self.held.push(*address);
        }
        chosen
    }

    fn is_ready(&self, number: usize) -> bool {
        let thread = &self.threads[number];
        !thread.is_over
            && match &thread.gate {
                Gate::Open => true,
                Gate::Unlocked(address) => !self.held.contains(address),
                Gate::NotZero(number) => number.load(SeqCst) != 0,
                Gate::AnotherStep => self.trace.len() > thread.since,
                Gate::EachOther => {
                    let steps = &self.trace[thread.since..];
                    let has_gone_on = |other| steps.iter().any(|step| step.thread == other);
                    let sleeps = |n: usize| matches!(self.threads[n].gate, Gate::EachOther);
                    let mut others = (0..self.threads.len()).filter(|other| !sleeps(*other));
                    others.all(|other| has_gone_on(other) || !self.is_ready(other))
                }
            }
    }

    fn waiting(&self) -> String {
        let threads = self.threads.iter().enumerate().filter(|(_, thread)| !thread.is_over);
        threads
            .map(|(n, of)| format!(" thread {n} is at {} in {};", of.what, short(of.place)))
            .collect()
    }
}

impl Turns {
    pub fn new(threads: usize, plan: Plan) -> Arc<Self> {
        assert!(threads <= Threads::MOST, "so many threads are too many to explore");
        Arc::new(Self {
            turn: AtomicUsize::new(NOBODY),
            state: Mutex::new(State::new(plan)),
            tasks: (0..threads).map(|_| Mutex::new(None)).collect(),
            handles: OnceLock::new(),
        })
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says which threads wait in `work`, once.
    pub fn introduce(&self, mut workers: Vec<thread::Thread>) {
        workers.push(thread::current());
        assert!(self.handles.set(workers).is_ok(), "the threads are introduced once");
    }

    /// Runs the parts of an execution, as planned, until all have ended.
    pub fn run(&self, tasks: Vec<Task<'static>>) {
        assert_eq!(tasks.len(), self.tasks.len(), "a model has as many threads each time");
        let mut state = self.state();
        (state.started, state.failure) = (0, None);
        state.threads = tasks.iter().map(|_| Thread::at_its_start()).collect();
        (state.held, state.trace) = Default::default();
        let first = state.next(NOBODY);
        drop(state);
        for (place, task) in self.tasks.iter().zip(tasks) {
            *place.lock().unwrap_or_else(PoisonError::into_inner) = Some(task);
        }
        self.pass(first);
        self.wait_for(NOBODY);
    }

    /// Lets all the threads end that wait in `work`.
    pub fn dismiss(&self) {
        for thread in 0..self.tasks.len() {
            self.pass(thread);
            self.wait_for(NOBODY);
        }
    }

    /// What a thread does that runs parts of a model, one in each execution.
    pub fn work(self: Arc<Self>, me: usize) {
        PART.set(Some((me, Arc::clone(&self))));
        loop {
            self.wait_for(me);
            let task = self.tasks[me].lock().unwrap_or_else(PoisonError::into_inner).take();
            let Some(task) = task else { return self.pass(NOBODY) };
            let has_failed = self.state().failure.is_some();
            let task = AssertUnwindSafe(|| if has_failed { drop(task) } else { task() });
            let panic = catch_unwind(task).err();
            let mut state = self.state();
            state.threads[me].is_over = true;
            if let Some(panic) = panic.filter(|panic| !panic.is::<Abandoned>()) {
                let what = format!("thread {me} panicked: {}", message(&*panic));
                state.failure.get_or_insert(what);
            }
            let next = state.next(me);
            drop(state);
            self.pass(next);
        }
    }

    fn step(&self, me: usize, step: Thread) {
        let mut state = self.state();
        if state.failure.is_none() {
            let since = state.trace.len();
            state.threads[me] = Thread { since, ..step };
            let next = state.next(me);
            drop(state);
            if next != me {
                self.pass(next);
                self.wait_for(me);
            }
            state = self.state();
        }
        if state.failure.is_some() {
            drop(state);
            resume_unwind(Box::new(Abandoned));
        }
    }

    fn pass(&self, next: usize) {
        let handles = self.handles.get().expect("the threads have been introduced");
        self.turn.store(next, Release);
        handles[next.min(handles.len() - 1)].unpark();
    }

    fn wait_for(&self, me: usize) {
        while self.turn.load(Acquire) != me {
            thread::park();
        }
    }
}

impl Thread {
    #[track_caller]
    fn at_its_start() -> Self {
        let (gate, access, place) = (Gate::Open, Access::Any, Location::caller());
        Self { gate, access, what: "its start", place, since: 0, is_over: false }
    }
}
