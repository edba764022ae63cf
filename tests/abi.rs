//! Every item of `ffi` is what the Windows headers say it is.
//!
//! `tests/abi/headers.c` asks a C compiler and the headers of MinGW for the facts of each item, and
//! the tables beside it are the answers, for 64 and for 32 bits. Here this compiler says the same
//! facts in the same words, on every target, and both lists have to be one. That they are complete
//! is seen in the text of `ffi`: each name that it declares is in the list, and no other is.
//!
//! It costs a list of names, below. The compiler asks for the fields and the parameters that are
//! missing in it, the comparison with the text for the rest, and no number stands in it.

use std::collections::{BTreeMap, BTreeSet};

use overlapped::ffi;

#[macro_use]
#[path = "abi/codes.rs"]
mod codes;

use codes::{Coded, Numbers, Signature, code_of_field, codes_of_function};

const TABLE: &str = if cfg!(target_pointer_width = "64") {
    include_str!("abi/x86_64.txt")
} else {
    include_str!("abi/i686.txt")
};

/// The files that `ffi/mod.rs` names, each followed by those of the folder beside it.
const TEXTS: [(&str, &str); 21] = [
    ("constants", include_str!("../ffi/constants.rs")),
    ("constants/errors", include_str!("../ffi/constants/errors.rs")),
    ("constants/files", include_str!("../ffi/constants/files.rs")),
    ("constants/pipes", include_str!("../ffi/constants/pipes.rs")),
    ("constants/waits", include_str!("../ffi/constants/waits.rs")),
    ("kernel32", include_str!("../ffi/kernel32.rs")),
    ("kernel32/files", include_str!("../ffi/kernel32/files.rs")),
    ("kernel32/pipes", include_str!("../ffi/kernel32/pipes.rs")),
    ("kernel32/processes", include_str!("../ffi/kernel32/processes.rs")),
    ("kernel32/waits", include_str!("../ffi/kernel32/waits.rs")),
    ("mswsock", include_str!("../ffi/mswsock.rs")),
    ("mswsock/messages", include_str!("../ffi/mswsock/messages.rs")),
    ("mswsock/transmit", include_str!("../ffi/mswsock/transmit.rs")),
    ("ntdll", include_str!("../ffi/ntdll.rs")),
    ("ntstatus", include_str!("../ffi/ntstatus.rs")),
    ("socket_address", include_str!("../ffi/socket_address.rs")),
    ("types", include_str!("../ffi/types.rs")),
    ("types/files", include_str!("../ffi/types/files.rs")),
    ("types/jobs", include_str!("../ffi/types/jobs.rs")),
    ("types/messages", include_str!("../ffi/types/messages.rs")),
    ("ws2_32", include_str!("../ffi/ws2_32.rs")),
];

/// Facts by kind and name: `("struct", "OVERLAPPED")` has `[32, 8]`.
type Facts = BTreeMap<(String, String), Vec<i64>>;

/// A name that stands in a list twice would hide what was said first.
#[track_caller]
fn add(facts: &mut Facts, kind: &str, name: &str, numbers: Vec<i64>) {
    let before = facts.insert((kind.to_owned(), name.to_owned()), numbers);
    assert_eq!(before, None, "{kind} {name} is there twice");
}

macro_rules! constants {
    ($facts:ident, $module:ident: $($name:ident)*) => {
        $(add($facts, "constant", stringify!($name), ffi::$module::$name.numbers());)*
    };
}

macro_rules! types {
    ($facts:ident, $module:ident: $($name:ident)*) => {
        $(add($facts, "type", stringify!($name), vec![<ffi::$module::$name as Coded>::CODE]);)*
    };
}

macro_rules! function_pointers {
    ($facts:ident, $module:ident: $($name:ident)*) => {
        $(add($facts, "function", stringify!($name), ffi::$module::$name::codes());)*
    };
}

// Fewer or more parameters than the function has do not compile.
macro_rules! functions {
    ($facts:ident, $module:ident: $($name:ident($($parameter:tt)*))*) => {$(
        let codes = codes_of_function(|| {
            ffi::$module::$name as unsafe extern "system" fn($($parameter)*) -> _
        });
        add($facts, "function", stringify!($name), codes);
    )*};
}

