//! The conformance table as text: the rows, what each broken one comes from, and a verdict for each candidate.

use std::collections::BTreeMap;
use std::fmt;

use super::{Column, Reason, State, Table, Untried};
use crate::outcome::{Level, Part};
use crate::report::counted;

/// The longest word for a state.
const INCONCLUSIVE: &str = "inconclusive";
const LEGEND: &str = "\
kept: all that was asserted held. not tried: nothing was asserted of it in this tier, or
by these scenarios.";
const NOT_ITS_OWN: &str = "\
not its own: the candidate does not have this step. The suite's own was used, and kept it.";

/// What one assertion that did not hold breaks.
struct Cause<'a> {
    column: &'a Column,
    reason: &'a Reason,
    clauses: Vec<(&'a str, Level)>,
}

impl Table {
    /// What broke clauses, each assertion once: those of MUSTs first, and in the order of the contract.
    fn causes<'a>(&'a self, column: &'a Column) -> Vec<Cause<'a>> {
        let mut causes: Vec<Cause<'a>> = Vec::new();
        for (clause, level) in &self.clauses {
            for reason in column.clauses.get(clause).map_or(&[][..], |result| &result.reasons) {
                match causes.iter_mut().find(|cause| cause.reason == reason) {
                    Some(cause) => cause.clauses.push((clause, *level)),
                    None => causes.push(Cause { column, reason, clauses: vec![(clause, *level)] }),
                }
            }
        }
        causes.sort_by_key(|cause| !cause.is_must());
        causes
    }

    /// What a candidate comes to, in a sentence.
    fn verdict(&self, columns: &[&Column], untried: Option<&Untried>) -> String {
        let broken = |level: Level| {
            let of_level = self.clauses.iter().filter(|(_, of)| *of == level);
            of_level.filter(|(clause, _)| columns.iter().any(|column| column.state(clause) == State::Broken)).count()
        };
        let (musts, shoulds) = (broken(Level::Must), broken(Level::Should));
        let mut parts = vec![match (musts, shoulds, untried) {
            (0, _, None) => "keeps every MUST".to_owned(),
            (0, _, Some(_)) => "keeps every MUST that was tried".to_owned(),
            (some, 0, _) => format!("breaks {}", counted(some, "MUST")),
            (some, more, _) => format!("breaks {} and {}", counted(some, "MUST"), counted(more, "SHOULD")),
        }];
        if let Some(lacks) = columns.iter().find_map(|column| column.lacks) {
            parts.push(format!("has no {}", step(lacks)));
        }
        if musts == 0 && shoulds > 0 {
            parts.push(format!("breaks {}", counted(shoulds, "SHOULD")));
        }
        let is_beyond = |cause: &Cause| cause.reason.level == Level::Must && !cause.of_must();
        if columns.iter().any(|column| self.causes(column).iter().any(is_beyond)) {
            parts.push("exceeds a limit, which counts as a MUST".to_owned());
        }
        if columns.iter().any(|column| !column.shortfalls.is_empty()) {
            parts.push("has less than the assertion lock".to_owned());
        }
        let faults: usize = columns.iter().map(|column| column.faults.len()).sum();
        if faults > 0 {
            parts.push(format!("{faults} inconclusive"));
        }
        if let Some(Untried { clauses, .. }) = untried {
            let were = if clauses.len() == 1 { "was" } else { "were" };
            parts.push(format!("{} {were} not tried: {}", counted(clauses.len(), "MUST"), clauses.join(", ")));
        }
        parts.join("; ")
    }
}

/// What a step is called.
fn step(part: Part) -> &'static str {
    match part {
        Part::Image => "images",
        Part::Build => "build step",
        Part::Start => "start step",
    }
}

