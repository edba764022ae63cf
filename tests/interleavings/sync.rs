//! Stands in the place of `src/sync.rs`: atomics and a lock that are std's, and come to the
//! scheduler before each access.
//!
//! On a thread that runs no part of a model they are std's and nothing else. Giving a lock back is
//! not a step: whoever waits for it could not have gone on before, and for all others the step
//! after it stands for it.

#![allow(dead_code, reason = "the core uses some of it, and tomorrow other parts")]
#![allow(unsafe_code, reason = "memory of another type is used as an atomic, as std allows")]

use std::ops::{Deref, DerefMut};
use std::sync::atomic;
use std::sync::{LockResult, TryLockError};
use std::time::Duration;

pub use std::sync::PoisonError;
pub use std::sync::atomic::Ordering;

use crate::plan::Access;
use crate::turns::{Gate, step, unlocked};

/// Blocks until another thread has made a step: what this one waits for cannot be so before.
#[track_caller]
pub fn yield_now() {
    step("yield_now", Access::Any, Gate::AnotherStep);
}

/// Lets all others go on that can, each by a step at least, for that is what it is for. If none
/// can, it ends by itself.
#[track_caller]
pub fn sleep(_duration: Duration) {
    step("sleep", Access::Any, Gate::EachOther);
}

macro_rules! atomic {
    ($name:ident $(<$of:ident>)?, $value:ty) => {
        #[derive(Debug)]
        #[repr(transparent)]
        pub struct $name $(<$of>)? (atomic::$name $(<$of>)?);

        impl $(<$of>)? $name $(<$of>)? {
            pub const fn new(value: $value) -> Self {
                Self(atomic::$name::new(value))
            }

            /// As std's.
            ///
            /// # Safety
            ///
            /// * As of std's.
            pub unsafe fn from_ptr<'a>(pointer: *mut $value) -> &'a Self {
                // SAFETY: this type is std's, transparently, and std's is laid out as the value;
                // the rest is the caller's promise.
                unsafe { &*pointer.cast::<Self>() }
            }

            /// As std's. What is written there is no step.
            pub fn as_ptr(&self) -> *mut $value {
                self.0.as_ptr()
            }

            pub fn get_mut(&mut self) -> &mut $value {
                self.0.get_mut()
            }

            #[track_caller]
            pub fn load(&self, order: Ordering) -> $value {
                step("load", Access::Read(self.address()), Gate::Open);
                self.0.load(order)
            }

            #[track_caller]
            pub fn store(&self, value: $value, order: Ordering) {
                self.about_to("store");
                self.0.store(value, order);
            }

            #[track_caller]
            pub fn swap(&self, value: $value, order: Ordering) -> $value {
                self.about_to("swap");
                self.0.swap(value, order)
            }

            #[track_caller]
            pub fn compare_exchange(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.about_to("compare_exchange");
                self.0.compare_exchange(current, new, success, failure)
            }

            /// Never fails when it need not, which would add steps and no outcome.
            #[track_caller]
            pub fn compare_exchange_weak(
                &self,
                current: $value,
                new: $value,
                success: Ordering,
                failure: Ordering,
            ) -> Result<$value, $value> {
                self.compare_exchange(current, new, success, failure)
            }

            /// Made of a load and exchanges, as std's is.
            #[track_caller]
            pub fn fetch_update(
                &self,
                success: Ordering,
                failure: Ordering,
                mut update: impl FnMut($value) -> Option<$value>,
            ) -> Result<$value, $value> {
                let mut before = self.load(failure);
                while let Some(next) = update(before) {
                    match self.compare_exchange(before, next, success, failure) {
                        Ok(before) => return Ok(before),
                        Err(other) => before = other,
                    }
                }
                Err(before)
            }

            fn address(&self) -> usize {
                (&raw const *self).addr()
            }

            #[track_caller]
            fn about_to(&self, what: &'static str) {
                step(what, Access::Write(self.address()), Gate::Open);
            }
        }
    };
}

macro_rules! fetch {
    ($name:ident, $value:ty: $($method:ident)*) => {
        impl $name {
            $(#[track_caller]
            pub fn $method(&self, value: $value, order: Ordering) -> $value {
                self.about_to(stringify!($method));
                self.0.$method(value, order)
            })*
        }
    };
}

atomic!(AtomicU8, u8);
atomic!(AtomicU32, u32);
atomic!(AtomicU64, u64);
atomic!(AtomicUsize, usize);
atomic!(AtomicBool, bool);
atomic!(AtomicPtr<T>, *mut T);
fetch!(AtomicU8, u8: fetch_add fetch_sub fetch_or fetch_and fetch_xor fetch_max fetch_min);
fetch!(AtomicU32, u32: fetch_add fetch_sub fetch_or fetch_and fetch_xor fetch_max fetch_min);
fetch!(AtomicU64, u64: fetch_add fetch_sub fetch_or fetch_and fetch_xor fetch_max fetch_min);
fetch!(AtomicUsize, usize: fetch_add fetch_sub fetch_or fetch_and fetch_xor fetch_max fetch_min);
fetch!(AtomicBool, bool: fetch_or fetch_and fetch_xor);

#[derive(Debug, Default)]
pub struct Mutex<T>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub const fn new(value: T) -> Self {
        Self(std::sync::Mutex::new(value))
    }

    #[track_caller]
    pub fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
        let address = (&raw const *self).addr();
        step("lock", Access::Write(address), Gate::Unlocked(address));
        let guard = |guard| MutexGuard { guard: Some(guard), address };
        if crate::turns::current().is_none() {
            let locked = self.0.lock();
            return locked.map(guard).map_err(|e| PoisonError::new(guard(e.into_inner())));
        }
        match self.0.try_lock() {
            Ok(locked) => Ok(guard(locked)),
            Err(TryLockError::Poisoned(e)) => Err(PoisonError::new(guard(e.into_inner()))),
            // A thread that has failed meets another that was stopped: nobody could go on.
            Err(TryLockError::WouldBlock) => panic!("a lock is held that the scheduler calls free"),
        }
    }
}

#[derive(Debug)]
pub struct MutexGuard<'a, T> {
    guard: Option<std::sync::MutexGuard<'a, T>>,
    address: usize,
}

impl<T> Deref for MutexGuard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.guard.as_ref().expect("it is taken by the drop alone")
    }
}

impl<T> DerefMut for MutexGuard<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        self.guard.as_mut().expect("it is taken by the drop alone")
    }
}

impl<T> Drop for MutexGuard<'_, T> {
    fn drop(&mut self) {
        drop(self.guard.take());
        unlocked(self.address);
    }
}
