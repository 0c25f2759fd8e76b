//! `wsgi-proof list`.

use super::{Failure, select};
use crate::cli::ListArgs;
use crate::place::Places;
use crate::verdict::ExitCode;

#[derive(serde::Serialize)]
struct Row<'a> {
    name: &'a str,
    summary: &'a str,
    source: &'a str,
    subject: crate::scenario::Subject,
}

pub(super) fn list(arguments: &ListArgs) -> Result<ExitCode, Failure> {
    let places = Places::find(&arguments.place)?;
    let scenarios = select::select(&places.scenarios(), &arguments.select)?;
    if arguments.json {
        let rows: Vec<Row<'_>> = scenarios
            .iter()
            .map(|scenario| Row {
                name: &scenario.name,
                summary: &scenario.summary.value,
                source: &scenario.source,
                subject: scenario.subject,
            })
            .collect();
        let text = serde_json::to_string_pretty(&rows).map_err(|error| Failure::infrastructure(error, None))?;
        println!("{text}");
    } else {
        let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or(0);
        for scenario in &scenarios {
            println!("{:<width$}  {}", scenario.name, scenario.summary.value);
        }
    }
    Ok(ExitCode::Pass)
}
