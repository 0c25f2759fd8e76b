//! Builds that the engine has not ended yet. A build that its caller gave up goes on for a moment, and what its last
//! instruction made may appear after a sweep: a sweep waits for it.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

/// How many builds are being made.
#[derive(Debug, Default)]
pub(super) struct Pending(watch::Sender<usize>);

/// A build that is being made, until it is dropped.
pub(super) struct Build(Arc<Pending>);

impl Pending {
    /// Counts a build.
    pub(super) fn begin(self: &Arc<Self>) -> Build {
        self.0.send_modify(|count| *count += 1);
        Build(Arc::clone(self))
    }

    /// Whether any build is being made.
    pub(super) fn is_any(&self) -> bool {
        *self.0.borrow() > 0
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

impl Drop for Build {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sweep_waits_for_builds_that_go_on() {
        let pending = Arc::new(Pending::default());
        assert!(!pending.ended(Duration::from_millis(10)).await);
        let build = pending.begin();
        // One that does not end holds nothing up for ever.
        assert!(pending.ended(Duration::from_millis(10)).await);
        drop(build);
        assert!(!pending.ended(Duration::from_millis(10)).await);
    }
}
