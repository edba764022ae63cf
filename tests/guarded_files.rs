//! Files and pipes under the allocator of `support/pages.rs`, as `guarded_layer.rs` has it for
//! sockets: with operations in flight all is ended, in one way after the other, and then nothing of
//! what was lent is left.
#![cfg(windows)]
#![allow(unsafe_code, reason = "helpers that it shares make calls of Windows")]

use std::fs::File;
use std::io::Write;
use std::os::windows::io::OwnedHandle;

use overlapped::{Completion, CompletionQueue, Completions, Content, Key, Registration, Submitted};

mod support;
use support::{DEADLINE, until, within_deadline};

#[path = "support/files.rs"]
mod files;
use files::{Folder, registered_file};

#[path = "support/raw.rs"]
mod raw;
use raw::{read, registered_client};

#[path = "support/pages.rs"]
mod pages;
use pages::live;

#[global_allocator]
static ALLOCATOR: pages::Pages = pages::Pages;

/// A house full of operations, for the endings below.
struct House {
    queue: CompletionQueue,
    pipe: Registration<OwnedHandle>,
    file: Registration<File>,
    server: File,
    _folder: Folder,
}

fn house() -> House {
    let (queue, folder) = (CompletionQueue::new().expect("a queue"), Folder::new());
    let file = registered_file(&queue, Key(1), &folder, &[7; 20_000]);
    let (pipe, server) = registered_client(&queue, Key(2));
    for number in 0..40 {
        read(&pipe, Vec::with_capacity(100)).expect("submitted");
        file.read_at(number * 100, Vec::with_capacity(10_000)).expect("submitted");
        file.write_at(number * 100, vec![7; 10_000]).expect("submitted");
    }
    House { queue, pipe, file, server, _folder: folder }
}

fn assert_sound(completion: &Completion) {
    match completion {
        Completion::Read { buffer, result: Ok(Content::Bytes(10_000)), .. } => {
            assert!(buffer.iter().all(|byte| *byte == 7));
        }
        Completion::Written { count: 10_000, result: Ok(()), .. }
        | Completion::Raw { result: Ok(()), .. } => {}
        Completion::Raw { result: Err(failure), .. }
        | Completion::Read { result: Err(failure), .. }
        | Completion::Written { result: Err(failure), .. }
            if failure.is_cancelled() => {}
        other => panic!("{other:?}"),
    }
}

fn collect_all(queue: &CompletionQueue) {
    let mut batch = Completions::with_capacity(64);
    while queue.in_flight() > 0 {
        queue.wait(&mut batch, Some(DEADLINE)).expect("waiting").for_each(|it| assert_sound(&it));
    }
}

fn the_queue_first(house: House) {
    drop(house.queue);
}

fn the_registrations_first(house: House) {
    drop((house.pipe, house.file));
    collect_all(&house.queue);
}

fn handles_taken_out(house: House) {
    let handles = (house.pipe.into_inner(), house.file.into_inner());
    collect_all(&house.queue);
    drop(handles);
}

fn cancelled_while_messages_come(mut house: House) {
    let ids = [(); 20].map(|()| read(&house.pipe, Vec::with_capacity(100)).expect("submitted"));
    for id in ids {
        house.server.write_all(&[7; 50]).expect("written");
        house.pipe.cancel(id).expect("cancelled");
    }
    house.pipe.cancel_all().expect("cancelled");
    collect_all(&house.queue);
}

fn the_other_end_first(house: House) {
    drop(house.server);
    until("all but the reads of the pipe", || house.queue.in_flight() <= 120);
    drop(house.queue);
}

fn told_at_once(house: House) {
    let file = house.file.inline().expect("a file");
    for number in 0..20 {
        for submitted in [
            file.read_at(number, Vec::with_capacity(10_000)),
            file.write_at(number, vec![7; 10_000]),
        ] {
            if let Submitted::Done(completion) = submitted.expect("submitted") {
                assert_sound(&completion);
            }
        }
    }
    drop((file, house.pipe));
    collect_all(&house.queue);
}

/// All is in one test, for the count is of the whole process.
#[test]
fn however_all_is_ended_nothing_is_left_of_what_was_lent() {
    type Ending = (&'static str, fn(House));
    let endings: [Ending; 6] = [
        ("the queue first", the_queue_first),
        ("the registrations first", the_registrations_first),
        ("the handles taken out", handles_taken_out),
        ("cancelled while messages come", cancelled_while_messages_come),
        ("the other end first", the_other_end_first),
        ("told at once", told_at_once),
    ];
    for (what, ending) in endings {
        println!("{what}");
        within_deadline(move || ending(house()));
        let before = live();
        within_deadline(move || ending(house()));
        assert_eq!(live() as isize - before as isize, 0, "{what}");
    }
}
