//! Files through the queue: reading and writing at offsets, and where a file ends.
#![cfg(windows)]

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::windows::fs::OpenOptionsExt;

use overlapped::ffi::constants::{FILE_APPEND_DATA, FILE_FLAG_OVERLAPPED, SYNCHRONIZE};
use overlapped::{Completion, CompletionQueue, Content, Key, Registration, Submitted};

mod support;
use support::{assert_quiet, collect, one};

#[path = "support/files.rs"]
mod files;
use files::{Folder, make_sparse, one_read, one_written, overlapped, registered_file};

/// Reads so many bytes at an offset, and says what came.
#[track_caller]
fn read(
    queue: &CompletionQueue,
    file: &Registration<File>,
    offset: u64,
    room: usize,
) -> (Vec<u8>, Content) {
    let id = file.read_at(offset, Vec::with_capacity(room)).expect("submitted");
    let Completion::Read { key, id: of, buffer, result } = one(queue) else {
        panic!("the end of a read was expected");
    };
    assert_eq!((key, of), (file.key(), id));
    let content = result.expect("read");
    assert_eq!(content.count(), buffer.len());
    (buffer, content)
}

#[test]
fn what_stands_at_an_offset_is_read() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(7), &folder, b"0123456789");
    assert_eq!(read(&queue, &file, 0, 4), (b"0123".to_vec(), Content::Bytes(4)));
    assert_eq!(read(&queue, &file, 6, 4), (b"6789".to_vec(), Content::Bytes(4)));
    assert_eq!(read(&queue, &file, 9, 1), (b"9".to_vec(), Content::Bytes(1)));
    Ok(())
}

#[test]
fn a_read_appends_to_what_is_in_its_buffer() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(1), &folder, b"world");
    let mut buffer = Vec::with_capacity(32);
    buffer.extend_from_slice(b"hello ");
    file.read_at(0, buffer)?;
    let (buffer, result) = one_read(&queue);
    assert_eq!((buffer.as_slice(), result?), (b"hello world".as_slice(), Content::Bytes(5)));
    Ok(())
}

/// At once or by a packet, at the end and beyond it, also of a file of no bytes.
#[test]
fn the_end_of_a_file_is_told_once_and_in_one_way() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(1), &folder, b"0123456789");
    assert_eq!(read(&queue, &file, 8, 4), (b"89".to_vec(), Content::Bytes(2)), "across the end");
    for offset in [10, 11, 5 << 30, i64::MAX as u64 - 4] {
        assert_eq!(read(&queue, &file, offset, 4), (vec![], Content::End), "at {offset}");
    }
    file.get_ref().set_len(0)?;
    assert_eq!(read(&queue, &file, 0, 4), (vec![], Content::End));
    assert_quiet(&queue);
    assert_eq!((queue.in_flight(), file.in_flight()), (0, 0));
    Ok(())
}

#[test]
fn where_the_end_was_a_later_read_finds_what_another_handle_has_appended() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(1), &folder, b"0123");
    assert_eq!(read(&queue, &file, 4, 9), (vec![], Content::End));
    let mut other = File::options().append(true).open(folder.at("file"))?;
    other.write_all(b"45")?;
    assert_eq!(read(&queue, &file, 4, 9), (b"45".to_vec(), Content::Bytes(2)));
    assert_eq!(read(&queue, &file, 6, 9), (vec![], Content::End));
    Ok(())
}

#[test]
fn what_is_written_at_an_offset_stands_there_and_the_file_grows() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(1), &folder, b"0123");
    file.write_at(2, b"ab".to_vec())?;
    assert_eq!(one_written(&queue), (b"ab".to_vec(), 2));
    file.write_at(6, b"cd".to_vec())?;
    assert_eq!(one_written(&queue), (b"cd".to_vec(), 2));
    assert_eq!(fs::read(folder.at("file"))?, b"01ab\0\0cd");
    Ok(())
}

#[test]
fn a_write_of_no_bytes_ends_as_others_do() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(1), &folder, b"0123");
    file.write_at(9, Vec::new())?;
    assert_eq!(one_written(&queue), (vec![], 0));
    assert_eq!(fs::read(folder.at("file"))?, b"0123");
    Ok(())
}

/// With the right to append and no other right to write, which is how std opens with `append(true)`
/// alone, no write changes what is there, whatever its offset.
#[test]
fn a_file_that_was_opened_for_appending_alone_is_written_at_its_end() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let path = folder.file(b"0123");
    let mut options = File::options();
    options.access_mode(FILE_APPEND_DATA | SYNCHRONIZE).custom_flags(FILE_FLAG_OVERLAPPED);
    let file = queue.register(options.open(&path)?, Key(1))?;
    for _ in 0..2 {
        file.write_at(1, b"ab".to_vec())?;
        assert_eq!(one_written(&queue).1, 2);
    }
    assert_eq!(fs::read(&path)?, b"0123abab");
    Ok(())
}

#[test]
fn appending_writes_at_the_end_wherever_that_is() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(1), &folder, b"begin");
    for piece in [b"+one", b"+two"] {
        file.append(piece.to_vec())?;
        one_written(&queue);
    }
    let mut other = File::options().append(true).open(folder.at("file"))?;
    other.write_all(b"+std")?;
    file.append(b"+end".to_vec())?;
    one_written(&queue);
    assert_eq!(fs::read(folder.at("file"))?, b"begin+one+two+std+end");
    Ok(())
}

