//! The engine that a command uses: one that is found, or the private engine.

use std::os::unix::process::CommandExt;
use std::path::Path;

use super::{Failure, output};
use crate::engine::{Endpoint, Origin, discover, private};
use crate::outcome::with_causes;

/// Set for the program that replaces itself: where the engine named by `DOCKER_HOST` was found.
const ORIGIN: &str = "WSGI_PROOF_ENGINE_ORIGIN";

/// Finds the engine, or starts the private one. Returns only in a process whose `DOCKER_HOST` names that engine: the
/// library that runs application containers reads its configuration from the environment, so the program replaces
/// itself with the variable set.
pub(super) async fn endpoint(cache: &Path, offline: bool) -> Result<Endpoint, Failure> {
    let discovery = discover(cache).await;
    let endpoint = match discovery.chosen {
        Some(endpoint) => endpoint,
        None if std::env::var_os("DOCKER_HOST").is_some() => {
            let tried: Vec<String> = discovery.tried.iter().map(ToString::to_string).collect();
            return Err(Failure::infrastructure(
                tried.join("; "),
                Some("start that engine; or unset DOCKER_HOST to use another one, or a private engine"),
            ));
        }
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
    if std::env::var("DOCKER_HOST").is_ok_and(|host| host == endpoint.docker_host) {
        let origin = std::env::var(ORIGIN).ok().and_then(|text| serde_json::from_str::<Origin>(&text).ok());
        return Ok(Endpoint { origin: origin.unwrap_or(endpoint.origin), ..endpoint });
    }
    let origin = serde_json::to_string(&endpoint.origin).unwrap_or_default();
    let program = std::env::current_exe()
        .map_err(|error| Failure::infrastructure(format!("cannot find the running program: {error}"), None))?;
    let error = std::process::Command::new(program)
        .args(std::env::args_os().skip(1))
        .env("DOCKER_HOST", &endpoint.docker_host)
        .env(ORIGIN, origin)
        .exec();
    Err(Failure::infrastructure(format!("cannot restart with DOCKER_HOST set: {error}"), None))
}
