//! Contracts of a clause or two, and what is said of them.

use std::path::PathBuf;

use super::*;
use crate::outcome::{At, CheckId};
use crate::suite::cell::tests::cell;
use crate::suite::scenario::tests::scenario;
use crate::suite::scenario::{Declared, HttpExpectation, Subject};

const CLAUSES: &str = "version = 1\n\n[[clause]]\nid = \"BUILD-1\"\nlevel = \"MUST\"\ndialects = [\"docker\"]\nsays = \"x\"\nsource = \"y\"\n\n[[clause]]\nid = \"IMAGE-7\"\nlevel = \"SHOULD\"\ndialects = [\"docker\"]\nsays = \"x\"\nsource = \"y\"\n";

fn proving(clauses: &[&str]) -> Scenario {
    let mut scenario = scenario("a", Subject::Application, true);
    let at = At { file: PathBuf::from("a/scenario.toml"), line: 3 };
    let clauses = clauses.iter().filter_map(|clause| clause.parse().ok());
    scenario.proves = clauses.map(|value| Declared { value, at: at.clone() }).collect();
    scenario
}

fn parse_in(text: &str, cells: &[(Cell, Vec<Scenario>)]) -> Result<Contract, Vec<String>> {
    let read = toml_file::parse(Path::new("s/contract.toml"), text.to_owned());
    read.and_then(|(file, faults)| Contract::of(file, faults, Path::new("s"), cells)).map_err(|error| match error {
        TomlError::Invalid { faults, .. } => faults.to_string().lines().map(str::to_owned).collect(),
        TomlError::Unreadable { .. } => vec![error.to_string()],
    })
}

fn parse(text: &str, scenarios: &[Scenario]) -> Result<Contract, Vec<String>> {
    parse_in(text, &[(cell(Dialect::Docker), scenarios.to_vec())])
}

impl Contract {
    /// One of these clauses, which no scenario proves.
    pub(crate) fn sample(clauses: Vec<Clause>) -> Self {
        Self { cells: Vec::new(), clauses, bugs: Vec::new(), proofs: BTreeMap::new() }
    }
}

/// A clause of one dialect.
pub(crate) fn clause(id: &str, level: Level, checks: &[CheckId]) -> Clause {
    Clause {
        id: id.parse().unwrap_or(ClauseId::build(999)),
        level,
        dialects: BTreeSet::from([Dialect::Docker]),
        says: String::new(),
        source: String::new(),
        why: None,
        checks: checks.to_vec(),
        everywhere: Vec::new(),
        tier: None,
    }
}

fn names(contract: &Contract, id: ClauseId) -> Vec<String> {
    contract.proved_by(id).iter().map(|proof| proof.scenario.clone()).collect()
}

#[test]
fn a_clause_has_its_proofs_and_a_should_needs_none() {
    let contract = parse(CLAUSES, &[proving(&["BUILD-1"])]);
    let contract = contract.ok();
    assert_eq!(contract.as_ref().map(|contract| names(contract, ClauseId::build(1))), Some(vec!["a".to_owned()]));
    let text = contract.map(|contract| contract.markdown()).unwrap_or_default();
    assert!(text.contains("| BUILD-1 | MUST | docker | x | y | a |"), "{text}");
}

#[test]
fn a_suite_without_a_contract_says_so() {
    let folder = tempfile::tempdir().ok();
    let root = folder.as_ref().map_or(Path::new("nowhere"), tempfile::TempDir::path);
    let load = || Contract::load(root, &[(cell(Dialect::Docker), vec![proving(&["BUILD-1"])])]);
    assert!(load().is_err_and(|error| matches!(error, TomlError::Unreadable { .. })));
    for (text, none) in [("version = 1\n", true), ("version = 2\n", false), (CLAUSES, false)] {
        assert!(std::fs::write(root.join(CONTRACT_FILE), text).is_ok());
        assert_eq!(load().is_ok_and(|contract| contract.is_none()), none, "{text}");
    }
}

#[test]
fn a_must_without_a_scenario_is_a_fault() {
    let faults = parse(CLAUSES, &[proving(&["IMAGE-7"])]).err();
    assert_eq!(faults, Some(vec!["s/contract.toml:3:1: no scenario proves BUILD-1, which is a MUST".to_owned()]));
}

