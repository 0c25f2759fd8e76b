//! The contract: the numbered clauses that an image family must keep, and which scenarios prove them.
//!
//! `scenarios/contract.toml` is its source; a suite without that file (one of a few scenarios of one's own) has none.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::cell::Cell;
use crate::check::Finding;
use crate::dialect::Dialect;
use crate::event::{CellName, Stage};
use crate::scenario::{At, Scenario};

/// The file's name, in the folder of the scenarios.
pub const CONTRACT_FILE: &str = "contract.toml";

/// How the ids of the start's clauses begin.
const START: &str = "START-";

/// How binding a clause is (RFC 2119).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// It has to be kept.
    Must,
    /// It is to be kept unless there is a good reason.
    Should,
}

impl Level {
    /// The word of RFC 2119.
    pub fn word(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
        }
    }
}

/// A clause of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Clause {
    /// Its id, such as `BUILD-1`.
    pub id: String,
    /// How binding it is.
    pub level: Level,
    /// The dialects that it holds in.
    pub dialects: BTreeSet<Dialect>,
    /// The clause, in one sentence.
    pub says: String,
    /// Where it comes from.
    pub source: String,
}

/// A bug that the real project had, and what shows that the images do not have it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bug {
    /// Its number in the history of the real project.
    pub number: u32,
    /// The bug, in one sentence.
    pub was: String,
    /// The scenarios that would fail if it came back.
    #[serde(default)]
    pub scenarios: Vec<String>,
    /// Why there is none.
    pub not_applicable: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Spanned<u32>,
    clause: Vec<Spanned<Clause>>,
    #[serde(default)]
    bug: Vec<Spanned<Bug>>,
}

/// A scenario that proves a clause, and where it does not apply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The scenario's name.
    pub scenario: String,
    /// Why it does not apply, by the cell's place in [`Contract::cells`].
    pub not_applicable: BTreeMap<usize, String>,
}

/// What a clause comes to in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Coverage {
    /// It does not hold in the cell's dialect.
    Elsewhere,
    /// So many scenarios prove it.
    Proved(usize),
    /// Every scenario that proves it says why it does not apply in the cell.
    Reasons,
    /// No scenario proves it.
    Unproved,
}

/// The contract, and the scenarios that prove each clause.
#[derive(Debug, Clone)]
pub struct Contract {
    /// The cells that the scenarios were loaded for.
    pub cells: Vec<CellName>,
    /// The clauses, in the order of the file.
    pub clauses: Vec<Clause>,
    /// The real project's bugs, in the order of the file.
    pub bugs: Vec<Bug>,
    proofs: BTreeMap<String, Vec<Proof>>,
}

/// What is wrong with the contract, or with what the scenarios say of it; all of it, with file and line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ContractError(Vec<String>);

