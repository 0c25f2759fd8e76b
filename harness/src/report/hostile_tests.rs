//! Reports of what a candidate wrote to mislead those who read them: people, terminals, CI systems and parsers.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use proptest::arbitrary::any;
use proptest::collection::vec;
use proptest::strategy::{Just, Strategy};

use super::json_lines::JsonLinesReporter;
use super::tests::{Shared, feed};
use super::{
    CtrfReporter, DocumentReporter, GithubReporter, JunitReporter, Reporters, SarifReporter, TerminalReporter,
};
use crate::outcome::samples::{self, report};
use crate::outcome::{Fault, Finding, Log, NotRun, Outcome, ScenarioReport, Subject, Verdict};
use crate::run::event::tests::{finished, started};
use crate::run::event::{Event, PreparationEnd, RunEnd, RunFinish};

/// A run in which this text is wherever a candidate's could be.
fn events(text: &str) -> Vec<Event> {
    let text = text.to_owned();
    let outcome = Outcome::Broken { expected: text.clone(), got: format!("{text}\n{text}") };
    let subject = Subject { of: text.clone(), detail: text.clone(), occasion: text.clone() };
    let broken = Finding { subject, outcome, ..samples::finding(true) };
    let failing = ScenarioReport {
        summary: text.clone(),
        findings: vec![broken],
        logs: vec![Log { title: text.clone(), lines: vec![text.clone(), text.clone()] }],
        not_run: vec![NotRun::NoAnswer { what: text.clone() }],
        ..report("failing", Verdict::Fail)
    };
    let fault = Fault { what: text.clone(), hint: Some(text.clone()) };
    let unclear = ScenarioReport { fault: Some(fault.clone()), ..report(&text, Verdict::Error) };
    let Event::RunFinished(finish) = finished(RunEnd::Completed) else { return Vec::new() };
    let finish = RunFinish { undeclared: vec![text.clone()], shortfalls: vec![text.clone()], ..*finish };
    let failed = PreparationEnd::Failed { why: text.clone(), log: vec![text.clone()] };
    let took = std::time::Duration::from_secs(1);
    vec![
        started(2),
        Event::PreparationFinished { what: text.clone(), took, end: failed },
        Event::PreparationFinished { what: text, took, end: PreparationEnd::Error(fault) },
        Event::ScenarioFinished(Box::new(failing)),
        Event::ScenarioFinished(Box::new(unclear)),
        Event::RunFinished(Box::new(finish)),
    ]
}

/// What this reporter wrote.
fn written(text: &str, make: impl FnOnce(Shared) -> Box<dyn super::Reporter>) -> String {
    let out = Shared::default();
    feed(&mut *make(out.clone()), &events(text));
    String::from_utf8(out.0.lock().unwrap().clone()).unwrap()
}

fn on_terminal(text: &str, workflow: bool) -> String {
    let scenarios = Path::new("scenarios");
    written(text, |out| {
        Box::new(TerminalReporter::new(Box::new(out), false, None, false, scenarios).in_workflow(workflow))
    })
}

/// What a runner of GitHub's takes for commands, by its own rules: at the beginning of a line, or `##[` anywhere; none between
/// `::stop-commands::` and the end that it names.
fn commands(output: &str) -> Vec<&str> {
    let mut end: Option<String> = None;
    let mut found = Vec::new();
    for line in output.lines() {
        if let Some(token) = &end {
            if line.trim() == format!("::{token}::") {
                end = None;
            }
        } else if let Some(token) = line.trim_start().strip_prefix("::stop-commands::") {
            end = Some(token.to_owned());
        } else if line.trim_start().starts_with("::") || line.contains("##[") || line.contains("##vso[") {
            found.push(line);
        }
    }
    assert_eq!(end, None, "commands stay stopped: {output}");
    found
}

const HOSTILE: [&str; 9] = [
    "::stop-commands::x",
    "x\n::error::green\n::x::",
    "\u{3000} ::set-output name=a::b",
    "x ##[error]green",
    "##vso[task.complete result=Succeeded]",
    "x%0A::error::green",
    "\u{1b}]0;title\u{7}\u{1b}[2J\u{1b}[8m\u{9b}2J\u{202e}\r\u{8}",
    "\u{0}\u{1}\u{b}\u{fffe}\u{ffff}\u{1ffff}",
    "]]> <x> &amp; ```\n# [x](https://a.test) | <img src=x>",
];

#[test]
fn nothing_that_a_candidate_wrote_is_a_command() {
    for text in HOSTILE {
        for workflow in [true, false] {
            let output = on_terminal(text, workflow);
            assert_eq!(commands(&output), Vec::<&str>::new(), "{text:?}: {output}");
        }
    }
}

/// Also where the end of the run is never reported.
#[test]
fn commands_are_stopped_around_each_part_alone() {
    let out = Shared::default();
    let mut terminal =
        TerminalReporter::new(Box::new(out.clone()), false, None, false, Path::new("x")).in_workflow(true);
    let mut stopped = 0;
    for event in events("::error::x") {
        super::Reporter::event(&mut terminal, &event).unwrap();
        let output = String::from_utf8(out.0.lock().unwrap().clone()).unwrap();
        assert_eq!(commands(&output), Vec::<&str>::new());
        stopped = output.matches("::stop-commands::").count();
    }
    assert!(stopped >= 4, "{stopped}");
}