// A pattern without `..` does not compile when a field is missing.
macro_rules! structs {
    ($module:ident: $($name:ident { $($field:ident)* })*) => {
        $(coded!([] ffi::$module::$name);)*

        fn $module(facts: &mut Facts) {$({
            type S = ffi::$module::$name;
            let _ = |S { $($field: _),* }: S| ();
            let numbers = vec![size_of::<S>() as i64, align_of::<S>() as i64];
            add(facts, "struct", stringify!($name), numbers);
            $(
                let numbers = vec![
                    std::mem::offset_of!(S, $field) as i64,
                    code_of_field(|whole: &S| &whole.$field),
                ];
                add(facts, "field", concat!(stringify!($name), ".", stringify!($field)), numbers);
            )*
        })*}
    };
}

structs! {
    types:
    OVERLAPPED { Internal InternalHigh Offset OffsetHigh hEvent }
    OVERLAPPED_ENTRY { lpCompletionKey lpOverlapped Internal dwNumberOfBytesTransferred }
    WSABUF { len buf }
    GUID { Data1 Data2 Data3 Data4 }
    WSAPROTOCOLCHAIN { ChainLen ChainEntries }
    WSAPROTOCOL_INFOW {
        dwServiceFlags1 dwServiceFlags2 dwServiceFlags3 dwServiceFlags4 dwProviderFlags ProviderId
        dwCatalogEntryId ProtocolChain iVersion iAddressFamily iMaxSockAddr iMinSockAddr iSocketType
        iProtocol iProtocolMaxOffset iNetworkByteOrder iSecurityScheme dwMessageSize
        dwProviderReserved szProtocol
    }
    SECURITY_ATTRIBUTES { nLength lpSecurityDescriptor bInheritHandle }
    IO_STATUS_BLOCK { Status Information }
    FILE_MODE_INFORMATION { Mode }
    UNICODE_STRING { Length MaximumLength Buffer }
    PUBLIC_OBJECT_TYPE_INFORMATION { TypeName Reserved }
    FILE_NOTIFY_INFORMATION { NextEntryOffset Action FileNameLength FileName }
    JOBOBJECT_ASSOCIATE_COMPLETION_PORT { CompletionKey CompletionPort }
    JOBOBJECT_BASIC_LIMIT_INFORMATION {
        PerProcessUserTimeLimit PerJobUserTimeLimit LimitFlags MinimumWorkingSetSize
        MaximumWorkingSetSize ActiveProcessLimit Affinity PriorityClass SchedulingClass
    }
    IO_COUNTERS {
        ReadOperationCount WriteOperationCount OtherOperationCount ReadTransferCount
        WriteTransferCount OtherTransferCount
    }
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION {
        BasicLimitInformation IoInfo ProcessMemoryLimit JobMemoryLimit PeakProcessMemoryUsed
        PeakJobMemoryUsed
    }
    WSAMSG { name namelen lpBuffers dwBufferCount Control dwFlags }
    TRANSMIT_FILE_BUFFERS { Head HeadLength Tail TailLength }
}

structs! {
    socket_address:
    SOCKADDR { sa_family sa_data }
    IN_ADDR { S_addr }
    SOCKADDR_IN { sin_family sin_port sin_addr sin_zero }
    IN6_ADDR { Byte }
    SOCKADDR_IN6 { sin6_family sin6_port sin6_flowinfo sin6_addr sin6_scope_id }
}

