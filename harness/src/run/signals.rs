//! SIGINT and SIGTERM, in one place: a process listens once, and hands what it hears to all that it runs. The first cancels the
//! run, which then cleans up; a second leaves at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::run::event::RunEnd;
use crate::run::tally::ExitCode;

/// How long a run that is stopped may take to clean up: a little less than five seconds, so that it has ended by then.
const GRACE: Duration = Duration::from_millis(4500);

/// What signals have come.
#[derive(Debug, Clone, Default)]
pub(crate) struct Signals {
    seen: Arc<AtomicU8>,
    /// Cancelled by the first signal.
    pub cancel: CancellationToken,
    /// Cancelled when a run that was stopped has had its time.
    pub over: CancellationToken,
}

impl Signals {
    /// Listens from now on, and announces each signal. Called once in a process: each listener would announce it.
    ///
    /// # Errors
    /// When the system does not let it.
    pub(crate) fn listen(announce: fn(&str)) -> std::io::Result<Self> {
        let signals = Self::default();
        let mut interrupt = signal(SignalKind::interrupt())?;
        let mut terminate = signal(SignalKind::terminate())?;
        let own = signals.clone();
        tokio::spawn(async move {
            loop {
                let code = tokio::select! {
                    _ = interrupt.recv() => 130,
                    _ = terminate.recv() => 143,
                };
                if own.seen.swap(code, Ordering::SeqCst) != 0 {
                    announce("stopped without clean-up; `wsgi-proof prune` removes what is left");
                    std::process::exit(i32::from(code));
                }
                announce("stopping and cleaning up; a second signal stops at once");
                own.cancel.cancel();
                let over = own.over.clone();
                tokio::spawn(async move {
                    tokio::time::sleep(GRACE).await;
                    over.cancel();
                });
            }
        });
        Ok(signals)
    }

    /// How the run ends, as far as signals go.
    pub(crate) fn end(&self) -> RunEnd {
        match self.seen.load(Ordering::SeqCst) {
            0 => RunEnd::Completed,
            143 => RunEnd::Terminated,
            _ => RunEnd::Interrupted,
        }
    }

    /// The exit code of a command that a signal ended.
    pub(crate) fn exit_code(&self) -> ExitCode {
        if self.end() == RunEnd::Terminated { ExitCode::Terminated } else { ExitCode::Interrupted }
    }

    /// Does what is given up at the first signal; `None` if one has come.
    pub(crate) async fn unless_stopped<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => None,
            done = work => Some(done),
        }
    }
}
