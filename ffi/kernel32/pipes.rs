//! kernel32.dll: named pipes, whose ends are files. They are read, written and flushed as files
//! are.
#![allow(unsafe_code, reason = "this file declares what another DLL defines")]

use core::ffi::c_void;

use super::super::types::{BOOL, DWORD, HANDLE, OVERLAPPED, SECURITY_ATTRIBUTES};

#[cfg_attr(windows, link(name = "kernel32"))]
unsafe extern "system" {
    /// Makes an instance of a named pipe, and returns the server's end of it.
    ///
    /// Returns the handle, or `INVALID_HANDLE_VALUE`, never NULL; the reason is the thread's last
    /// error: `ERROR_PIPE_BUSY` if there are as many instances as the first one has allowed.
    ///
    /// * Only with `FILE_FLAG_OVERLAPPED` in `dwOpenMode` can it be put on a port.
    /// * The name begins with `\\.\pipe\`. Without `FILE_FLAG_FIRST_PIPE_INSTANCE` it may be one
    ///   that somebody else has made, whose clients are shared then.
    /// * Without `PIPE_REJECT_REMOTE_CLIENTS` clients on other machines reach it.
    /// * A client can connect as soon as the call returns.
    /// * The sizes are quotas: a write beyond `nOutBufferSize` waits until the client has read.
    ///
    /// Header: namedpipeapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-createnamedpipew)
    ///
    /// # Safety
    ///
    /// * `lpName` is UTF-16 that ends with a 0, and valid for reads during the call.
    /// * `lpSecurityAttributes` is NULL, or valid for a read during the call.
    pub fn CreateNamedPipeW(
        lpName: *const u16,
        dwOpenMode: DWORD,
        dwPipeMode: DWORD,
        nMaxInstances: DWORD,
        nOutBufferSize: DWORD,
        nInBufferSize: DWORD,
        nDefaultTimeOut: DWORD,
        lpSecurityAttributes: *const SECURITY_ATTRIBUTES,
    ) -> HANDLE;

    /// Waits for a client.
    ///
    /// Returns not 0 or 0, to be read as the table [above](super) says.
    ///
    /// * `ERROR_PIPE_CONNECTED` is a client that was there before the call. It is connected, and no
    ///   packet comes.
    /// * `ERROR_NO_DATA` is one that was there and has gone. What it has written can be read; then
    ///   the pipe is to be disconnected before it can be connected again.
    ///
    /// Header: namedpipeapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-connectnamedpipe)
    ///
    /// # Safety
    ///
    /// * `hNamedPipe` is the server's end of a pipe, and is open during the call.
    /// * `lpOverlapped` is lent: valid for reads and writes, used by no other operation, and with
    ///   an `hEvent` that is NULL or an event; NULL only if the pipe is not overlapped.
    pub fn ConnectNamedPipe(hNamedPipe: HANDLE, lpOverlapped: *mut OVERLAPPED) -> BOOL;

    /// Sends the client away, so that another can be waited for.
    ///
    /// Not 0 when it has gone, else the reason is the thread's last error.
    ///
    /// * It is for the server. A client closes its end.
    /// * What the client has not read yet is lost: `FlushFileBuffers` waits for that.
    /// * What is pending on either end fails with `STATUS_PIPE_DISCONNECTED`, and what either end
    ///   starts from now on with `ERROR_PIPE_NOT_CONNECTED`.
    ///
    /// Header: namedpipeapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-disconnectnamedpipe)
    ///
    /// # Safety
    ///
    /// * `hNamedPipe` is the server's end of a pipe, and is open during the call.
    pub fn DisconnectNamedPipe(hNamedPipe: HANDLE) -> BOOL;

    /// Sets how this end reads: bytes, or a message at a time.
    ///
    /// Not 0 when it was set, else the reason is the thread's last error.
    ///
    /// * A client's end reads bytes until it is told `PIPE_READMODE_MESSAGE`, even from a pipe that
    ///   carries messages.
    /// * It takes the right `FILE_WRITE_ATTRIBUTES`, which `GENERIC_READ` alone does not include.
    ///
    /// Header: namedpipeapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-setnamedpipehandlestate)
    ///
    /// # Safety
    ///
    /// * `hNamedPipe` is an end of a pipe, and is open during the call.
    /// * `lpMode`, `lpMaxCollectionCount` and `lpCollectDataTimeout` are each NULL, or valid for a
    ///   read during the call.
    pub fn SetNamedPipeHandleState(
        hNamedPipe: HANDLE,
        lpMode: *const DWORD,
        lpMaxCollectionCount: *const DWORD,
        lpCollectDataTimeout: *const DWORD,
    ) -> BOOL;

    /// What kind of pipe it is, which end of it, and how large.
    ///
    /// Not 0 when all was written, else the reason is the thread's last error.
    ///
    /// * `*lpFlags` has `PIPE_SERVER_END` and `PIPE_TYPE_MESSAGE`, or not.
    ///
    /// Header: namedpipeapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-getnamedpipeinfo)
    ///
    /// # Safety
    ///
    /// * `hNamedPipe` is open during the call.
    /// * `lpFlags`, `lpOutBufferSize`, `lpInBufferSize` and `lpMaxInstances` are each NULL, or
    ///   valid for a write.
    pub fn GetNamedPipeInfo(
        hNamedPipe: HANDLE,
        lpFlags: *mut DWORD,
        lpOutBufferSize: *mut DWORD,
        lpInBufferSize: *mut DWORD,
        lpMaxInstances: *mut DWORD,
    ) -> BOOL;

    /// Copies what can be read, leaves it there, and says how much there is.
    ///
    /// Not 0 when it was said, 0 bytes included; else the reason is the thread's last error:
    /// `ERROR_BROKEN_PIPE` at the end of the pipe.
    ///
    /// * It waits for nothing, except for another call on the same handle if that was not opened
    ///   for overlapped operations.
    ///
    /// Header: namedpipeapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-peeknamedpipe)
    ///
    /// # Safety
    ///
    /// * `hNamedPipe` is an end of a pipe that can be read, and is open during the call.
    /// * `lpBuffer` is valid for writes of `nBufferSize` bytes; NULL only with 0.
    /// * `lpBytesRead`, `lpTotalBytesAvail` and `lpBytesLeftThisMessage` are each NULL, or valid
    ///   for a write.
    pub fn PeekNamedPipe(
        hNamedPipe: HANDLE,
        lpBuffer: *mut c_void,
        nBufferSize: DWORD,
        lpBytesRead: *mut DWORD,
        lpTotalBytesAvail: *mut DWORD,
        lpBytesLeftThisMessage: *mut DWORD,
    ) -> BOOL;

    /// Waits until an instance of the pipe is free to be opened.
    ///
    /// Not 0 when one was, else the reason is the thread's last error: `ERROR_SEM_TIMEOUT` if time
    /// was up, `ERROR_FILE_NOT_FOUND`, at once, if nobody has made the pipe.
    ///
    /// * It holds the thread up, and cannot be overlapped.
    /// * Another client may be quicker, so that opening it fails with `ERROR_PIPE_BUSY` again.
    ///
    /// Header: namedpipeapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-waitnamedpipew)
    ///
    /// # Safety
    ///
    /// * `lpNamedPipeName` is UTF-16 that ends with a 0, and valid for reads until the call
    ///   returns.
    pub fn WaitNamedPipeW(lpNamedPipeName: *const u16, nTimeOut: DWORD) -> BOOL;

    /// Writes a message and reads the answer, as one operation.
    ///
    /// Returns not 0 or 0, to be read as the table [above](super) says.
    ///
    /// * The pipe must carry messages, and this end must read them so; else it is `ERROR_BAD_PIPE`.
    /// * A message that lies unread in this end makes it fail.
    /// * `ERROR_MORE_DATA` is an answer that was cut. It is a warning: the packet comes.
    ///
    /// Header: namedpipeapi.h.
    /// [Microsoft's page](https://learn.microsoft.com/en-us/windows/win32/api/namedpipeapi/nf-namedpipeapi-transactnamedpipe)
    ///
    /// # Safety
    ///
    /// * `hNamedPipe` is an end of a pipe, and is open during the call.
    /// * `lpInBuffer` is lent: valid for reads of `nInBufferSize` bytes, and written by nobody.
    /// * `lpOutBuffer` is lent: valid for writes of `nOutBufferSize` bytes, and touched by nobody
    ///   else.
    /// * `lpBytesRead` is valid for a write during the call, also after the packet has been
    ///   dequeued; NULL only with an `lpOverlapped`.
    /// * `lpOverlapped` is lent: valid for reads and writes, used by no other operation, and with
    ///   an `hEvent` that is NULL or an event; NULL only if the pipe is not overlapped.
    pub fn TransactNamedPipe(
        hNamedPipe: HANDLE,
        lpInBuffer: *const c_void,
        nInBufferSize: DWORD,
        lpOutBuffer: *mut c_void,
        nOutBufferSize: DWORD,
        lpBytesRead: *mut DWORD,
        lpOverlapped: *mut OVERLAPPED,
    ) -> BOOL;
}