#[test]
fn a_hundred_operations_at_once_each_hit_their_place() -> io::Result<()> {
    const SIZE: usize = 1_000;
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(1), &folder, b"");
    for number in (0..100).rev() {
        file.write_at(number as u64 * SIZE as u64, vec![number; SIZE])?;
    }
    for completion in collect(&queue, 100) {
        assert!(matches!(completion, Completion::Written { count: SIZE, result: Ok(()), .. }));
    }
    let ids: Vec<_> = (0..100)
        .map(|number| file.read_at(number * SIZE as u64, Vec::with_capacity(SIZE)))
        .collect::<Result<_, _>>()?;
    for completion in collect(&queue, 100) {
        let Completion::Read { id, buffer, result: Ok(Content::Bytes(SIZE)), .. } = completion
        else {
            panic!("{completion:?}");
        };
        let number = ids.iter().position(|other| *other == id).expect("a known id");
        assert_eq!(buffer, vec![number as u8; SIZE]);
    }
    Ok(())
}

/// The offset has 64 bits, and goes to the system in two halves.
#[test]
fn beyond_four_gibibytes_the_offset_is_right() -> io::Result<()> {
    const FAR: u64 = (5 << 30) + 3;
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let path = folder.file(b"near");
    // Where there are no sparse files this takes longer, and is right as well.
    let _ = make_sparse(&File::options().write(true).open(&path)?);
    let file = queue.register(overlapped().open(&path)?, Key(1))?;
    file.write_at(FAR, b"far".to_vec())?;
    assert_eq!(one_written(&queue).1, 3);
    assert_eq!(file.get_ref().metadata()?.len(), FAR + 3);
    assert_eq!(read(&queue, &file, FAR, 8), (b"far".to_vec(), Content::Bytes(3)));
    assert_eq!(read(&queue, &file, FAR - 2, 3), (b"\0\0f".to_vec(), Content::Bytes(3)));
    assert_eq!(read(&queue, &file, 0, 4), (b"near".to_vec(), Content::Bytes(4)));
    file.append(b"!".to_vec())?;
    one_written(&queue);
    let (mut std, mut end) = (File::open(&path)?, Vec::new());
    std.seek(SeekFrom::Start(FAR))?;
    std.read_to_end(&mut end)?;
    assert_eq!(end, b"far!");
    Ok(())
}

/// What is done at once and what is not is the system's affair; each is told once.
#[test]
fn inline_each_operation_is_told_once() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(1), &folder, b"0123456789").inline()?;
    let told = |submitted| match submitted {
        Submitted::Done(completion) => completion,
        Submitted::Pending(_) => one(&queue),
    };
    for round in 0..50 {
        let read = told(file.read_at(2, Vec::with_capacity(4))?);
        let Completion::Read { buffer, result: Ok(Content::Bytes(4)), .. } = read else {
            panic!("{round}: {read:?}");
        };
        assert_eq!(buffer, b"2345");
        let end = told(file.read_at(100, Vec::with_capacity(4))?);
        assert!(matches!(end, Completion::Read { result: Ok(Content::End), .. }), "{end:?}");
        let written = told(file.write_at(0, b"01".to_vec())?);
        assert!(matches!(written, Completion::Written { count: 2, result: Ok(()), .. }));
        assert_quiet(&queue);
        assert_eq!(file.in_flight(), 0);
    }
    Ok(())
}

/// Of a file mostly nothing is left to cancel. In any case it ends once.
#[test]
fn a_read_that_is_cancelled_ends_once() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(1), &folder, &[7; 100_000]);
    let ids: Vec<_> =
        (0..50).map(|_| file.read_at(0, Vec::with_capacity(100_000))).collect::<Result<_, _>>()?;
    for id in ids {
        file.cancel(id)?;
    }
    file.cancel_all()?;
    for completion in collect(&queue, 50) {
        match completion {
            Completion::Read { buffer, result: Ok(content), .. } => {
                assert_eq!((content, buffer.len()), (Content::Bytes(100_000), 100_000));
            }
            Completion::Read { result: Err(failure), .. } if failure.is_cancelled() => {}
            other => panic!("{other:?}"),
        }
    }
    assert_quiet(&queue);
    Ok(())
}

/// What std can still do with the file, as the documentation says.
#[test]
fn std_can_do_what_is_no_reading_or_writing() -> io::Result<()> {
    let (folder, queue) = (Folder::new(), CompletionQueue::new()?);
    let file = registered_file(&queue, Key(1), &folder, b"0123456789");
    let mut std = file.get_ref();
    assert_eq!(std.metadata()?.len(), 10);
    std.set_len(4)?;
    std.sync_all()?;
    let refused = std.read(&mut [0; 4]).expect_err("there is no position to read at");
    assert_eq!(refused.raw_os_error(), Some(87));
    assert_eq!(std.write(b"!").expect_err("nor to write at").raw_os_error(), Some(87));
    assert_eq!(read(&queue, &file, 0, 9), (b"0123".to_vec(), Content::Bytes(4)));
    assert_quiet(&queue);
    Ok(())
}
