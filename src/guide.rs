//! A course on completion ports, in short chapters, each with programs that run as tests.
//!
//! # The port
//!
//! A queue in the kernel, and the calls that use it.
//!
//! 1. [Completion and readiness](completion): two ways to wait for many things.
//! 2. [The port](the_port): packets, keys, and a queue in the kernel.
//! 3. [The seven calls](seven_calls): each in a program of its own, without the layer.
//! 4. [By hand](by_hand): a whole program on the bindings, beside the same with the layer.
//!
//! # One operation
//!
//! From the call that starts it to the completion that ends it.
//!
//! 5. [Lending](lending): who owns a buffer, and until when.
//! 6. [Three answers](three_answers): what a call that starts an operation can answer.
//! 7. [What came back](what_came_back): bytes, the end, and three spaces of error codes.
//! 8. [Key, operation and id](ids): what names a socket, and what an operation.
//! 9. [An X-ray](xray): the life of an operation, printed while it happens.
//!
//! # The loop
//!
//! Waiting, being woken, and coming to an end.
//!
//! 10. [Batches](batches): many completions from one call, and how long to wait for the first.
//! 11. [Threads](threads): how many, how many at a time, and in which order.
//! 12. [Deadlines](deadlines): time limits for operations.
//! 13. [Waking](waking): messages to oneself, and shutting down.
//! 14. [Cancelling](cancelling): a request to end, and what else it ends.
//! 15. [Closing](closing): collecting, ending on Ctrl-C, and what the peer sees.
//!
//! # Connections
//!
//! TCP, from the first client to the ten thousandth.
//!
//! 16. [Conversations](conversations): accepting and connecting.
//! 17. [Sending](sending): what the end of a send says, and a peer that does not receive.
//! 18. [Buffers](buffers): how large, from where, and of how many parts.
//! 19. [Idle connections](idle): receiving without a buffer.
//! 20. [Inline](inline): operations that end during the call that starts them, and turns for all.
//!
//! # Other handles
//!
//! What else can be put on a port.
//!
//! 21. [Datagrams](datagrams): who has sent one, and what is lost.
//! 22. [Pipes](pipes): children, servers and clients, messages, and how a read reports the end.
//! 23. [Files](files): offsets, where a file ends, and unbuffered access.
//! 24. [Waits and jobs](waits): processes, events and timers on the port.
//! 25. [Raw calls](raw): any call that takes an `OVERLAPPED`.
//! 26. [Packets that are not yours](foreign): those that other code puts into the port.
//!
//! # Behind it
//!
//! How such a crate is written, proved, counted and built upon.
//!
//! 27. [Bindings](bindings): declaring a function of Windows by hand, and proving that it is right.
//! 28. [Reading the tests](reading_tests): which of them proves what.
//! 29. [Cost](cost): calls, allocations, instructions and memory, counted.
//! 30. [Async on top](async_on_top): an executor on the queue, in 200 lines of code.
//! 31. [Mistakes that others made](mistakes): fifteen failures, and the test that catches each.
//!
//! The programs in it need Windows, or Wine: on Linux put `./wine` before each command that begins
//! with `cargo`. To try a program yourself, copy it from the file of its chapter in `src/guide`,
//! which also has the lines that are not shown here; each of them begins with a `#`.

// A chapter is a file that can also be read where the sources are shown. There its names lead to
// source files, by the lines at its end. Here the lines of `names!` come first, and of two lines
// with the same name rustdoc takes the first. The layer is documented on Windows only, so on other
// systems those names lead to the map, which says what each is. `tests/guide_links.rs` looks that
// no name is missing, neither here nor there.

