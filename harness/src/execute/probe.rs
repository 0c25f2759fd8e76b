//! Asking a started container over HTTP.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use reqwest::{Client, Method, redirect};

use crate::causes::with_causes;
use crate::check::evidence::{HttpEvidence, ProbeEvidence};
use crate::engine::{Application, EngineError};
use crate::scenario::HttpExpectation;

/// How long a container may take until it answers for the first time.
const READY_LIMIT: Duration = Duration::from_secs(60);
/// How long a single request may take.
const REQUEST_LIMIT: Duration = Duration::from_secs(30);
/// How long to wait before asking again a server that does not listen yet: nothing tells when it does.
const AGAIN_AFTER: Duration = Duration::from_millis(50);
/// How much of a body is read, in bytes.
const MAX_BODY: usize = 16 << 20;

/// A client that shows answers as they are: no redirects followed, no proxy, a fresh connection each.
pub(super) fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .redirect(redirect::Policy::none())
        .no_proxy()
        .pool_max_idle_per_host(0)
        .timeout(REQUEST_LIMIT)
        .build()
}

/// Asks until there is an answer, the container ends, or the time is over. Only the first request of a container
/// waits: once it has answered, a refused connection is what it says.
///
/// # Errors
/// When the engine cannot say whether the container still runs.
pub(super) async fn ask(
    client: &Client,
    application: &Application,
    expectation: &HttpExpectation,
    first: bool,
) -> Result<ProbeEvidence, EngineError> {
    let begun = Instant::now();
    let limit = if first { READY_LIMIT } else { Duration::ZERO };
    let Some(address) = application.address() else {
        return Ok(match application.exit_code().await? {
            Some(exit_code) => ProbeEvidence::Died { exit_code },
            None => ProbeEvidence::Silent {
                waited: begun.elapsed(),
                fault: "it has no address on the run's network".to_owned(),
            },
        });
    };
    let url = format!("http://{address}{}", expectation.path);
    loop {
        let request = async {
            match Method::from_bytes(expectation.method.as_bytes()) {
                Ok(method) => send(client, method, &url).await,
                Err(error) => Err(error.to_string()),
            }
        };
        let fault = tokio::select! {
            answer = request => match answer {
                Ok(answer) => return Ok(ProbeEvidence::Answered(answer)),
                Err(fault) => fault,
            },
            exit = application.wait_exit() => return Ok(ProbeEvidence::Died { exit_code: exit? }),
        };
        if begun.elapsed() >= limit {
            // A connection that broke because the container ended is told as its end.
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

async fn send(client: &Client, method: Method, url: &str) -> Result<HttpEvidence, String> {
    let mut response = client.request(method, url).send().await.map_err(|error| with_causes(&error))?;
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
    Ok(HttpEvidence { status, headers, body: String::from_utf8_lossy(&body).into_owned() })
}
