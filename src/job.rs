//! Jobs: groups of processes, and what they tell.

#![cfg(windows)]
