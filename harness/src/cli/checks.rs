//! `wsgi-proof checks`.

use super::{Failure, output};
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
        output::json(&rows)?;
    } else {
        for Row { id, level, says } in rows {
            output::line(format_args!("{id:24} {:6} {says}", level.word()))?;
        }
    }
    Ok(ExitCode::Pass)
}
