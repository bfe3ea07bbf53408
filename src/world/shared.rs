//! A value that threads take turns with.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A value that one thread at a time can see. Whoever panicked with it in hand leaves it as it was.
#[derive(Debug, Default)]
pub(super) struct Shared<T>(Mutex<T>);

impl<T> Shared<T> {
    /// It, until the guard is dropped; never twice in one expression.
    pub(super) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