#[test]
fn a_scenario_names_clauses_that_there_are() {
    let faults = parse(CLAUSES, &[proving(&["BUILD-1", "BUILD-99"]), proving(&[])]).err();
    let expected = [
        "s/a/scenario.toml:1: the scenario names no clause that it proves",
        "s/a/scenario.toml:3: there is no clause BUILD-99",
    ];
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
    let fault = "s/a/scenario.toml:1: none of its clauses holds in the dialect whiskey";
    assert_eq!(in_both(proving(&["BUILD-1"])).err(), Some(vec![fault.to_owned()]));
    let mut skipped = proving(&["BUILD-1"]);
    skipped.not_applicable = Some(Declared { value: "it is the other's".to_owned(), at: skipped.summary.at.clone() });
    let contract = in_both(skipped).ok();
    let coverage = contract.as_ref().map(|contract| [0, 1].map(|cell| contract.coverage(&contract.clauses[0], cell)));
    assert_eq!(coverage, Some([Coverage::Proved(1), Coverage::Elsewhere]));
    let text = contract.map(|contract| contract.markdown()).unwrap_or_default();
    assert!(text.contains("| a | whiskey | it is the other's |"), "{text}");
}

#[test]
fn a_bug_has_a_scenario_or_a_reason() {
    let with =
        |bug: &str| parse(&format!("{CLAUSES}\n[[bug]]\nnumber = 3\nwas = 'x'\n{bug}"), &[proving(&["BUILD-1"])]).err();
    assert_eq!(with("scenarios = ['a']"), None);
    assert_eq!(with("not_applicable = 'none'"), None);
    let at = "s/contract.toml:17:1: bug 3";
    assert_eq!(with(""), Some(vec![format!("{at} needs either `scenarios` or `not_applicable`")]));
    assert_eq!(with("scenarios = ['b']"), Some(vec![format!("{at}: there is no scenario b")]));
}

#[test]
fn ids_are_unique_and_of_the_form() {
    let twice = CLAUSES.replace("IMAGE-7", "BUILD-1");
    let faults = parse(&twice, &[proving(&["BUILD-1"])]).err().unwrap_or_default();
    assert!(faults.contains(&"s/contract.toml:10:1: BUILD-1 stands in line 3 already".to_owned()), "{faults:?}");
    let odd = CLAUSES.replace("IMAGE-7", "OTHER-7");
    let faults = parse(&odd, &[proving(&["BUILD-1"])]).err().unwrap_or_default().join("\n");
    assert!(faults.contains("`OTHER-7` is no id of a clause"), "{faults}");
}

#[test]
fn a_check_that_there_is_not_is_a_fault() {
    let text = CLAUSES.replacen("source = \"y\"\n", "source = \"y\"\nchecks = [\"stop\"]\n", 1);
    let faults = parse(&text, &[proving(&["BUILD-1"])]).err().unwrap_or_default().join("\n");
    assert!(faults.contains("no check has the ID `stop`; `wsgi-proof checks` lists them"), "{faults}");
}

#[test]
fn what_no_clause_takes_is_a_fault() {
    let at = At { file: PathBuf::from("a/scenario.toml"), line: 9 };
    let pattern = regex::Regex::new("x").unwrap_or_else(|_| unreachable!());
    let mut warned = proving(&["BUILD-1"]);
    if let Some(build) = &mut warned.build {
        build.should_log.push(Declared { value: pattern, at: at.clone() });
    }
    let should = "s/a/scenario.toml:9: `build-log-should` is a SHOULD, and the scenario proves no clause that is one";
    assert_eq!(parse(CLAUSES, &[warned]).err(), Some(vec![should.to_owned()]));
    let mut named = proving(&["BUILD-1"]);
    if let Some(serve) = &mut named.serve {
        let proves = vec![Declared { value: ClauseId::image(7), at: at.clone() }];
        serve.http.push(HttpExpectation { proves, ..HttpExpectation::get(at) });
    }
    let other = "s/a/scenario.toml:9: IMAGE-7 is none of the clauses that the scenario proves: BUILD-1";
    assert_eq!(parse(CLAUSES, &[named]).err(), Some(vec![other.to_owned()]));
}

#[test]
fn a_should_that_takes_nothing_is_a_fault() {
    let idle =
        "s/a/scenario.toml:3: IMAGE-7 is a SHOULD beside a MUST that takes every check: nothing here speaks for it";
    assert_eq!(parse(CLAUSES, &[proving(&["BUILD-1", "IMAGE-7"])]).err(), Some(vec![idle.to_owned()]));
}

#[test]
fn a_check_is_one_clauses_everywhere() {
    let text = CLAUSES.replace("source = \"y\"\n", "source = \"y\"\neverywhere = [\"build-phases\"]\n");
    let faults = parse(&text, &[proving(&["BUILD-1"])]).err().unwrap_or_default().join("\n");
    assert!(faults.contains("the check `build-phases` is BUILD-1's everywhere already"), "{faults}");
}
