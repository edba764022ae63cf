//! TCP: streams, listeners and connecting.

mod connect;
mod inline;
mod listener;
mod stream;