impl Cause<'_> {
    /// Whether one of the clauses is a MUST.
    fn of_must(&self) -> bool {
        self.clauses.iter().any(|(_, level)| *level == Level::Must)
    }

    fn is_must(&self) -> bool {
        self.of_must() || self.reason.level == Level::Must
    }

    fn write(&self, says: &BTreeMap<String, String>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { column: Column { candidate, tier, .. }, reason, clauses } = self;
        let Reason { scenario, at, check, level: _, expected, got, reproduce } = reason;
        let broken: Vec<String> = clauses.iter().map(|(clause, level)| format!("{} {clause}", level.word())).collect();
        writeln!(f, "\n{candidate} ({tier}) breaks {} in {scenario}: {check}", broken.join(", "))?;
        for (clause, _) in clauses {
            if let Some(says) = says.get(*clause) {
                writeln!(f, "  {clause:<9} {says}")?;
            }
        }
        writeln!(f, "  expected  {}", expected.replace('\n', "\n            "))?;
        writeln!(f, "  got       {}", got.replace('\n', "\n            "))?;
        writeln!(f, "  declared at scenarios/{at}\n  reproduce: {reproduce}")
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let heads: Vec<String> =
            self.columns.iter().map(|column| format!("{} ({})", column.candidate, column.tier)).collect();
        let row = |clause: &str, level: &str, words: &mut dyn Iterator<Item = &str>| {
            let cells = words.zip(&heads).map(|(word, head)| {
                let width = head.chars().count().max(INCONCLUSIVE.len());
                format!("  {word:<width$}")
            });
            let row = format!("{clause:<10} {level:<6}{}", cells.collect::<String>());
            row.trim_end().to_owned()
        };
        writeln!(f, "{}", row("clause", "level", &mut heads.iter().map(String::as_str)))?;
        for (clause, level) in &self.clauses {
            let mut words = self.columns.iter().map(|column| match column.state(clause) {
                State::Kept => "kept",
                State::Broken => "BROKEN",
                State::NotItsOwn => "not its own",
                State::NotTried => "not tried",
                State::Inconclusive => INCONCLUSIVE,
            });
            writeln!(f, "{}", row(clause, level.word(), &mut words))?;
        }
        writeln!(f, "\n{LEGEND}")?;
        if self.columns.iter().any(|column| column.lacks.is_some()) {
            writeln!(f, "{NOT_ITS_OWN}")?;
        }
        for column in &self.columns {
            for cause in self.causes(column) {
                cause.write(&self.says, f)?;
            }
            for fault in &column.faults {
                writeln!(f, "\n{} ({}): inconclusive: {fault}", column.candidate, column.tier)?;
            }
            for shortfall in &column.shortfalls {
                writeln!(f, "\n{} ({}): less than the assertion lock: {shortfall}", column.candidate, column.tier)?;
            }
        }
        let mut candidates: BTreeMap<usize, Vec<&Column>> = BTreeMap::new();
        for column in &self.columns {
            candidates.entry(column.number).or_default().push(column);
        }
        writeln!(f)?;
        for (number, columns) in candidates {
            let untried = self.untried.iter().find(|untried| untried.number == number);
            writeln!(f, "{}: {}", columns[0].candidate, self.verdict(&columns, untried))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::samples::{self, report};
    use crate::outcome::{ClauseId, Finding, ScenarioReport, Verdict};
    use crate::suite::tier::Tier;

    fn table(findings: Vec<Finding>) -> Table {
        let reports = [ScenarioReport { findings, ..report("s", Verdict::Fail) }];
        let clauses = [("BUILD-2", Level::Should), ("BUILD-10", Level::Must), ("BUILD-11", Level::Must)];
        let clauses = clauses.map(|(clause, level)| (clause.to_owned(), level)).to_vec();
        let says = BTreeMap::from([("BUILD-10".to_owned(), "It is so.".to_owned())]);
        let columns = vec![Column::of("c", Tier::Contract, &reports, None)];
        Table { clauses, columns, untried: Vec::new(), says }
    }

    fn broken(clauses: &[u16], level: Level) -> Finding {
        let clauses = clauses.iter().map(|number| ClauseId::build(*number)).collect();
        Finding { level, clauses, ..samples::finding(true) }
    }

    #[test]
    fn each_cause_is_told_once_with_all_its_clauses() {
        let text = table(vec![broken(&[2], Level::Should), broken(&[10, 11], Level::Must)]).to_string();
        let heads: Vec<&str> = text.lines().filter(|line| line.contains(" breaks ") && line.contains(" in ")).collect();
        // The same assertion of the same place, with the levels of its clauses.
        assert_eq!(
            heads,
            [
                "c (contract) breaks MUST BUILD-10, MUST BUILD-11 in s: build outcome",
                "c (contract) breaks SHOULD BUILD-2 in s: build outcome"
            ]
        );
        assert!(text.contains("\n  BUILD-10  It is so.\n"), "{text}");
        assert!(text.ends_with("\nc: breaks 2 MUSTs and 1 SHOULD\n"), "{text}");
    }

    #[test]
    fn what_fails_beyond_its_clauses_is_named() {
        let text = table(vec![broken(&[2], Level::Must)]).to_string();
        assert!(
            text.ends_with("\nc: keeps every MUST; breaks 1 SHOULD; exceeds a limit, which counts as a MUST\n"),
            "{text}"
        );
        assert!(table(Vec::new()).to_string().ends_with("\nc: keeps every MUST\n"));
    }
}
