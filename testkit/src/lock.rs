//! Locks that a failed test does not spoil.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// Locks, also after a panic: a failed assertion elsewhere must not hide behind poison.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
