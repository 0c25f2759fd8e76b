//! The docker client's contexts: names for engines, with their certificates.

use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::address::Variables;
use super::tls::Tls;
use super::{Address, TransportError, configuration};

/// The context that is none: the variables, or the usual socket.
pub(in crate::engine) const DEFAULT: &str = "default";

/// The contexts of a user.
pub(in crate::engine) struct Contexts(PathBuf);

impl Contexts {
    /// Those of the docker client's folder.
    ///
    /// # Errors
    /// When the environment names none.
    pub(in crate::engine) fn find(variables: Variables<'_>) -> Result<Self, TransportError> {
        configuration(variables).map(Self).ok_or(TransportError::NoHome)
    }

    /// The one in use, unless it is the default one.
    ///
    /// # Errors
    /// When the configuration cannot be read as such.
    pub(in crate::engine) fn current(&self) -> Result<Option<String>, TransportError> {
        match std::fs::read(self.0.join("config.json")) {
            Ok(text) => Ok(current(&text)?.filter(|name| name != DEFAULT)),
            Err(_) => Ok(None),
        }
    }

    /// Where the engine of a context is.
    ///
    /// # Errors
    /// When there is no such context, or it has no address that can be used.
    pub(in crate::engine) fn address(&self, name: &str) -> Result<Address, TransportError> {
        let id = hex::encode(Sha256::digest(name));
        let path = self.0.join("contexts/meta").join(&id).join("meta.json");
        let text = std::fs::read(&path).map_err(|source| TransportError::NoContext {
            name: name.to_owned(),
            path: path.clone(),
            source,
        })?;
        let unusable = |why: String| TransportError::Context { name: name.to_owned(), path: path.clone(), why };
        let Described { host, verified } = described(&text).map_err(unusable)?;
        let tls = tls(&self.0.join("contexts/tls").join(&id).join("docker"), verified).map_err(unusable)?;
        Address::parse(&host, tls).map_err(|error| unusable(error.to_string()))
    }
}

/// The settings of TLS of a context: as the docker client does, without files there is none, unless a certificate is not to be verified.
fn tls(folder: &Path, verified: bool) -> Result<Option<Tls>, String> {
    let has = |name: &str| Some(folder.join(name)).filter(|path| path.exists());
    let client = match (has("cert.pem"), has("key.pem")) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        (Some(_), None) => return Err(format!("{} has a certificate without a key", folder.display())),
        (None, Some(_)) => return Err(format!("{} has a key without a certificate", folder.display())),
    };
    let authority = has("ca.pem");
    let given = authority.is_some() || client.is_some() || !verified;
    Ok(given.then_some(Tls { authority, client, verified }))
}

fn current(configuration: &[u8]) -> Result<Option<String>, TransportError> {
    let configuration: serde_json::Value =
        serde_json::from_slice(configuration).map_err(TransportError::Configuration)?;
    Ok(configuration["currentContext"].as_str().filter(|name| !name.is_empty()).map(str::to_owned))
}

/// What a context says of its engine.
struct Described {
    host: String,
    verified: bool,
}

fn described(text: &[u8]) -> Result<Described, String> {
    let context: serde_json::Value = serde_json::from_slice(text).map_err(|error| format!("not valid: {error}"))?;
    let engine = &context["Endpoints"]["docker"];
    let host = engine["Host"].as_str().filter(|host| !host.is_empty()).ok_or("it has no engine")?;
    Ok(Described { host: host.to_owned(), verified: !engine["SkipTLSVerify"].as_bool().unwrap_or(false) })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::address::Tcp;
    use super::*;

    /// A docker client's folder with one context.
    fn with(name: &str, meta: &str, files: &[&str]) -> (tempfile::TempDir, Contexts) {
        let folder = tempfile::tempdir().unwrap();
        let id = hex::encode(Sha256::digest(name));
        let (of_meta, of_tls) = (format!("contexts/meta/{id}"), format!("contexts/tls/{id}/docker"));
        std::fs::create_dir_all(folder.path().join(&of_meta)).unwrap();
        std::fs::write(folder.path().join(of_meta).join("meta.json"), meta).unwrap();
        std::fs::create_dir_all(folder.path().join(&of_tls)).unwrap();
        for file in files {
            std::fs::write(folder.path().join(&of_tls).join(file), "").unwrap();
        }
        let contexts = Contexts(folder.path().to_owned());
        (folder, contexts)
    }

    fn meta(host: &str, skip: bool) -> String {
        format!(r#"{{"Name":"r","Endpoints":{{"docker":{{"Host":"{host}","SkipTLSVerify":{skip}}}}}}}"#)
    }

    fn said(host: &str, skip: bool, files: &[&str]) -> String {
        match with("r", &meta(host, skip), files).1.address("r") {
            Ok(address) => address.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_context_has_an_address_and_its_certificates() {
        assert_eq!(said("unix:///x.sock", false, &[]), "unix:///x.sock");
        assert_eq!(said("ssh://me@h", false, &[]), "ssh://me@h");
        assert_eq!(said("tcp://h:1", false, &[]), "tcp://h:1");
        assert_eq!(said("tcp://h", false, &["ca.pem"]), "tcp://h:2376 by TLS");
        assert_eq!(said("tcp://h", true, &[]), "tcp://h:2376 by TLS, its certificate not verified");
        let (_folder, contexts) = with("r", &meta("tcp://h", false), &["ca.pem", "cert.pem", "key.pem"]);
        let Address::Tcp(Tcp { tls: Some(tls), .. }) = contexts.address("r").unwrap() else { unreachable!() };
        assert!(tls.authority.unwrap().ends_with("docker/ca.pem") && tls.client.unwrap().1.ends_with("docker/key.pem"));
    }

    #[test]
    fn a_context_that_cannot_be_used_says_why() {
        assert!(said("tcp://h", false, &["cert.pem"]).contains("without a key"));
        assert!(said("", false, &[]).contains("no engine"));
        assert!(said("npipe:////./x", false, &[]).contains("npipe"));
        let (_folder, contexts) = with("r", "{", &[]);
        assert!(contexts.address("r").unwrap_err().to_string().contains("not valid"));
        assert!(contexts.address("s").unwrap_err().to_string().contains("no docker context `s`"));
    }

    #[test]
    fn the_current_context_is_read() {
        assert_eq!(current(br#"{"currentContext":"remote"}"#).unwrap().as_deref(), Some("remote"));
        assert_eq!(current(br"{}").unwrap(), None);
        assert!(current(b"{").is_err());
        let (folder, contexts) = with("r", "{}", &[]);
        assert_eq!(contexts.current().unwrap(), None);
        std::fs::write(folder.path().join("config.json"), r#"{"currentContext":"default"}"#).unwrap();
        assert_eq!(contexts.current().unwrap(), None);
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_configuration_can_be_read(bytes in proptest::collection::vec(proptest::arbitrary::any::<u8>(), 0..60)) {
            drop(current(&bytes));
            drop(described(&bytes));
        }
    }
}