impl Contract {
    /// Reads the contract of a suite, and which of its scenarios prove what in the cells that they were loaded for; `None`
    /// where the suite has no contract.
    ///
    /// # Errors
    /// When the file is not valid, a scenario names no clause, one that there is not, or none that holds where it applies, or
    /// a MUST is not proved.
    pub fn load<S: Borrow<Scenario>>(root: &Path, cells: &[(Cell, Vec<S>)]) -> Result<Option<Self>, ContractError> {
        let path = root.join(CONTRACT_FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, &path, root, cells).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ContractError(vec![format!("{}: {error}", path.display())])),
        }
    }

    fn parse<S: Borrow<Scenario>>(
        text: &str,
        path: &Path,
        root: &Path,
        cells: &[(Cell, Vec<S>)],
    ) -> Result<Self, ContractError> {
        let at = |offset: usize| {
            let line = text[..offset.min(text.len())].matches('\n').count() + 1;
            format!("{}:{line}", path.display())
        };
        let file: File = toml::from_str(text).map_err(|error| {
            ContractError(vec![format!("{}: {}", at(error.span().map_or(0, |span| span.start)), error.message())])
        })?;
        let mut faults = Vec::new();
        if *file.version.get_ref() != 1 {
            faults.push(format!("{}: this program reads version 1", at(file.version.span().start)));
        }
        let mut places: BTreeMap<String, String> = BTreeMap::new();
        for clause in &file.clause {
            let place = at(clause.span().start);
            let Clause { id, says, dialects, .. } = clause.get_ref();
            if !is_id(id) {
                faults.push(format!("{place}: `{id}` is no id: IMAGE-n, BUILD-n or START-n"));
            }
            if says.trim().is_empty() || dialects.is_empty() {
                faults.push(format!("{place}: {id} says nothing, or holds in no dialect"));
            }
            if let Some(first) = places.insert(id.clone(), place.clone()) {
                faults.push(format!("{place}: {id} stands at {first} already"));
            }
        }
        let clauses: Vec<Clause> = file.clause.into_iter().map(Spanned::into_inner).collect();
        let proofs = proofs(&clauses, root, cells, &mut faults);
        for clause in &clauses {
            if clause.level == Level::Must && proofs.get(&clause.id).is_some_and(Vec::is_empty) {
                let place = places.get(&clause.id).cloned().unwrap_or_default();
                faults.push(format!("{place}: no scenario proves {}, which is a MUST", clause.id));
            }
        }
        let known: BTreeSet<&str> =
            cells.iter().flat_map(|(_, scenarios)| scenarios).map(|one| one.borrow().name.as_str()).collect();
        for bug in &file.bug {
            let place = at(bug.span().start);
            let Bug { number, scenarios, not_applicable, .. } = bug.get_ref();
            if scenarios.is_empty() != not_applicable.is_some() {
                faults.push(format!("{place}: bug {number} needs either `scenarios` or `not_applicable`"));
            }
            for name in scenarios.iter().filter(|name| !known.contains(name.as_str())) {
                faults.push(format!("{place}: bug {number}: there is no scenario {name}"));
            }
        }
        if !faults.is_empty() {
            return Err(ContractError(faults));
        }
        let bugs = file.bug.into_iter().map(Spanned::into_inner).collect();
        Ok(Self { cells: cells.iter().map(|(cell, _)| cell.into()).collect(), clauses, bugs, proofs })
    }

    /// The scenarios that prove a clause.
    pub fn proved_by(&self, id: &str) -> &[Proof] {
        self.proofs.get(id).map_or(&[], Vec::as_slice)
    }

    /// What a clause comes to in a cell, given by its place in [`Contract::cells`].
    pub fn coverage(&self, clause: &Clause, cell: usize) -> Coverage {
        if self.cells.get(cell).is_none_or(|name| !clause.dialects.contains(&name.dialect)) {
            return Coverage::Elsewhere;
        }
        let proofs = self.proved_by(&clause.id);
        match proofs.iter().filter(|proof| !proof.not_applicable.contains_key(&cell)).count() {
            0 if proofs.is_empty() => Coverage::Unproved,
            0 => Coverage::Reasons,
            count => Coverage::Proved(count),
        }
    }

    /// Says of each finding of a scenario how binding it is, and which clauses it speaks for: those of the scenario that are
    /// of its level and hold in the dialect, without those of the start where nothing was started. All findings of a scenario that proves nothing but SHOULDs are SHOULDs.
    pub fn attribute(&self, proves: &[String], dialect: Dialect, findings: &mut [Finding]) {
        let holding: Vec<&Clause> = self
            .clauses
            .iter()
            .filter(|clause| proves.contains(&clause.id) && clause.dialects.contains(&dialect))
            .collect();
        let only_shoulds = !holding.is_empty() && holding.iter().all(|clause| clause.level == Level::Should);
        for finding in findings {
            if only_shoulds {
                finding.level = Level::Should;
            }
            // Before anything was started nothing is known of the start, unless the scenario is about nothing else.
            let started = matches!(finding.stage, Stage::Probe | Stage::Stop);
            let speaks = |clause: &&&Clause| clause.level == finding.level;
            let of_start = |clause: &Clause| clause.id.starts_with(START);
            let only_start = holding.iter().filter(speaks).all(|clause| of_start(clause));
            let own = holding.iter().filter(speaks).filter(|clause| started || only_start || !of_start(clause));
            finding.clauses = own.map(|clause| clause.id.clone()).collect();
        }
    }

    /// Where scenarios do not apply: the scenario, its reason, and the cells.
    pub fn exceptions(&self) -> BTreeMap<(String, String), BTreeSet<usize>> {
        let mut exceptions: BTreeMap<(String, String), BTreeSet<usize>> = BTreeMap::new();
        for proof in self.proofs.values().flatten() {
            for (cell, reason) in &proof.not_applicable {
                exceptions.entry((proof.scenario.clone(), reason.clone())).or_default().insert(*cell);
            }
        }
        exceptions
    }

    /// `CONTRACT.md`.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "# The contract\n\nMade from `scenarios/contract.toml` and the scenarios by `wsgi-proof contract --markdown`; \
             not to be edited.\n\n| clause | level | dialects | says | from | proved by |\n|---|---|---|---|---|---|\n",
        );
        for clause in &self.clauses {
            let Clause { id, level, dialects, says, source } = clause;
            let names: Vec<&str> = self.proved_by(id).iter().map(|proof| proof.scenario.as_str()).collect();
            let dialects: Vec<&str> = dialects.iter().map(|dialect| dialect.name()).collect();
            let _ = writeln!(
                text,
                "| {id} | {} | {} | {says} | {source} | {} |",
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
    pub fn names_of(&self, cells: &BTreeSet<usize>) -> String {
        let has = |name: &CellName| cells.iter().any(|cell| self.cells.get(*cell) == Some(name));
        let mut names = Vec::new();
        let mut rest: Vec<&CellName> = self.cells.iter().filter(|name| has(name)).collect();
        for dialect in Dialect::ALL {
            let mut own = self.cells.iter().filter(|name| name.dialect == dialect).peekable();
            if own.peek().is_some() && own.all(has) {
                names.push(dialect.name().to_owned());
                rest.retain(|name| name.dialect != dialect);
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

/// The scenarios that prove each clause, and the faults of what they name.
fn proofs<S: Borrow<Scenario>>(
    clauses: &[Clause],
    root: &Path,
    cells: &[(Cell, Vec<S>)],
    faults: &mut Vec<String>,
) -> BTreeMap<String, Vec<Proof>> {
    let mut proofs: BTreeMap<String, Vec<Proof>> =
        clauses.iter().map(|clause| (clause.id.clone(), Vec::new())).collect();
    for (place, (cell, scenarios)) in cells.iter().enumerate() {
        for scenario in scenarios.iter().map(Borrow::borrow) {
            let fault = |at: &At, what: String| format!("{}:{}: {what}", root.join(&at.file).display(), at.line);
            let holds =
                |id: &String| clauses.iter().any(|clause| clause.id == *id && clause.dialects.contains(&cell.dialect));
            // What the file says is the same in every cell, and told once.
            if place == 0 && scenario.proves.is_empty() {
                faults.push(fault(&scenario.summary.at, "names no clause that it proves".to_owned()));
            }
            for clause in &scenario.proves {
                match proofs.get_mut(&clause.value) {
                    Some(found) => {
                        if place == 0 {
                            let not_applicable = BTreeMap::new();
                            found.push(Proof { scenario: scenario.name.clone(), not_applicable });
                        }
                        let reason = scenario.not_applicable.as_ref();
                        if let (Some(reason), Some(proof)) =
                            (reason, found.iter_mut().find(|proof| proof.scenario == scenario.name))
                        {
                            proof.not_applicable.insert(place, reason.value.clone());
                        }
                    }
                    None if place == 0 => {
                        faults.push(fault(&clause.at, format!("there is no clause {}", clause.value)));
                    }
                    None => {}
                }
            }
            let idle = !scenario.proves.is_empty() && !scenario.proves.iter().any(|clause| holds(&clause.value));
            let known = scenario.proves.iter().all(|clause| proofs.contains_key(&clause.value));
            if idle && known && scenario.not_applicable.is_none() {
                faults.push(fault(
                    &scenario.summary.at,
                    format!("none of its clauses holds in the dialect {}: say `[[not_applicable]]`", cell.dialect),
                ));
            }
        }
    }
    proofs
}

fn is_id(id: &str) -> bool {
    id.split_once('-').is_some_and(|(part, number)| {
        ["IMAGE", "BUILD", "START"].contains(&part) && number.parse::<u32>().is_ok_and(|number| number > 0)
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::cell::tests::cell;
    use crate::check::Outcome;
    use crate::scenario::tests::scenario;
    use crate::scenario::{Declared, Subject};

    const CLAUSES: &str = "version = 1\n\n[[clause]]\nid = \"BUILD-1\"\nlevel = \"MUST\"\ndialects = [\"docker\"]\nsays = \"x\"\nsource = \"y\"\n\n[[clause]]\nid = \"IMAGE-7\"\nlevel = \"SHOULD\"\ndialects = [\"docker\"]\nsays = \"x\"\nsource = \"y\"\n";

    fn proving(clauses: &[&str]) -> Scenario {
        let mut scenario = scenario("a", Subject::Application, true);
        let at = At { file: PathBuf::from("a/scenario.toml"), line: 3 };
        scenario.proves =
            clauses.iter().map(|clause| Declared { value: (*clause).to_owned(), at: at.clone() }).collect();
        scenario
    }

    fn parse_in(text: &str, cells: &[(Cell, Vec<Scenario>)]) -> Result<Contract, Vec<String>> {
        Contract::parse(text, Path::new("s/contract.toml"), Path::new("s"), cells).map_err(|error| error.0)
    }

    fn parse(text: &str, scenarios: &[Scenario]) -> Result<Contract, Vec<String>> {
        parse_in(text, &[(cell(Dialect::Docker), scenarios.to_vec())])
    }

    fn names(contract: &Contract, id: &str) -> Vec<String> {
        contract.proved_by(id).iter().map(|proof| proof.scenario.clone()).collect()
    }

    #[test]
    fn a_clause_has_its_proofs_and_a_should_needs_none() {
        let contract = parse(CLAUSES, &[proving(&["BUILD-1"])]);
        let contract = contract.ok();
        assert_eq!(contract.as_ref().map(|contract| names(contract, "BUILD-1")), Some(vec!["a".to_owned()]));
        let text = contract.map(|contract| contract.markdown()).unwrap_or_default();
        assert!(text.contains("| BUILD-1 | MUST | docker | x | y | a |"), "{text}");
    }

    #[test]
    fn a_must_without_a_scenario_is_a_fault() {
        let faults = parse(CLAUSES, &[proving(&["IMAGE-7"])]).err();
        assert_eq!(faults, Some(vec!["s/contract.toml:3: no scenario proves BUILD-1, which is a MUST".to_owned()]));
    }

    #[test]
    fn a_scenario_names_clauses_that_there_are() {
        let faults = parse(CLAUSES, &[proving(&["BUILD-1", "BUILD-99"]), proving(&[])]).err();
        let expected =
            ["s/a/scenario.toml:3: there is no clause BUILD-99", "s/a/scenario.toml:1: names no clause that it proves"];
        assert_eq!(faults, Some(expected.map(str::to_owned).to_vec()));
    }

    #[test]
    fn a_scenario_proves_something_wherever_it_applies() {
        let in_both = |other: Scenario| {
            parse_in(
                CLAUSES,
                &[(cell(Dialect::Docker), vec![proving(&["BUILD-1"])]), (cell(Dialect::Whiskey), vec![other])],
            )
        };
        let fault = "s/a/scenario.toml:1: none of its clauses holds in the dialect whiskey: say `[[not_applicable]]`";
        assert_eq!(in_both(proving(&["BUILD-1"])).err(), Some(vec![fault.to_owned()]));
        let mut skipped = proving(&["BUILD-1"]);
        skipped.not_applicable =
            Some(Declared { value: "it is the other's".to_owned(), at: skipped.summary.at.clone() });
        let contract = in_both(skipped).ok();
        let coverage =
            contract.as_ref().map(|contract| [0, 1].map(|cell| contract.coverage(&contract.clauses[0], cell)));
        assert_eq!(coverage, Some([Coverage::Proved(1), Coverage::Elsewhere]));
        let text = contract.map(|contract| contract.markdown()).unwrap_or_default();
        assert!(text.contains("| a | whiskey | it is the other's |"), "{text}");
    }

    #[test]
    fn findings_speak_for_the_clauses_of_their_level() {
        let Ok(contract) = parse(CLAUSES, &[proving(&["BUILD-1", "IMAGE-7"])]) else {
            unreachable!("the contract is valid")
        };
        let at = At { file: PathBuf::from("a/scenario.toml"), line: 3 };
        let finding = Finding {
            check: "x".into(),
            at,
            level: Level::Must,
            stage: Stage::Build,
            clauses: Vec::new(),
            outcome: Outcome::Held,
        };
        let attributed = |proves: &[&str], level: Level| {
            let proves: Vec<String> = proves.iter().map(ToString::to_string).collect();
            let mut findings = [Finding { level, ..finding.clone() }];
            contract.attribute(&proves, Dialect::Docker, &mut findings);
            (findings[0].level, findings[0].clauses.join(" "))
        };
        assert_eq!(attributed(&["BUILD-1", "IMAGE-7"], Level::Must), (Level::Must, "BUILD-1".to_owned()));
        assert_eq!(attributed(&["BUILD-1", "IMAGE-7"], Level::Should), (Level::Should, "IMAGE-7".to_owned()));
        assert_eq!(attributed(&["IMAGE-7"], Level::Must), (Level::Should, "IMAGE-7".to_owned()));
    }

    #[test]
    fn a_bug_has_a_scenario_or_a_reason() {
        let with = |bug: &str| {
            parse(&format!("{CLAUSES}\n[[bug]]\nnumber = 3\nwas = 'x'\n{bug}"), &[proving(&["BUILD-1"])]).err()
        };
        assert_eq!(with("scenarios = ['a']"), None);
        assert_eq!(with("not_applicable = 'none'"), None);
        let at = "s/contract.toml:17: bug 3";
        assert_eq!(with(""), Some(vec![format!("{at} needs either `scenarios` or `not_applicable`")]));
        assert_eq!(with("scenarios = ['b']"), Some(vec![format!("{at}: there is no scenario b")]));
    }

    #[test]
    fn ids_are_unique_and_of_the_form() {
        let twice = CLAUSES.replace("IMAGE-7", "BUILD-1");
        assert_eq!(
            parse(&twice, &[proving(&["BUILD-1"])]).err(),
            Some(vec!["s/contract.toml:10: BUILD-1 stands at s/contract.toml:3 already".to_owned()])
        );
        let odd = CLAUSES.replace("IMAGE-7", "OTHER-7");
        assert_eq!(
            parse(&odd, &[proving(&["BUILD-1"])]).err(),
            Some(vec!["s/contract.toml:10: `OTHER-7` is no id: IMAGE-n, BUILD-n or START-n".to_owned()])
        );
    }
}
