//! The reports of the shards of one run, made one. What is missing is an error, and never a pass.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};

use super::read::RunRead;
use crate::run::shard::ShardOf;

/// Why reports cannot be made one.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum MergeError {
    #[error("{} is not the report of a shard", path.display())]
    NoShard { path: PathBuf },
    #[error("{} and {} are both shard {shard}", first.display(), second.display())]
    Twice { first: PathBuf, second: PathBuf, shard: ShardOf },
    #[error("{} and {} are of different runs: the {what} differs", first.display(), second.display())]
    Different { first: PathBuf, second: PathBuf, what: &'static str },
}

/// A report, as it is and as it was read.
pub(crate) struct Part {
    pub path: PathBuf,
    pub document: Value,
    pub read: RunRead,
}

/// Reports that were made one.
#[derive(Debug)]
pub(crate) struct Merged {
    pub document: Value,
    pub exit_code: u8,
    /// Shards of which there is no report.
    pub missing: Vec<String>,
}

/// Makes reports one.
///
/// # Errors
/// When they are not the shards of one run.
pub(crate) fn merge(parts: Vec<Part>) -> Result<Merged, MergeError> {
    let mut shards: BTreeMap<usize, (ShardOf, Part)> = BTreeMap::new();
    for part in parts {
        let shard = part.read.run.as_ref().and_then(|run| run.shard);
        let shard = shard.ok_or_else(|| MergeError::NoShard { path: part.path.clone() })?;
        if let Some((first, one)) = shards.values().next() {
            same(first, one, &shard, &part)?;
        }
        if let Some((_, first)) = shards.get(&shard.number) {
            let (first, second) = (first.path.clone(), part.path.clone());
            return Err(MergeError::Twice { first, second, shard });
        }
        shards.insert(shard.number, (shard, part));
    }
    let Some((whole, _)) = shards.values().next() else {
        return Ok(Merged { document: Value::Null, exit_code: 3, missing: Vec::new() });
    };
    let ShardOf { of, scenarios, .. } = *whole;
    let missing: Vec<String> =
        (1..=of).filter(|number| !shards.contains_key(number)).map(|number| format!("{number}/{of}")).collect();
    let parts: Vec<Part> = shards.into_values().map(|(_, part)| part).collect();
    let reported: usize = parts.iter().map(|part| part.read.scenarios.len()).sum();
    let complete = missing.is_empty() && reported == scenarios && parts.iter().all(|part| part.read.complete);
    let exit_code = exit_code(&parts, complete);
    let document = document(&parts, complete, exit_code, scenarios, &missing);
    Ok(Merged { document, exit_code, missing })
}

/// That two shards are of one run.
fn same(first: &ShardOf, one: &Part, second: &ShardOf, other: &Part) -> Result<(), MergeError> {
    let (Some(a), Some(b)) = (&one.read.run, &other.read.run) else { return Ok(()) };
    let differences = [
        ("number of shards", first.of != second.of),
        ("number of scenarios", first.scenarios != second.scenarios),
        ("candidate", a.candidate != b.candidate),
        ("suite", a.suite != b.suite),
        ("set of cells", a.cells != b.cells),
        ("option `--strict`", a.strict != b.strict),
    ];
    match differences.into_iter().find(|(_, differs)| *differs) {
        Some((what, _)) => Err(MergeError::Different { first: one.path.clone(), second: other.path.clone(), what }),
        None => Ok(()),
    }
}

/// As that of a run: a signal first, then a failure, which outranks what is inconclusive. A shard in which nothing applies is no
/// fault where another has something.
fn exit_code(parts: &[Part], complete: bool) -> u8 {
    let codes: Vec<u8> = parts.iter().map(|part| part.read.exit_code).collect();
    let first = |wanted: &dyn Fn(u8) -> bool| codes.iter().copied().find(|code| wanted(*code));
    first(&|code| code >= 128)
        .or_else(|| first(&|code| code == 1))
        .or_else(|| first(&|code| ![0, 4].contains(&code)))
        .or((!complete).then_some(3))
        .or_else(|| first(&|code| code == 0))
        .unwrap_or(4)
}

fn document(parts: &[Part], complete: bool, exit_code: u8, planned: usize, missing: &[String]) -> Value {
    let documents: Vec<&Value> = parts.iter().map(|part| &part.document).collect();
    let all =
        |name: &str| Value::Array(documents.iter().filter_map(|one| one[name].as_array()).flatten().cloned().collect());
    let sum = |value: &dyn Fn(&Value) -> Option<u64>| -> u64 { documents.iter().filter_map(|one| value(one)).sum() };
    let mut run = documents[0]["run"].clone();
    (run["planned"], run["shard"]) = (json!(planned), Value::Null);
    let mut tally = json!({});
    for name in ["pass", "warn", "caught", "fail", "error", "skip", "assertions", "shortfalls"] {
        tally[name] = json!(sum(&|one| one["tally"][name].as_u64()));
    }
    tally["planned"] = json!(planned);
    tally["unsound"] = json!(documents.iter().any(|one| one["tally"]["unsound"] != json!(false)));
    let end = parts.iter().map(|part| &part.read.end).find(|end| end.as_deref() != Some("completed"));
    let end = end.unwrap_or(&parts[0].read.end);
    json!({
        "version": 1,
        "complete": complete,
        "end": if missing.is_empty() { json!(end) } else { Value::Null },
        "exit_code": exit_code,
        "run": run,
        "tally": tally,
        "preparations": all("preparations"),
        "scenarios": all("scenarios"),
        "finish": finish(parts, &documents, missing),
    })
}

