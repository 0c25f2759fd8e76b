//! Where an engine is: what `DOCKER_HOST`, a docker context, `CONTAINER_HOST` and `--engine` name.

use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use url::Url;

use super::ssh::Ssh;
use super::tls::Tls;
use super::{TransportError, configuration};

/// Variables of the environment that are set to something.
pub(crate) type Variables<'a> = &'a (dyn Fn(&str) -> Option<String> + Sync);

/// The port of an engine by plain TCP, and by TLS.
const PORTS: (u16, u16) = (2375, 2376);

/// Where an engine is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Address {
    /// A socket of this machine.
    Socket(PathBuf),
    Tcp(Tcp),
    Ssh(Ssh),
}

/// An engine by TCP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tcp {
    pub host: String,
    pub port: u16,
    /// None where it is plain.
    pub tls: Option<Tls>,
}

impl Address {
    /// Reads an address. `tls` are the settings for an address by TCP.
    ///
    /// # Errors
    /// When it is none, or none that can be used.
    pub(crate) fn parse(text: &str, tls: Option<Tls>) -> Result<Self, TransportError> {
        let invalid = |why: &str| TransportError::Address { address: text.to_owned(), why: why.to_owned() };
        let (scheme, rest) = text.split_once("://").ok_or_else(|| TransportError::NoScheme(text.to_owned()))?;
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Socket(PathBuf::from(rest))),
            "unix" => Err(invalid("a socket is named by its whole path: unix:///PATH")),
            "tcp" | "http" | "https" => {
                let url = Url::parse(&format!("tcp://{rest}")).map_err(|error| invalid(&error.to_string()))?;
                if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
                    return Err(invalid("nothing may stand behind its port"));
                }
                if !url.username().is_empty() || url.password().is_some() {
                    return Err(invalid("an engine by TCP has no users: use TLS with a client certificate"));
                }
                let host = host(&url).ok_or_else(|| invalid("it names no host"))?;
                let tls = match scheme {
                    "https" => Some(tls.unwrap_or_default()),
                    _ => tls,
                };
                let port = url.port().unwrap_or(if tls.is_some() { PORTS.1 } else { PORTS.0 });
                Ok(Self::Tcp(Tcp { host, port, tls }))
            }
            "ssh" => {
                let url = Url::parse(text).map_err(|error| invalid(&error.to_string()))?;
                let host = host(&url).ok_or_else(|| invalid("it names no host"))?;
                Ssh::of(&url, host).map(Self::Ssh).map_err(invalid)
            }
            _ => Err(TransportError::Scheme { scheme: scheme.to_owned() }),
        }
    }

    /// Reads an address of the environment or the command line, with the docker client's settings of TLS.
    ///
    /// # Errors
    /// When it is none, or none that can be used.
    pub(in crate::engine) fn with_variables(text: &str, variables: Variables<'_>) -> Result<Self, TransportError> {
        let verified = variables("DOCKER_TLS_VERIFY").is_some();
        let tls = (verified || variables("DOCKER_TLS").is_some() || text.starts_with("https://")).then(|| {
            let folder = variables("DOCKER_CERT_PATH").map(PathBuf::from).or_else(|| configuration(variables));
            // Without the variable a https address is verified, too.
            Tls::of_folder(&folder.unwrap_or_default(), verified || variables("DOCKER_TLS").is_none())
        });
        Self::parse(text, tls)
    }

    /// Reads podman's `CONTAINER_HOST`, with its `CONTAINER_SSHKEY`.
    ///
    /// # Errors
    /// When it is none, or none that can be used.
    pub(in crate::engine) fn of_podman(text: &str, variables: Variables<'_>) -> Result<Self, TransportError> {
        let mut address = Self::parse(text, None)?;
        if let Self::Ssh(ssh) = &mut address {
            if ssh.socket.is_none() {
                let why = "it names no socket: ssh://USER@HOST/run/podman/podman.sock, or as `podman system connection list` shows";
                return Err(TransportError::Address { address: text.to_owned(), why: why.to_owned() });
            }
            ssh.key = variables("CONTAINER_SSHKEY").map(PathBuf::from);
        }
        Ok(address)
    }

    /// Whether it may be on another machine, whose folders and disks are not this one's.
    pub(crate) fn may_be_elsewhere(&self) -> bool {
        match self {
            Self::Socket(_) => false,
            Self::Tcp(Tcp { host, .. }) => {
                host != "localhost" && !host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
            }
            Self::Ssh(_) => true,
        }
    }

    /// How long an engine there may take to say that it is there.
    pub(in crate::engine) fn answer_limit(&self) -> std::time::Duration {
        match self {
            Self::Socket(_) => std::time::Duration::from_secs(5),
            Self::Tcp(_) | Self::Ssh(_) => super::CONNECT_LIMIT + std::time::Duration::from_secs(5),
        }
    }
}

/// The host of a URL, without the brackets of IPv6.
fn host(url: &Url) -> Option<String> {
    let host = url.host_str()?.trim_start_matches('[').trim_end_matches(']');
    // What begins so would be an option of a program.
    (!host.is_empty() && !host.starts_with('-')).then(|| host.to_owned())
}