/// What this compiler says.
fn ours() -> Facts {
    let facts = &mut Facts::new();
    types(facts);
    socket_address(facts);
    types! { facts, types:
        BOOL BOOLEAN DWORD FILE_INFORMATION_CLASS GROUP HANDLE JOBOBJECTINFOCLASS LARGE_INTEGER
        NTSTATUS OBJECT_INFORMATION_CLASS SIZE_T SOCKET UCHAR UINT ULONG ULONG_PTR USHORT
        WSAOVERLAPPED
    }
    types! { facts, socket_address: ADDRESS_FAMILY }
    constants! { facts, constants:
        FALSE TRUE INVALID_HANDLE_VALUE INFINITE WAIT_IO_COMPLETION
        FILE_SKIP_COMPLETION_PORT_ON_SUCCESS FILE_SKIP_SET_EVENT_ON_HANDLE AF_INET AF_INET6
        SOCK_STREAM SOCK_DGRAM IPPROTO_TCP IPPROTO_UDP IPPROTO_IPV6 SOL_SOCKET
        SIO_GET_EXTENSION_FUNCTION_POINTER MSG_TRUNC MSG_CTRUNC MSG_PARTIAL IPV6_V6ONLY
        INVALID_SOCKET SOCKET_ERROR WSA_FLAG_OVERLAPPED WSA_FLAG_NO_HANDLE_INHERIT MSG_PEEK SO_TYPE
        SO_BROADCAST SO_SNDBUF SO_RCVBUF SO_MAX_MSG_SIZE SO_REUSE_UNICASTPORT SO_PROTOCOL_INFOW
        XP1_IFS_HANDLES WSA_OPERATION_ABORTED WSA_IO_PENDING SO_UPDATE_ACCEPT_CONTEXT
        SO_UPDATE_CONNECT_CONTEXT SIO_UDP_CONNRESET SIO_UDP_NETRESET TF_DISCONNECT TF_REUSE_SOCKET
        ERROR_INVALID_FUNCTION ERROR_FILE_NOT_FOUND ERROR_PATH_NOT_FOUND ERROR_ACCESS_DENIED
        ERROR_INVALID_HANDLE ERROR_WRITE_PROTECT ERROR_NOT_READY ERROR_SHARING_VIOLATION
        ERROR_LOCK_VIOLATION ERROR_HANDLE_EOF ERROR_NOT_SUPPORTED ERROR_NETNAME_DELETED
        ERROR_INVALID_PARAMETER ERROR_BROKEN_PIPE ERROR_DISK_FULL ERROR_SEM_TIMEOUT ERROR_NOT_LOCKED
        ERROR_FILE_TOO_LARGE ERROR_BAD_PIPE ERROR_PIPE_BUSY ERROR_NO_DATA ERROR_PIPE_NOT_CONNECTED
        ERROR_MORE_DATA WAIT_TIMEOUT ERROR_MR_MID_NOT_FOUND ERROR_PIPE_CONNECTED
        ERROR_PIPE_LISTENING ERROR_ABANDONED_WAIT_0 ERROR_NOTIFY_CLEANUP ERROR_OPERATION_ABORTED
        ERROR_IO_PENDING ERROR_NOACCESS ERROR_NOTIFY_ENUM_DIR ERROR_IO_DEVICE ERROR_NOT_FOUND
        ERROR_NO_SYSTEM_RESOURCES ERROR_INVALID_USER_BUFFER ERROR_NOT_ENOUGH_QUOTA WSAEINTR
        WSAEACCES WSAEFAULT WSAEINVAL WSAEWOULDBLOCK WSAENOTSOCK WSAEMSGSIZE WSAEOPNOTSUPP
        WSAEAFNOSUPPORT WSAEADDRINUSE WSAEADDRNOTAVAIL WSAENETDOWN WSAENETUNREACH WSAENETRESET
        WSAECONNABORTED WSAECONNRESET WSAENOBUFS WSAEISCONN WSAENOTCONN WSAESHUTDOWN WSAETIMEDOUT
        WSAECONNREFUSED WSAEHOSTDOWN WSAEHOSTUNREACH WSANOTINITIALISED WSAEDISCON
        FILE_FLAG_OVERLAPPED FILE_FLAG_NO_BUFFERING FILE_FLAG_WRITE_THROUGH
        FILE_FLAG_BACKUP_SEMANTICS FILE_FLAG_FIRST_PIPE_INSTANCE SECURITY_SQOS_PRESENT
        SECURITY_IDENTIFICATION FILE_TYPE_UNKNOWN FILE_TYPE_DISK FILE_TYPE_CHAR FILE_TYPE_PIPE
        LOCKFILE_FAIL_IMMEDIATELY LOCKFILE_EXCLUSIVE_LOCK CREATE_NEW CREATE_ALWAYS OPEN_EXISTING
        OPEN_ALWAYS GENERIC_READ GENERIC_WRITE SYNCHRONIZE FILE_LIST_DIRECTORY FILE_APPEND_DATA
        FILE_WRITE_ATTRIBUTES FILE_SHARE_READ FILE_SHARE_WRITE FILE_SHARE_DELETE
        DUPLICATE_CLOSE_SOURCE DUPLICATE_SAME_ACCESS FILE_NOTIFY_CHANGE_FILE_NAME
        FILE_NOTIFY_CHANGE_DIR_NAME FILE_NOTIFY_CHANGE_ATTRIBUTES FILE_NOTIFY_CHANGE_SIZE
        FILE_NOTIFY_CHANGE_LAST_WRITE FILE_NOTIFY_CHANGE_LAST_ACCESS FILE_NOTIFY_CHANGE_CREATION
        FILE_NOTIFY_CHANGE_SECURITY FILE_ACTION_ADDED FILE_ACTION_REMOVED FILE_ACTION_MODIFIED
        FILE_ACTION_RENAMED_OLD_NAME FILE_ACTION_RENAMED_NEW_NAME FSCTL_SET_SPARSE
        FileModeInformation FILE_SYNCHRONOUS_IO_ALERT FILE_SYNCHRONOUS_IO_NONALERT
        ObjectTypeInformation
        PIPE_ACCESS_INBOUND PIPE_ACCESS_OUTBOUND PIPE_ACCESS_DUPLEX PIPE_TYPE_BYTE PIPE_TYPE_MESSAGE
        PIPE_READMODE_BYTE PIPE_READMODE_MESSAGE PIPE_WAIT PIPE_ACCEPT_REMOTE_CLIENTS
        PIPE_REJECT_REMOTE_CLIENTS PIPE_UNLIMITED_INSTANCES PIPE_CLIENT_END PIPE_SERVER_END
        NMPWAIT_USE_DEFAULT_WAIT NMPWAIT_WAIT_FOREVER WT_EXECUTEDEFAULT WT_EXECUTEINIOTHREAD
        WT_EXECUTEINWAITTHREAD WT_EXECUTEONLYONCE WT_EXECUTELONGFUNCTION
        CREATE_WAITABLE_TIMER_MANUAL_RESET CREATE_WAITABLE_TIMER_HIGH_RESOLUTION TIMER_ALL_ACCESS
        JobObjectAssociateCompletionPortInformation JobObjectExtendedLimitInformation
        JOB_OBJECT_LIMIT_ACTIVE_PROCESS JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE
        JOB_OBJECT_MSG_END_OF_JOB_TIME JOB_OBJECT_MSG_END_OF_PROCESS_TIME
        JOB_OBJECT_MSG_ACTIVE_PROCESS_LIMIT JOB_OBJECT_MSG_ACTIVE_PROCESS_ZERO
        JOB_OBJECT_MSG_NEW_PROCESS JOB_OBJECT_MSG_EXIT_PROCESS JOB_OBJECT_MSG_ABNORMAL_EXIT_PROCESS
        JOB_OBJECT_MSG_PROCESS_MEMORY_LIMIT JOB_OBJECT_MSG_JOB_MEMORY_LIMIT
        JOB_OBJECT_MSG_NOTIFICATION_LIMIT JOB_OBJECT_MSG_JOB_CYCLE_TIME_LIMIT
    }
    constants! { facts, ntstatus:
        STATUS_SUCCESS STATUS_USER_APC STATUS_TIMEOUT STATUS_PENDING STATUS_NOTIFY_CLEANUP
        STATUS_NOTIFY_ENUM_DIR STATUS_CANCELLED STATUS_REQUEST_ABORTED STATUS_CONNECTION_RESET
        STATUS_REMOTE_DISCONNECT STATUS_CONNECTION_DISCONNECTED STATUS_LINK_FAILED
        STATUS_PORT_UNREACHABLE STATUS_HOPLIMIT_EXCEEDED STATUS_LOCAL_DISCONNECT
        STATUS_CONNECTION_ABORTED STATUS_TRANSACTION_ABORTED STATUS_CONNECTION_REFUSED
        STATUS_REMOTE_NOT_LISTENING STATUS_IO_TIMEOUT STATUS_LINK_TIMEOUT STATUS_NETWORK_UNREACHABLE
        STATUS_PROTOCOL_UNREACHABLE STATUS_BAD_NETWORK_PATH STATUS_HOST_UNREACHABLE STATUS_HOST_DOWN
        STATUS_BUFFER_OVERFLOW STATUS_INVALID_BUFFER_SIZE STATUS_INSUFFICIENT_RESOURCES
        STATUS_PAGEFILE_QUOTA STATUS_WORKING_SET_QUOTA STATUS_QUOTA_EXCEEDED STATUS_NO_MEMORY
        STATUS_COMMITMENT_LIMIT STATUS_TOO_MANY_PAGING_FILES STATUS_REMOTE_RESOURCES
        STATUS_CONFLICTING_ADDRESSES STATUS_TOO_MANY_ADDRESSES STATUS_ADDRESS_ALREADY_EXISTS
        STATUS_SHARING_VIOLATION STATUS_INVALID_ADDRESS STATUS_INVALID_ADDRESS_COMPONENT
        STATUS_CONNECTION_ACTIVE STATUS_INVALID_CONNECTION STATUS_PIPE_DISCONNECTED
        STATUS_GRACEFUL_DISCONNECT STATUS_INVALID_HANDLE STATUS_OBJECT_TYPE_MISMATCH
        STATUS_BUFFER_TOO_SMALL STATUS_ACCESS_VIOLATION STATUS_DATATYPE_MISALIGNMENT_ERROR
        STATUS_DEVICE_NOT_READY STATUS_REQUEST_NOT_ACCEPTED STATUS_NETWORK_BUSY
        STATUS_INVALID_NETWORK_RESPONSE STATUS_UNEXPECTED_NETWORK_ERROR STATUS_NO_SUCH_DEVICE
        STATUS_NO_SUCH_FILE STATUS_OBJECT_NAME_NOT_FOUND STATUS_OBJECT_PATH_NOT_FOUND
        STATUS_NOT_SUPPORTED STATUS_NOT_IMPLEMENTED STATUS_ACCESS_DENIED STATUS_INVALID_PARAMETER
        STATUS_INVALID_DEVICE_REQUEST STATUS_END_OF_FILE STATUS_NO_MEDIA_IN_DEVICE
        STATUS_FILE_LOCK_CONFLICT STATUS_LOCK_NOT_GRANTED STATUS_DELETE_PENDING
        STATUS_RANGE_NOT_LOCKED STATUS_DISK_FULL STATUS_MEDIA_WRITE_PROTECTED
        STATUS_INSTANCE_NOT_AVAILABLE STATUS_PIPE_NOT_AVAILABLE STATUS_INVALID_PIPE_STATE
        STATUS_PIPE_BUSY STATUS_PIPE_CLOSING STATUS_PIPE_CONNECTED STATUS_PIPE_LISTENING
        STATUS_INVALID_READ_MODE STATUS_PIPE_EMPTY STATUS_INVALID_USER_BUFFER
        STATUS_UNEXPECTED_IO_ERROR STATUS_PIPE_BROKEN STATUS_IO_DEVICE_ERROR STATUS_FILE_TOO_LARGE
        FACILITY_NTWIN32
    }
    constants! { facts, mswsock:
        WSAID_ACCEPTEX WSAID_GETACCEPTEXSOCKADDRS WSAID_CONNECTEX WSAID_WSARECVMSG WSAID_WSASENDMSG
        WSAID_TRANSMITFILE WSAID_DISCONNECTEX
    }
    functions! { facts, kernel32:
        CreateIoCompletionPort(_, _, _, _)
        GetQueuedCompletionStatus(_, _, _, _, _)
        GetQueuedCompletionStatusEx(_, _, _, _, _, _)
        PostQueuedCompletionStatus(_, _, _, _)
        CancelIoEx(_, _)
        CloseHandle(_)
        SetFileCompletionNotificationModes(_, _)
        CreateFileW(_, _, _, _, _, _, _)
        ReadFile(_, _, _, _, _)
        WriteFile(_, _, _, _, _)
        FlushFileBuffers(_)
        GetFileType(_)
        DeviceIoControl(_, _, _, _, _, _, _, _)
        LockFileEx(_, _, _, _, _, _)
        UnlockFileEx(_, _, _, _, _)
        ReadDirectoryChangesW(_, _, _, _, _, _, _, _)
        CreateNamedPipeW(_, _, _, _, _, _, _, _)
        ConnectNamedPipe(_, _)
        DisconnectNamedPipe(_)
        SetNamedPipeHandleState(_, _, _, _)
        GetNamedPipeInfo(_, _, _, _, _)
        PeekNamedPipe(_, _, _, _, _, _)
        WaitNamedPipeW(_, _)
        TransactNamedPipe(_, _, _, _, _, _, _)
        DuplicateHandle(_, _, _, _, _, _, _)
        GetCurrentProcess()
        CreateJobObjectW(_, _)
        AssignProcessToJobObject(_, _)
        SetInformationJobObject(_, _, _, _)
        TerminateJobObject(_, _)
        RegisterWaitForSingleObject(_, _, _, _, _, _)
        UnregisterWaitEx(_, _)
        CreateWaitableTimerExW(_, _, _, _)
        SetWaitableTimer(_, _, _, _, _, _)
        CancelWaitableTimer(_)
        CreateEventW(_, _, _, _)
        SetEvent(_)
        ResetEvent(_)
    }
    functions! { facts, ntdll:
        NtQueryInformationFile(_, _, _, _, _)
        NtQueryObject(_, _, _, _, _)
        RtlNtStatusToDosError(_)
    }
    functions! { facts, ws2_32:
        WSASocketW(_, _, _, _, _, _)
        bind(_, _, _)
        getsockopt(_, _, _, _, _)
        setsockopt(_, _, _, _, _)
        WSAIoctl(_, _, _, _, _, _, _, _, _)
        WSARecv(_, _, _, _, _, _, _)
        WSASend(_, _, _, _, _, _, _)
        WSARecvFrom(_, _, _, _, _, _, _, _, _)
        WSASendTo(_, _, _, _, _, _, _, _, _)
        WSAGetLastError()
    }
    function_pointers! { facts, types:
        LPWSAOVERLAPPED_COMPLETION_ROUTINE LPOVERLAPPED_COMPLETION_ROUTINE PTIMERAPCROUTINE
        WAITORTIMERCALLBACK
    }
    function_pointers! { facts, mswsock:
        LPFN_ACCEPTEX LPFN_GETACCEPTEXSOCKADDRS LPFN_CONNECTEX LPFN_WSARECVMSG LPFN_WSASENDMSG
        LPFN_TRANSMITFILE LPFN_DISCONNECTEX
    }
    std::mem::take(facts)
}