fn finish(parts: &[Part], documents: &[&Value], missing: &[String]) -> Value {
    let finished = || parts.iter().filter_map(|part| part.read.finish.as_ref());
    let took = finished().map(|finish| finish.took).max().unwrap_or_default();
    let own: Duration = finished().map(|finish| finish.own).sum();
    // Several shards may say the same.
    let lists = |place: &dyn Fn(&Value) -> Option<&Vec<Value>>| {
        let mut found: Vec<Value> = Vec::new();
        for value in documents.iter().filter_map(|one| place(&one["finish"])).flatten() {
            if !found.contains(value) {
                found.push(value.clone());
            }
        }
        found
    };
    let named = |name: &'static str| lists(&move |finish| finish[name].as_array());
    let of_isolation = |name: &'static str| lists(&move |finish| finish["isolation"][name].as_array());
    let mut notes = named("notes");
    notes.extend(missing.iter().map(|shard| json!(format!("shard {shard} is missing"))));
    let fixtures: Vec<&str> = finished().map(|finish| finish.fixtures.as_str()).collect();
    json!({
        "end": documents[0]["finish"]["end"],
        "took": took,
        "own": own,
        "fixtures": fixtures.join("; "),
        "undeclared": named("undeclared"),
        "shortfalls": named("shortfalls"),
        "flaky": named("flaky"),
        "isolation": {
            "tried": of_isolation("tried"),
            "weakened": of_isolation("weakened"),
            "broken": of_isolation("broken"),
            "untold": finished().find_map(|finish| finish.isolation.untold.clone()),
        },
        "notes": notes,
    })
}

/// Where a folder has its report; a file is one.
pub(crate) fn report_in(path: &Path) -> PathBuf {
    if path.is_dir() { path.join("report.json") } else { path.to_owned() }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::report::page::tests::document;
    use crate::report::read;

    /// The shard `number` of `of`, of whose scenarios the first `fail` failed.
    fn part(number: usize, of: usize, exit_code: u8) -> Part {
        let mut document = document();
        document["run"]["shard"] = json!({ "number": number, "of": of, "scenarios": of * 3 });
        (document["exit_code"], document["complete"], document["end"]) =
            (json!(exit_code), json!(true), json!("completed"));
        for scenario in document["scenarios"].as_array_mut().unwrap() {
            scenario["label"] = json!(format!("{} of {number}", scenario["label"].as_str().unwrap()));
        }
        let read = read::of(document.clone()).unwrap();
        Part { path: PathBuf::from(format!("{number}.json")), document, read }
    }

    #[test]
    fn shards_become_one_report() {
        let merged = merge(vec![part(2, 2, 0), part(1, 2, 0)]).unwrap();
        assert_eq!((merged.exit_code, merged.missing.len()), (0, 0));
        let read = read::of(merged.document).unwrap();
        assert!(read.complete);
        let labels: Vec<&str> = read.scenarios.iter().map(|scenario| scenario.label.as_str()).collect();
        assert_eq!(labels[0], "passing of 1");
        assert_eq!((labels.len(), read.tally.planned, read.tally.assertions), (6, 6, 6));
        assert_eq!(read.run.unwrap().shard, None);
    }

    #[test]
    fn what_is_missing_is_never_a_pass() {
        let merged = merge(vec![part(1, 3, 0), part(3, 3, 0)]).unwrap();
        assert_eq!((merged.exit_code, merged.missing), (3, vec!["2/3".to_owned()]));
        let read = read::of(merged.document).unwrap();
        assert!(!read.complete && read.finish.unwrap().notes.contains(&"shard 2/3 is missing".to_owned()));
        // A scenario, too.
        let mut less = part(1, 1, 0);
        less.document["scenarios"].as_array_mut().unwrap().pop();
        less.read = read::of(less.document.clone()).unwrap();
        assert_eq!(merge(vec![less]).unwrap().exit_code, 3);
        assert_eq!(merge(Vec::new()).unwrap().exit_code, 3);
    }

    #[test]
    fn exit_codes_have_the_order_of_a_run() {
        let of = |codes: [u8; 3]| {
            merge(codes.into_iter().zip(1..).map(|(code, number)| part(number, 3, code)).collect()).unwrap().exit_code
        };
        assert_eq!((of([0, 4, 0]), of([4, 4, 4])), (0, 4));
        assert_eq!((of([0, 3, 1]), of([0, 3, 0]), of([1, 130, 3])), (1, 3, 130));
    }

    #[test]
    fn what_does_not_belong_together_is_refused() {
        let mut other = part(2, 2, 0);
        other.read.run.as_mut().unwrap().candidate = "another".to_owned();
        assert!(merge(vec![part(1, 2, 0), other]).unwrap_err().to_string().contains("the candidate differs"));
        let error = merge(vec![part(1, 2, 0), part(1, 3, 0)]).unwrap_err();
        assert!(error.to_string().contains("number of shards"), "{error}");
        assert!(merge(vec![part(1, 2, 0), part(1, 2, 0)]).unwrap_err().to_string().contains("both shard 1/2"));
        let mut whole = part(1, 1, 0);
        whole.read.run.as_mut().unwrap().shard = None;
        assert_eq!(merge(vec![whole]).unwrap_err().to_string(), "1.json is not the report of a shard");
    }
}
