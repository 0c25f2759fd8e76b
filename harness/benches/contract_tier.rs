//! How long the program takes where no engine is needed: to load the scenarios, and to run them in the contract tier.

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use criterion::{Criterion, SamplingMode, Throughput, criterion_group, criterion_main};
use serde_json::Value;

/// Runs the program in the root of the repository. A run that fails is no measurement.
fn wsgi_proof(arguments: &[&str]) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let output = Command::new(env!("CARGO_BIN_EXE_wsgi-proof")).args(arguments).current_dir(root).output();
    match output {
        Ok(output) if output.status.success() => output,
        other => unreachable!("wsgi-proof {arguments:?}: {other:?}"),
    }
}

fn load(criterion: &mut Criterion) {
    criterion.bench_function("load the scenarios of a cell", |bencher| {
        bencher.iter(|| black_box(wsgi_proof(&["list"])));
    });
}

/// How long the median takes of the scenarios that pass.
fn median() -> Duration {
    let report = Path::new(env!("CARGO_TARGET_TMPDIR")).join("median");
    wsgi_proof(&["run", "--tier", "contract", "--jobs", "1", "--report", &report.to_string_lossy()]);
    let text = std::fs::read_to_string(report.join("report.json")).unwrap_or_default();
    let told: Value = serde_json::from_str(&text).unwrap_or_default();
    let scenarios = told["scenarios"].as_array().into_iter().flatten();
    let took = scenarios.filter(|scenario| scenario["verdict"] == "pass").filter_map(|scenario| {
        let (seconds, nanos) = (scenario["took"]["secs"].as_u64()?, scenario["took"]["nanos"].as_u64()?);
        Some(Duration::from_secs(seconds) + Duration::from_nanos(nanos))
    });
    let mut took: Vec<Duration> = took.collect();
    took.sort();
    took.get(took.len() / 2).copied().unwrap_or_else(|| unreachable!("no scenario has passed: {text}"))
}

fn run(criterion: &mut Criterion) {
    const RUN: [&str; 3] = ["run", "--tier", "contract"];
    // The first run fetches what makes sandboxes, where it is missing.
    let output = wsgi_proof(&RUN);
    let text = String::from_utf8_lossy(&output.stdout);
    let passed = text.lines().filter(|line| line.trim_start().starts_with("PASS")).count();
    let mut group = criterion.benchmark_group("contract tier");
    group.sample_size(10).measurement_time(Duration::from_secs(30));
    group.bench_function("one scenario", |bencher| {
        bencher.iter(|| black_box(wsgi_proof(&[&RUN[..], &["=hello-wsgi"]].concat())));
    });
    // Elements a second are scenarios that ran.
    group.throughput(Throughput::Elements(passed as u64));
    group.bench_function("a cell", |bencher| bencher.iter(|| black_box(wsgi_proof(&RUN))));
    group.finish();
}

/// One after the other, so that none waits for another one's turn; the times are those that the program itself tells.
fn one(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("contract tier");
    // Each measurement takes as long as all the scenarios, and comes to the median of them: ten are ten medians.
    group.sampling_mode(SamplingMode::Flat).sample_size(10).measurement_time(Duration::from_millis(10));
    group.bench_function("the median of a cell's scenarios", |bencher| {
        bencher.iter_custom(|times| (0..times).map(|_| median()).sum());
    });
    group.finish();
}

criterion_group!(benches, load, run, one);
criterion_main!(benches);
