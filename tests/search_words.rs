//! What a reader types into the search of the documentation. It finds items by their names and by
//! their aliases, so each of these words is one or the other, and each call that the layer makes
//! for a method leads to that method.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// All the sources of the crate below the folder, one after the other.
fn sources(folder: &Path, text: &mut String) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, text);
        } else if path.extension().is_some_and(|end| end == "rs") {
            *text += &fs::read_to_string(&path).expect("a source").replace('\r', "");
        }
    }
}

fn layer() -> String {
    let mut text = String::new();
    sources(Path::new("src"), &mut text);
    text
}

/// The words in the `doc(alias ..)` of all items.
fn aliases(text: &str) -> BTreeSet<String> {
    let attributes = text.split("#[doc(alias").skip(1).filter_map(|rest| rest.split_once(")]"));
    let quoted = attributes.flat_map(|(words, _)| words.split('"').skip(1).step_by(2));
    quoted.map(str::to_lowercase).collect()
}

/// The names of public functions and modules, in lower case, as the search compares them.
fn names(text: &str) -> BTreeSet<String> {
    let declared = ["pub fn ", "pub mod ", "pub struct ", "pub enum ", "pub unsafe fn "];
    let found = declared.iter().flat_map(|start| text.split(start).skip(1));
    let ends = |rest: &str| rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    found.filter_map(|rest| Some(rest[..ends(rest)?].to_lowercase())).collect()
}

#[test]
fn each_word_of_the_subject_is_found() {
    let text = layer();
    let (aliases, names) = (aliases(&text), names(&text));
    let seven = [
        "CreateIoCompletionPort",
        "PostQueuedCompletionStatus",
        "GetQueuedCompletionStatus",
        "GetQueuedCompletionStatusEx",
        "WSARecv",
        "WSAGetLastError",
        "CloseHandle",
    ];
    let others = "IOCP deadline timeout cancel timer epoll reactor concurrency wakeup overlapped \
        async executor UDP backpressure pool fairness NTSTATUS error Ctrl-C WSA_IO_PENDING CancelIoEx \
        AcceptEx ConnectEx WSASend WSABUF SOCKET performance testing";
    let pairs = ["completion port", "thread pool", "named pipe", "child process", "job object"];
    let missing: Vec<_> = seven
        .into_iter()
        .chain(pairs)
        .chain(others.split_whitespace())
        .filter(|word| !aliases.contains(&word.to_lowercase()))
        .filter(|word| !names.contains(&word.to_lowercase()))
        .collect();
    assert!(missing.is_empty(), "the search finds nothing for {missing:?}");
}

/// The calls that are steps of many methods, and the work of none.
const STEPS: [&str; 14] = [
    "DuplicateHandle",
    "GetCurrentProcess",
    "GetFileType",
    "NtQueryInformationFile",
    "NtQueryObject",
    "RtlNtStatusToDosError",
    "UnregisterWaitEx",
    "WSAGetLastError",
    "WSAIoctl",
    "WSASocketW",
    "bind",
    "getsockopt",
    "setsockopt",
    "SetNamedPipeHandleState",
];

#[test]
fn each_call_that_the_layer_makes_leads_to_a_method() {
    let text = layer();
    let aliases = aliases(&text);
    let modules = ["ffi::kernel32::", "ffi::ws2_32::", "ffi::ntdll::"];
    let calls: BTreeSet<_> = modules
        .iter()
        .flat_map(|module| text.split(module).skip(1))
        .filter_map(|rest| {
            let end = rest.find(|letter: char| !letter.is_alphanumeric())?;
            rest[end..].starts_with('(').then(|| &rest[..end])
        })
        .collect();
    assert!(calls.len() > 20, "the calls are found: {calls:?}");
    let hidden: Vec<_> = calls
        .into_iter()
        .filter(|call| !STEPS.contains(call) && !aliases.contains(&call.to_lowercase()))
        .collect();
    assert!(hidden.is_empty(), "no method has the alias {hidden:?}");
}
