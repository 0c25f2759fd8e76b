//! `wsgi-proof prune`: removes what dead runs left behind.

use super::Failure;
use crate::cli::PruneArgs;
use crate::engine::{Engine, discover};
use crate::live;
use crate::place;
use crate::verdict::ExitCode;

pub(super) async fn prune(arguments: &PruneArgs) -> Result<ExitCode, Failure> {
    let cache = place::cache(&arguments.place)?;
    let Some(endpoint) = discover(&cache).await.chosen else {
        println!("nothing to do: no engine is running");
        return Ok(ExitCode::Pass);
    };
    let engine = Engine::connect(&endpoint).await?;
    let (verb, mut count, mut kept, mut kept_bytes) =
        (if arguments.dry_run { "would remove" } else { "removed" }, 0, 0, 0);
    for leftover in engine.list_ours().await? {
        let dead = if leftover.is_of_a_run() { !live::is_live(&cache, &leftover.run) } else { arguments.images };
        if dead {
            if !arguments.dry_run {
                engine.remove(&leftover).await?;
            }
            println!("{verb} {leftover}");
            count += 1;
        } else if !leftover.is_of_a_run() {
            kept += 1;
            kept_bytes += leftover.size;
        }
    }
    if !arguments.dry_run {
        live::forget_dead(&cache)
            .map_err(|error| Failure::infrastructure(format!("{}: {error}", cache.display()), None))?;
    }
    if count == 0 {
        println!("nothing to do");
    }
    if kept > 0 {
        println!(
            "kept on purpose: {kept} cached images, {} MB with what they share counted again (--images removes them)",
            kept_bytes / 1_000_000
        );
    }
    Ok(ExitCode::Pass)
}
