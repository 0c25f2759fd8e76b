//! What a run may add to the store by way of the archive's proxy: a build chooses what it asks for, and recordings are kept.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// How many recordings: several times those of a run with an empty store.
const RECORDS: usize = 5000;
/// How much, in bytes.
const BYTES: u64 = 2 << 30;

/// What of it is left.
#[derive(Debug)]
pub(super) struct Budget {
    records: AtomicUsize,
    bytes: AtomicU64,
}

impl Default for Budget {
    fn default() -> Self {
        Self { records: AtomicUsize::new(RECORDS), bytes: AtomicU64::new(BYTES) }
    }
}

impl Budget {
    /// Whether nothing is left.
    pub(super) fn is_spent(&self) -> bool {
        self.records.load(Ordering::Relaxed) == 0 || self.bytes.load(Ordering::Relaxed) == 0
    }

    /// Takes one recording of this length; `false` when it is more than is left. What is left of the bytes then goes as well.
    pub(super) fn take(&self, length: u64) -> bool {
        let record = |left: usize| left.checked_sub(1);
        let has_record = self.records.fetch_update(Ordering::Relaxed, Ordering::Relaxed, record).is_ok();
        let bytes = |left: u64| Some(left.saturating_sub(length));
        let before = self.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, bytes).unwrap_or_else(|left| left);
        has_record && length <= before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_spent_is_spent() {
        let budget = Budget { records: AtomicUsize::new(3), bytes: AtomicU64::new(10) };
        assert!(budget.take(4) && budget.take(6));
        assert!(budget.is_spent() && !budget.take(1));
        let budget = Budget { records: AtomicUsize::new(1), bytes: AtomicU64::new(10) };
        assert!(!budget.is_spent() && budget.take(0) && budget.is_spent() && !budget.take(0));
        assert!(!Budget { records: AtomicUsize::new(9), bytes: AtomicU64::new(10) }.take(11));
        assert!(!Budget::default().is_spent());
    }
}
