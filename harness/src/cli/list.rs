//! `wsgi-proof list`.

use std::sync::Arc;

use super::{Failure, output, select};
use crate::cli::arguments::ListArgs;
use crate::run::tally::ExitCode;
use crate::suite::scenario::Scenario;

#[derive(serde::Serialize)]
struct Row<'a> {
    label: &'a str,
    name: &'a str,
    applies: bool,
    summary: &'a str,
    source: &'a str,
    subject: crate::suite::scenario::Subject,
}

pub(super) fn list(arguments: &ListArgs) -> Result<ExitCode, Failure> {
    let folders = arguments.folders.find()?;
    let cells = select::cells_of(&folders, &arguments.cells, &arguments.builders)?;
    let (loaded, _) = select::select(&folders, cells, &arguments.select)?;
    let several = loaded.len() > 1;
    let scenarios: Vec<(String, Arc<Scenario>)> = loaded
        .into_iter()
        .flat_map(|(cell, scenarios)| {
            scenarios.into_iter().map(move |scenario| {
                if several {
                    (format!("{} [{cell}]", scenario.name), scenario)
                } else {
                    (scenario.name.clone(), scenario)
                }
            })
        })
        .collect();
    if arguments.json {
        let rows: Vec<Row<'_>> = scenarios
            .iter()
            .map(|(label, scenario)| Row {
                label,
                name: &scenario.name,
                applies: scenario.not_applicable.is_none(),
                summary: &scenario.summary.value,
                source: &scenario.source,
                subject: scenario.subject,
            })
            .collect();
        output::json(&rows)?;
    } else {
        let width = scenarios.iter().map(|(label, _)| label.len()).max().unwrap_or(0);
        for (label, scenario) in &scenarios {
            output::line(format_args!("{label:<width$}  {}", scenario.summary.value))?;
            if let Some(reason) = &scenario.not_applicable {
                output::line(format_args!("{:<width$}  (skipped: {})", "", reason.value))?;
            }
        }
    }
    Ok(ExitCode::Pass)
}
