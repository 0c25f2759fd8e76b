//! `wsgi-proof checks`.

use super::Failure;
use crate::cli::arguments::ChecksArgs;
use crate::outcome::{CheckId, Level};
use crate::run::tally::ExitCode;

#[derive(serde::Serialize)]
struct Row {
    id: CheckId,
    level: Level,
    says: &'static str,
}

pub(super) fn checks(arguments: &ChecksArgs) -> Result<ExitCode, Failure> {
    let rows: Vec<Row> =
        CheckId::ALL.iter().map(|check| Row { id: *check, level: check.level(), says: check.says() }).collect();
    if arguments.json {
        let json = serde_json::to_string_pretty(&rows).map_err(|error| Failure::infrastructure(error, None))?;
        println!("{json}");
    } else {
        for Row { id, level, says } in rows {
            println!("{id:24} {:6} {says}", level.word());
        }
    }
    Ok(ExitCode::Pass)
}
