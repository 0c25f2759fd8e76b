//! The texts of events, all of them: what a candidate wrote can be in any. Nothing is taken out of an event without a pattern that
//! names every field, so that a new text cannot be forgotten.

use std::path::PathBuf;

use crate::isolation::Isolation;
use crate::outcome::{At, CellName, Fault, Finding, Log, NotRun, Outcome, ScenarioReport, Subject};
use crate::run::event::{Event, PreparationEnd, RunFinish, RunStart};

/// How a text is changed.
type Change<'a> = &'a dyn Fn(&str) -> String;

/// The event with each of its texts changed.
pub(super) fn changed(event: &Event, change: Change<'_>) -> Event {
    match event {
        Event::RunStarted(start) => Event::RunStarted(Box::new(run_start(start, change))),
        Event::PreparationStarted { what } => Event::PreparationStarted { what: change(what) },
        Event::PreparationProgress { what, line } => {
            Event::PreparationProgress { what: change(what), line: change(line) }
        }
        Event::PreparationFinished { what, took, end } => {
            Event::PreparationFinished { what: change(what), took: *took, end: preparation_end(end, change) }
        }
        Event::ScenarioStarted { label } => Event::ScenarioStarted { label: change(label) },
        Event::ScenarioStage { label, stage } => Event::ScenarioStage { label: change(label), stage: *stage },
        Event::ScenarioFinished(report) => Event::ScenarioFinished(Box::new(scenario(report, change))),
        Event::RunFinished(finish) => Event::RunFinished(Box::new(run_finish(finish, change))),
    }
}

fn all(texts: &[String], change: Change<'_>) -> Vec<String> {
    texts.iter().map(|text| change(text)).collect()
}

fn cell(CellName { variant, dialect, builder }: &CellName, change: Change<'_>) -> CellName {
    CellName { variant: change(variant), dialect: change(dialect), builder: change(builder) }
}

fn fault(Fault { what, hint }: &Fault, change: Change<'_>) -> Fault {
    Fault { what: change(what), hint: hint.as_deref().map(change) }
}

fn at(At { file, line }: &At, change: Change<'_>) -> At {
    At { file: PathBuf::from(change(&file.to_string_lossy())), line: *line }
}

fn run_start(start: &RunStart, change: Change<'_>) -> RunStart {
    let RunStart {
        run,
        started,
        planned,
        jobs,
        engine,
        candidate,
        suite,
        cells,
        strict,
        isolation,
        offline,
        control,
        shard,
    } = start;
    RunStart {
        shard: *shard,
        run: change(run),
        started: change(started),
        planned: *planned,
        jobs: *jobs,
        engine: change(engine),
        candidate: change(candidate),
        suite: suite.as_deref().map(change),
        cells: cells.iter().map(|name| cell(name, change)).collect(),
        strict: *strict,
        isolation: change(isolation),
        offline: *offline,
        control: *control,
    }
}

fn preparation_end(end: &PreparationEnd, change: Change<'_>) -> PreparationEnd {
    match end {
        PreparationEnd::Ready { note } => PreparationEnd::Ready { note: change(note) },
        PreparationEnd::Failed { why, log } => PreparationEnd::Failed { why: change(why), log: all(log, change) },
        PreparationEnd::Error(error) => PreparationEnd::Error(fault(error, change)),
    }
}

fn scenario(report: &ScenarioReport, change: Change<'_>) -> ScenarioReport {
    let ScenarioReport {
        name,
        cell: of,
        label,
        summary,
        at: place,
        proves,
        verdict,
        findings,
        fault: error,
        not_run,
        logs,
        took,
        stages,
        reproduce,
    } = report;
    let log = |Log { title, lines }: &Log| Log { title: change(title), lines: all(lines, change) };
    ScenarioReport {
        name: change(name),
        cell: cell(of, change),
        label: change(label),
        summary: change(summary),
        at: at(place, change),
        proves: proves.clone(),
        verdict: *verdict,
        findings: findings.iter().map(|one| finding(one, change)).collect(),
        fault: error.as_ref().map(|error| fault(error, change)),
        not_run: not_run.iter().map(|one| omitted(one, change)).collect(),
        logs: logs.iter().map(log).collect(),
        took: *took,
        stages: stages.clone(),
        reproduce: change(reproduce),
    }
}

fn finding(finding: &Finding, change: Change<'_>) -> Finding {
    let Finding { id, subject: Subject { of, detail, occasion }, at: place, level, stage, clauses, outcome } = finding;
    Finding {
        id: *id,
        subject: Subject { of: change(of), detail: change(detail), occasion: change(occasion) },
        at: at(place, change),
        level: *level,
        stage: *stage,
        clauses: clauses.clone(),
        outcome: match outcome {
            Outcome::Held => Outcome::Held,
            Outcome::Broken { expected, got } => Outcome::Broken { expected: change(expected), got: change(got) },
        },
    }
}

fn omitted(not_run: &NotRun, change: Change<'_>) -> NotRun {
    match not_run {
        NotRun::NotApplicable(reason) => NotRun::NotApplicable(change(reason)),
        NotRun::ImageMissing { step, image } => NotRun::ImageMissing { step: change(step), image: change(image) },
        NotRun::Inconclusive { step } => NotRun::Inconclusive { step: change(step) },
        NotRun::NotBuilt { step } => NotRun::NotBuilt { step: change(step) },
        NotRun::NoAnswer { what } => NotRun::NoAnswer { what: change(what) },
        NotRun::UserByName => NotRun::UserByName,
    }
}

fn run_finish(finish: &RunFinish, change: Change<'_>) -> RunFinish {
    let RunFinish { end, took, own, fixtures, undeclared, shortfalls, flaky, isolation, notes } = finish;
    let Isolation { tried, weakened, broken, untold } = isolation;
    RunFinish {
        end: *end,
        took: *took,
        own: *own,
        fixtures: change(fixtures),
        undeclared: all(undeclared, change),
        shortfalls: all(shortfalls, change),
        flaky: all(flaky, change),
        isolation: Isolation {
            tried: all(tried, change),
            weakened: all(weakened, change),
            broken: all(broken, change),
            untold: untold.as_deref().map(change),
        },
        notes: all(notes, change),
    }
}
