//! The example `executor`, whose parts are compiled here as they are; the program is this one,
//! started once more. What is dropped when stands in `executor/dropping.rs`, what panics or acts
//! when it is dropped in `executor/acting.rs`, tasks and timers in `executor/running.rs`, what is
//! made of them in `executor/combining.rs`, the server and its clients in `executor/serving.rs`,
//! and all at random in `executor/storm.rs`.
#![cfg(windows)]
#![allow(unsafe_code, reason = "the example gives a function to the system")]

#[path = "../examples/executor/arguments.rs"]
mod arguments;
#[path = "../examples/executor/client.rs"]
mod client;
#[path = "../examples/executor/combine.rs"]
mod combine;
#[path = "../examples/shared/ctrl_c.rs"]
mod ctrl_c;
#[path = "../examples/executor/executor.rs"]
mod executor;
#[path = "../examples/shared/listen.rs"]
mod listen;
#[path = "../examples/executor/operations.rs"]
mod operations;
#[path = "../examples/shared/program.rs"]
mod program;
#[path = "../examples/executor/run.rs"]
mod run;
#[path = "../examples/executor/server.rs"]
mod server;
#[path = "../examples/shared/stdin.rs"]
mod stdin;
#[path = "../examples/shared/words.rs"]
mod words;

#[path = "support/alone.rs"]
mod alone;
#[path = "support/acting.rs"]
mod buffers;
#[path = "support/counted.rs"]
mod counted;
#[path = "support/handles.rs"]
mod handles;
#[path = "support/programs.rs"]
mod programs;
#[path = "support/spawn.rs"]
mod spawn;
mod support;
#[path = "support/tcp.rs"]
mod tcp;

#[path = "executor/acting.rs"]
mod acting;
#[path = "executor/combining.rs"]
mod combining;
#[path = "executor/dropping.rs"]
mod dropping;
#[path = "executor/running.rs"]
mod running;
#[path = "executor/serving.rs"]
mod serving;
#[path = "executor/storm.rs"]
mod storm;

use std::future::poll_fn;
use std::panic::set_hook;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Once;
use std::task::{Context, Poll, Waker};

use overlapped::Buffer;

use executor::Executor;
use support::within_deadline;

const NAME: &str = "executor";

/// Runs an executor on a thread of its own, which must come to its end.
#[track_caller]
fn runs<B: Buffer, T: Send + 'static>(
    main: impl AsyncFnOnce(Rc<Executor<B>>) -> T + Send + 'static,
) -> T {
    within_deadline(|| executor::run(|executor| main(executor)).expect("the queue"))
}

/// Has panics print one line each, and no trace of the calls: they are on purpose here, and a Wine
/// for programs of 32 bits can fail while it looks up the names for a trace.
fn panics_in_one_line() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| set_hook(Box::new(|panic| eprintln!("{panic}"))));
}

/// Polls a future once, for nobody.
fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// Lets the loop turn once.
async fn turn() {
    let mut has_turned = false;
    poll_fn(|context| {
        if std::mem::replace(&mut has_turned, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Lets the loop turn until the kernel has given everything back.
async fn settle<B: Buffer>(executor: &Executor<B>) {
    while executor.queue.in_flight() > 0 {
        turn().await;
    }
}
