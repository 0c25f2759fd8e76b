//! The engine that a command uses: one that is found, or the private engine.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::sync::OnceLock;

use super::{Failure, output};
use crate::engine::{Discovery, Endpoint, Handover, discover, private};
use crate::outcome::with_causes;

/// Set for the program that replaces itself: the engine that was chosen.
const CHOSEN: &str = "WSGI_PROOF_ENGINE";

/// The engine of this process. There is one: the library that runs application containers keeps to the first.
static ENDPOINT: OnceLock<Endpoint> = OnceLock::new();

/// Finds the engine, or starts the private one. Returns only in a process whose `DOCKER_HOST` names that engine: the
/// library that runs application containers reads its configuration from the environment, so the program replaces
/// itself with the variable set.
pub(super) async fn endpoint(cache: &Path, offline: bool, named: Option<&str>) -> Result<Endpoint, Failure> {
    if let Some(endpoint) = ENDPOINT.get() {
        return Ok(endpoint.clone());
    }
    if let Some(handover) = handed() {
        let endpoint = handover.take_up().await?;
        return Ok(ENDPOINT.get_or_init(|| endpoint).clone());
    }
    let mut discovery = discover(cache, named).await;
    let endpoint = match discovery.chosen.take() {
        Some(endpoint) => endpoint,
        None if discovery.named.is_some() => return Err(absent(&discovery)),
        None => {
            output::complain(format_args!(
                "no container engine found; starting a private one (details: `wsgi-proof doctor`)"
            ));
            output::complain(format_args!("  hint: `wsgi-proof run --tier contract` requires no engine"));
            private::start(cache, offline, &|line| output::complain(format_args!("  {line}"))).await.map_err(
                |error| {
                    let hint = error.hint().map_or_else(String::new, |hint| format!("{hint}; "));
                    let hint = format!("{hint}`wsgi-proof run --tier contract` requires no engine");
                    Failure::infrastructure(with_causes(&error), Some(&hint))
                },
            )?
        }
    };
    Err(begin_anew(Handover::of(endpoint)?))
}

/// The engine that this program chose before it replaced itself. `DOCKER_HOST` must still name it: whoever has set another one since
/// wants that.
fn handed() -> Option<Handover> {
    let handover: Handover = serde_json::from_str(&std::env::var(CHOSEN).ok()?).ok()?;
    std::env::var("DOCKER_HOST").is_ok_and(|host| host == handover.docker_host()).then_some(handover)
}

/// Replaces the program with itself; returns only why it could not.
fn begin_anew(handover: Handover) -> Failure {
    let failed = |what: &str, error: &dyn std::fmt::Display| Failure::infrastructure(format!("{what}: {error}"), None);
    let text = match serde_json::to_string(&handover) {
        Ok(text) => text,
        Err(error) => return failed("cannot hand the engine over", &error),
    };
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return failed("cannot find the running program", &error),
    };
    let error = std::process::Command::new(program)
        .args(std::env::args_os().skip(1))
        .env("DOCKER_HOST", handover.docker_host())
        .env(CHOSEN, text)
        // The socket speaks none.
        .env_remove("DOCKER_TLS")
        .env_remove("DOCKER_TLS_VERIFY")
        .env_remove("DOCKER_CERT_PATH")
        .exec();
    handover.give_up();
    failed("cannot restart with DOCKER_HOST set", &error)
}

/// Removes what this process has for its engine. Nothing can be asked any more.
pub(super) fn close() {
    if let Some(endpoint) = ENDPOINT.get() {
        endpoint.close();
    }
}

/// An engine that was named, and does not answer.
pub(super) fn absent(discovery: &Discovery) -> Failure {
    let tried = discovery.tried.last().map(ToString::to_string).unwrap_or_default();
    let hint = discovery.tried.iter().find_map(|tried| tried.hint);
    let hint: Vec<&str> = hint.into_iter().chain(advice(discovery)).collect();
    Failure::infrastructure(tried, Some(&hint.join("; ")))
}

/// What to do where a named engine does not answer.
pub(super) fn advice(discovery: &Discovery) -> Option<&'static str> {
    Some(match discovery.named? {
        "--engine" => "start that engine; or leave --engine out to use another one, or a private engine",
        "DOCKER_HOST" => "start that engine; or unset DOCKER_HOST to use another one, or a private engine",
        "DOCKER_CONTEXT" => "start that engine; or unset DOCKER_CONTEXT to use another one, or a private engine",
        _ => "start that engine; or unset CONTAINER_HOST to use another one, or a private engine",
    })
}
