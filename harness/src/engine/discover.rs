//! Looking for an engine: `--engine`, the variables, the docker client's context, the usual sockets, the private engine. Nothing is
//! started on the engine's side, and nothing changed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::private;
use super::transport::{Address, Contexts, DEFAULT, TransportError, ssh_hint};
use super::{Endpoint, Origin};
use crate::outcome::with_causes;

/// What was tried, and what is to be used.
#[derive(Debug, Default)]
pub(crate) struct Discovery {
    /// All that was tried, in order.
    pub tried: Vec<Tried>,
    /// The first that answered.
    pub chosen: Option<Endpoint>,
    /// What named an engine, if anything did: then no other is used.
    pub named: Option<&'static str>,
}

/// An address at which an engine was looked for.
#[derive(Debug, Clone)]
pub(crate) struct Tried {
    /// The address, or what would name it.
    pub what: String,
    /// Why there is none; `None` when one answered.
    pub why_not: Option<String>,
    /// What to do about it.
    pub hint: Option<&'static str>,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why_not {
            None => write!(f, "{}: answers", self.what),
            Some(why) => write!(f, "{}: {why}", self.what),
        }
    }
}

/// Looks for an engine. When the option or a variable names one nothing else is tried: whoever named an engine wants that one.
pub(crate) async fn discover(cache: &Path, option: Option<&str>) -> Discovery {
    let mut discovery = Discovery::default();
    if let Some(name) = option {
        let (address, origin) = named(name);
        discovery.look(format!("--engine {name}"), address, origin).await;
        return Discovery { named: Some("--engine"), ..discovery };
    }
    if let Some(host) = variable("DOCKER_HOST") {
        let address = Address::with_variables(&host, &variable);
        discovery.look(format!("DOCKER_HOST={host}"), address, Origin::Variable).await;
        return Discovery { named: Some("DOCKER_HOST"), ..discovery };
    }
    discovery.none("DOCKER_HOST", "not set");
    let context = variable("DOCKER_CONTEXT");
    if let Some(name) = context.as_deref().filter(|name| *name != DEFAULT) {
        discovery.look(format!("DOCKER_CONTEXT={name}"), of_context(name), Origin::Context(name.to_owned())).await;
        return Discovery { named: Some("DOCKER_CONTEXT"), ..discovery };
    }
    if let Some(host) = variable("CONTAINER_HOST") {
        let address = Address::of_podman(&host, &variable);
        discovery.look(format!("CONTAINER_HOST={host}"), address, Origin::Podman).await;
        return Discovery { named: Some("CONTAINER_HOST"), ..discovery };
    }
    discovery.none("CONTAINER_HOST", "not set");
    match Contexts::find(&variable).and_then(|contexts| contexts.current()) {
        Ok(Some(name)) if context.is_none() => {
            discovery.look(format!("docker context `{name}`"), of_context(&name), Origin::Context(name)).await;
        }
        Ok(_) | Err(TransportError::NoHome) => discovery.none("docker context", DEFAULT),
        Err(error) => discovery.failed("docker context".to_owned(), &error),
    }
    for socket in sockets() {
        if discovery.chosen.is_some() {
            return discovery;
        }
        let what = socket.display().to_string();
        if socket.exists() {
            discovery.look(what, Ok(Address::Socket(socket.clone())), Origin::Socket(socket)).await;
        } else {
            discovery.none(&what, "not found");
        }
    }
    if discovery.chosen.is_none() {
        let socket = private::socket(cache);
        if socket.exists() {
            discovery.look("private engine".to_owned(), Ok(Address::Socket(socket)), Origin::Private).await;
        } else {
            discovery.none("private engine", "not running");
        }
    }
    discovery
}

impl Discovery {
    /// Looks at an address, and notes what comes of it.
    async fn look(&mut self, mut what: String, address: Result<Address, TransportError>, origin: Origin) {
        let address = match address {
            Ok(address) => address,
            Err(error) => return self.failed(what, &error),
        };
        let (named, limit) = (address.to_string(), address.answer_limit());
        if !what.ends_with(&named) && !named.ends_with(&what) {
            what = format!("{what} ({named})");
        }
        let endpoint = match Endpoint::reach(address, origin, None).await {
            Ok(endpoint) => endpoint,
            Err(error) => return self.failed(what, &error),
        };
        let mut why_not = answers(endpoint.docker_host(), limit).await.err();
        let mut hint = None;
        if why_not.is_some()
            && let Some(trouble) = endpoint.way.trouble_soon().await
        {
            hint = ssh_hint(&trouble);
            why_not = Some(format!("does not answer: {trouble}"));
        }
        if why_not.is_none() && self.chosen.is_none() {
            self.chosen = Some(endpoint);
        }
        self.tried.push(Tried { what, why_not, hint });
    }

