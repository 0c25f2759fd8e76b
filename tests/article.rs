//! The article's own steps: they keep every MUST, and break exactly the SHOULDs that their file lists.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::support::{Slot, first_run, root, without_engine, wsgi_proof};

const ARTICLE: &str = "images/alternatives/article";

/// Clauses, by scenario.
type Broken = BTreeMap<String, BTreeSet<String>>;

/// What the file lists for a variant: for both tiers, and for images alone.
fn listed(variant: &str) -> [Broken; 2] {
    let text = std::fs::read_to_string(root().join(ARTICLE).join("breaks.toml")).unwrap();
    let tables: BTreeMap<String, Broken> = toml::from_str(&text).unwrap();
    let not_in = |name: &String| tables["not-in"].get(name).is_some_and(|variants| variants.contains(variant));
    ["breaks", "breaks-in-images"].map(|table| {
        let mut listed = tables[table].clone();
        listed.retain(|name, _| !not_in(name));
        listed
    })
}

/// What a table says of its only candidate, in each cell.
fn broken(table: &[u8]) -> BTreeMap<String, Broken> {
    // In images the progress of the run comes before it.
    let text = std::str::from_utf8(table).unwrap();
    let start = if text.starts_with('{') { 0 } else { text.find("\n{").unwrap() };
    let table: Value = serde_json::from_str(&text[start..]).unwrap();
    let [column] = table["columns"].as_array().unwrap().as_slice() else { panic!("not one column: {table:#}") };
    assert_eq!(column["faults"].as_array().unwrap().len(), 0, "{column:#}");
    let mut broken: BTreeMap<String, Broken> = BTreeMap::new();
    for (clause, result) in column["clauses"].as_object().unwrap() {
        for reason in result["reasons"].as_array().unwrap() {
            let label = reason["scenario"].as_str().unwrap();
            let (scenario, cell) = label.split_once(" [").unwrap_or((label, ""));
            let scenarios = broken.entry(cell.to_owned()).or_default();
            scenarios.entry(scenario.to_owned()).or_default().insert(clause.clone());
        }
    }
    broken
}

#[test]
fn they_keep_every_must_and_break_what_is_listed_in_the_contract_tier() {
    let _slot = Slot::take();
    let verify = ["verify", "--tier", "contract", "--variant", "all", ARTICLE];
    // Nothing is broken; what takes images was not tried.
    without_engine(&verify).assert().code(5);
    let assert = without_engine(&[&verify[..], &["--strict", "--json"]].concat()).assert().code(1);
    let cells = broken(&assert.get_output().stdout);
    let variants = std::fs::read_to_string(root().join("images/variants.toml")).unwrap();
    assert_eq!(cells.len(), toml::from_str::<toml::Table>(&variants).unwrap().len());
    for (cell, broken) in cells {
        let variant = cell.split(' ').next().unwrap();
        assert_eq!(broken, listed(variant)[0], "{cell}");
    }
}

/// In images, a part of the list, and some scenarios that must pass; the workflow `every-cell` tries all in every variant.
#[test]
fn they_do_so_in_images() {
    const PASS: [&str; 4] = ["hello-wsgi", "every-phase", "setup-py-only", "checkout-in-the-way"];
    first_run();
    let [both, images] = listed("python-3.11");
    let some: Broken = both.into_iter().filter(|(name, _)| name.contains("hook")).chain(images).collect();
    let only: Vec<String> = some.keys().map(String::as_str).chain(PASS).map(|name| format!("={name}")).collect();
    let mut arguments = vec!["verify", "--tier", "image", "--strict", "--json", ARTICLE];
    for name in &only {
        arguments.extend(["--only", name]);
    }
    let _slot = Slot::take();
    let assert = wsgi_proof(&arguments).assert().code(1);
    let cells = broken(&assert.get_output().stdout);
    assert_eq!(cells.into_values().collect::<Vec<_>>(), [some]);
}
