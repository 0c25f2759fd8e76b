//! `wsgi-proof contract`: the clauses, and what covers them in each cell.

use std::collections::BTreeSet;

use super::{Failure, output, select};
use crate::cli::arguments::ContractArgs;
use crate::outcome::{ClauseId, Level};
use crate::run::tally::ExitCode;
use crate::suite::contract::{Clause, Contract, Coverage};

pub(super) fn contract(arguments: &ContractArgs) -> Result<ExitCode, Failure> {
    let folders = arguments.folders.find()?;
    let Some(contract) = select::load(&folders, select::all_cells(&folders)?)?.1 else {
        return Err(Failure::usage("the suite has no contract", Some("scenarios/contract.toml has no clauses")));
    };
    if arguments.markdown {
        output::text(contract.markdown())?;
    } else if arguments.json {
        let rows: Vec<Row<'_>> = contract.clauses.iter().map(|clause| row(&contract, clause)).collect();
        output::json(&rows)?;
    } else {
        output::text(table(&contract))?;
    }
    Ok(ExitCode::Pass)
}

/// A clause in JSON.
#[derive(serde::Serialize)]
struct Row<'a> {
    id: ClauseId,
    level: Level,
    says: &'a str,
    source: &'a str,
    why: Option<&'a str>,
    proved_by: Vec<&'a str>,
    cells: Vec<RowCell>,
}

/// The coverage of a clause in a cell, in JSON: how many scenarios cover it, or `null` where it does not hold.
#[derive(serde::Serialize)]
struct RowCell {
    cell: String,
    scenarios: Option<usize>,
}

fn row<'a>(contract: &'a Contract, clause: &'a Clause) -> Row<'a> {
    let cells = contract.cells.iter().enumerate().map(|(column, cell)| RowCell {
        cell: cell.to_string(),
        scenarios: match contract.coverage(clause, column) {
            Coverage::Elsewhere => None,
            Coverage::Proved(count) => Some(count),
            Coverage::Reasons | Coverage::Unproved => Some(0),
        },
    });
    Row {
        id: clause.id,
        level: clause.level,
        says: &clause.says,
        source: &clause.source,
        why: clause.why.as_deref(),
        proved_by: contract.proved_by(clause.id).iter().map(|proof| proof.scenario.as_str()).collect(),
        cells: cells.collect(),
    }
}

/// As text: a row a clause, a column a cell, then the scenarios that are skipped, and the sums.
fn table(contract: &Contract) -> String {
    let mut text = String::new();
    for (column, cell) in contract.cells.iter().enumerate() {
        text.push_str(&format!("{}  {cell}\n", letter(column)));
    }
    let letters: Vec<String> = (0..contract.cells.len()).map(|column| format!("{:>3}", letter(column))).collect();
    text.push_str(&format!("\n{:<9} {:<7}{}\n", "", "", letters.join("")));
    let mut gaps = 0;
    for clause in &contract.clauses {
        let counts: Vec<String> = (0..contract.cells.len())
            .map(|column| match contract.coverage(clause, column) {
                Coverage::Elsewhere => "  .".to_owned(),
                Coverage::Proved(count) => format!("{count:>3}"),
                Coverage::Reasons => "  *".to_owned(),
                Coverage::Unproved => {
                    gaps += 1;
                    "  -".to_owned()
                }
            })
            .collect();
        text.push_str(&format!("{:<9} {:<7}{}  {}\n", clause.id, clause.level.word(), counts.join(""), clause.says));
        let proofs: Vec<&str> = contract.proved_by(clause.id).iter().map(|proof| proof.scenario.as_str()).collect();
        let names = if proofs.is_empty() { "(not covered)".to_owned() } else { proofs.join(", ") };
        text.push_str(&format!("{:<17}{}  {names}\n", "", " ".repeat(3 * contract.cells.len())));
    }
    text.push_str(
        "\nN: covered by N scenarios in that cell; `.`: not in that dialect; `*`: skipped, reasons below; `-`: gap\n\n",
    );
    for ((scenario, reason), cells) in contract.exceptions() {
        text.push_str(&format!("{scenario} does not apply in {}: {reason}\n", contract.names_of(&cells)));
    }
    let covered = contract.clauses.iter().filter(|clause| !contract.proved_by(clause.id).is_empty()).count();
    let scenarios: BTreeSet<&str> = contract
        .clauses
        .iter()
        .flat_map(|clause| contract.proved_by(clause.id))
        .map(|proof| proof.scenario.as_str())
        .collect();
    text.push_str(&format!(
        "\n{covered} of {} clauses covered by {} scenarios in {} cells; {gaps} gaps\n",
        contract.clauses.len(),
        scenarios.len(),
        contract.cells.len()
    ));
    text
}

/// A cell's letter in the table's head.
fn letter(column: usize) -> char {
    u8::try_from(column).ok().and_then(|column| b'a'.checked_add(column)).map_or('?', char::from)
}
