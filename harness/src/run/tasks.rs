//! Tasks at work at the same time. One that panics ends as an internal error of whatever it was about.

use std::any::Any;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use tokio::task::JoinSet;

use crate::outcome::Fault;

/// Tasks, each with a key that tells what it is about.
#[derive(Debug)]
pub(crate) struct Tasks<K, T>(JoinSet<(K, Result<T, Fault>)>);

impl<K, T> Default for Tasks<K, T> {
    fn default() -> Self {
        Self(JoinSet::new())
    }
}

impl<K: Send + 'static, T: Send + 'static> Tasks<K, T> {
    /// How many are under way.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn start(&mut self, key: K, work: impl Future<Output = T> + Send + 'static) {
        self.0.spawn(async move { (key, unwound(work).await) });
    }

    /// The next one that ends, with its result or with the fault that it panicked; `None` when none is under way.
    pub(crate) async fn next(&mut self) -> Option<(K, Result<T, Fault>)> {
        loop {
            match self.0.join_next().await? {
                Ok(ended) => return Some(ended),
                // Its own panic is caught within: it was aborted with its runtime, and nobody waits for it any more.
                Err(error) => tracing::error!(%error, "a task was aborted"),
            }
        }
    }

    /// Ends all of them, and waits until they have ended.
    pub(crate) async fn shutdown(&mut self) {
        self.0.shutdown().await;
    }
}

/// The result of some work, or the fault that it panicked.
///
/// # Errors
/// When it panicked.
pub(crate) async fn unwound<T>(work: impl Future<Output = T>) -> Result<T, Fault> {
    AssertUnwindSafe(work).catch_unwind().await.map_err(|panic| panicked(panic.as_ref()))
}

/// The fault that a task panicked: always the suite's own, and never the candidate's.
fn panicked(panic: &(dyn Any + Send)) -> Fault {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string).or_else(|| panic.downcast_ref().cloned());
    let why = text.map_or_else(String::new, |text: String| format!(": {text}"));
    Fault {
        what: format!("internal error: a task panicked{why}"),
        hint: Some("this is a bug of wsgi-proof; please report it".to_owned()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_a_fault_of_what_the_task_was_about() {
        let mut tasks = Tasks::default();
        tasks.start("good", async { 1 });
        tasks.start("bad", async { panic!("no {}", "such thing") });
        let mut ended = [tasks.next().await.unwrap(), tasks.next().await.unwrap()];
        assert!(tasks.next().await.is_none());
        ended.sort_by_key(|(key, _)| *key);
        assert_eq!(ended[0].1.as_ref().unwrap_err().what, "internal error: a task panicked: no such thing");
        assert_eq!(ended[1], ("good", Ok(1)));
    }
}