    fn failed(&mut self, what: String, error: &TransportError) {
        self.tried.push(Tried { what, why_not: Some(error.to_string()), hint: error.hint() });
    }

    fn none(&mut self, what: &str, why: &str) {
        self.tried.push(Tried { what: what.to_owned(), why_not: Some(why.to_owned()), hint: None });
    }
}

/// How long an engine of this machine may take to say that it is there.
pub(super) const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Asks an engine whether it is there.
pub(super) async fn answers(docker_host: &str, limit: Duration) -> Result<(), String> {
    let docker = super::client(docker_host).map_err(|error| error.to_string())?;
    match tokio::time::timeout(limit, docker.ping()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("does not answer: {}", with_causes(&error))),
        Err(_) => Err(format!("does not answer within {} s", limit.as_secs())),
    }
}

/// A variable of the environment that is set to something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// What the option names: an address, a socket's path, or a docker context.
fn named(name: &str) -> (Result<Address, TransportError>, Origin) {
    if name.contains("://") {
        return (Address::with_variables(name, &variable), Origin::Option);
    }
    if name.contains('/') {
        let path = std::path::absolute(name).unwrap_or_else(|_| PathBuf::from(name));
        return (Ok(Address::Socket(path)), Origin::Option);
    }
    (of_context(name), Origin::Context(name.to_owned()))
}

fn of_context(name: &str) -> Result<Address, TransportError> {
    if name == DEFAULT {
        return Ok(Address::Socket(PathBuf::from(USUAL)));
    }
    Contexts::find(&variable)?.address(name)
}

fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// The socket that the docker client uses when nothing else is said.
const USUAL: &str = "/var/run/docker.sock";

/// The usual sockets of Docker and Podman.
fn sockets() -> Vec<PathBuf> {
    let mut sockets = vec![PathBuf::from(USUAL)];
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    sockets.extend(runtime.iter().map(|folder| folder.join("docker.sock")));
    sockets.extend(
        home().iter().flat_map(|home| [home.join(".docker/run/docker.sock"), home.join(".docker/desktop/docker.sock")]),
    );
    sockets.push(PathBuf::from("/run/podman/podman.sock"));
    sockets.extend(runtime.iter().map(|folder| folder.join("podman/podman.sock")));
    sockets
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_engine_that_is_not_there_does_not_answer() {
        let folder = tempfile::tempdir().unwrap();
        let host = format!("unix://{}", folder.path().join("none.sock").display());
        assert!(answers(&host, ANSWER_LIMIT).await.is_err());
    }

    #[test]
    fn the_option_names_an_address_a_path_or_a_context() {
        assert_eq!(named("unix:///s.sock").0.unwrap().to_string(), "unix:///s.sock");
        assert_eq!(named("/s.sock").0.unwrap().to_string(), "unix:///s.sock");
        assert!(named("./s.sock").0.unwrap().to_string().starts_with("unix:///"));
        assert_eq!(named("default").0.unwrap().to_string(), "unix:///var/run/docker.sock");
        assert!(matches!(named("npipe:////x").0, Err(TransportError::Scheme { .. })));
    }

    #[tokio::test]
    async fn a_named_engine_that_fails_is_followed_by_no_other() {
        let cache = tempfile::tempdir().unwrap();
        let discovery = discover(cache.path(), Some("tcp://127.0.0.1:1")).await;
        assert!(discovery.chosen.is_none() && discovery.named == Some("--engine"));
        let [tried] = discovery.tried.as_slice() else { unreachable!("{discovery:?}") };
        assert_eq!(tried.what, "--engine tcp://127.0.0.1:1");
        assert!(tried.why_not.as_deref().unwrap().contains("refused"), "{tried}");
    }
}
