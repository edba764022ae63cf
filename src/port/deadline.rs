//! From a `Duration` to the milliseconds of a wait, and back to the clock when a wait ends early.
//!
//! The system counts waits in whole milliseconds in 32 bits, and takes the largest number for
//! "for ever". So a duration is rounded up, for a wait of 0.9 ms that became 0 would turn a loop
//! around it into a busy one; and a wait longer than 49.7 days is made of several. The system
//! may also come back up to 15 ms early, hence the second look at the clock.

#![cfg_attr(not(windows), allow(dead_code, reason = "tested everywhere, used on Windows"))]

use std::time::{Duration, Instant};

use super::super::ffi::constants::INFINITE;
use super::super::ffi::types::DWORD;

/// How long a caller is still willing to wait.
#[derive(Clone, Copy)]
pub(crate) struct Deadline {
    /// What to hand to the system for the first call.
    pub(crate) milliseconds: DWORD,
    /// A start and a length, for their sum may lie beyond what an `Instant` can hold. Without them
    /// it is for ever, or for no time at all, as the milliseconds say.
    limit: Option<(Instant, Duration)>,
}

impl Deadline {
    pub(crate) const ENDLESS: Self = Self { milliseconds: INFINITE, limit: None };
    /// For one look, without asking the clock.
    pub(crate) const PASSED: Self = Self { milliseconds: 0, limit: None };

    /// `None` alone is for ever; every duration, however long, ends.
    #[inline]
    pub(crate) fn new(timeout: Option<Duration>) -> Self {
        match timeout {
            None => Self::ENDLESS,
            Some(length) => Self::limited(Instant::now(), length),
        }
    }

    /// The wait ends at this moment, or at once if that has been.
    pub(crate) fn at(moment: Instant) -> Self {
        let start = Instant::now();
        Self::limited(start, moment.saturating_duration_since(start))
    }

    fn limited(start: Instant, length: Duration) -> Self {
        Self { milliseconds: to_milliseconds(length), limit: Some((start, length)) }
    }

    /// What to hand to the system for a call after the first. `None` if the time is up.
    pub(crate) fn milliseconds_left(&self) -> Option<DWORD> {
        match self.limit {
            Some((start, length)) => {
                let left = length.saturating_sub(start.elapsed());
                (!left.is_zero()).then(|| to_milliseconds(left))
            }
            None => (self.milliseconds == INFINITE).then_some(INFINITE),
        }
    }

    /// The same, for a wait that begins now: its first call is no longer than what is left.
    pub(crate) fn left(&self) -> Self {
        Self { milliseconds: self.milliseconds_left().unwrap_or(0), ..*self }
    }

    /// A length of time, or what is left of this one if that is less.
    pub(crate) fn at_most(&self, length: Duration) -> Duration {
        match self.limit {
            Some((start, limit)) => length.min(limit.saturating_sub(start.elapsed())),
            None if self.milliseconds == INFINITE => length,
            None => Duration::ZERO,
        }
    }

    /// Whether the time is up.
    pub(crate) fn is_over(&self) -> bool {
        self.milliseconds_left().is_none()
    }
}

/// Milliseconds, rounded up, and at most the longest wait that is not for ever.
fn to_milliseconds(duration: Duration) -> DWORD {
    let milliseconds = duration.as_nanos().div_ceil(1_000_000);
    DWORD::try_from(milliseconds).unwrap_or(INFINITE).min(INFINITE - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A duration, and what the system is to be told.
    #[track_caller]
    fn is(duration: Duration, milliseconds: DWORD) {
        assert_eq!(to_milliseconds(duration), milliseconds, "{duration:?}");
    }

    #[test]
    fn nothing_stays_nothing() {
        is(Duration::ZERO, 0);
    }

    #[test]
    fn a_part_of_a_millisecond_is_a_whole_one() {
        is(Duration::from_nanos(1), 1);
        is(Duration::from_micros(900), 1);
        is(Duration::from_nanos(999_999), 1);
    }

    #[test]
    fn whole_milliseconds_stay_what_they_are() {
        is(Duration::from_millis(1), 1);
        is(Duration::from_millis(15), 15);
        is(Duration::from_secs(1), 1_000);
    }

    #[test]
    fn a_nanosecond_more_is_a_millisecond_more() {
        is(Duration::new(0, 1_000_001), 2);
        is(Duration::new(1, 1), 1_001);
    }

    #[test]
    fn the_longest_wait_is_one_millisecond_short_of_for_ever() {
        is(Duration::from_millis(0xFFFF_FFFD), 0xFFFF_FFFD);
        is(Duration::from_millis(0xFFFF_FFFE), 0xFFFF_FFFE);
        is(Duration::from_millis(0xFFFF_FFFF), 0xFFFF_FFFE);
        is(Duration::from_millis(0x1_0000_0000), 0xFFFF_FFFE);
    }

    #[test]
    fn a_wait_of_fifty_days_is_not_for_ever_and_does_not_wrap() {
        is(Duration::from_secs(50 * 24 * 3600), INFINITE - 1);
        is(Duration::MAX, INFINITE - 1);
    }

    #[test]
    fn only_none_is_for_ever() {
        let (endless, long) = (Deadline::new(None), Deadline::new(Some(Duration::MAX)));
        assert_eq!((endless.milliseconds, endless.milliseconds_left()), (INFINITE, Some(INFINITE)));
        assert!(!endless.is_over());
        let most = INFINITE - 1;
        assert_eq!((long.milliseconds, long.milliseconds_left()), (most, Some(most)));
        assert!(!long.is_over());
    }

    #[test]
    fn no_time_is_over_at_once() {
        let before = Instant::now();
        for none in [Deadline::new(Some(Duration::ZERO)), Deadline::PASSED, Deadline::at(before)] {
            assert!(none.is_over());
            assert_eq!((none.milliseconds, none.milliseconds_left()), (0, None));
        }
    }

    #[test]
    fn a_moment_is_as_far_away_as_it_is() {
        let hour = Deadline::at(Instant::now() + Duration::from_secs(3_600));
        assert!((3_590_000..=3_600_000).contains(&hour.milliseconds) && !hour.is_over());
    }

    #[test]
    fn what_has_passed_is_not_waited_for_again() {
        let start = Instant::now().checked_sub(Duration::from_secs(5)).expect("up for 5 s");
        let six = Deadline::limited(start, Duration::from_secs(6));
        assert!(six.milliseconds_left().is_some_and(|left| (1..=1_000).contains(&left)));
        assert!((1..=1_000).contains(&six.left().milliseconds));
        let over = Deadline::limited(start, Duration::from_secs(4));
        assert!(over.is_over() && over.left().is_over());
        assert_eq!(over.left().milliseconds, 0);
        assert_eq!(Deadline::ENDLESS.left().milliseconds, INFINITE);
    }
}
