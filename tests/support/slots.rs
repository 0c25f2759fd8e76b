//! How much goes on at once. Runs, in either tier, have as many jobs as the machine has cores, so more than a few at a time only make each
//! other slow, and time limits expire that have nothing to do with what is tested.

use std::cell::Cell;
use std::marker::PhantomData;
use std::sync::{Condvar, Mutex, PoisonError};

/// How many tests may have runs, engines or cargo at work at the same time.
pub(super) const AT_ONCE: usize = 2;

static TAKEN: Mutex<usize> = Mutex::new(0);
static GIVEN_BACK: Condvar = Condvar::new();

thread_local! {
    /// How many slots this thread's test has: they are one and the same, so that helpers can take one in a test that has one.
    static MINE: Cell<usize> = const { Cell::new(0) };
}

/// The right to have a run, an engine or cargo at work; given back when it is dropped.
#[must_use]
pub(crate) struct Slot {
    /// It belongs to its thread.
    of_this_thread: PhantomData<*const ()>,
}

impl Slot {
    /// Waits until one is free.
    pub(crate) fn take() -> Self {
        if !Self::is_held() {
            let taken = TAKEN.lock().unwrap_or_else(PoisonError::into_inner);
            let mut taken =
                GIVEN_BACK.wait_while(taken, |taken| *taken >= AT_ONCE).unwrap_or_else(PoisonError::into_inner);
            *taken += 1;
        }
        MINE.set(MINE.get() + 1);
        Self { of_this_thread: PhantomData }
    }

    /// Whether this thread has one.
    pub(crate) fn is_held() -> bool {
        MINE.get() > 0
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        MINE.set(MINE.get() - 1);
        if !Self::is_held() {
            *TAKEN.lock().unwrap_or_else(PoisonError::into_inner) -= 1;
            GIVEN_BACK.notify_one();
        }
    }
}
