//! Looking for an engine: `DOCKER_HOST`, the docker client's context, the usual sockets, the private engine. Nothing is
//! started and nothing changed.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::private;
use super::{Endpoint, Origin};
use crate::outcome::with_causes;

/// How long an engine may take to say that it is there.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// What was tried, and what is to be used.
#[derive(Debug, Clone)]
pub(crate) struct Discovery {
    /// All that was tried, in order.
    pub tried: Vec<Tried>,
    /// The first that answered.
    pub chosen: Option<Endpoint>,
}

/// An address at which an engine was looked for.
#[derive(Debug, Clone)]
pub(crate) struct Tried {
    /// The address, or what would name it.
    pub what: String,
    /// Why there is none; `None` when one answered.
    pub why_not: Option<String>,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.why_not {
            None => write!(f, "{}: answers", self.what),
            Some(why) => write!(f, "{}: {why}", self.what),
        }
    }
}

/// Looks for an engine. When `DOCKER_HOST` is set nothing else is tried: whoever named an engine wants that one.
pub(crate) async fn discover(cache: &Path) -> Discovery {
    let mut discovery = Discovery { tried: Vec::new(), chosen: None };
    if let Some(host) = std::env::var("DOCKER_HOST").ok().filter(|host| !host.is_empty()) {
        discovery.look(format!("DOCKER_HOST={host}"), host, Origin::Variable).await;
        return discovery;
    }
    discovery.tried.push(Tried { what: "DOCKER_HOST".to_owned(), why_not: Some("not set".to_owned()) });
    match context() {
        Ok(Some((name, host))) => {
            discovery.look(format!("docker context `{name}` ({host})"), host, Origin::Context(name)).await;
        }
        Ok(None) => {
            let why_not = Some("default".to_owned());
            discovery.tried.push(Tried { what: "docker context".to_owned(), why_not });
        }
        Err(why) => discovery.tried.push(Tried { what: "docker context".to_owned(), why_not: Some(why) }),
    }
    for socket in sockets() {
        if discovery.chosen.is_some() {
            return discovery;
        }
        let what = socket.display().to_string();
        if socket.exists() {
            let host = format!("unix://{what}");
            discovery.look(what, host, Origin::Socket(socket)).await;
        } else {
            discovery.tried.push(Tried { what, why_not: Some("not found".to_owned()) });
        }
    }
    if discovery.chosen.is_none() {
        let socket = private::socket(cache);
        if socket.exists() {
            let host = format!("unix://{}", socket.display());
            discovery.look("private engine".to_owned(), host, Origin::Private).await;
        } else {
            let why_not = Some("not running".to_owned());
            discovery.tried.push(Tried { what: "private engine".to_owned(), why_not });
        }
    }
    discovery
}

impl Discovery {
    async fn look(&mut self, what: String, docker_host: String, origin: Origin) {
        let why_not = answers(&docker_host).await.err();
        if why_not.is_none() && self.chosen.is_none() {
            self.chosen = Some(Endpoint { docker_host, origin });
        }
        self.tried.push(Tried { what, why_not });
    }
}

/// Asks an engine whether it is there.
pub(super) async fn answers(docker_host: &str) -> Result<(), String> {
    let docker = super::client(docker_host).map_err(|error| error.to_string())?;
    match tokio::time::timeout(ANSWER_LIMIT, docker.ping()).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(format!("does not answer: {}", with_causes(&error))),
        Err(_) => Err(format!("does not answer within {} s", ANSWER_LIMIT.as_secs())),
    }
}

fn home() -> Option<PathBuf> {
    std::env::var_os("HOME").filter(|home| !home.is_empty()).map(PathBuf::from)
}

/// The usual sockets of Docker and Podman.
fn sockets() -> Vec<PathBuf> {
    let mut sockets = vec![PathBuf::from("/var/run/docker.sock")];
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    sockets.extend(runtime.iter().map(|folder| folder.join("docker.sock")));
    sockets.extend(
        home().iter().flat_map(|home| [home.join(".docker/run/docker.sock"), home.join(".docker/desktop/docker.sock")]),
    );
    sockets.push(PathBuf::from("/run/podman/podman.sock"));
    sockets.extend(runtime.iter().map(|folder| folder.join("podman/podman.sock")));
    sockets
}

/// The docker client's current context and its host; `None` for the default one.
fn context() -> Result<Option<(String, String)>, String> {
    let folder = match std::env::var_os("DOCKER_CONFIG") {
        Some(folder) => PathBuf::from(folder),
        None => match home() {
            Some(home) => home.join(".docker"),
            None => return Ok(None),
        },
    };
    let name = match std::env::var("DOCKER_CONTEXT").ok().filter(|name| !name.is_empty()) {
        Some(name) => Some(name),
        None => match std::fs::read(folder.join("config.json")) {
            Ok(text) => current_context(&text)?,
            Err(_) => None,
        },
    };
    let Some(name) = name.filter(|name| name != "default") else { return Ok(None) };
    let digest = hex::encode(Sha256::digest(&name));
    let path = folder.join("contexts/meta").join(digest).join("meta.json");
    let text = std::fs::read(&path)
        .map_err(|error| format!("cannot read the current context `{name}`: {}: {error}", path.display()))?;
    let host =
        context_host(&text).ok_or_else(|| format!("the current context `{name}` has no host in {}", path.display()))?;
    Ok(Some((name, host)))
}

fn current_context(config: &[u8]) -> Result<Option<String>, String> {
    let config: serde_json::Value =
        serde_json::from_slice(config).map_err(|error| format!("config.json is not valid: {error}"))?;
    Ok(config["currentContext"].as_str().filter(|name| !name.is_empty()).map(str::to_owned))
}

fn context_host(meta: &[u8]) -> Option<String> {
    let meta: serde_json::Value = serde_json::from_slice(meta).ok()?;
    meta["Endpoints"]["docker"]["Host"].as_str().map(str::to_owned)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_current_context_is_read() {
        assert_eq!(current_context(br#"{"currentContext":"remote"}"#).unwrap().as_deref(), Some("remote"));
        assert_eq!(current_context(br"{}").unwrap(), None);
        assert!(current_context(b"{").is_err());
    }

    #[test]
    fn the_contexts_host_is_read() {
        let meta = br#"{"Name":"remote","Endpoints":{"docker":{"Host":"unix:///x.sock","SkipTLSVerify":false}}}"#;
        assert_eq!(context_host(meta).as_deref(), Some("unix:///x.sock"));
        assert_eq!(context_host(b"{}"), None);
    }

    #[tokio::test]
    async fn an_engine_that_is_not_there_does_not_answer() {
        let folder = tempfile::tempdir().unwrap();
        let host = format!("unix://{}", folder.path().join("none.sock").display());
        assert!(answers(&host).await.is_err());
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_configuration_of_the_engines_client_can_be_read(bytes in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..60)) {
            drop(current_context(&bytes));
            context_host(&bytes);
        }
    }
}
