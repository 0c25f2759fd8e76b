//! Why there is no way to an engine.

use std::io;
use std::path::PathBuf;

/// Why there is no way to an engine.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TransportError {
    #[error("`{0}` has no scheme")]
    NoScheme(String),
    #[error("addresses with `{scheme}://` are not supported")]
    Scheme { scheme: String },
    #[error("`{address}` is not an engine's address: {why}")]
    Address { address: String, why: String },
    #[error("there is no docker context `{name}`: {}: {source}", path.display())]
    NoContext { name: String, path: PathBuf, source: io::Error },
    #[error("the docker context `{name}` cannot be used: {why} ({})", path.display())]
    Context { name: String, path: PathBuf, why: String },
    #[error("no home folder: HOME and DOCKER_CONFIG are not set")]
    NoHome,
    #[error("config.json of the docker client is not valid: {0}")]
    Configuration(serde_json::Error),
    #[error("TLS: cannot read the {role} {}: {why}", path.display())]
    TlsFile {
        /// What the file is for.
        role: &'static str,
        path: PathBuf,
        why: String,
    },
    #[error("TLS: {0}")]
    Tls(String),
    #[error("the program `ssh` was not found")]
    NoSsh,
    #[error("ssh to {host}: {why}")]
    Ssh { host: String, why: String },
    #[error("{} is not where this program left it", .0.display())]
    NotOurs(PathBuf),
    #[error("cannot make a socket for the engine at {}: {source}", path.display())]
    Place { path: PathBuf, source: io::Error },
}

impl TransportError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::NoScheme(_) | Self::Scheme { .. } => {
                "an engine's address is unix:///PATH, tcp://HOST:PORT or ssh://USER@HOST"
            }
            Self::NoContext { .. } => "`docker context ls` lists the contexts; DOCKER_CONFIG says where they are",
            Self::Context { .. } => "`docker context inspect` shows it; make it anew, or use another context",
            Self::NoHome => "set HOME",
            Self::TlsFile { .. } => {
                "the folder has ca.pem, cert.pem and key.pem: DOCKER_CERT_PATH names it, without it ~/.docker is used"
            }
            Self::NoSsh => "install the OpenSSH client",
            Self::Ssh { why, .. } => return ssh_hint(why),
            Self::Place { .. } => "set TMPDIR to a folder with a short path that you can write to",
            Self::Address { .. } | Self::Configuration(_) | Self::Tls(_) | Self::NotOurs(_) => return None,
        })
    }
}

/// What to do, by what ssh says.
pub(in crate::engine) fn ssh_hint(why: &str) -> Option<&'static str> {
    const HINTS: [(&str, &str); 5] = [
        (
            "Host key verification failed",
            "connect once by hand with `ssh` and check the host's key; nothing is asked here",
        ),
        (
            "Permission denied",
            "it must work without a password: load the key into ssh-agent, or name it in ~/.ssh/config",
        ),
        (
            "administratively prohibited",
            "the server must forward sockets: AllowStreamLocalForwarding in its sshd_config",
        ),
        (
            "open failed",
            "name the engine's socket in the address: ssh://USER@HOST/PATH; the user must be able to open it",
        ),
        ("Could not resolve hostname", "check the name of the host, also in ~/.ssh/config"),
    ];
    HINTS.iter().find(|(said, _)| why.contains(said)).map(|(_, hint)| *hint)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_ssh_says_has_a_hint() {
        let hint = |why: &str| TransportError::Ssh { host: "h".to_owned(), why: why.to_owned() }.hint();
        assert!(hint("Host key verification failed.").unwrap().contains("by hand"));
        assert!(hint("me@h: Permission denied (publickey).").unwrap().contains("ssh-agent"));
        assert!(hint("channel 2: open failed: connect failed: No such file").unwrap().contains("socket"));
        assert!(
            hint("channel 2: open failed: administratively prohibited: open failed").unwrap().contains("sshd_config")
        );
        assert_eq!(hint("Connection refused"), None);
    }
}