/// What the headers say.
fn theirs() -> Facts {
    let mut facts = Facts::new();
    for line in TABLE.lines().filter(|line| !line.starts_with('#')) {
        let words: Vec<&str> = line.split(' ').collect();
        let [kind, name, numbers @ ..] = words.as_slice() else { panic!("no fact: {line}") };
        let numbers = numbers.iter().map(|number| number.parse().expect(line)).collect();
        add(&mut facts, kind, name, numbers);
    }
    facts
}

/// The names of the items in a text of `ffi`. A line that is public and neither an item of a known
/// kind nor a field is not passed over: what it declares would go unseen.
fn declared(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    for line in text.lines() {
        let Some(item) = line.trim_start().strip_prefix("pub ") else { continue };
        // What a file of a folder declares is said again by the file beside the folder.
        if item.starts_with("use ") && item.ends_with("::*;") {
            continue;
        }
        let item = item.strip_prefix("safe ").unwrap_or(item);
        let kinds = ["const ", "struct ", "type ", "fn ", "mod "];
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        match kinds.iter().find_map(|kind| item.strip_prefix(kind)) {
            Some(name) => names.extend(name.split(|c| !is_word(c)).next()),
            None => assert!(
                item.trim_start_matches(is_word).starts_with(": "),
                "it is not known how to compare this with the headers: {line}"
            ),
        }
    }
    names
}

