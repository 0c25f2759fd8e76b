//! Carries what comes to a socket of this machine to an engine by TCP or TLS.

use std::io;
use std::sync::Arc;

use tokio::io::copy_bidirectional;
use tokio::net::{UnixListener, UnixStream};
use tokio::task::JoinSet;
use tokio_rustls::rustls::{self, CertificateError, ClientConfig};

use super::address::Tcp;
use super::stream::Stream;
use super::{Address, CONNECT_LIMIT, Last, Place, TransportError};

/// Listens until it is dropped; its connections end with it.
#[derive(Debug)]
pub(super) struct Carrier {
    listening: tokio::task::JoinHandle<()>,
    pub(super) place: Place,
}

impl Carrier {
    /// Listens at this place.
    pub(super) fn start(tcp: &Tcp, place: Place, last: Last) -> Result<Self, TransportError> {
        let config = tcp.tls.as_ref().map(|tls| tls.config().map(Arc::new)).transpose()?;
        let path = place.socket();
        let listener = UnixListener::bind(&path).map_err(|source| TransportError::Place { path, source })?;
        let way = Arc::new(Remote { tcp: tcp.clone(), config, last });
        Ok(Self { listening: tokio::spawn(listen(listener, way)), place })
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

/// The other end.
struct Remote {
    tcp: Tcp,
    config: Option<Arc<ClientConfig>>,
    last: Last,
}

async fn listen(listener: UnixListener, remote: Arc<Remote>) {
    // They are aborted with this task.
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((client, _)) => drop(connections.spawn(carry(client, Arc::clone(&remote)))),
                Err(error) => {
                    remote.last.note(format!("a connection cannot be accepted: {error}"));
                    // Too many open files, for one: some will be closed.
                    tokio::time::sleep(std::time::Duration::from_millis(50)).await;
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Carries one connection in both directions; either may end before the other. What goes wrong is noted before the client sees the
/// end.
async fn carry(mut client: UnixStream, remote: Arc<Remote>) {
    let address = Address::Tcp(remote.tcp.clone());
    let connecting = Stream::connect(&remote.tcp, remote.config.as_ref());
    let mut engine = match tokio::time::timeout(CONNECT_LIMIT, connecting).await {
        Ok(Ok(engine)) => engine,
        Ok(Err(error)) => return remote.last.note(format!("{address}: {}", told(&error))),
        Err(_) => {
            return remote.last.note(format!("{address}: no connection within {} s", CONNECT_LIMIT.as_secs()));
        }
    };
    if let Err(error) = copy_bidirectional(&mut client, &mut engine).await
        && rustls_error(&error).is_some()
    {
        remote.last.note(format!("{address}: {}", told(&error)));
    }
}

fn rustls_error(error: &io::Error) -> Option<&rustls::Error> {
    error.get_ref()?.downcast_ref()
}

/// What went wrong, and what to do about it.
fn told(error: &io::Error) -> String {
    use rustls::{AlertDescription, Error, InvalidMessage};
    let Some(tls) = rustls_error(error) else { return error.to_string() };
    let advice = match tls {
        Error::InvalidCertificate(
            CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
        ) => "it is for another name: use the name that is in it",
        // The second: another authority of the same name.
        Error::InvalidCertificate(CertificateError::UnknownIssuer | CertificateError::BadSignature) => {
            "ca.pem is not of who signed it: check the folder of the certificates (DOCKER_CERT_PATH, or the context's)"
        }
        Error::InvalidCertificate(_) => "the engine needs another certificate",
        Error::AlertReceived(AlertDescription::CertificateRequired) => {
            "the engine wants a client certificate: cert.pem and key.pem in the folder of the certificates"
        }
        Error::AlertReceived(
            AlertDescription::BadCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            // Signed by another authority of the same name.
            | AlertDescription::DecryptError
            | AlertDescription::AccessDenied,
        ) => "the engine refuses the client certificate: check cert.pem, or whether it has one at all",
        Error::InvalidMessage(InvalidMessage::InvalidContentType) => {
            "this is no TLS: unset DOCKER_TLS_VERIFY, or check the port"
        }
        _ => return format!("TLS: {tls}"),
    };
    format!("TLS: {tls}; {advice}")
}