/// A host as it stands before a port.
pub(super) fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "unix://{}", path.display()),
            Self::Tcp(Tcp { host, port, tls }) => {
                write!(f, "tcp://{}:{port}", bracketed(host))?;
                match tls {
                    None => Ok(()),
                    Some(Tls { verified: true, .. }) => f.write_str(" by TLS"),
                    Some(_) => f.write_str(" by TLS, its certificate not verified"),
                }
            }
            Self::Ssh(ssh) => ssh.fmt(f),
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn set<'a>(pairs: &'a [(&'a str, &'a str)]) -> impl Fn(&str) -> Option<String> + Sync + 'a {
        |name| pairs.iter().find(|(other, _)| *other == name).map(|(_, value)| (*value).to_owned())
    }

    fn read(text: &str, pairs: &[(&str, &str)]) -> String {
        match Address::with_variables(text, &set(pairs)) {
            Ok(address) => address.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn addresses_are_read_as_the_docker_client_reads_them() {
        let verify = [("DOCKER_TLS_VERIFY", "1"), ("HOME", "/h")];
        assert_eq!(read("unix:///var/run/docker.sock", &verify), "unix:///var/run/docker.sock");
        assert_eq!(read("tcp://h", &[]), "tcp://h:2375");
        assert_eq!(read("tcp://h/", &[]), "tcp://h:2375");
        assert_eq!(read("http://[::1]:1", &[]), "tcp://[::1]:1");
        assert_eq!(read("tcp://h", &verify), "tcp://h:2376 by TLS");
        assert_eq!(read("https://h:1", &[]), "tcp://h:1 by TLS");
        assert_eq!(read("tcp://h", &[("DOCKER_TLS", "1")]), "tcp://h:2376 by TLS, its certificate not verified");
        assert_eq!(read("ssh://me@my_host:22/run/docker.sock", &verify), "ssh://me@my_host:22/run/docker.sock");
        assert_eq!(read("ssh://host", &[]), "ssh://host");
    }

    #[test]
    fn what_is_no_address_is_refused_with_a_reason() {
        for (text, why) in [
            ("npipe:////./pipe/docker_engine", "npipe"),
            ("/var/run/docker.sock", "no scheme"),
            ("unix://docker.sock", "whole path"),
            ("tcp://", "host"),
            ("tcp://h:99999", "port"),
            ("tcp://h:1/v1", "behind its port"),
            ("tcp://me:secret@h:1", "no users"),
            ("ssh://me:secret@h", "password"),
            ("ssh://-oProxyCommand=x", "host"),
            ("ssh://h/a:b", "path"),
            ("ssh://h?x", "path"),
        ] {
            let said = read(text, &[]);
            assert!(said.contains(why), "{text}: {said}");
        }
    }

    #[test]
    fn certificates_are_where_the_docker_client_has_them() {
        let folder = |pairs: &[(&str, &str)]| match Address::with_variables("tcp://h", &set(pairs)).unwrap() {
            Address::Tcp(Tcp { tls: Some(tls), .. }) => tls.authority.unwrap().parent().unwrap().to_owned(),
            other => unreachable!("{other}"),
        };
        let home = ("HOME", "/h");
        assert_eq!(folder(&[("DOCKER_TLS_VERIFY", "1"), home]), PathBuf::from("/h/.docker"));
        let config = ("DOCKER_CONFIG", "/c");
        assert_eq!(folder(&[("DOCKER_TLS_VERIFY", "1"), home, config]), PathBuf::from("/c"));
        let path = ("DOCKER_CERT_PATH", "/certs");
        assert_eq!(folder(&[("DOCKER_TLS_VERIFY", "1"), home, config, path]), PathBuf::from("/certs"));
        // The path alone asks for no TLS, as with the docker client.
        let plain = Address::with_variables("tcp://h", &set(&[path])).unwrap();
        assert!(matches!(plain, Address::Tcp(Tcp { tls: None, .. })));
    }

    #[test]
    fn podmans_address_has_a_socket_and_a_key() {
        let key = [("CONTAINER_SSHKEY", "/k")];
        let address = Address::of_podman("ssh://me@h:2222/run/podman/podman.sock", &set(&key)).unwrap();
        assert!(matches!(&address, Address::Ssh(ssh) if ssh.key == Some(PathBuf::from("/k"))));
        assert!(Address::of_podman("ssh://me@h", &set(&key)).unwrap_err().to_string().contains("no socket"));
        assert!(matches!(Address::of_podman("unix:///run/p.sock", &set(&key)).unwrap(), Address::Socket(_)));
    }

    #[test]
    fn only_this_machines_engines_are_surely_here() {
        let elsewhere = |text| Address::parse(text, None).unwrap().may_be_elsewhere();
        assert!(elsewhere("ssh://localhost") && elsewhere("tcp://h:1") && elsewhere("tcp://10.0.0.1"));
        assert!(!elsewhere("unix:///s") && !elsewhere("tcp://localhost:1") && !elsewhere("tcp://127.0.0.2"));
        assert!(!elsewhere("tcp://[::1]:1"));
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_text_can_be_read(scheme in "(unix|tcp|https|ssh|)", rest in ".{0,40}") {
            drop(Address::parse(&format!("{scheme}://{rest}"), None));
        }
    }
}
