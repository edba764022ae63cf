//! How types, constants and functions are said in the numbers of `tests/abi/headers.c`.
//!
//! Everything is asked of types and not of names, so an alias is what it stands for.

use overlapped::ffi::types::{DWORD, GUID, HANDLE, SOCKET, WAITORTIMERCALLBACK};

/// What a type is when it is passed: its size, below zero if it is an integer with a sign.
pub trait Coded {
    const CODE: i64;
}

impl Coded for i32 {
    const CODE: i64 = -(size_of::<i32>() as i64);
}

impl Coded for i64 {
    const CODE: i64 = -(size_of::<i64>() as i64);
}

macro_rules! coded {
    ($([$($parameter:tt)*] $type:ty),*) => {$(
        impl<$($parameter)*> Coded for $type {
            const CODE: i64 = size_of::<$type>() as i64;
        }
    )*};
}

coded!([] (), [] u8, [] u16, [] u32, [] u64, [] usize);
// Of the pointers to functions this one is taken and is never NULL.
coded!([] WAITORTIMERCALLBACK);
coded!([T] *const T, [T] *mut T, [T] Option<T>, [T, const N: usize] [T; N]);

/// The code of the field that a function finds in an `S`. It is never called: its type is enough.
pub fn code_of_field<S, T: Coded>(_: impl FnOnce(&S) -> &T) -> i64 {
    T::CODE
}

/// The numbers of a constant, as C writes them when it is made a `long long`.
pub trait Numbers {
    fn numbers(self) -> Vec<i64>;
}

macro_rules! numbers {
    ($($type:ty),*) => {$(
        impl Numbers for $type {
            fn numbers(self) -> Vec<i64> {
                vec![self as i64]
            }
        }
    )*};
}

// The types of the constants: some of these names are one type.
numbers!(i32, DWORD, SOCKET, u8, u16);

impl Numbers for HANDLE {
    fn numbers(self) -> Vec<i64> {
        vec![self.addr() as isize as i64]
    }
}

impl Numbers for GUID {
    fn numbers(self) -> Vec<i64> {
        let GUID { Data1, Data2, Data3, Data4 } = self;
        let first = [Data1.into(), Data2.into(), Data3.into()];
        first.into_iter().chain(Data4.map(i64::from)).collect()
    }
}

/// What a function returns, and then what it takes. Void is 0, so taking nothing is a 0 too.
pub trait Signature {
    fn codes() -> Vec<i64>;
}

macro_rules! signature {
    ($($parameter:ident)*) => {
        impl<R: Coded, $($parameter: Coded),*> Signature
            for unsafe extern "system" fn($($parameter),*) -> R
        {
            fn codes() -> Vec<i64> {
                let takes: &[i64] = &[$($parameter::CODE),*];
                let nothing = takes.is_empty().then_some(0);
                [R::CODE].into_iter().chain(takes.iter().copied()).chain(nothing).collect()
            }
        }
    };
}

signature!();
signature!(A);
signature!(A B);
signature!(A B C);
signature!(A B C D);
signature!(A B C D E);
signature!(A B C D E F);
signature!(A B C D E F G);
signature!(A B C D E F G H);
signature!(A B C D E F G H I);

// A pointer to a function that may be NULL.
impl<F: Signature> Signature for Option<F> {
    fn codes() -> Vec<i64> {
        F::codes()
    }
}

/// The codes of the function that a closure returns. It is never called, so no code is made of it
/// and nothing has to be there to link with: this works on every target.
pub fn codes_of_function<F: Signature>(_: impl FnOnce() -> F) -> Vec<i64> {
    F::codes()
}
