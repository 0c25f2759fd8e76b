//! SIGINT and SIGTERM, in one place. The first cancels the run, which then cleans up; a second leaves at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::run::event::RunEnd;

/// How long a run that is stopped may take to clean up: a little less than five seconds, so that it has ended by then.
const GRACE: Duration = Duration::from_millis(4500);

/// What signals have come.
#[derive(Clone)]
pub(super) struct Signals {
    seen: Arc<AtomicU8>,
    /// Cancelled by the first signal.
    pub(super) cancel: CancellationToken,
    /// Cancelled when a run that was stopped has had its time.
    pub(super) over: CancellationToken,
}

impl Signals {
    /// Listens from now on.
    pub(super) fn listen() -> std::io::Result<Self> {
        let signals =
            Self { seen: Arc::new(AtomicU8::new(0)), cancel: CancellationToken::new(), over: CancellationToken::new() };
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
                    eprintln!("stopped at once; `wsgi-proof prune` removes what may be left");
                    std::process::exit(i32::from(code));
                }
                eprintln!("stopping and cleaning up; a second signal leaves at once");
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
    pub(super) fn end(&self) -> RunEnd {
        match self.seen.load(Ordering::SeqCst) {
            0 => RunEnd::Completed,
            143 => RunEnd::Terminated,
            _ => RunEnd::Interrupted,
        }
    }
}
