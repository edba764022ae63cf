//! Everything at once: several threads submit, cancel, wait, wake, post, drop and forget about
//! order, while one system call in twenty is spoilt, and a model keeps the books. What was
//! submitted comes back once; a buffer comes back with the operation that it was lent to; bytes
//! arrive as they were sent; a registration that is gone is silent; and at the end nothing is left.
//!
//! One *episode* is a queue from its beginning to its end. It is made from a seed, which is printed
//! if it fails. The threads bring chance of their own into it, so the same seed is a good hint and
//! no more: try it a hundred times.
//!
//! ```text
//! cargo test --test stress                                        some episodes
//! cargo test --test stress -- --ignored --nocapture               an hour of them
//! STRESS_SEED=123 cargo test --test stress -- --nocapture         a hundred times this one
//! ```
#![cfg(windows)]
#![allow(unsafe_code, reason = "it stands in the place of system calls")]

use std::env;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[path = "../support/mod.rs"]
mod support;
use support::within_deadline;

#[path = "../support/calls.rs"]
mod calls;

#[path = "../support/pages.rs"]
mod pages;

#[path = "../support/wine.rs"]
mod wine;

/// So a write to memory that was freed is a fault: on Wine one that ends the episode by hanging.
#[global_allocator]
static ALLOCATOR: pages::Pages = pages::Pages;

mod episode;
mod ledger;
mod link;
mod worker;

/// One call in so many is spoilt.
const ONE_IN: u64 = 20;

/// Runs episodes until the time is up, or one hundred of the seed that was asked for.
fn run(time: Duration, first: u64) {
    let asked = env::var("STRESS_SEED").ok().map(|seed| seed.parse::<u64>().expect("a number"));
    let (start, mut told) = (Instant::now(), Duration::ZERO);
    for number in 0.. {
        let seed = asked.unwrap_or(first.wrapping_add(number));
        let over = if asked.is_some() { number == 100 } else { start.elapsed() >= time };
        if over {
            println!("{number} episodes, from seed {first}");
            return;
        }
        let told_seed = TellsSeed(seed);
        within_deadline(move || episode::run(seed));
        std::mem::forget(told_seed);
        if start.elapsed() - told > Duration::from_secs(60) {
            told = start.elapsed();
            println!("after {told:?}: seed {seed}");
        }
    }
}

/// Says the seed when an episode panics.
struct TellsSeed(u64);

impl Drop for TellsSeed {
    fn drop(&mut self) {
        eprintln!("this was the episode of STRESS_SEED={}", self.0);
    }
}

#[test]
fn whatever_happens_at_once_comes_back_once() {
    run(Duration::from_secs(3), 1);
}

#[test]
#[ignore = "it runs for an hour"]
fn for_an_hour_whatever_happens_at_once_comes_back_once() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970");
    run(Duration::from_secs(60 * 60), now.as_secs() << 32);
}
