//! The fixture server: what is asked for decides who answers.

use std::fs::File;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{Method, Response, StatusCode};
use axum::serve::Listener;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::archive::{self, Flights, text};
use super::bounded::{Bounded, Client};
use super::content::Content;
use super::lock::Lock;
use super::log::{CONNECTION, Outcome, RequestLog};
use super::{Inner, Store, fetch, index, range, repositories};
use crate::outcome::with_causes;
use crate::relay::{Incoming, Peer, RelayStream};
use crate::suite::project_name::normalised;

/// How many requests are answered at once; the others wait.
const AT_ONCE: usize = 64;

/// A running fixture server.
pub(crate) struct Server {
    log: RequestLog,
    store: Store,
    host: SocketAddr,
    router: Router,
    cancel: CancellationToken,
    tasks: TaskTracker,
}

/// The connections that a relay carries, as a listener.
struct Carried {
    incoming: Incoming,
    log: RequestLog,
}

struct Shared {
    inner: Arc<Inner>,
    flights: Flights,
    log: RequestLog,
    archives: Vec<String>,
    turns: Semaphore,
}

impl Server {
    pub(super) async fn start(inner: Arc<Inner>) -> std::io::Result<Self> {
        Self::start_with(inner, Vec::new()).await
    }

    /// `archives` are further hosts that the proxy takes for archives; tests name their own.
    pub(super) async fn start_with(inner: Arc<Inner>, archives: Vec<String>) -> std::io::Result<Self> {
        let (log, store) = (RequestLog::default(), inner.store.clone());
        let shared = Arc::new(Shared {
            inner,
            flights: Flights::default(),
            log: log.clone(),
            archives,
            turns: Semaphore::new(AT_ONCE),
        });
        let router = Router::new().fallback(answer).with_state(shared);
        let own = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let host = own.local_addr()?;
        let server = Self { log, store, host, router, cancel: CancellationToken::new(), tasks: TaskTracker::new() };
        server.listen(own);
        Ok(server)
    }

    /// Serves what a relay carries, beside the programs of this host.
    pub(crate) fn carry(&self, incoming: Incoming) {
        self.listen(Carried { incoming, log: self.log() });
    }

    fn listen(&self, listener: impl Listener<Addr: Into<Peer> + Sync>) {
        let service = self.router.clone().into_make_service_with_connect_info::<Client>();
        let server = axum::serve(Bounded::new(listener, self.log.clone()), service)
            .with_graceful_shutdown(self.cancel.clone().cancelled_owned());
        self.tasks.spawn(async move {
            if let Err(error) = server.await {
                tracing::error!(%error, "the fixture server has ended");
            }
        });
    }

    pub(crate) fn log(&self) -> RequestLog {
        self.log.clone()
    }

    /// The files of the store that it has served, by their paths in the store's folder.
    pub(crate) fn used(&self) -> Vec<PathBuf> {
        self.store.used()
    }

    /// The address for programs of this host, as a URL.
    pub(crate) fn host_url(&self) -> String {
        format!("http://{}", self.host)
    }

    /// Stops listening. Connections that a killed client left open are not waited for.
    pub(crate) async fn stop(&self) {
        self.cancel.cancel();
        self.tasks.close();
        drop(tokio::time::timeout(std::time::Duration::from_secs(2), self.tasks.wait()).await);
    }
}

impl Listener for Carried {
    type Io = RelayStream;
    type Addr = Peer;