macro_rules! names {
    () => {
        layer! {
            accept => "Registration::accept",
            Accepted => "Completion::Accepted",
            again => "Registration::again",
            append => "Registration::append",
            assign => "Job::assign",
            associate => "CompletionPort::associate",
            BorrowedPort => "BorrowedPort",
            cancel => "Registration::cancel",
            cancel_all => "Registration::cancel_all",
            Cancelled => "Failure::Cancelled",
            ClientConnected => "Completion::ClientConnected",
            Completion => "Completion",
            CompletionPort => "CompletionPort",
            CompletionQueue => "CompletionQueue",
            Completions => "Completions",
            connect => "CompletionQueue::connect",
            connect_client => "Registration::connect_client",
            connect_socket => "CompletionQueue::connect_socket",
            Connected => "Completion::Connected",
            Content => "Content",
            Datagram => "Datagram",
            dequeue => "CompletionPort::dequeue",
            disconnect => "Registration::disconnect",
            Failure => "Failure",
            Foreign => "Completion::Foreign",
            get_ref => "Registration::get_ref",
            in_flight => "CompletionQueue::in_flight",
            Inline => "Inline",
            inline => "Registration::inline",
            into_buffer => "Completion::into_buffer",
            into_inner => "Registration::into_inner",
            is_cancelled => "Failure::is_cancelled",
            Job => "Job",
            JobMessage => "JobMessage",
            Key => "Key",
            key => "Registration::key",
            kill_on_close => "Job::kill_on_close",
            NamedPipe => "NamedPipe",
            OperationId => "OperationId",
            Packet => "Packet",
            PipeOptions => "PipeOptions",
            port => "CompletionQueue::port",
            post => "CompletionQueue::post",
            post_overlapped => "CompletionPort::post_overlapped",
            Posted => "Completion::Posted",
            push => "Completions::push",
            Queued => "Queued",
            RawCall => "RawCall",
            Read => "Completion::Read",
            read => "Registration::read",
            read_at => "Registration::read_at",
            Readable => "Completion::Readable",
            readable => "Registration::readable",
            receive => "Registration::receive",
            receive_from => "Registration::receive_from",
            Received => "Completion::Received",
            ReceivedFrom => "Completion::ReceivedFrom",
            register => "CompletionQueue::register",
            Registration => "Registration",
            Rejected => "Rejected",
            report_unreachable => "Registration::report_unreachable",
            send => "Registration::send",
            send_to => "Registration::send_to",
            Sent => "Completion::Sent",
            shut_down => "CompletionQueue::shut_down",
            ShutDown => "Completion::ShutDown",
            shutdown => "Registration::shutdown",
            Signalled => "Completion::Signalled",
            Source => "Source",
            submit => "Registration::submit",
            Submitted => "Submitted",
            terminate => "Job::terminate",
            wait => "CompletionQueue::wait",
            wait_until => "CompletionQueue::wait_until",
            wake => "Waker::wake",
            Waker => "Waker",
            waker => "CompletionQueue::waker",
            watch => "CompletionQueue::watch",
            Watched => "Watched",
            with_concurrency => "CompletionQueue::with_concurrency",
            Woken => "Completion::Woken",
            write => "Registration::write",
            write_at => "Registration::write_at",
            Written => "Completion::Written",
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
[async_on_top]: async_on_top
[batches]: batches
[bindings]: bindings
[buffers]: buffers
[by_hand]: by_hand
[cancelling]: cancelling
[closing]: closing
[completion]: completion
[conversations]: conversations
[cost]: cost
[datagrams]: datagrams
[deadlines]: deadlines
[files]: files
[foreign]: foreign
[idle]: idle
[ids]: ids
[inline]: inline
[lending]: lending
[mistakes]: mistakes
[pipes]: pipes
[raw]: raw
[reading_tests]: reading_tests
[sending]: sending
[seven_calls]: seven_calls
[the_port]: the_port
[threads]: threads
[three_answers]: three_answers
[waits]: waits
[waking]: waking
[what_came_back]: what_came_back
[xray]: xray
"
    };
}

// A picture stands beside the words that it is about. In the sources it is a file, by a line at the
// chapter's end, as for names. In the documentation it has to be part of the page, so there the name
// leads to a copy that is encoded as an address: `pictures/NAME.url`, which `.ci/pictures` writes.
//
// Where rustdoc gathers the examples to run them on a system that has no ports, it finds none.

macro_rules! chapters {
    ($($(#[$about:meta])* $chapter:ident $([$($picture:literal)*])?;)*) => {$(
        $(#[$about])*
        #[doc = names!()]
        $($(#[doc = concat!(
            "[", $picture, ".svg]: ", include_str!(concat!("guide/pictures/", $picture, ".url")), "\n"
        )])*)?
        #[cfg_attr(
            any(windows, not(doctest)),
            doc = include_str!(concat!("guide/", stringify!($chapter), ".md"))
        )]
        pub mod $chapter {}
    )*};
}

chapters! {
    #[doc(alias("readiness", "reactor", "proactor", "epoll"))]
    completion;
    #[doc(alias("IOCP", "completion port"))]
    the_port ["packets"];
    #[doc(alias("CreateIoCompletionPort", "PostQueuedCompletionStatus", "GetQueuedCompletionStatus", "GetQueuedCompletionStatusEx", "WSARecv", "WSAGetLastError", "CloseHandle"))]
    seven_calls;
    by_hand;
    #[doc(alias("mem::forget"))]
    lending ["receive" "late_writes"];
    #[doc(alias("WSA_IO_PENDING", "ERROR_IO_PENDING", "WSAGetLastError"))]
    three_answers;
    #[doc(alias("NTSTATUS", "error"))]
    what_came_back;
    #[doc(alias("lpCompletionKey", "lpOverlapped"))]
    ids;
    #[doc(alias("OVERLAPPED", "HasOverlappedIoCompleted"))]
    xray ["xray"];
    #[doc(alias("GetQueuedCompletionStatusEx", "timeout"))]
    batches;
    #[doc(alias("concurrency", "thread pool"))]
    threads ["threads"];
    #[doc(alias("deadline", "timeout", "timer"))]
    deadlines;
    #[doc(alias("wakeup"))]
    waking;
    #[doc(alias("cancel", "CancelIoEx"))]
    cancelling;
    #[doc(alias("Ctrl-C", "graceful shutdown", "CloseHandle"))]
    closing ["dropping"];
    #[doc(alias("AcceptEx", "ConnectEx"))]
    conversations;
    #[doc(alias("backpressure", "WSASend"))]
    sending;
    #[doc(alias("pool", "WSABUF"))]
    buffers;
    #[doc(alias("zero-byte receive"))]
    idle;
    #[doc(alias("fairness", "FILE_SKIP_COMPLETION_PORT_ON_SUCCESS"))]
    inline;
    #[doc(alias("UDP"))]
    datagrams;
    #[doc(alias("named pipe", "child process"))]
    pipes;
    #[doc(alias("ReadFile"))]
    files;
    #[doc(alias("RegisterWaitForSingleObject", "job object"))]
    waits;
    #[doc(alias("ReadDirectoryChangesW", "DeviceIoControl"))]
    raw;
    #[doc(alias("forged packet"))]
    foreign;
    #[doc(alias("FFI", "raw-dylib"))]
    bindings;
    #[doc(alias("testing"))]
    reading_tests ["tower"];
    #[doc(alias("performance"))]
    cost ["cost"];
    #[doc(alias("Future", "async", "executor"))]
    async_on_top;
    mistakes;
}
