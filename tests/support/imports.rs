//! The import table of the running program: where a call into a DLL looks up its address, and so
//! where a test can put itself in between.
//!
//! The linker makes an entry for each function that the program calls, and the loader writes the
//! function's address there. A program can have several entries for one function, since std brings
//! its own; all of them are replaced. An entry names its function, or gives its number in the DLL:
//! with Microsoft's linker those of Winsock that are as old as Winsock itself go by number. The
//! layout is that of Microsoft's [PE
//! format](https://learn.microsoft.com/en-us/windows/win32/debug/pe-format#the-idata-section).

#![allow(dead_code, reason = "each test file takes what it needs")]
#![allow(unsafe_code, reason = "it reads the program's headers, and writes to its import table")]

use std::ffi::{CStr, c_void};
use std::ptr::null_mut;
use std::sync::atomic::AtomicPtr;
use std::sync::atomic::Ordering::SeqCst;

use overlapped::ffi::types::BOOL;

/// Puts a function in place of an imported one, and returns the one that was there. `None` if the
/// program does not import it.
///
/// # Safety
///
/// * `with` points to a function of the same type as the imported one.
pub unsafe fn replace(name: &str, with: *mut c_void) -> Option<*mut c_void> {
    let image = Image { base: GetModuleHandleW(null_mut()).cast() };
    let mut before = None;
    for entry in image.entries_of(name) {
        let (mut protection, size) = (0, size_of::<usize>());
        // SAFETY: the entry is a pointer in this program's image, and the old protection is written
        // to a number of ours. More can be done with the page than before, so nobody misses
        // anything.
        let writable =
            unsafe { VirtualProtect(entry.cast(), size, PAGE_READWRITE, &mut protection) };
        assert_ne!(writable, 0, "VirtualProtect: {}", std::io::Error::last_os_error());
        // SAFETY: the entry is an aligned pointer that lives as long as the program. Others read it
        // with an ordinary load when they call, which for a whole word is no different.
        let entry = unsafe { AtomicPtr::from_ptr(entry) };
        before = Some(entry.swap(with, SeqCst));
    }
    before
}

/// The program as it lies in memory. Positions in it are counted from its first byte.
struct Image {
    base: *const u8,
}

/// The numbers of functions in ws2_32.dll, which are the same in every Windows since they stand in
/// programs. Those that are newer than Winsock 1.1, such as `WSARecv`, go by name everywhere.
pub const ORDINALS: [(&str, usize); 6] = [
    ("bind", 2),
    ("closesocket", 3),
    ("connect", 4),
    ("getsockopt", 7),
    ("listen", 13),
    ("setsockopt", 21),
];

fn ordinal_of(name: &str) -> Option<usize> {
    ORDINALS.iter().find(|(named, _)| *named == name).map(|(_, ordinal)| *ordinal)
}

/// Where the headers say what is where.
const NEW_HEADER: usize = 0x3C;
const OPTIONAL_HEADER: usize = 24;
const DIRECTORIES: usize = if cfg!(target_pointer_width = "64") { 112 } else { 96 };
const IMPORTS: usize = 8;
/// A descriptor stands for a DLL. It names two lists of equal length: names, and addresses.
const DESCRIPTOR: usize = 20;
const NAMES: usize = 0;
const DLL: usize = 12;
const ADDRESSES: usize = 16;

impl Image {
    /// The entries of this name, of whichever DLL, and those with its number in Winsock's.
    fn entries_of(&self, name: &str) -> Vec<*mut *mut c_void> {
        let header = self.number(NEW_HEADER);
        let first = self.number(header + OPTIONAL_HEADER + DIRECTORIES + IMPORTS);
        let descriptors = (first..).step_by(DESCRIPTOR);
        // The list ends with a descriptor of zeros.
        descriptors
            .take_while(|descriptor| self.number(descriptor + ADDRESSES) != 0)
            .flat_map(|descriptor| self.entries_in(descriptor, name))
            .collect()
    }

    fn entries_in(&self, descriptor: usize, name: &str) -> Vec<*mut *mut c_void> {
        let (names, addresses) =
            (self.number(descriptor + NAMES), self.number(descriptor + ADDRESSES));
        let dll = self.text(self.number(descriptor + DLL));
        let is_winsock = dll.to_bytes().eq_ignore_ascii_case(b"ws2_32.dll");
        let ordinal = ordinal_of(name).filter(|_| is_winsock);
        let size = size_of::<usize>();
        let all = (0..).map(|index| index * size);
        let named = all.map(|offset| (offset, self.read::<usize>(names + offset)));
        named
            .take_while(|(_, named)| *named != 0)
            .filter(|(_, named)| match named >> (usize::BITS - 1) {
                0 => self.is_named(*named, name),
                // The top bit says that the function is imported by its number, without a name.
                _ => ordinal.is_some_and(|ordinal| *named & 0xFFFF == ordinal),
            })
            .map(|(offset, _)| self.at(addresses + offset).cast_mut().cast())
            .collect()
    }

    /// Whether the name at this position, behind a hint of two bytes, is this one.
    fn is_named(&self, position: usize, name: &str) -> bool {
        self.text(position + 2).to_bytes() == name.as_bytes()
    }

    fn text(&self, position: usize) -> &CStr {
        // SAFETY: only names are asked for, which the loader has read. They end with a zero, and
        // are never changed.
        unsafe { CStr::from_ptr(self.at(position).cast()) }
    }

    fn number(&self, position: usize) -> usize {
        self.read::<u32>(position) as usize
    }

    fn read<T: Copy>(&self, position: usize) -> T {
        // SAFETY: only headers and lists are asked for, which the loader has put there for as long
        // as the program runs; all of them are numbers.
        unsafe { self.at(position).cast::<T>().read_unaligned() }
    }

    fn at(&self, position: usize) -> *const u8 {
        self.base.wrapping_add(position)
    }
}

const PAGE_READWRITE: u32 = 4;

#[link(name = "kernel32")]
unsafe extern "system" {
    /// With NULL for a name it only tells where the program itself is.
    safe fn GetModuleHandleW(lpModuleName: *mut u16) -> *mut c_void;

    fn VirtualProtect(
        lpAddress: *mut c_void,
        dwSize: usize,
        flNewProtect: u32,
        lpflOldProtect: *mut u32,
    ) -> BOOL;
}
