//! TLS to an engine: the certificates and the key of the docker client.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio_rustls::rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use tokio_rustls::rustls::crypto::{CryptoProvider, aws_lc_rs};
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use tokio_rustls::rustls::{ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};

use super::TransportError;

/// The settings of TLS: paths alone, what is in the files is read when a connection needs it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Tls {
    /// Who signs the certificates of engines. Without it, and beside it, those count whom this machine trusts.
    pub authority: Option<PathBuf>,
    /// The client's certificate and its key.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Whether the engine's certificate is verified.
    pub verified: bool,
}

impl Default for Tls {
    fn default() -> Self {
        Self { authority: None, client: None, verified: true }
    }
}

impl Tls {
    /// Those in a folder, as the docker client has them there: without a certificate of its own the client shows none; a missing
    /// authority is an error where the engine is verified.
    pub(super) fn of_folder(folder: &Path, verified: bool) -> Self {
        let client = (folder.join("cert.pem"), folder.join("key.pem"));
        let shows = client.0.exists() || client.1.exists();
        Self { authority: verified.then(|| folder.join("ca.pem")), client: shows.then_some(client), verified }
    }

    /// Reads the files.
    ///
    /// # Errors
    /// When one cannot be used.
    pub(super) fn config(&self) -> Result<ClientConfig, TransportError> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let tls = |error: Error| TransportError::Tls(error.to_string());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider));
        let builder = builder.with_safe_default_protocol_versions().map_err(tls)?;
        let builder = if self.verified {
            builder.with_root_certificates(self.roots()?)
        } else {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        };
        match &self.client {
            None => Ok(builder.with_no_client_auth()),
            Some((certificate, key)) => {
                let chain = certificates(certificate, "client certificate")?;
                let unreadable = |why: String| TransportError::TlsFile { role: "client key", path: key.clone(), why };
                // Neither message has anything of the file in it.
                let key = PrivateKeyDer::from_pem_file(key).map_err(|error| unreadable(told(&error)))?;
                builder.with_client_auth_cert(chain, key).map_err(tls)
            }
        }
    }

    fn roots(&self) -> Result<RootCertStore, TransportError> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        if let Some(path) = &self.authority {
            for certificate in certificates(path, "certificate of the authority")? {
                roots.add(certificate).map_err(|error| TransportError::TlsFile {
                    role: "certificate of the authority",
                    path: path.clone(),
                    why: error.to_string(),
                })?;
            }
        }
        Ok(roots)
    }
}

fn certificates(path: &Path, role: &'static str) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let unreadable = |why: String| TransportError::TlsFile { role, path: path.to_owned(), why };
    let found = CertificateDer::pem_file_iter(path).map_err(|error| unreadable(told(&error)))?;
    let found: Vec<_> = found.collect::<Result<_, _>>().map_err(|error| unreadable(told(&error)))?;
    if found.is_empty() { Err(unreadable("no certificate is in it".to_owned())) } else { Ok(found) }
}

/// What is wrong with a file, without anything of its contents.
fn told(error: &tokio_rustls::rustls::pki_types::pem::Error) -> String {
    use tokio_rustls::rustls::pki_types::pem::Error;
    match error {
        Error::Io(error) => error.to_string(),
        Error::NoItemsFound => "there is none in the file".to_owned(),
        _ => "the file is not valid PEM".to_owned(),
    }
}

/// Takes whatever certificate an engine shows, where the user said so; the connection itself is still signed by its key.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        tokio_rustls::rustls::crypto::verify_tls12_signature(message, certificate, signed, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &self.0.signature_verification_algorithms;
        tokio_rustls::rustls::crypto::verify_tls13_signature(message, certificate, signed, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_missing_or_broken_is_named_without_its_contents() {
        let folder = tempfile::tempdir().unwrap();
        let said = |tls: &Tls| tls.config().unwrap_err().to_string();
        let missing = said(&Tls::of_folder(folder.path(), true));
        assert!(missing.contains("ca.pem") && missing.contains("No such file"), "{missing}");
        std::fs::write(folder.path().join("ca.pem"), "Zq-secret").unwrap();
        let empty = said(&Tls::of_folder(folder.path(), true));
        assert!(empty.contains("no certificate") && !empty.contains("Zq"), "{empty}");
        // A certificate without its key is a mistake, and not a client that shows none.
        let client = rcgen::generate_simple_self_signed(vec!["me".to_owned()]).unwrap();
        std::fs::write(folder.path().join("cert.pem"), client.cert.pem()).unwrap();
        let keyless = said(&Tls::of_folder(folder.path(), false));
        assert!(keyless.contains("client key") && keyless.contains("key.pem"), "{keyless}");
        std::fs::write(folder.path().join("key.pem"), "-----BEGIN Zq-secret").unwrap();
        let broken = said(&Tls::of_folder(folder.path(), false));
        assert!(broken.contains("key.pem") && !broken.contains("Zq"), "{broken}");
        std::fs::write(folder.path().join("key.pem"), client.signing_key.serialize_pem()).unwrap();
        assert!(Tls::of_folder(folder.path(), false).config().is_ok());
    }
}
