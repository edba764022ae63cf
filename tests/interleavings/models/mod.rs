//! The models: the core with two or three threads, each of which does a few things, and what must
//! be so afterwards, in whatever order they did it.

mod cancelling;
mod closing;
mod completing;
mod kit;
mod messages;
mod queue;
mod shutdown;
mod waking;
mod watching;
