//! Asking the outside: again when a connection broke or a server was in trouble, since one hiccup among hundreds of
//! requests is no reason to give up a run.

use std::time::Duration;

use reqwest::{StatusCode, Url, header};

use super::Inner;
use super::incoming::Incoming;
use crate::outcome::with_causes;

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
    /// What came with a success; of other answers nothing is read.
    pub(super) content: Incoming,
}

/// Why there is no answer.
struct Trouble {
    why: String,
    /// Whether another try may fare better.
    again: bool,
}

impl Trouble {
    fn again(error: &(dyn std::error::Error + 'static)) -> Self {
        Self { why: with_causes(error), again: true }
    }

    fn own(error: &(dyn std::error::Error + 'static)) -> Self {
        Self { why: with_causes(error), again: false }
    }
}

/// Asks for something that can be asked for again. What comes is written to the disk as it comes.
///
/// # Errors
/// When no try came to an answer, or each to a server's error (5xx): why the last one did not. When the answer is too large.
pub(super) async fn get(inner: &Inner, url: &str, accept: &str) -> Result<Answer, String> {
    let mut tries = 0;
    loop {
        tries += 1;
        let fault = match once(inner, url, accept).await {
            Ok(answer) if answer.status.is_server_error() => format!("{url} answered {}", answer.status),
            Ok(answer) => return Ok(answer),
            Err(Trouble { why, again: true }) => why,
            Err(Trouble { why, again: false }) => return Err(why),
        };
        if tries == TRIES {
            return Err(fault);
        }
        tracing::debug!(%url, %fault, "asking the outside again");
        tokio::time::sleep(AGAIN_AFTER * tries).await;
    }
}

async fn once(inner: &Inner, url: &str, accept: &str) -> Result<Answer, Trouble> {
    let sent = inner.client.get(url).header(header::ACCEPT, accept).send().await;
    let mut answer = sent.map_err(|error| Trouble::again(&error))?;
    let field = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::to_owned);
    let (content_type, last_modified) = (field(header::CONTENT_TYPE), field(header::LAST_MODIFIED));
    let (status, address) = (answer.status(), answer.url().clone());
    let too_large = || Trouble { why: format!("{url} has more than {} MB", inner.largest / 1_000_000), again: false };
    let mut content = inner.store.begin().map_err(|error| Trouble::own(&error))?;
    if status.is_success() {
        if answer.content_length().is_some_and(|length| length > inner.largest) {
            return Err(too_large());
        }
        while let Some(piece) = answer.chunk().await.map_err(|error| Trouble::again(&error))? {
            if content.length() + piece.len() as u64 > inner.largest {
                return Err(too_large());
            }
            content.add(&piece).map_err(|error| Trouble::own(&error))?;
        }
    }
    Ok(Answer { status, url: address, content_type, last_modified, content })
}
