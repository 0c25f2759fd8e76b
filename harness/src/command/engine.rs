//! `wsgi-proof engine status|start|stop`.

use super::Failure;
use crate::causes::with_causes;
use crate::cli::{EngineAction, EngineArgs};
use crate::engine::private;
use crate::place;
use crate::verdict::ExitCode;

pub(super) async fn engine(arguments: &EngineArgs) -> Result<ExitCode, Failure> {
    let failure = |error: private::PrivateError| Failure::infrastructure(with_causes(&error), error.hint().as_deref());
    match &arguments.action {
        EngineAction::Status(places) => println!("{}", private::status(&place::cache(places)?)),
        EngineAction::Start(places) => {
            let cache = place::cache(places)?;
            let endpoint = private::start(&cache, false, &|line| eprintln!("  {line}")).await.map_err(failure)?;
            println!("DOCKER_HOST={}", endpoint.docker_host);
        }
        EngineAction::Stop(places) => {
            let stopped = private::stop(&place::cache(places)?).await.map_err(failure)?;
            println!("{}", if stopped { "the private engine has stopped" } else { "no private engine was running" });
        }
    }
    Ok(ExitCode::Pass)
}
