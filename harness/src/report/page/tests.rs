#![allow(clippy::unwrap_used)]

use std::time::Duration;

use super::*;
use crate::outcome::Outcome;
use crate::report::DocumentReporter;
use crate::report::read;
use crate::report::tests::{events, feed};

/// A page, its texts as a browser has them.
fn shown(run: &RunRead) -> String {
    page(run).unwrap().replace("&#x2f;", "/").replace("&#x27;", "'")
}

/// The run of the other reports' tests.
pub(crate) fn run() -> RunRead {
    read::of(document()).unwrap()
}

/// Its report as it stands.
pub(crate) fn document() -> serde_json::Value {
    let folder = tempfile::tempdir().unwrap();
    feed(&mut DocumentReporter::new(folder.path()), &events());
    read::document(&folder.path().join("report.json")).unwrap()
}

#[test]
fn a_page_says_what_came_and_asks_nobody() {
    let page = shown(&run());
    for text in [
        "<h1>Failed</h1>",
        "The candidate broke the contract in 1 of 3 scenarios.",
        "<a href=\"#s1\">failing</a>",
        "GET / status: status 500",
        "the engine stopped answering",
        "data-state=\"broken\"",
        "BUILD-1",
    ] {
        assert!(page.contains(text), "no {text}");
    }
    for source in ["http://", "https://", "src=", "@import", "url("] {
        let but_data = page.split("id=\"data\"").next().unwrap();
        assert!(!but_data.contains(source), "{source}");
    }
}

#[test]
fn each_cause_is_told_once_and_the_worst_first() {
    let mut run = run();
    let mut warned = run.scenarios[1].clone();
    warned.verdict = "warn".to_owned();
    run.scenarios.insert(0, warned);
    run.scenarios.extend([run.scenarios[2].clone(), run.scenarios[2].clone()]);
    let page = shown(&run);
    assert_eq!(page.matches("GET / status: status 500").count(), 2);
    assert!(page.contains("3 scenarios:") && page.find("3 scenarios:") < page.find("verdict warn"), "{page}");
}

#[test]
fn a_cause_is_told_with_its_clauses_and_a_line_that_says_something() {
    let mut run = run();
    for finding in &mut run.scenarios[1].findings {
        if let Outcome::Broken { got, .. } = &mut finding.outcome {
            *got = "only this line:\n  the telling one\nand more".to_owned();
        }
    }
    let page = shown(&run);
    assert!(page.contains("BUILD-1: GET / status: only this line: the telling one</p>"), "{page}");
}

#[test]
fn a_policy_permits_the_script_and_the_style_alone() {
    let page = shown(&run());
    let inside = |tag: &str| {
        let rest = page.split(&format!("<{tag}>")).nth(1).unwrap();
        rest.split(&format!("</{tag}>")).next().unwrap().to_owned()
    };
    for (tag, directive) in [("script", "script-src"), ("style", "style-src")] {
        assert!(page.contains(&format!("{directive} '{}'", hash(&inside(tag)))), "{tag}");
    }
    // What has no hash would not be applied.
    assert!(!page.contains(" style=") && !page.contains(" onclick="));
}

#[test]
fn what_a_run_says_is_never_markup() {
    let mut run = run();
    let hostile = "</script><script>alert(1)</script><img src=x onerror=alert(1)>{{ 7 * 7 }}";
    run.scenarios[1].label = hostile.to_owned();
    run.scenarios[1].logs[0].lines.push(hostile.to_owned());
    run.run.as_mut().unwrap().candidate = hostile.to_owned();
    run.preparations[0].note = hostile.to_owned();
    let page = page(&run).unwrap();
    assert_eq!(page.matches("<script").count(), 2);
    assert!(!page.contains("<img") && !page.contains("alert(1)</script>") && page.contains("{{ 7 * 7 }}"));
}

#[test]
fn a_timeline_has_lanes_and_nothing_outside_of_them() {
    let mut run = run();
    for (number, scenario) in run.scenarios.iter_mut().enumerate() {
        scenario.began = Some(number as u64 * 500);
        scenario.took = Duration::from_millis(900);
        scenario.stages = vec![("build".to_owned(), Duration::from_millis(600))];
    }
    let page_of = |run: &RunRead| shown(run);
    let page = page_of(&run);
    assert!(page.contains("failing: fail, 0.90 s") && page.contains("class=\"build\""), "{page}");
    // Many are one shape of a kind, which is not larger by much.
    let one = run.scenarios[0].clone();
    run.scenarios.extend((0..10_000).map(|number| read::ScenarioRead { began: Some(number), ..one.clone() }));
    let page = page_of(&run);
    assert!(page.contains("<path class=\"build\"") && !page.contains("<rect"));
    assert!(page.len() < 6_000_000, "{} bytes", page.len());
}

#[test]
fn every_end_has_its_sentence() {
    let of = |exit_code, change: &dyn Fn(&mut RunRead)| {
        let mut run = run();
        (run.tally.fail, run.tally.error, run.tally.pass) = (0, 0, 3);
        run.exit_code = exit_code;
        change(&mut run);
        super::sentence::Sentence::of(&run)
    };
    assert_eq!(of(0, &|_| ()).text, "All 3 assertions of 3 scenarios that apply held.");
    assert_eq!(of(0, &|run| run.tally.warn = 1).verdict, "warn");
    assert_eq!(of(0, &|run| run.tally.caught = 1).word, "Caught");
    assert!(of(1, &|_| ()).text.contains("assertion lock"));
    assert_eq!(of(3, &|run| run.tally.error = 1).verdict, "error");
    assert!(of(3, &|run| run.end = None).word.contains("Not complete"));
    assert!(of(130, &|run| run.end = Some("interrupted".to_owned())).word.contains("Not complete"));
    assert!(of(3, &|_| ()).text.contains("cannot be relied on"));
    assert_eq!(of(4, &|_| ()).verdict, "skip");
}
