//! The numbers of files and directories: how they are opened, what is locked, and what has changed.
#![allow(non_upper_case_globals, reason = "members of enumerations are spelled as in the SDK")]

use super::super::types::{DWORD, FILE_INFORMATION_CLASS, OBJECT_INFORMATION_CLASS};

// winbase.h

/// Operations on the file may be overlapped, and it can be put on a port.
pub const FILE_FLAG_OVERLAPPED: DWORD = 0x4000_0000;

/// Nothing is cached. Positions, lengths and addresses are then multiples of the disk's sector.
pub const FILE_FLAG_NO_BUFFERING: DWORD = 0x2000_0000;

/// What is written goes to the disk, or of a pipe to the other machine, before the write ends.
pub const FILE_FLAG_WRITE_THROUGH: DWORD = 0x8000_0000;

/// What opens a directory, besides its meaning for backups.
pub const FILE_FLAG_BACKUP_SEMANTICS: DWORD = 0x0200_0000;

/// The pipe is made only if nobody has a pipe of this name; else it is
/// [`ERROR_ACCESS_DENIED`](super::ERROR_ACCESS_DENIED).
pub const FILE_FLAG_FIRST_PIPE_INSTANCE: DWORD = 0x0008_0000;

/// How far a pipe's server may act in the client's name is said by flags such as
/// [`SECURITY_IDENTIFICATION`].
pub const SECURITY_SQOS_PRESENT: DWORD = 0x0010_0000;

/// A pipe's server may learn who the client is, and not act in its name.
pub const SECURITY_IDENTIFICATION: DWORD = 0x0001_0000;

/// Of another kind; also what is returned when the call has failed.
pub const FILE_TYPE_UNKNOWN: DWORD = 0x0000;

/// A file on a disk, or a directory.
pub const FILE_TYPE_DISK: DWORD = 0x0001;

/// A device that carries characters, such as a console or NUL.
pub const FILE_TYPE_CHAR: DWORD = 0x0002;

/// A pipe, named or not, or a socket.
pub const FILE_TYPE_PIPE: DWORD = 0x0003;

/// What cannot be locked at once is an error.
pub const LOCKFILE_FAIL_IMMEDIATELY: DWORD = 0x0000_0001;

/// Nobody else may lock or use it meanwhile. Without it others may read it, and lock it so.
pub const LOCKFILE_EXCLUSIVE_LOCK: DWORD = 0x0000_0002;

// fileapi.h

/// Makes the file, which must not be there.
pub const CREATE_NEW: DWORD = 1;

/// Makes the file, and empties it if it is there.
pub const CREATE_ALWAYS: DWORD = 2;

/// Opens the file, which must be there: the one value for pipes, directories and devices.
pub const OPEN_EXISTING: DWORD = 3;

/// Opens the file, and makes it if it is not there.
pub const OPEN_ALWAYS: DWORD = 4;

// winnt.h: rights

/// To read, and what belongs to it.
pub const GENERIC_READ: DWORD = 0x8000_0000;

/// To write, and what belongs to it, such as to append and to set attributes.
pub const GENERIC_WRITE: DWORD = 0x4000_0000;

/// To wait for it. What `CreateFileW` opens always has it.
pub const SYNCHRONIZE: DWORD = 0x0010_0000;

/// To read a directory and watch it.
pub const FILE_LIST_DIRECTORY: DWORD = 0x0001;

/// To write at the end of a file and nowhere else, if it is without the right to write.
pub const FILE_APPEND_DATA: DWORD = 0x0004;

/// To set attributes; of a pipe, how its end reads.
pub const FILE_WRITE_ATTRIBUTES: DWORD = 0x0100;

/// Others may open it to read.
pub const FILE_SHARE_READ: DWORD = 0x0000_0001;

/// Others may open it to write.
pub const FILE_SHARE_WRITE: DWORD = 0x0000_0002;

/// Others may open it to delete or rename it, also while it is open here.
pub const FILE_SHARE_DELETE: DWORD = 0x0000_0004;

/// The handle that is duplicated is closed, whether it could be duplicated or not.
pub const DUPLICATE_CLOSE_SOURCE: DWORD = 0x0000_0001;

/// The duplicate has the same rights.
pub const DUPLICATE_SAME_ACCESS: DWORD = 0x0000_0002;

// winnt.h: changes in a directory

/// Files that are made, renamed or deleted.
pub const FILE_NOTIFY_CHANGE_FILE_NAME: DWORD = 0x0000_0001;

/// Directories that are made, renamed or deleted.
pub const FILE_NOTIFY_CHANGE_DIR_NAME: DWORD = 0x0000_0002;

/// Attributes that are set.
pub const FILE_NOTIFY_CHANGE_ATTRIBUTES: DWORD = 0x0000_0004;

/// Sizes, seen when the cache is written to the disk.
pub const FILE_NOTIFY_CHANGE_SIZE: DWORD = 0x0000_0008;

/// Times of writing, seen when the cache is written to the disk.
pub const FILE_NOTIFY_CHANGE_LAST_WRITE: DWORD = 0x0000_0010;

/// Times of use.
pub const FILE_NOTIFY_CHANGE_LAST_ACCESS: DWORD = 0x0000_0020;

/// Times of creation.
pub const FILE_NOTIFY_CHANGE_CREATION: DWORD = 0x0000_0040;

/// Rights that are set.
pub const FILE_NOTIFY_CHANGE_SECURITY: DWORD = 0x0000_0100;

/// It was made here, or moved here.
pub const FILE_ACTION_ADDED: DWORD = 0x0000_0001;

/// It was deleted, or moved away.
pub const FILE_ACTION_REMOVED: DWORD = 0x0000_0002;

/// Its contents, its attributes or its times have changed.
pub const FILE_ACTION_MODIFIED: DWORD = 0x0000_0003;

/// It was renamed, and this was its name.
pub const FILE_ACTION_RENAMED_OLD_NAME: DWORD = 0x0000_0004;

/// It was renamed, and this is its name.
pub const FILE_ACTION_RENAMED_NEW_NAME: DWORD = 0x0000_0005;

// winioctl.h

/// Makes a file sparse: what nobody has written takes no room on the disk.
pub const FSCTL_SET_SPARSE: DWORD = 0x0009_00C4;

// winternl.h, and wdm.h for drivers

/// Asks how the file was opened, by a
/// [`FILE_MODE_INFORMATION`](super::super::types::FILE_MODE_INFORMATION).
pub const FileModeInformation: FILE_INFORMATION_CLASS = 16;

/// Asks what kind of object a handle is of, by a
/// [`PUBLIC_OBJECT_TYPE_INFORMATION`](super::super::types::PUBLIC_OBJECT_TYPE_INFORMATION).
pub const ObjectTypeInformation: OBJECT_INFORMATION_CLASS = 2;

/// The file is not overlapped, and its calls can be interrupted by APCs.
pub const FILE_SYNCHRONOUS_IO_ALERT: DWORD = 0x0000_0010;

/// The file is not overlapped. What was opened without [`FILE_FLAG_OVERLAPPED`] has it.
pub const FILE_SYNCHRONOUS_IO_NONALERT: DWORD = 0x0000_0020;
