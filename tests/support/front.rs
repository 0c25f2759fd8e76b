//! Listeners in front of an engine's socket: plain TCP, and TLS that wants a client certificate.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair};
use tempfile::TempDir;
use tokio::io::copy_bidirectional;
use tokio::net::UnixStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto::aws_lc_rs;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// A listener on loopback, until it is dropped.
pub(crate) struct Front {
    address: SocketAddr,
    carried: Arc<AtomicUsize>,
    _runtime: tokio::runtime::Runtime,
}

impl Front {
    /// Plain TCP.
    pub(crate) fn plain(docker_host: &str) -> Self {
        Self::start(docker_host, None)
    }

    /// TLS, with what this authority has signed.
    pub(crate) fn tls(docker_host: &str, authority: &Authority) -> Self {
        Self::start(docker_host, Some(TlsAcceptor::from(Arc::new(authority.server()))))
    }

    fn start(docker_host: &str, tls: Option<TlsAcceptor>) -> Self {
        let socket = PathBuf::from(docker_host.strip_prefix("unix://").expect("a socket"));
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        listener.set_nonblocking(true).expect("a listener");
        let address = listener.local_addr().expect("an address");
        let carried = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&carried);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        runtime.spawn(async move {
            let listener = tokio::net::TcpListener::from_std(listener).expect("a listener");
            loop {
                let Ok((mut client, _)) = listener.accept().await else { continue };
                let (socket, tls, count) = (socket.clone(), tls.clone(), Arc::clone(&count));
                tokio::spawn(async move {
                    let mut engine = UnixStream::connect(socket).await?;
                    match tls {
                        None => {
                            count.fetch_add(1, Ordering::SeqCst);
                            copy_bidirectional(&mut client, &mut engine).await
                        }
                        Some(tls) => {
                            let mut client = tls.accept(client).await?;
                            count.fetch_add(1, Ordering::SeqCst);
                            copy_bidirectional(&mut client, &mut engine).await
                        }
                    }
                });
            }
        });
        Self { address, carried, _runtime: runtime }
    }

    /// Its address, in the form of `DOCKER_HOST`.
    pub(crate) fn docker_host(&self) -> String {
        format!("tcp://{}", self.address)
    }

    /// How many connections it has carried to the engine.
    pub(crate) fn carried(&self) -> usize {
        self.carried.load(Ordering::SeqCst)
    }
}

/// Who signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("no names");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("a certificate"))
    }

    /// A certificate and its key.
    fn sign(&self, name: &str, purpose: ExtendedKeyUsagePurpose) -> (rcgen::Certificate, KeyPair) {
        let mut params = CertificateParams::new(vec![name.to_owned()]).expect("a name");
        params.extended_key_usages = vec![purpose];
        let key = KeyPair::generate().expect("a key");
        (params.signed_by(&key, &self.0).expect("a certificate"), key)
    }

    fn server(&self) -> ServerConfig {
        let (certificate, key) = self.sign("127.0.0.1", ExtendedKeyUsagePurpose::ServerAuth);
        let mut clients = RootCertStore::empty();
        clients.add(self.0.der().clone()).expect("a certificate");
        let provider = Arc::new(aws_lc_rs::default_provider());
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(clients), Arc::clone(&provider));
        let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).expect("a key");
        ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_client_cert_verifier(verifier.build().expect("a verifier"))
            .with_single_cert(vec![certificate.der().clone()], key)
            .expect("a configuration")
    }

    /// The files of a client in this folder: who is trusted, and what this authority has signed for the client.
    pub(crate) fn write_client(&self, trusted: &Self, folder: &Path) {
        std::fs::create_dir_all(folder).expect("a folder");
        let (certificate, key) = self.sign("client", ExtendedKeyUsagePurpose::ClientAuth);
        std::fs::write(folder.join("ca.pem"), trusted.0.pem()).expect("a file");
        std::fs::write(folder.join("cert.pem"), certificate.pem()).expect("a file");
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).expect("a file");
    }

    /// A folder with the files of a client.
    pub(crate) fn client(&self) -> TempDir {
        let folder = TempDir::new().expect("a temporary folder");
        self.write_client(self, folder.path());
        folder
    }
}
