//! The border with Windows: declarations, and not one line of logic.
//!
//! Everything that this crate asks of the system it asks through the items of this folder. They
//! are written by hand, and they promise three things:
//!
//! * **What is said here is what the headers say.** Types, functions, fields, parameters and
//!   constants carry the names of Microsoft's SDK, so that a name found here can be looked up
//!   there, and the other way round. Each item names its header, and each call and struct links
//!   to its page.
//! * **Nothing happens here.** No function has a body, no type has a method, and no call is made
//!   safer than it is. Each `unsafe` one lists under *Safety* what its caller owes; the layer above
//!   answers that list where it makes the call.
//! * **A layout that is wrong does not compile.** The size, the alignment and the offset of every
//!   field are asserted beside each struct, for 64 and for 32 bits, on every target. The same
//!   numbers, every signature and every constant were compared with the headers of MinGW-w64 by
//!   a C compiler.
//!
//! # Where things are
//!
//! | file | what it declares |
//! | --- | --- |
//! | [`types`] | handles and integers; `OVERLAPPED`, `WSABUF`, `GUID` and the other structs |
//! | [`socket_address`] | the addresses of sockets: `SOCKADDR`, and its forms for IPv4 and IPv6 |
//! | [`constants`] | sentinels, flags, options, and Win32's and Winsock's errors, by header |
//! | [`ntstatus`] | the kernel's own status values, which are what a completion reports |
//! | [`kernel32`] | the completion port: make, associate, wait, post, cancel; files, pipes, waits, jobs |
//! | [`ntdll`] | whether a file is overlapped, and which of Win32's errors a status is |
//! | [`ws2_32`] | sockets: make, bind, set up, receive, send; and Winsock's last error |
//! | [`mswsock`] | the functions that a socket's provider is asked for: accept, connect, and more |
//!
//! A file of calls is a DLL, so a caller writes `ffi::kernel32::CancelIoEx` and
//! `ffi::ws2_32::WSARecv`. ([`mswsock`] is a header instead: it names the functions that no DLL
//! need export.) A file that would grow too long for one sitting has a folder beside it, by
//! subject; what is declared there has the name of the file, `ffi::kernel32::ReadFile`. Nothing is
//! re-exported under a shorter name and nothing should be imported bare: whoever reads a call then
//! sees that it crosses the border, and where.
//!
//! # How to read the declarations
//!
//! The header's pointer typedefs are spelled out (`LPDWORD` is `*mut DWORD`). A pointer that the
//! header marks as only read is `*const`, all others are `*mut`, and so is every pointer to an
//! `OVERLAPPED`, even where a call merely compares it: its address is the name of the operation,
//! and comes back from the port as it went in.
//!
//! This folder compiles on every target, so that what is pure above it can be tested anywhere, and
//! links on Windows only. The name of each import library stands on its block of declarations,
//! where it survives being copied into another crate.

pub mod constants;
pub mod kernel32;
pub mod mswsock;
pub mod ntdll;
pub mod ntstatus;
pub mod socket_address;
pub mod types;
pub mod ws2_32;
