//! The contract: the numbered clauses that an image family must keep, and which scenarios prove them.
//!
//! `scenarios/contract.toml` is its source; a suite without that file (one of a few scenarios of one's own) has none.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;
use toml::Spanned;

use crate::scenario::Scenario;

/// The file's name, in the folder of the scenarios.
pub const CONTRACT_FILE: &str = "contract.toml";

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
    pub dialects: BTreeSet<String>,
    /// The clause, in one sentence.
    pub says: String,
    /// Where it comes from.
    pub source: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: Spanned<u32>,
    clause: Vec<Spanned<Clause>>,
}

/// The contract, and the scenarios that prove each clause.
#[derive(Debug, Clone)]
pub struct Contract {
    /// The clauses, in the order of the file.
    pub clauses: Vec<Clause>,
    /// Names of the scenarios that prove a clause, by its id.
    pub proofs: BTreeMap<String, Vec<String>>,
}

/// What is wrong with the contract, or with what the scenarios say of it; all of it, with file and line.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct ContractError(Vec<String>);

impl Contract {
    /// Reads the contract of a suite, and which of its scenarios prove what; `None` where the suite has no contract.
    ///
    /// # Errors
    /// When the file is not valid, a scenario names no clause or one that there is not, or a MUST is not proved.
    pub fn load<'a>(root: &Path, scenarios: impl Iterator<Item = &'a Scenario>) -> Result<Option<Self>, ContractError> {
        let path = root.join(CONTRACT_FILE);
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, &path, root, scenarios).map(Some),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ContractError(vec![format!("{}: {error}", path.display())])),
        }
    }

    fn parse<'a>(
        text: &str,
        path: &Path,
        root: &Path,
        scenarios: impl Iterator<Item = &'a Scenario>,
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
        let mut proofs: BTreeMap<String, Vec<String>> = BTreeMap::new();
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
            proofs.insert(id.clone(), Vec::new());
        }
        for scenario in scenarios {
            if scenario.proves.is_empty() {
                let at = &scenario.summary.at;
                faults.push(format!("{}:{}: names no clause that it proves", root.join(&at.file).display(), at.line));
            }
            for clause in &scenario.proves {
                match proofs.get_mut(&clause.value) {
                    Some(names) => names.push(scenario.name.clone()),
                    None => {
                        let at = &clause.at;
                        let file = root.join(&at.file);
                        faults.push(format!("{}:{}: there is no clause {}", file.display(), at.line, clause.value));
                    }
                }
            }
        }
        for clause in file.clause.iter().map(Spanned::get_ref) {
            if clause.level == Level::Must && proofs.get(&clause.id).is_some_and(Vec::is_empty) {
                let place = places.get(&clause.id).cloned().unwrap_or_default();
                faults.push(format!("{place}: no scenario proves {}, which is a MUST", clause.id));
            }
        }
        if !faults.is_empty() {
            return Err(ContractError(faults));
        }
        Ok(Self { clauses: file.clause.into_iter().map(Spanned::into_inner).collect(), proofs })
    }

    /// The scenarios that prove a clause.
    pub fn proved_by(&self, id: &str) -> &[String] {
        self.proofs.get(id).map_or(&[], Vec::as_slice)
    }

    /// `CONTRACT.md`.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "# The contract\n\nMade from `scenarios/contract.toml` and the scenarios by `wsgi-proof contract --markdown`; \
             not to be edited.\n\n| clause | level | says | from | proved by |\n|---|---|---|---|---|\n",
        );
        for clause in &self.clauses {
            let Clause { id, level, says, source, .. } = clause;
            let proofs = self.proved_by(id).join(", ");
            let _ = writeln!(text, "| {id} | {} | {says} | {source} | {proofs} |", level.word());
        }
        text
    }
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
    use crate::scenario::tests::scenario;
    use crate::scenario::{At, Declared, Subject};

    const CLAUSES: &str = "version = 1\n\n[[clause]]\nid = \"BUILD-1\"\nlevel = \"MUST\"\ndialects = [\"docker\"]\nsays = \"x\"\nsource = \"y\"\n\n[[clause]]\nid = \"IMAGE-7\"\nlevel = \"SHOULD\"\ndialects = [\"docker\"]\nsays = \"x\"\nsource = \"y\"\n";

    fn proving(clauses: &[&str]) -> Scenario {
        let mut scenario = scenario("a", Subject::Application, true);
        let at = At { file: PathBuf::from("a/scenario.toml"), line: 3 };
        scenario.proves =
            clauses.iter().map(|clause| Declared { value: (*clause).to_owned(), at: at.clone() }).collect();
        scenario
    }

    fn parse(text: &str, scenarios: &[Scenario]) -> Result<Contract, Vec<String>> {
        Contract::parse(text, Path::new("s/contract.toml"), Path::new("s"), scenarios.iter()).map_err(|error| error.0)
    }

    #[test]
    fn a_clause_has_its_proofs_and_a_should_needs_none() {
        let contract = parse(CLAUSES, &[proving(&["BUILD-1"])]);
        let contract = contract.ok();
        assert_eq!(
            contract.as_ref().map(|contract| contract.proved_by("BUILD-1").to_vec()),
            Some(vec!["a".to_owned()])
        );
        let text = contract.map(|contract| contract.markdown()).unwrap_or_default();
        assert!(text.contains("| BUILD-1 | MUST | x | y | a |"), "{text}");
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