#[test]
fn annotations_are_one_command_each() {
    for text in HOSTILE {
        let output = written(text, |out| Box::new(GithubReporter::new(Box::new(out), None, Path::new("scenarios"))));
        let lines: Vec<&str> = output.lines().collect();
        assert_eq!(lines.len(), 3, "{text:?}: {output}");
        for line in lines {
            let (properties, _) = line.strip_prefix("::error ").unwrap().split_once("::").unwrap();
            let names: Vec<&str> = properties.split(',').filter_map(|one| Some(one.split_once('=')?.0)).collect();
            assert!(names == ["file", "line", "title"] || names == ["title"], "{text:?}: {line}");
            assert!(!line.chars().any(char::is_control), "{line:?}");
        }
    }
}

#[test]
fn each_event_is_a_line_of_json() {
    for text in HOSTILE {
        let output = written(text, |out| Box::new(JsonLinesReporter::new(Box::new(out))));
        let lines: Vec<serde_json::Value> = output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), events(text).len(), "{output}");
        assert_eq!(lines[0]["event"], "run-started");
        assert_eq!(lines.last().unwrap()["event"], "run-finished");
        assert_eq!(commands(&output), Vec::<&str>::new(), "{text:?}: {output}");
    }
}

/// A line of it begins where a candidate says so.
#[test]
fn a_document_on_standard_output_has_no_commands() {
    for text in HOSTILE {
        let output = written(text, |out| Box::new(JunitReporter::to(Box::new(out), Path::new("scenarios"))));
        roxmltree::Document::parse(&output).unwrap();
        assert_eq!(commands(&output), Vec::<&str>::new(), "{text:?}: {output}");
    }
}

#[test]
fn a_summary_has_the_rows_that_it_is_to_have() {
    for text in HOSTILE {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.md");
        let mut github = GithubReporter::new(Box::new(Shared::default()), Some(path.clone()), Path::new("scenarios"));
        feed(&mut github, &events(text));
        let summary = std::fs::read_to_string(path).unwrap();
        assert_eq!(summary.lines().count(), 8, "{text:?}: {summary}");
        for part in ["](", "``", "https:", "\n#"] {
            assert!(!summary["###".len()..].contains(part), "{part} in {summary}");
        }
        assert!(summary.match_indices('<').all(|(at, _)| summary[..at].ends_with('\\')), "{summary}");
    }
}

#[test]
fn no_report_has_a_secret() {
    let folder = tempfile::tempdir().unwrap();
    let mut reporters = Reporters::files(folder.path(), Path::new("scenarios")).unwrap();
    for event in events("https://me:Zq-password@index.test/?token=Zq-token&X-Amz-Signature=Zq-signature") {
        reporters.event(&event);
    }
    assert_eq!(reporters.finish(), Vec::<String>::new());
    for entry in folder.path().read_dir().unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains("index.test") && !text.contains("Zq"), "{}: {text}", path.display());
    }
}

/// Any text: characters of every plane, and those that matter more often.
fn any_text() -> impl Strategy<Value = String> {
    let special = proptest::sample::select(
        "\u{0}\t\n\r\u{b}\u{1b}\u{7f}\u{85}\u{9b}\u{2028}\u{fffe}\u{ffff}<&>]\"':#[% ".chars().collect::<Vec<_>>(),
    );
    let character = proptest::prop_oneof![any::<char>(), special];
    proptest::prop_oneof![
        vec(character, 0..30).prop_map(String::from_iter),
        vec(any::<u8>(), 0..30).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
        proptest::sample::select(HOSTILE.to_vec()).prop_map(str::to_owned),
        Just(String::new()),
    ]
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config { cases: 400, failure_persistence: None, ..Default::default() })]

    #[test]
    fn junit_is_xml_that_says_what_was_said(text in any_text()) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("junit.xml");
        feed(&mut JunitReporter::new(path.clone(), Path::new("scenarios")), &events(&text));
        let xml = std::fs::read_to_string(path).unwrap();
        let document = roxmltree::Document::parse(&xml).map_err(|error| {
            proptest::test_runner::TestCaseError::fail(format!("{error}: {xml:?}"))
        })?;
        let logged = document.descendants().find(|node| node.has_tag_name("system-out")).unwrap().text().unwrap();
        let shown = crate::check::printable(&text);
        proptest::prop_assert_eq!(logged, format!("== {shown} ==\n{shown}\n{shown}"));
        // A parser reads new lines and tabs in attributes as spaces.
        let message = document.descendants().find(|node| node.has_tag_name("error")).unwrap().attribute("message").unwrap();
        proptest::prop_assert_eq!(message.replace(['\n', '\t'], " "), shown.replace(['\n', '\t'], " "));
    }

    #[test]
    fn json_says_what_was_said(text in any_text()) {
        let folder = tempfile::tempdir().unwrap();
        let (path, ctrf) = (folder.path().join("report.json"), folder.path().join("ctrf.json"));
        feed(&mut DocumentReporter::new(folder.path()), &events(&text));
        let report: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        proptest::prop_assert_eq!(&report["scenarios"][0]["logs"][0]["lines"][0], &serde_json::json!(text));
        feed(&mut CtrfReporter::new(ctrf.clone(), Path::new("scenarios")), &events(&text));
        serde_json::from_slice::<serde_json::Value>(&std::fs::read(ctrf).unwrap()).unwrap();
        let sarif = folder.path().join("report.sarif");
        feed(&mut SarifReporter::new(sarif.clone(), Path::new("scenarios")), &events(&text));
        serde_json::from_slice::<serde_json::Value>(&std::fs::read(sarif).unwrap()).unwrap();
    }

    #[test]
    fn a_terminal_gets_characters_and_new_lines_only(text in any_text()) {
        let output = on_terminal(&text, true);
        proptest::prop_assert!(output.chars().all(|character| character == '\n' || !character.is_control()), "{:?}", output);
        proptest::prop_assert_eq!(commands(&output), Vec::<&str>::new());
    }
}
