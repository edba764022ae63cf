//! Files: reading and writing at offsets.

#![cfg(windows)]
