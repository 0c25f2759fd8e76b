//! Asking with HEAD over a plain connection, so that a body which must not be there is seen.

use std::collections::BTreeMap;
use std::net::IpAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::target::target;
use crate::check::evidence::HttpEvidence;
use crate::suite::scenario::HttpExpectation;

/// How much is read, in bytes.
const MAX_ANSWER: u64 = 1 << 20;
/// How many headers an answer may have.
pub(super) const MAX_HEADERS: usize = 1000;

/// Sends the request and reads until the server closes the connection, as it is asked to.
pub(super) async fn ask(
    mut connection: impl AsyncRead + AsyncWrite + Unpin,
    host: IpAddr,
    expectation: &HttpExpectation,
) -> Result<HttpEvidence, String> {
    let mut request = format!("HEAD {} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n", target(&expectation.path));
    for (name, value) in &expectation.request_headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str("\r\n");
    connection.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    connection.take(MAX_ANSWER).read_to_end(&mut answer).await.map_err(|error| error.to_string())?;
    parse(&answer).ok_or_else(|| "the response is not HTTP".to_owned())
}

fn parse(answer: &[u8]) -> Option<HttpEvidence> {
    let mut headers = vec![httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut response = httparse::Response::new(&mut headers);
    let Ok(httparse::Status::Complete(end)) = response.parse(answer) else { return None };
    let mut named: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for header in response.headers {
        let value = String::from_utf8_lossy(header.value).into_owned();
        named.entry(header.name.to_ascii_lowercase()).or_default().push(value);
    }
    Some(HttpEvidence { status: response.code?, headers: named, body: answer.get(end..)?.to_vec() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_the_headers_is_the_body() {
        let answer = parse(b"HTTP/1.1 200 OK\r\nX-A: 1\r\nx-a:2\r\n\r\nHello").unwrap();
        assert_eq!((answer.status, answer.body.as_slice()), (200, b"Hello".as_slice()));
        assert_eq!(answer.headers["x-a"], ["1", "2"]);
        assert!(parse(b"HTTP/1.1 200 OK\r\n\r\n").unwrap().body.is_empty());
    }

    #[test]
    fn nonsense_is_no_answer() {
        assert_eq!(parse(b"Hello\r\n\r\n"), None);
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\n"), None);
    }
}
