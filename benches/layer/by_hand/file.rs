//! A block of a file is read, at one offset after the other.

#![allow(unsafe_code, reason = "it makes system calls, and reads what they have left in memory")]

use std::io;
use std::os::windows::io::AsRawHandle;
use std::ptr::null_mut;

use overlapped::ffi;
use overlapped::ffi::constants::{ERROR_IO_PENDING, FALSE};
use overlapped::ffi::types::OVERLAPPED;

use super::super::message::{BLOCK, check_block, file_of_blocks, offset_of, wrong};
use super::{Port, count_of, fresh};

/// What a read lends. The `OVERLAPPED` stands first.
#[repr(C)]
struct Operation {
    overlapped: OVERLAPPED,
    buffer: [u8; BLOCK],
}

pub fn rounds(count: u64) -> io::Result<u64> {
    let (mut port, file) = (Port::new()?, file_of_blocks()?);
    port.associate_handle(file.as_raw_handle(), 0)?;
    let operation = Box::new(Operation { overlapped: fresh(), buffer: [0; BLOCK] });
    let operation = Box::into_raw(operation);
    for round in 0..count {
        let offset = offset_of(round);
        let (low, high) = (offset as u32, (offset >> 32) as u32);
        let overlapped = OVERLAPPED { Offset: low, OffsetHigh: high, ..fresh() };
        // SAFETY: nothing is in flight.
        unsafe { (*operation).overlapped = overlapped };
        // SAFETY: as above.
        let buffer = unsafe { (&raw mut (*operation).buffer).cast() };
        let (file, length) = (file.as_raw_handle(), BLOCK as u32);
        // SAFETY: the file is open, and what is lent stays until the packet has been dequeued.
        let read =
            unsafe { ffi::kernel32::ReadFile(file, buffer, length, null_mut(), operation.cast()) };
        if read == FALSE {
            let error = io::Error::last_os_error();
            if error.raw_os_error() != Some(ERROR_IO_PENDING as i32) {
                return Err(error);
            }
        }
        let mut seen = 0;
        for entry in port.wait()? {
            if entry.lpOverlapped != operation.cast() || count_of(entry)? as usize != BLOCK {
                return Err(wrong("another packet has come than that of the read"));
            }
            seen += 1;
        }
        if seen != 1 {
            return Err(wrong("one block was read, and not as many packets have come"));
        }
        // SAFETY: its packet has been dequeued.
        check_block(unsafe { &(*operation).buffer }, round)?;
    }
    // SAFETY: nothing is in flight, and nothing is used after.
    drop(unsafe { Box::from_raw(operation) });
    Ok(port.waits)
}
