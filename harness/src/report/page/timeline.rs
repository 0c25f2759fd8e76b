//! The timeline: what a run did when, in lanes, as shapes of an SVG.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::data::milliseconds;
use crate::report::read::RunRead;

/// The drawing's width, the height of a lane and of the scale, in its units, and the least width of a bar, in hundredths of them.
const WIDTH: u64 = 1000;
const LANE: u64 = 14;
const SCALE: u64 = 18;
const LEAST: u64 = 60;
/// How many scenarios are drawn each as a shape of its own, with a title and a link.
const SINGLE: usize = 600;
/// About how many marks the scale has.
const MARKS: u64 = 8;

#[derive(Debug, serde::Serialize)]
pub(super) struct Timeline {
    width: u64,
    height: u64,
    /// The line of the scale.
    scale: u64,
    marks: Vec<(String, String)>,
    bars: Vec<Bar>,
    /// Where there are many: all shapes of a kind in one path.
    paths: BTreeMap<&'static str, String>,
}

/// A piece of work.
#[derive(Debug, serde::Serialize)]
struct Bar {
    /// The number of its scenario; none of a preparation.
    scenario: Option<usize>,
    title: String,
    parts: Vec<Part>,
}

#[derive(Debug, serde::Serialize)]
struct Part {
    kind: &'static str,
    x: String,
    y: u64,
    width: String,
    height: u64,
}

/// Something that took time.
struct Work {
    scenario: Option<usize>,
    title: String,
    began: u64,
    took: u64,
    /// Its stages, one after the other.
    stages: Vec<(&'static str, u64)>,
}

impl Timeline {
    /// Of a run whose report says when what it did began.
    pub(super) fn of(run: &RunRead) -> Option<Self> {
        let mut work = work(run);
        work.sort_by_key(|work| work.began);
        let total = work.iter().map(|work| work.began + work.took).max().filter(|total| *total > 0)?;
        let hundredths =
            |time: u64| u64::try_from(u128::from(time) * u128::from(WIDTH) * 100 / u128::from(total)).unwrap_or(0);
        let unit = |time: u64| written(hundredths(time));
        let mut lanes: Vec<u64> = Vec::new();
        let mut bars = Vec::new();
        for work in work {
            let free = lanes.iter().position(|end| *end <= work.began);
            let lane = free.unwrap_or_else(|| {
                lanes.push(0);
                lanes.len() - 1
            });
            lanes[lane] = work.began + work.took;
            let mut begin = work.began;
            let part = |(kind, took): (&'static str, u64)| {
                let part = Part {
                    kind,
                    x: unit(begin),
                    y: lane as u64 * LANE + 1,
                    width: written(hundredths(took).max(LEAST)),
                    height: LANE - 2,
                };
                begin += took;
                part
            };
            let parts = work.stages.into_iter().map(part).collect();
            bars.push(Bar { scenario: work.scenario, title: work.title, parts });
        }
        let scale = lanes.len() as u64 * LANE;
        let step = step(total);
        let marks = (0..=total / step).map(|mark| (unit(mark * step), label(mark * step, step))).collect();
        let mut paths = BTreeMap::new();
        if bars.len() > SINGLE {
            for part in bars.drain(..).flat_map(|bar| bar.parts) {
                let path: &mut String = paths.entry(part.kind).or_default();
                let Part { x, y, width, height, .. } = part;
                let _ = write!(path, "M{x} {y}h{width}v{height}h-{width}z");
            }
        }
        Some(Self { width: WIDTH, height: scale + SCALE, scale, marks, bars, paths })
    }
}

fn work(run: &RunRead) -> Vec<Work> {
    let preparations = run.preparations.iter().filter_map(|preparation| {
        Some(Work {
            scenario: None,
            title: format!("{}: {}", preparation.what, seconds(preparation.milliseconds)),
            began: preparation.began?,
            took: preparation.milliseconds,
            stages: vec![("prepare", preparation.milliseconds)],
        })
    });
    let scenarios = run.scenarios.iter().enumerate().filter_map(|(number, scenario)| {
        let took = milliseconds(scenario.took);
        let mut stages: Vec<(&str, u64)> =
            scenario.stages.iter().map(|(stage, took)| (kind(stage), milliseconds(*took))).collect();
        // What is in no stage is the waiting between them.
        let rest = took.saturating_sub(stages.iter().map(|(_, took)| took).sum());
        stages.push(("other", rest));
        stages.retain(|(_, took)| *took > 0);
        let title = format!("{}: {}, {}", scenario.label, scenario.verdict, seconds(took));
        Some(Work { scenario: Some(number), title, began: scenario.began?, took, stages })
    });
    preparations.chain(scenarios).collect()
}

fn kind(stage: &str) -> &'static str {
    ["build", "examine", "probe", "stop"].into_iter().find(|known| *known == stage).unwrap_or("other")
}

/// The distance of marks, in milliseconds: 1, 2 or 5, and zeros.
fn step(total: u64) -> u64 {
    let mut step = 1;
    loop {
        for factor in [1, 2, 5] {
            if total / (step * factor) <= MARKS {
                return step * factor;
            }
        }
        step *= 10;
    }
}

/// A time on the scale, whose marks have this distance.
fn label(time: u64, step: u64) -> String {
    match step {
        0..100 => format!("{time} ms"),
        100..1000 => format!("{}.{} s", time / 1000, time % 1000 / 100),
        _ => format!("{} s", time / 1000),
    }
}

pub(super) fn seconds(milliseconds: u64) -> String {
    if milliseconds < 10_000 {
        format!("{}.{:02} s", milliseconds / 1000, milliseconds % 1000 / 10)
    } else {
        format!("{}.{} s", milliseconds / 1000, milliseconds % 1000 / 100)
    }
}

/// A number of hundredths.
fn written(hundredths: u64) -> String {
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}
