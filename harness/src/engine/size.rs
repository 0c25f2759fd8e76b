//! How much a container has written. Engines can limit that only on file systems with quotas, so it is polled.

use std::time::Duration;

use bollard::query_parameters::InspectContainerOptions;

use super::Engine;

/// How often it is polled: no event reports what is written.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);

impl Engine {
    /// Whether a container has written more than this many bytes into its own file system. One that the engine cannot say it of,
    /// as it has gone, has not.
    pub(super) async fn is_larger(&self, container: &str, bytes: u64) -> bool {
        let options = InspectContainerOptions { size: true };
        let found = self.docker.inspect_container(container, Some(options)).await;
        let size = found.ok().and_then(|found| found.size_rw).and_then(|size| u64::try_from(size).ok());
        size.is_some_and(|size| size > bytes)
    }

    /// Waits until a container has written more than this many bytes into its own file system.
    pub(crate) async fn until_larger(&self, container: &str, bytes: u64) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if self.is_larger(container, bytes).await {
                return;
            }
        }
    }
}
