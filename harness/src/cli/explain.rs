//! `wsgi-proof explain`: what a clause, a check or an exit code means.

use std::fmt::Write;

use super::arguments::exit_code;
use super::{Failure, output, select};
use crate::cli::arguments::ExplainArgs;
use crate::outcome::{CheckId, ClauseId, listed};
use crate::run::tally::ExitCode;
use crate::suite::contract::{Clause, Contract};

pub(super) fn explain(arguments: &ExplainArgs) -> Result<ExitCode, Failure> {
    let term = arguments.term.trim();
    if let Some(meaning) = exit_code(term) {
        output::text(format_args!("exit code {term}: {meaning}\n"))?;
        return Ok(ExitCode::Pass);
    }
    let folders = arguments.folders.find()?;
    let contract = select::load(&folders, select::all_cells(&folders)?)?.1;
    let text = if let Ok(id) = term.to_uppercase().parse::<ClauseId>() {
        contract.as_ref().and_then(|contract| clause(contract, id))
    } else {
        let check = CheckId::ALL.iter().find(|check| check.as_str() == term);
        check.map(|check| check_text(*check, contract.as_ref()))
    };
    let text = text.ok_or_else(|| {
        Failure::usage(
            format!("`{term}` is neither a clause, nor a check, nor an exit code"),
            Some("`wsgi-proof contract` lists the clauses, `wsgi-proof checks` the checks, `wsgi-proof help` the exit codes"),
        )
    })?;
    output::text(text)?;
    Ok(ExitCode::Pass)
}

fn clause(contract: &Contract, id: ClauseId) -> Option<String> {
    let Clause { level, dialects, says, source, why, checks, everywhere, tier, .. } =
        contract.clauses.iter().find(|clause| clause.id == id)?;
    let dialects: Vec<&str> = dialects.iter().map(|dialect| dialect.name()).collect();
    let mut text = format!("{id} {}: {says}\n\n", level.word());
    let mut row = |name: &str, value: String| {
        let _ = writeln!(text, "{:<12}{value}", format!("{name}:"));
    };
    row("dialects", dialects.join(", "));
    row("from", source.clone());
    if let Some(why) = why {
        row("level since", why.clone());
    }
    if let Some(tier) = tier {
        row("told in", format!("the {tier} tier alone"));
    }
    let checks: Vec<&str> = checks.iter().chain(everywhere).map(|check| check.as_str()).collect();
    if !checks.is_empty() {
        row("checks", checks.join(", "));
    }
    let scenarios: Vec<&str> = contract.proved_by(id).iter().map(|proof| proof.scenario.as_str()).collect();
    row("covered by", scenarios.join(", "));
    if let Some(name) = scenarios.first() {
        row("try it", format!("wsgi-proof run ={name}"));
    }
    Some(text)
}

fn check_text(check: CheckId, contract: Option<&Contract>) -> String {
    let mut text = format!("{check} {}: {}\n", check.level().word(), check.says());
    let names = |clause: &&Clause| clause.checks.contains(&check) || clause.everywhere.contains(&check);
    let clauses: Vec<ClauseId> =
        contract.iter().flat_map(|contract| &contract.clauses).filter(names).map(|clause| clause.id).collect();
    if !clauses.is_empty() {
        let _ = writeln!(text, "\nspeaks for: {}", listed(&clauses));
    }
    text
}
