//! Waiting for a process, an event or a timer, in the place where all else is waited for.

#![cfg(windows)]
