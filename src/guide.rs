//! A course on completion ports, in short chapters, each with programs that run as tests.
//!
//! 1. [The port](the_port): packets, keys, and a queue in the kernel.
//! 2. [Lending](lending): who owns a buffer, and until when.
//! 3. [Waiting](waiting): batches, timeouts, threads, and what order means.
//! 4. [Waking](waking): messages to oneself, and shutting down.
//! 5. [Conversations](conversations): accepting, connecting and sending.
//! 6. [Datagrams](datagrams): who has sent one, and what is lost.
//! 7. [Pipes](pipes): children, servers and clients, messages, and how the end is told.
//! 8. [Files](files): offsets, where a file ends, and memory for disks.
//! 9. [Waits](waits): processes, events and timers, in the same place.
//! 10. [Jobs](jobs): processes that end together, and what they tell.
//! 11. [The raw end](raw): any call that takes an `OVERLAPPED`.
//! 12. [Inline](inline): operations that end during the call that starts them.
//! 13. [Closing](closing): cancelling, collecting, and what the peer sees.
//! 14. [Cost](cost): calls, allocations, instructions and memory, counted.
//!
//! The programs in it need Windows, or Wine.

// A chapter is a file that can also be read where the sources are shown. There its names lead to
// source files, by the lines at its end. Here the lines of `names!` come first, and of two lines
// with the same name rustdoc takes the first. The layer is documented on Windows only, so on other
// systems those names lead to the map, which says what each is. `tests/guide_links.rs` looks that
// no name is missing, neither here nor there.

macro_rules! names {
    () => {
        layer! {
            accept => "Registration::accept",
            append => "Registration::append",
            again => "Registration::again",
            cancel => "Registration::cancel",
            Cancelled => "Failure::Cancelled",
            Completion => "Completion",
            CompletionQueue => "CompletionQueue",
            Completions => "Completions",
            connect => "CompletionQueue::connect",
            connect_client => "Registration::connect_client",
            connect_socket => "CompletionQueue::connect_socket",
            Connected => "Completion::Connected",
            Content => "Content",
            disconnect => "Registration::disconnect",
            Foreign => "Completion::Foreign",
            in_flight => "CompletionQueue::in_flight",
            inline => "Registration::inline",
            NamedPipe => "NamedPipe",
            PipeOptions => "PipeOptions",
            Job => "Job",
            JobMessage => "JobMessage",
            post => "CompletionQueue::post",
            push => "Completions::push",
            readable => "Registration::readable",
            receive_from => "Registration::receive_from",
            register => "CompletionQueue::register",
            Rejected => "Rejected",
            send_to => "Registration::send_to",
            ShutDown => "Completion::ShutDown",
            shut_down => "CompletionQueue::shut_down",
            shutdown => "Registration::shutdown",
            submit => "Registration::submit",
            wait => "CompletionQueue::wait",
            wait_until => "CompletionQueue::wait_until",
            Waker => "Waker",
            watch => "CompletionQueue::watch",
            with_concurrency => "CompletionQueue::with_concurrency",
            Woken => "Completion::Woken",
        }
    };
}

#[cfg(windows)]
macro_rules! layer {
    ($($name:ident => $item:literal,)*) => {
        concat!($("[`", stringify!($name), "`]: super::", $item, "\n",)* everywhere!())
    };
}

#[cfg(not(windows))]
macro_rules! layer {
    ($($name:ident => $item:literal,)*) => {
        concat!($("[`", stringify!($name), "`]: super#the-map\n",)* everywhere!())
    };
}

macro_rules! everywhere {
    () => {
        "\
[`Buffer`]: super::Buffer
[`Either`]: super::Either
[`ffi`]: super::ffi
[closing]: closing
[conversations]: conversations
[cost]: cost
[datagrams]: datagrams
[files]: files
[inline]: inline
[jobs]: jobs
[lending]: lending
[pipes]: pipes
[raw]: raw
[the_port]: the_port
[waiting]: waiting
[waits]: waits
[waking]: waking
"
    };
}

// Where rustdoc gathers the examples to run them on a system that has no ports, it finds none.

#[doc = names!()]
#[cfg_attr(any(windows, not(doctest)), doc = include_str!("guide/the_port.md"))]
pub mod the_port {}

#[doc = names!()]
#[cfg_attr(any(windows, not(doctest)), doc = include_str!("guide/lending.md"))]
pub mod lending {}

#[doc = names!()]
#[cfg_attr(any(windows, not(doctest)), doc = include_str!("guide/waiting.md"))]
pub mod waiting {}

#[doc = names!()]
#[cfg_attr(any(windows, not(doctest)), doc = include_str!("guide/waking.md"))]
pub mod waking {}

#[doc = names!()]
#[cfg_attr(any(windows, not(doctest)), doc = include_str!("guide/conversations.md"))]
pub mod conversations {}

#[doc = names!()]
#[cfg_attr(any(windows, not(doctest)), doc = include_str!("guide/datagrams.md"))]
pub mod datagrams {}

#[doc = names!()]
#[cfg_attr(any(windows, not(doctest)), doc = include_str!("guide/pipes.md"))]
pub mod pipes {}

#[doc = names!()]
#[cfg_attr(any(windows, not(doctest)), doc = include_str!("guide/files.md"))]
pub mod files {}

#[doc = names!()]
#[cfg_attr(any(windows, not(doctest)), doc = include_str!("guide/waits.md"))]
pub mod waits {}

#[doc = names!()]
#[cfg_attr(any(windows, not(doctest)), doc = include_str!("guide/jobs.md"))]
pub mod jobs {}

#[doc = names!()]
#[cfg_attr(any(windows, not(doctest)), doc = include_str!("guide/raw.md"))]
pub mod raw {}

#[doc = names!()]
#[cfg_attr(any(windows, not(doctest)), doc = include_str!("guide/inline.md"))]
pub mod inline {}

#[doc = names!()]
#[cfg_attr(any(windows, not(doctest)), doc = include_str!("guide/closing.md"))]
pub mod closing {}

#[doc = names!()]
#[cfg_attr(any(windows, not(doctest)), doc = include_str!("guide/cost.md"))]
///
#[doc = include_str!("guide/cost.svg")]
pub mod cost {}
