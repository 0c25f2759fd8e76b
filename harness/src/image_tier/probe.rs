//! Asking a started container over HTTP.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::{Client, Method, redirect};

use super::head;
use crate::check::evidence::{HttpEvidence, ProbeEvidence};
use crate::engine::{Application, EngineError};
use crate::outcome::with_causes;
use crate::suite::limits::Limits;
use crate::suite::scenario::HttpExpectation;

/// How long to wait before asking again a server that does not listen yet: nothing tells when it does.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// How much of a body is read, in bytes.
const MAX_BODY: usize = 16 << 20;
/// The largest chunk of a request's body, in bytes.
const LARGEST_CHUNK: usize = 8192;

/// A client that shows answers as they are: no redirects followed, no proxy, a fresh connection each.
pub(super) fn client(limits: Limits) -> Result<Client, reqwest::Error> {
    Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .timeout(limits.request())
        .build()
}

/// Sends a request as often as it says, so many at the same time as it says; the evidence in the order of the requests.
///
/// # Errors
/// When the engine cannot say whether the container still runs.
pub(super) async fn ask_all(
    (client, limits): (&Client, Limits),
    application: &Application,
    expectation: &HttpExpectation,
    first: bool,
) -> Result<Vec<ProbeEvidence>, EngineError> {
    stream::iter((0..expectation.times).map(|_| ask((client, limits), application, expectation, first)))
        .buffered(expectation.at_once)
        .try_collect()
        .await
}

/// Asks until there is an answer, the container ends, or the time is over. Only the first request of a container
/// waits: once it has answered, a refused connection is what it says.
///
/// # Errors
/// When the engine cannot say whether the container still runs.
async fn ask(
    (client, limits): (&Client, Limits),
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
        let request = send((client, limits), address, expectation);
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
    (client, limits): (&Client, Limits),
    address: SocketAddr,
    expectation: &HttpExpectation,
) -> Result<HttpEvidence, String> {
    if expectation.method == "HEAD" {
        // A client's library does not look for a body after an answer to HEAD.
        let answer = tokio::time::timeout(limits.request(), head::ask(address, expectation)).await;
        return answer.unwrap_or_else(|_| Err("the request timed out".to_owned()));
    }
    let method = Method::from_bytes(expectation.method.as_bytes()).map_err(|error| error.to_string())?;
    let mut request = client.request(method, format!("http://{address}{}", expectation.path));
    for (name, value) in &expectation.request_headers {
        request = request.header(name, value);
    }
    if let Some(body) = &expectation.send {
        let bytes = body.bytes();
        request = if expectation.chunked { request.body(in_chunks(&bytes)) } else { request.body(bytes) };
    }
    let mut response = request.send().await.map_err(|error| with_causes(&error))?;
    let mut headers: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (name, value) in response.headers() {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        headers.entry(name.as_str().to_owned()).or_default().push(value);
    }
    let status = response.status().as_u16();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| with_causes(&error))? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(format!("the body is larger than {MAX_BODY} bytes"));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(HttpEvidence { status, headers, body })
}

/// A body without a known length, in several pieces, each of which becomes a chunk.
fn in_chunks(bytes: &[u8]) -> reqwest::Body {
    let size = (bytes.len() / 4).clamp(1, LARGEST_CHUNK);
    let pieces: Vec<_> = bytes.chunks(size).map(|piece| Ok::<_, std::io::Error>(piece.to_vec())).collect();
    reqwest::Body::wrap_stream(stream::iter(pieces))
}
