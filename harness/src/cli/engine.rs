//! `wsgi-proof engine status|start|stop`.

use super::{Failure, output};
use crate::cli::arguments::{EngineAction, EngineArgs};
use crate::engine::private;
use crate::outcome::with_causes;
use crate::run::tally::ExitCode;

pub(super) async fn engine(arguments: &EngineArgs) -> Result<ExitCode, Failure> {
    let failure = |error: private::PrivateError| Failure::infrastructure(with_causes(&error), error.hint().as_deref());
    match &arguments.action {
        EngineAction::Status(folders) => output::line(private::status(&folders.cache()?))?,
        EngineAction::Start(folders) => {
            let cache = folders.cache()?;
            let endpoint = private::start(&cache, false, &|line| output::complain(format_args!("  {line}")))
                .await
                .map_err(failure)?;
            output::line(format_args!("DOCKER_HOST={}", endpoint.docker_host()))?;
        }
        EngineAction::Stop(folders) => {
            let stopped = private::stop(&folders.cache()?).await.map_err(failure)?;
            output::line(if stopped { "private engine stopped" } else { "no private engine was running" })?;
        }
    }
    Ok(ExitCode::Pass)
}
