//! How long things took: the shortest, the longest, and where among them the others lie, in memory
//! that does not grow.

/// So many steps between a time and twice as much, so that what is told is right to 2 parts of 100.
const STEPS: u32 = 64;
const DOUBLINGS: u32 = u64::BITS;

/// Times in nanoseconds, each counted at the step that it falls into.
#[derive(Clone)]
pub struct Times {
    steps: Vec<u64>,
    count: u64,
    shortest: u64,
    longest: u64,
}

impl Times {
    pub fn new() -> Self {
        let steps = vec![0; (STEPS * DOUBLINGS) as usize];
        Self { steps, count: 0, shortest: u64::MAX, longest: 0 }
    }

    pub fn add(&mut self, time: u64) {
        self.steps[step_of(time)] += 1;
        self.count += 1;
        self.shortest = self.shortest.min(time);
        self.longest = self.longest.max(time);
    }

    pub fn clear(&mut self) {
        self.steps.fill(0);
        (self.count, self.shortest, self.longest) = (0, u64::MAX, 0);
    }

    /// The time that so many parts of a hundred do not exceed. `None` if there is none at all.
    pub fn part(&self, hundredths: u64) -> Option<u64> {
        let wanted = (self.count * hundredths).div_ceil(100).max(1);
        let mut seen = 0;
        let step = self.steps.iter().position(|count| {
            seen += count;
            seen >= wanted
        })?;
        Some(middle_of(step).clamp(self.shortest, self.longest))
    }

    /// "min/median/99th/max 0.052/0.081/0.240/1.302 ms", or that there is none.
    pub fn text(&self) -> String {
        let (Some(median), Some(most)) = (self.part(50), self.part(99)) else {
            return "none came back".to_string();
        };
        let [shortest, median, most, longest] =
            [self.shortest, median, most, self.longest].map(|time| time as f64 / 1e6);
        format!("min/median/99th/max {shortest:.3}/{median:.3}/{most:.3}/{longest:.3} ms")
    }
}

/// The first ones are as wide as a nanosecond; from there on each doubling has as many.
fn step_of(time: u64) -> usize {
    let doubling = time.max(1).ilog2().saturating_sub(STEPS.ilog2());
    (u64::from(doubling * STEPS) + (time >> doubling)) as usize
}

fn middle_of(step: usize) -> u64 {
    let (step, steps) = (step as u64, u64::from(STEPS));
    // The first two rows of steps have the same width, and each row after them twice that.
    let doubling = (step / steps).saturating_sub(1);
    let (low, width) = ((step - doubling * steps) << doubling, 1 << doubling);
    low + width / 2
}
