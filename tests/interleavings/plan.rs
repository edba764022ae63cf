//! Which thread makes the next step: a search, depth first, over all the answers that can be given.
//!
//! An execution is a list of choices. The next execution repeats all of them up to the last one
//! that could have been another, makes that one differently, and goes on from there. When none is
//! left that could have been another, everything has been explored.

use std::fmt;

/// How much is explored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bound {
    /// Every order of the steps.
    Orders,
    /// Every order, but of those that differ only in the order of steps that have nothing to do
    /// with each other (other places in memory, or two readings of the same) one at least. It takes
    /// that the threads share nothing but through the types of `sync` and `port`.
    Outcomes,
    /// Every order in which no more than so many times a thread is stopped that could have gone on.
    Preemptions(usize),
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Orders => write!(f, "all orders"),
            Self::Outcomes => write!(f, "all orders of steps that depend on each other"),
            Self::Preemptions(most) => write!(f, "at most {most} preemptions"),
        }
    }
}

/// What a step touches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    Read(usize),
    Write(usize),
    /// Nothing, but it waits for any step of another thread.
    Any,
}

impl Access {
    /// Whether it makes no difference which of two steps comes first.
    fn commutes_with(self, other: Self) -> bool {
        match (self, other) {
            (Self::Any, _) | (_, Self::Any) => false,
            (Self::Read(_), Self::Read(_)) => true,
            (Self::Read(one) | Self::Write(one), Self::Read(two) | Self::Write(two)) => one != two,
        }
    }
}

/// Some of the threads, a bit for each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Threads(u8);

impl Threads {
    pub const MOST: usize = u8::BITS as usize;

    pub fn insert(&mut self, thread: usize) {
        self.0 |= 1 << thread;
    }

    pub fn contains(self, thread: usize) -> bool {
        self.0 & 1 << thread != 0
    }

    pub fn first(self) -> Option<usize> {
        (self.0 != 0).then(|| self.0.trailing_zeros() as usize)
    }

    fn without(self, others: Self) -> Self {
        Self(self.0 & !others.0)
    }

    fn one(thread: usize) -> Self {
        Self(1 << thread)
    }
}

/// A place at which an execution could have gone on in several ways.
struct Choice {
    chosen: usize,
    untried: Threads,
    /// Those that need not be tried here, or have been: what comes of them has been explored.
    asleep: Threads,
}

pub struct Plan {
    bound: Bound,
    choices: Vec<Choice>,
    /// How many of the choices this execution has made.
    depth: usize,
    preemptions: usize,
    asleep: Threads,
    /// Whatever comes now has been explored, in another order.
    redundant: bool,
    /// In place of a search: the one execution that is to be repeated.
    schedule: Option<Vec<usize>>,
}

impl Plan {
    pub fn new(bound: Bound, schedule: Option<Vec<usize>>) -> Self {
        Self {
            bound,
            choices: Vec::new(),
            depth: 0,
            preemptions: 0,
            asleep: Threads::default(),
            redundant: false,
            schedule,
        }
    }

    /// The thread that makes the next step, of those that are ready. `None` if the thread that has
    /// been planned is not, which happens when the model does other things each time.
    pub fn choose(
        &mut self,
        ready: Threads,
        previous: Option<usize>,
        access: impl Fn(usize) -> Access,
    ) -> Option<usize> {
        let going_on = previous.filter(|previous| ready.contains(*previous));
        let usual = going_on.or(ready.first())?;
        let depth = self.depth;
        self.depth += 1;
        if let Some(schedule) = &self.schedule {
            let chosen = schedule.get(depth).copied().unwrap_or(usual);
            return ready.contains(chosen).then_some(chosen);
        }
        if self.redundant {
            return Some(usual);
        }
        if depth == self.choices.len() {
            self.add_choice(ready, usual, going_on);
        }
        if self.redundant {
            return Some(usual);
        }
        let choice = &self.choices[depth];
        let chosen = choice.chosen;
        self.preemptions += usize::from(going_on.is_some_and(|previous| previous != chosen));
        self.asleep = Threads::default();
        for thread in (0..Threads::MOST).filter(|thread| choice.asleep.contains(*thread)) {
            if access(thread).commutes_with(access(chosen)) {
                self.asleep.insert(thread);
            }
        }
        ready.contains(chosen).then_some(chosen)
    }

    fn add_choice(&mut self, ready: Threads, usual: usize, going_on: Option<usize>) {
        let mut open = ready.without(self.asleep);
        if let (Bound::Preemptions(most), Some(going_on)) = (self.bound, going_on) {
            if self.preemptions == most {
                open = Threads::one(going_on);
            }
        }
        let usual = if open.contains(usual) { Some(usual) } else { open.first() };
        let Some(chosen) = usual else {
            self.redundant = true;
            return;
        };
        let untried = open.without(Threads::one(chosen));
        self.choices.push(Choice { chosen, untried, asleep: self.asleep });
    }

    /// Whether the execution at hand repeats another one, in another order.
    pub fn is_redundant(&self) -> bool {
        self.redundant
    }

    /// Plans the next execution. `false` if there is none.
    pub fn advance(&mut self) -> bool {
        (self.depth, self.preemptions) = (0, 0);
        (self.asleep, self.redundant) = (Threads::default(), false);
        while let Some(choice) = self.choices.last_mut() {
            if let Some(next) = choice.untried.first() {
                if self.bound == Bound::Outcomes {
                    choice.asleep.insert(choice.chosen);
                }
                choice.chosen = next;
                choice.untried = choice.untried.without(Threads::one(next));
                return true;
            }
            self.choices.pop();
        }
        false
    }
}
