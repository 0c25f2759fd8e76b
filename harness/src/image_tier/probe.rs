//! Asking a started container over HTTP.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt, TryStreamExt, stream};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, Full, StreamBody};
use hyper::body::Frame;
use hyper::client::conn::http1;
use hyper::header::{ACCEPT, HOST};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::task::AbortOnDropHandle;

use super::head;
use super::target::target;
use crate::check::evidence::{HttpEvidence, ProbeEvidence};
use crate::engine::{Application, EngineError};
use crate::outcome::with_causes;
use crate::relay::Link;
use crate::suite::limits::Limits;
use crate::suite::scenario::HttpExpectation;

/// How long to wait before asking again a server that does not listen yet: nothing tells when it does.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// How much of a body is read, in bytes.
const MAX_BODY: usize = 16 << 20;
/// The largest chunk of a request's body, in bytes.
const LARGEST_CHUNK: usize = 8192;

/// Sends a request as often as it says, so many at the same time as it says; what is thought of the answers, in the order of the
/// requests. Each is judged as it comes, and not kept: its body may be large.
///
/// # Errors
/// When the engine cannot say whether the container still runs.
pub(super) async fn ask_all<T>(
    (link, limits): (&Link, Limits),
    application: &Application,
    expectation: &HttpExpectation,
    first: bool,
    judge: impl Fn(&ProbeEvidence) -> T,
) -> Result<Vec<T>, EngineError> {
    let judge = &judge;
    let ask = |_| async move { ask((link, limits), application, expectation, first).await.map(|one| judge(&one)) };
    stream::iter((0..expectation.times).map(ask)).buffered(expectation.at_once).try_collect().await
}

/// Asks until there is an answer, the container ends, or the time is over. Only the first request of a container
/// waits: once it has answered, a refused connection is what it says.
///
/// # Errors
/// When the engine cannot say whether the container still runs.
async fn ask(
    (link, limits): (&Link, Limits),
    application: &Application,
    expectation: &HttpExpectation,
    first: bool,
) -> Result<ProbeEvidence, EngineError> {
    let begun = Instant::now();
    let limit = if first { limits.ready() } else { Duration::ZERO };
    let Some(address) = application.address() else {
        return Ok(match application.exit_code().await? {
            Some(exit_code) => ProbeEvidence::Died { exit_code },
            None => ProbeEvidence::Silent {
                waited: begun.elapsed(),
                fault: "the container has no address on the run's network".to_owned(),
            },
        });
    };
    loop {
        let request = send((link, limits), address, expectation);
        let fault = tokio::select! {
            answer = request => match answer {
                Ok(answer) => return Ok(ProbeEvidence::Answered(answer)),
                Err(fault) => fault,
            },
            exit = application.wait_exit() => return Ok(ProbeEvidence::Died { exit_code: exit? }),
        };
        if begun.elapsed() >= limit {
            // A connection that broke because the container ended is reported as its end.
            return Ok(match application.exit_code().await? {
                Some(exit_code) => ProbeEvidence::Died { exit_code },
                None => ProbeEvidence::Silent { waited: begun.elapsed(), fault },
            });
        }
        tokio::select! {
            () = tokio::time::sleep(AGAIN_AFTER) => {}
            exit = application.wait_exit() => return Ok(ProbeEvidence::Died { exit_code: exit? }),
        }
    }
}

async fn send(
    (link, limits): (&Link, Limits),
    address: SocketAddr,
    expectation: &HttpExpectation,
) -> Result<HttpEvidence, String> {
    let answer = async {
        let connection = link.connect(address).await.map_err(|error| format!("cannot connect: {error}"))?;
        // A client's library does not look for a body after an answer to HEAD.
        if expectation.method == "HEAD" {
            return head::ask(connection, address.ip(), expectation).await;
        }
        exchange(connection, address, expectation).await
    };
    let answer = tokio::time::timeout(limits.request(), answer).await;
    answer.unwrap_or_else(|_| Err("the request timed out".to_owned()))
}

/// Sends a request over a connection of its own, and reads the answer as it is: no redirect is followed.
async fn exchange(
    connection: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    address: SocketAddr,
    expectation: &HttpExpectation,
) -> Result<HttpEvidence, String> {
    let failed = |error: hyper::Error| with_causes(&error);
    let mut request = hyper::Request::builder().method(expectation.method.as_bytes()).uri(target(&expectation.path));
    for (name, value) in &expectation.request_headers {
        request = request.header(name, value);
    }
    if let Some(headers) = request.headers_mut() {
        let host = address.ip().to_string().parse().map_err(|_| "no such host".to_owned())?;
        headers.entry(HOST).or_insert(host);
        headers.entry(ACCEPT).or_insert(hyper::header::HeaderValue::from_static("*/*"));
    }
    let request = request.body(body(expectation)).map_err(|error| error.to_string())?;
    let (mut sender, connection) = http1::Builder::new()
        .max_headers(head::MAX_HEADERS)
        .handshake(TokioIo::new(connection))
        .await
        .map_err(failed)?;
    let _carried = AbortOnDropHandle::new(tokio::spawn(connection));
    let mut response = sender.send_request(request).await.map_err(failed)?;
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in response.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.as_str().to_owned()).or_default().push(value);
    }
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(frame) = response.frame().await {
        let Ok(chunk) = frame.map_err(failed)?.into_data() else { continue };
        if body.len() + chunk.len() > MAX_BODY {
            return Err(format!("the body is larger than {MAX_BODY} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpEvidence { status, headers, body })
}

/// The body of a request; without a known length it comes in several pieces, each of which becomes a chunk.
fn body(expectation: &HttpExpectation) -> BoxBody<Bytes, Infallible> {
    let Some(body) = &expectation.send else { return Empty::new().boxed() };
    let bytes = Bytes::from(body.bytes());
    if !expectation.chunked {
        return Full::new(bytes).boxed();
    }
    let size = (bytes.len() / 4).clamp(1, LARGEST_CHUNK);
    let pieces: Vec<_> = bytes.chunks(size).map(|piece| Ok(Frame::data(Bytes::copy_from_slice(piece)))).collect();
    BodyExt::boxed(StreamBody::new(stream::iter(pieces)))
}