    async fn accept(&mut self) -> (RelayStream, Peer) {
        loop {
            match self.incoming.next().await {
                Some((Some(stream), peer)) => return (stream, peer),
                Some((None, peer)) => {
                    let why = "the relay has no room for more connections".to_owned();
                    self.log.of(Some(peer)).add(CONNECTION, Outcome::Fault(why));
                }
                // The relay is no more; the run has been told by whoever needs it.
                None => std::future::pending().await,
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Peer> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response<Body> {
    let (parts, _body) = request.into_parts();
    let client = parts.extensions.get::<ConnectInfo<Client>>().map(|ConnectInfo(Client(address))| *address);
    // It is never closed.
    let _turn = shared.turns.acquire().await;
    let log = &shared.log.of(client);
    if parts.uri.scheme().is_some() || parts.method == Method::CONNECT {
        let Shared { inner, flights, archives, .. } = &*shared;
        return archive::answer(inner, flights, log, &parts.method, &parts.uri, &parts.headers, archives).await;
    }
    let path = parts.uri.path();
    if parts.method != Method::GET && parts.method != Method::HEAD {
        let what = format!("{} {path}: the fixture server accepts GET and HEAD", parts.method);
        log.add(path, Outcome::Refused(what.clone()));
        return text(StatusCode::METHOD_NOT_ALLOWED, &what);
    }
    let Inner { lock, repositories: folder, .. } = &*shared.inner;
    if let Some(rest) = path.strip_prefix("/simple") {
        return simple(&shared.inner.lock, log, &parts.headers, rest.trim_matches('/'));
    }
    if let Some(rest) = path.strip_prefix("/packages/") {
        let (sha256, file) = rest.split_once('/').unwrap_or((rest, ""));
        let Some(package) = lock.packages.iter().find(|package| package.sha256 == sha256 && package.file == file)
        else {
            log.add(path, Outcome::Refused(format!("{path}: not in packages.lock")));
            return text(StatusCode::NOT_FOUND, "not in packages.lock");
        };
        let (found, outcome) = match shared.inner.read(sha256).await {
            Ok(Some(content)) => (Ok(content), Outcome::Served),
            // Gone since the run began, or damaged and taken out.
            other => {
                let why = other
                    .err()
                    .map_or_else(|| "it is not in the fixture store".to_owned(), |error| with_causes(&error));
                (fetch::again(&shared.inner, package, &why).await, Outcome::FromUpstream)
            }
        };
        return match found {
            Ok(content) => {
                log.add(file, outcome);
                range::answer(&parts.headers, content, "application/octet-stream")
            }
            Err(what) => {
                log.add(file, Outcome::Fault(format!("{file}: {what}")));
                text(StatusCode::INTERNAL_SERVER_ERROR, &what)
            }
        };
    }
    if path.starts_with("/git/") || path.starts_with("/hg/") {
        // Clients look for files that a repository need not have.
        let is_there = repositories::is_there(folder, path);
        log.add(path, if is_there { Outcome::Served } else { Outcome::NoRepository });
        let read = repositories::file(folder, path).and_then(|file| Content::of(File::open(file).ok()?).ok());
        return read.map_or_else(
            || text(StatusCode::NOT_FOUND, "no such file in a repository"),
            |content| range::answer(&parts.headers, content, "application/octet-stream"),
        );
    }
    log.add(path, Outcome::Refused(format!("{path}: the fixture server has nothing there")));
    text(StatusCode::NOT_FOUND, "the fixture server has nothing there")
}

fn simple(lock: &Lock, log: &RequestLog, headers: &axum::http::HeaderMap, name: &str) -> Response<Body> {
    let project = normalised(name);
    let (page, content_type) = if name.is_empty() {
        let mut names: Vec<&str> = lock.packages.iter().map(|package| package.project.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        log.add("/simple/", Outcome::Served);
        index::projects(headers, &names)
    } else {
        let packages: Vec<_> = lock.of(&project).collect();
        if packages.is_empty() {
            log.add(project, Outcome::Absent);
            return text(StatusCode::NOT_FOUND, "packages.lock does not list this project");
        }
        log.add(project.as_str(), Outcome::Served);
        index::project(headers, &project, &packages)
    };
    range::answer(headers, page.into(), content_type)
}

#[cfg(test)]
mod large_tests;
#[cfg(test)]
mod tests;
