//! Reading what an engine says of a build, beside whoever waits for it.

use std::io;
use std::thread;

use bollard::Docker;
use bollard::errors::Error;
use bollard::query_parameters::BuildImageOptions;
use bytes::Bytes;
use futures_util::StreamExt;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio_util::sync::CancellationToken;

use super::dialogue::{Dialogue, Said};
use crate::engine::{Engine, EngineError, client};
use crate::host::journal::Journal;

/// A build that is being made.
pub(super) struct Reader {
    pub(super) said: Receiver<Result<Said, Error>>,
    given_up: CancellationToken,
}

impl Reader {
    /// Gives the build up: without a reader the engine ends it.
    pub(super) fn give_up(&self) {
        self.given_up.cancel();
    }
}

impl Engine {
    /// Asks for a build. Where nobody waits for it any more, its log is read on until the engine has ended it, unless it was given up: a
    /// sweep waits for that.
    ///
    /// # Errors
    /// When it cannot be written down, or not be read.
    pub(super) fn begin<D: Dialogue>(
        &self,
        options: BuildImageOptions,
        context: Vec<u8>,
    ) -> Result<Reader, EngineError> {
        let (sender, said) = mpsc::channel(64);
        let given_up = CancellationToken::new();
        let (pending, journal, stop) = (self.pending.begin(), self.journal()?.clone(), given_up.clone());
        journal.build_begins();
        // A session needs a client of its own: see below.
        let docker = if D::HAS_SESSION { Err(self.docker_host.clone()) } else { Ok(self.docker.clone()) };
        let reading = async move {
            let _pending = pending;
            tokio::select! {
                () = stop.cancelled() => {}
                () = read::<D>(docker, options, context, &sender, &journal) => journal.build_ends(),
            }
        };
        if !D::HAS_SESSION {
            tokio::spawn(reading);
            return Ok(Reader { said, given_up });
        }
        // The client's library serves a session for as long as its runtime lives (bollard 0.21.1), and the engine asks it every second
        // whether it still does: so a session has a runtime of its own.
        let failed = |error: io::Error| EngineError::Unexpected {
            operation: "building an image".to_owned(),
            what: format!("nothing can read what the builder says: {error}"),
        };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let read = move || runtime.block_on(reading);
        thread::Builder::new().name("build".to_owned()).spawn(read).map_err(failed)?;
        Ok(Reader { said, given_up })
    }
}

/// Reads to the end, by a client or by a new one of the engine at an address.
async fn read<D: Dialogue>(
    docker: Result<Docker, String>,
    options: BuildImageOptions,
    context: Vec<u8>,
    sender: &Sender<Result<Said, Error>>,
    journal: &Journal,
) {
    let docker = match docker {
        Ok(docker) => Ok(docker),
        Err(host) => match client(&host) {
            Ok(docker) => docker.negotiate_version().await,
            Err(error) => Err(error),
        },
    };
    let docker = match docker {
        Ok(docker) => docker,
        Err(error) => return drop(sender.send(Err(error)).await),
    };
    let mut dialogue = D::default();
    let body = bollard::body_full(Bytes::from(context));
    let mut stream = std::pin::pin!(docker.build_image(options, None, Some(body)));
    while let Some(message) = stream.next().await {
        let said = message.map(|message| dialogue.hear(message));
        said.iter().flat_map(|said| &said.made).for_each(|id| journal.image(id));
        drop(sender.send(said).await);
    }
}
