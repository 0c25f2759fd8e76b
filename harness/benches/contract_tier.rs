//! How long the program takes where no engine is needed: to load the scenarios, and to run them in the contract tier.

use std::hint::black_box;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};

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

criterion_group!(benches, load, run);
criterion_main!(benches);
