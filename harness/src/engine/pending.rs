//! Builds that the engine has not ended yet. A build that its caller gave up goes on for a moment, and what its last
//! instruction made may appear after a sweep: a sweep waits for it.

use std::time::Duration;

use tokio::sync::watch;

/// How many builds are being made.
#[derive(Debug, Default)]
pub(super) struct Pending(watch::Sender<usize>);

/// A build that is being made, until it is dropped.
pub(super) struct Build<'a>(&'a Pending);

impl Pending {
    pub(super) fn begin(&self) -> Build<'_> {
        self.0.send_modify(|count| *count += 1);
        Build(self)
    }

    /// Waits until no build is being made, at most so long; whether there was one to wait for.
    pub(super) async fn ended(&self, limit: Duration) -> bool {
        let mut count = self.0.subscribe();
        if *count.borrow_and_update() == 0 {
            return false;
        }
        drop(tokio::time::timeout(limit, count.wait_for(|count| *count == 0)).await);
        true
    }
}

impl Drop for Build<'_> {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sweep_waits_for_builds_that_go_on() {
        let pending = Pending::default();
        assert!(!pending.ended(Duration::from_millis(10)).await);
        let build = pending.begin();
        // One that does not end holds nothing up for ever.
        assert!(pending.ended(Duration::from_millis(10)).await);
        drop(build);
        assert!(!pending.ended(Duration::from_millis(10)).await);
    }
}
