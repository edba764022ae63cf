//! The raw end: any call on a handle that takes an `OVERLAPPED`.

#![cfg(windows)]