#[test]
fn every_item_is_what_the_headers_say() {
    let (ours, theirs) = (ours(), theirs());
    let keys: BTreeSet<_> = ours.keys().chain(theirs.keys()).collect();
    let mut wrong = String::new();
    for key in keys {
        let (our, their) = (ours.get(key), theirs.get(key));
        if our != their {
            let (kind, name) = key;
            wrong += &format!("{kind} {name}: {our:?} here, {their:?} in the table\n");
        }
    }
    assert!(wrong.is_empty(), "ffi is not what the headers say:\n{wrong}");
}

#[test]
fn every_item_that_is_declared_is_in_the_table_and_no_other() {
    let facts = theirs();
    let in_table = facts.keys().filter(|(kind, _)| kind != "field").map(|(_, name)| name.as_str());
    let in_table: BTreeSet<&str> = in_table.collect();
    let in_text: BTreeSet<&str> = TEXTS.iter().flat_map(|(_, text)| declared(text)).collect();
    let lacking: Vec<_> = in_text.difference(&in_table).collect();
    let left_over: Vec<_> = in_table.difference(&in_text).collect();
    assert!(lacking.is_empty(), "tests/abi/headers.c lacks {lacking:?}");
    assert!(left_over.is_empty(), "ffi does not declare {left_over:?}");
}

#[test]
fn every_file_of_the_folder_is_looked_at() {
    let mut named = Vec::new();
    for module in declared(include_str!("../ffi/mod.rs")) {
        named.push(module.to_owned());
        let text = TEXTS.iter().find(|(name, _)| *name == module).map_or("", |(_, text)| text);
        let parts = text.lines().filter_map(|line| line.strip_prefix("mod ")?.strip_suffix(';'));
        named.extend(parts.map(|part| format!("{module}/{part}")));
    }
    assert_eq!(named, TEXTS.map(|(module, _)| module));
}
