//! `docs/contract.md`, made of the contract.

use std::collections::BTreeSet;
use std::fmt::Write;

use super::{Bug, Clause, Contract};
use crate::outcome::CellName;
use crate::suite::dialect::Dialect;

impl Contract {
    pub(crate) fn markdown(&self) -> String {
        let mut text = String::from(
            "# The contract\n\nMade from `scenarios/contract.toml` and the scenarios by `wsgi-proof contract --markdown`; \
             not to be edited.\n\n| clause | level | dialects | says | from | proved by |\n|---|---|---|---|---|---|\n",
        );
        for clause in &self.clauses {
            let Clause { id, level, dialects, says, source, why, .. } = clause;
            let names: Vec<&str> = self.proved_by(*id).iter().map(|proof| proof.scenario.as_str()).collect();
            let dialects: Vec<&str> = dialects.iter().map(|dialect| dialect.name()).collect();
            let from = why.iter().fold(source.clone(), |from, why| format!("{from} ({why})"));
            let _ = writeln!(
                text,
                "| {id} | {} | {} | {says} | {from} | {} |",
                level.word(),
                dialects.join(", "),
                names.join(", ")
            );
        }
        text.push_str("\n## Where scenarios do not apply\n\n| scenario | where | why |\n|---|---|---|\n");
        for ((scenario, reason), cells) in self.exceptions() {
            let _ = writeln!(text, "| {scenario} | {} | {reason} |", self.names_of(&cells));
        }
        text.push_str("\n## Bugs of the real project\n\n| bug | it was | would be found by |\n|---|---|---|\n");
        for Bug { number, was, scenarios, not_applicable } in &self.bugs {
            let found = not_applicable
                .as_ref()
                .map_or_else(|| scenarios.join(", "), |reason| format!("(does not apply) {reason}"));
            let _ = writeln!(text, "| {number} | {was} | {found} |");
        }
        text
    }

    /// The names of cells; a dialect or a variant that is there whole is named once.
    pub(crate) fn names_of(&self, cells: &BTreeSet<usize>) -> String {
        let has = |name: &CellName| cells.iter().any(|cell| self.cells.get(*cell) == Some(name));
        let mut names = Vec::new();
        let mut rest: Vec<&CellName> = self.cells.iter().filter(|name| has(name)).collect();
        for dialect in Dialect::ALL {
            let mut own = self.cells.iter().filter(|name| name.dialect == dialect.name()).peekable();
            if own.peek().is_some() && own.all(has) {
                names.push(dialect.name().to_owned());
                rest.retain(|name| name.dialect != dialect.name());
            }
        }
        while let Some(first) = rest.first().map(|name| name.variant.clone()) {
            let whole = self.cells.iter().filter(|name| name.variant == first).all(has);
            let own: Vec<String> = rest.iter().filter(|name| name.variant == first).map(ToString::to_string).collect();
            if whole {
                names.push(first.clone());
            } else {
                names.extend(own);
            }
            rest.retain(|name| name.variant != first);
        }
        names.join(", ")
    }
}
