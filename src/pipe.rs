//! Pipes: named ones, and those of child processes.

#![cfg(windows)]
