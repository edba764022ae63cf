//! An error that gives back what it could not take.

use std::error::Error;
use std::fmt;
use std::io;

/// The error of a call that failed, and what was given to it: the buffer of an
/// operation that was not submitted, or the socket that was not registered.
///
/// With `?` in a function that returns [`io::Result`] it becomes its error, and what it holds is
/// dropped.
pub struct Rejected<T> {
    /// What went wrong.
    pub error: io::Error,
    /// What was given. Where it is more than that, the function says so.
    pub returned: T,
}

impl<T> Rejected<T> {
    pub(crate) fn new(error: io::Error, returned: T) -> Self {
        Self { error, returned }
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Rejected<U> {
        Rejected { error: self.error, returned: change(self.returned) }
    }
}

impl<T> fmt::Display for Rejected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<T> fmt::Debug for Rejected<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rejected").field("error", &self.error).finish_non_exhaustive()
    }
}

impl<T> Error for Rejected<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl<T> From<Rejected<T>> for io::Error {
    fn from(rejected: Rejected<T>) -> Self {
        rejected.error
    }
}
