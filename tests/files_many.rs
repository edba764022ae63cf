//! Ten thousand files and pipes that are registered, used and dropped, with operations in flight or
//! not: nothing of them is left.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::io;
use std::os::windows::io::OwnedHandle;

use overlapped::{Completion, CompletionQueue, Content, Key};

mod support;
use support::one;

#[path = "support/files.rs"]
mod files;
use files::{Folder, overlapped};

#[path = "support/raw.rs"]
mod raw;
use raw::{one_raw, read, registered_client};

#[path = "support/tcp.rs"]
mod tcp;
use tcp::sweep;

#[path = "support/handles.rs"]
mod handles;
use handles::handles;

const MANY: usize = 10_000;

/// The system makes some handles lazily, and keeps them.
const TOLERANCE: usize = 16;

/// All is in one test, for the count is of the whole process.
#[test]
fn ten_thousand_files_and_a_hundred_pipes_leave_no_handle() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let path = folder.file(b"0123456789");
    let mut before = 0;
    for number in 0..MANY {
        let file = overlapped().open(&path)?;
        if number % 2 == 0 {
            let file = queue.register(file, Key(number))?;
            file.read_at(3, Vec::with_capacity(4))?;
            // Each third is dropped with its read in flight.
            if number % 3 != 0 {
                let Completion::Read { result: Ok(Content::Bytes(4)), .. } = one(&queue) else {
                    panic!("file {number}");
                };
            }
        } else {
            let file = queue.register(OwnedHandle::from(file), Key(number))?;
            read(&file, Vec::with_capacity(4))?;
            if number % 3 != 0 {
                assert_eq!(one_raw(&queue).1, 4);
            }
        }
        if number % 100 == 0 {
            sweep(&queue);
            let (pipe, _server) = registered_client(&queue, Key(number));
            for _ in 0..10 {
                read(&pipe, Vec::with_capacity(4))?;
            }
        }
        if number == MANY / 10 {
            sweep(&queue);
            before = handles();
        }
    }
    sweep(&queue);
    let after = handles();
    assert!(after <= before + TOLERANCE, "{before} handles before, and {after} after");
    assert_eq!(queue.in_flight(), 0);
    Ok(())
}
