//! A message goes through a pipe and comes back, both ends on one port.

#![allow(unsafe_code, reason = "it makes system calls, and reads what they have left in memory")]

use std::io;
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle};
use std::ptr::{null, null_mut};

use overlapped::ffi;
use overlapped::ffi::constants::*;
use overlapped::ffi::types::{BOOL, HANDLE, OVERLAPPED};

use super::super::message::{SIZE, check, message, pipe_name, set_number, wrong};
use super::{Port, count_of, fresh};

/// What a read or a write lends. The `OVERLAPPED` stands first.
#[repr(C)]
struct Operation {
    overlapped: OVERLAPPED,
    buffer: [u8; SIZE],
}

/// An end of the pipe, with an operation for each direction.
struct End {
    handle: OwnedHandle,
    read: *mut Operation,
    write: *mut Operation,
}

pub fn rounds(count: u64) -> io::Result<u64> {
    let mut port = Port::new()?;
    let name: Vec<u16> = format!(r"\\.\pipe\{}", pipe_name()).encode_utf16().chain([0]).collect();
    let near = End::new(&port, server(&name)?, 1)?;
    let far = End::new(&port, client(&name)?, 2)?;
    for round in 1..=count {
        // SAFETY: nothing is in flight, and there is no other reference.
        set_number(unsafe { &mut (*near.write).buffer }, round);
        pass(&mut port, &near, &far)?;
        // SAFETY: as above.
        let read = unsafe { &(*far.read).buffer };
        // SAFETY: as above.
        unsafe { &mut (*far.write).buffer }.copy_from_slice(read);
        pass(&mut port, &far, &near)?;
        // SAFETY: as above.
        check(unsafe { &(*near.read).buffer }, round)?;
    }
    for operation in [near.read, near.write, far.read, far.write] {
        // SAFETY: nothing is in flight, and nothing is used after.
        drop(unsafe { Box::from_raw(operation) });
    }
    Ok(port.waits)
}

/// Writes at one end what is read at the other.
fn pass(port: &mut Port, from: &End, to: &End) -> io::Result<()> {
    to.start(to.read, |pipe, buffer, overlapped| {
        // SAFETY: the pipe is open, and what is lent stays until the packet has been dequeued.
        unsafe { ffi::kernel32::ReadFile(pipe, buffer.cast(), SIZE as u32, null_mut(), overlapped) }
    })?;
    from.start(from.write, |pipe, buffer, overlapped| {
        let length = SIZE as u32;
        // SAFETY: as above.
        unsafe { ffi::kernel32::WriteFile(pipe, buffer.cast(), length, null_mut(), overlapped) }
    })?;
    let (mut read, mut written) = (false, false);
    while !(read && written) {
        for entry in port.wait()? {
            if count_of(entry)? as usize != SIZE {
                return Err(wrong("a part of the message has come"));
            }
            let operation = entry.lpOverlapped.cast::<Operation>();
            read |= operation == to.read;
            written |= operation == from.write;
        }
    }
    Ok(())
}

impl End {
    fn new(port: &Port, handle: OwnedHandle, key: usize) -> io::Result<Self> {
        port.associate_handle(handle.as_raw_handle(), key)?;
        let operation =
            || Box::into_raw(Box::new(Operation { overlapped: fresh(), buffer: message() }));
        Ok(Self { handle, read: operation(), write: operation() })
    }

    fn start(
        &self,
        operation: *mut Operation,
        call: impl FnOnce(HANDLE, *mut u8, *mut OVERLAPPED) -> BOOL,
    ) -> io::Result<()> {
        // SAFETY: nothing is in flight on it, and there is no other reference.
        let Operation { overlapped, buffer } = unsafe { &mut *operation };
        *overlapped = fresh();
        if call(self.handle.as_raw_handle(), buffer.as_mut_ptr(), overlapped) != FALSE {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        if error.raw_os_error() == Some(ERROR_IO_PENDING as i32) { Ok(()) } else { Err(error) }
    }
}

fn server(name: &[u16]) -> io::Result<OwnedHandle> {
    let access = PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED;
    let mode = PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE | PIPE_REJECT_REMOTE_CLIENTS;
    // SAFETY: the name ends with a 0, and is there during the call.
    owned(unsafe {
        ffi::kernel32::CreateNamedPipeW(name.as_ptr(), access, mode, 1, 65_536, 65_536, 0, null())
    })
}

fn client(name: &[u16]) -> io::Result<OwnedHandle> {
    let (access, flags) = (GENERIC_READ | GENERIC_WRITE, FILE_FLAG_OVERLAPPED);
    let name = name.as_ptr();
    // SAFETY: as above.
    let client = owned(unsafe {
        ffi::kernel32::CreateFileW(name, access, 0, null(), OPEN_EXISTING, flags, null_mut())
    })?;
    let mode = PIPE_READMODE_MESSAGE;
    // SAFETY: the pipe is open, and the mode is there during the call.
    let done = unsafe {
        let pipe = client.as_raw_handle();
        ffi::kernel32::SetNamedPipeHandleState(pipe, &mode, null(), null())
    };
    if done == FALSE { Err(io::Error::last_os_error()) } else { Ok(client) }
}

fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle == INVALID_HANDLE_VALUE {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the handle is open, new, and nobody else's.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}
