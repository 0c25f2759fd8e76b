//! The ways to an engine: a socket on this machine, TCP, TLS, ssh.
//!
//! There are two clients, this program's and that of the library for application containers, and only a socket is a way that both
//! can go. So every other way ends in a socket on this machine, which this process carries to the engine: nobody else can open
//! it, and neither client knows of certificates or keys.

mod address;
mod carry;
mod context;
mod error;
mod place;
mod ssh;
mod stream;
mod tls;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

pub(crate) use address::Address;
pub(super) use address::Variables;
pub(super) use context::{Contexts, DEFAULT};
pub(crate) use error::TransportError;
pub(super) use error::ssh_hint;
pub(super) use place::Place;

use carry::Carrier;
use ssh::Forward;

/// How long making a connection may take.
pub(super) const CONNECT_LIMIT: Duration = Duration::from_secs(10);
/// For how long what went wrong on the way explains an answer that did not come.
const LATELY: Duration = Duration::from_secs(10);
/// How long ssh's message may take after what it is about.
const MOMENT: Duration = Duration::from_secs(1);

/// An engine that can be asked at a socket of this machine, as long as this exists.
#[derive(Debug, Clone)]
pub(super) struct Way {
    /// In the form of `DOCKER_HOST`.
    pub docker_host: String,
    last: Last,
    /// What carries what comes to the socket.
    kept: Option<Arc<Kept>>,
}

/// What keeps a way open. It ends when it is dropped.
#[derive(Debug)]
enum Kept {
    Carrier(Carrier),
    Forward(Box<Forward>),
}

impl Way {
    /// Opens the way to an address. Where it needs a socket of its own, that is here.
    ///
    /// # Errors
    /// When what it needs is not there. An engine that does not answer is noticed only when it is asked, unless ssh is the way.
    pub(super) async fn open(address: &Address, place: Option<Place>) -> Result<Self, TransportError> {
        let place = || place.map_or_else(Place::new, Ok);
        let last = Last::default();
        let kept = match address {
            Address::Socket(path) => return Ok(Self::of_socket(path)),
            Address::Tcp(tcp) => Kept::Carrier(Carrier::start(tcp, place()?, last.clone())?),
            Address::Ssh(ssh) => Kept::Forward(Box::new(Forward::start(ssh, place()?, last.clone()).await?)),
        };
        let way = Self::of_socket(&kept.place().socket());
        Ok(Self { last, kept: Some(Arc::new(kept)), ..way })
    }

    /// The way to an engine of this machine.
    pub(super) fn of_socket(path: &Path) -> Self {
        Self { docker_host: format!("unix://{}", path.display()), last: Last::default(), kept: None }
    }

    /// Removes what this has on this machine, though others may still have a clone.
    pub(super) fn close(&self) {
        if let Some(kept) = &self.kept {
            kept.place().remove();
        }
    }

    /// What went wrong on the way of an answer that did not come. ssh says so a moment later.
    pub(super) async fn trouble_soon(&self) -> Option<String> {
        if let Some(Kept::Forward(_)) = self.kept.as_deref() {
            let begun = Instant::now();
            while self.trouble().is_none() && begun.elapsed() < MOMENT {
                tokio::time::sleep(MOMENT / 20).await;
            }
        }
        self.trouble()
    }

    /// What went wrong on the way just now.
    pub(super) fn trouble(&self) -> Option<String> {
        self.last.lately()
    }
}

impl Kept {
    fn place(&self) -> &Place {
        match self {
            Self::Carrier(carrier) => &carrier.place,
            Self::Forward(forward) => &forward.place,
        }
    }
}

/// What went wrong last, and when.
#[derive(Clone, Default)]
struct Last(Arc<Mutex<Option<(Instant, String)>>>);

impl Last {
    fn note(&self, what: String) {
        tracing::debug!(%what, "on the way to the engine");
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), what));
    }

    fn lately(&self) -> Option<String> {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| at.elapsed() < LATELY).map(|(_, what)| what.clone())
    }
}

impl fmt::Debug for Last {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Last").field(&self.lately()).finish()
    }
}

/// The folder of the docker client's configuration.
pub(super) fn configuration(variables: Variables<'_>) -> Option<PathBuf> {
    variables("DOCKER_CONFIG").map(PathBuf::from).or_else(|| Some(PathBuf::from(variables("HOME")?).join(".docker")))
}
