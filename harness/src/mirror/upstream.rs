//! Asking the outside: again when a connection broke or a server was in trouble, since one hiccup among hundreds of
//! requests is no reason to give up a run.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::{Client, StatusCode, Url, header};

use crate::outcome::with_causes;

/// The largest answer that is taken, in bytes: more than any package of Debian's.
const LARGEST: usize = 1_000_000_000;
/// How often a request is tried.
const TRIES: u32 = 3;
/// How long to wait before the second try; twice as long before the third.
const AGAIN_AFTER: Duration = Duration::from_millis(300);

pub(super) struct Answer {
    pub(super) status: StatusCode,
    /// Where it came from in the end, after redirects.
    pub(super) url: Url,
    pub(super) content_type: Option<String>,
    pub(super) last_modified: Option<String>,
    pub(super) content: Bytes,
}

/// Asks for something that can be asked for again.
///
/// # Errors
/// When no try came to an answer, or each to a server's error (5xx): why the last one did not.
pub(super) async fn get(client: &Client, url: &str, accept: &str) -> Result<Answer, String> {
    let mut tries = 0;
    loop {
        tries += 1;
        let fault = match once(client, url, accept).await {
            Ok(answer) if answer.status.is_server_error() => format!("{url} answered {}", answer.status),
            Ok(answer) => return Ok(answer),
            Err(error) => error,
        };
        if tries == TRIES {
            return Err(fault);
        }
        tracing::debug!(%url, %fault, "asking the outside again");
        tokio::time::sleep(AGAIN_AFTER * tries).await;
    }
}

async fn once(client: &Client, url: &str, accept: &str) -> Result<Answer, String> {
    let mut answer =
        client.get(url).header(header::ACCEPT, accept).send().await.map_err(|error| with_causes(&error))?;
    let field = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (content_type, last_modified) = (field(header::CONTENT_TYPE), field(header::LAST_MODIFIED));
    let mut content = BytesMut::new();
    while let Some(chunk) = answer.chunk().await.map_err(|error| with_causes(&error))? {
        if content.len() + chunk.len() > LARGEST {
            return Err(format!("{url} has more than {} MB", LARGEST / 1_000_000));
        }
        content.extend_from_slice(&chunk);
    }
    Ok(Answer {
        status: answer.status(),
        url: answer.url().clone(),
        content_type,
        last_modified,
        content: content.freeze(),
    })
}
