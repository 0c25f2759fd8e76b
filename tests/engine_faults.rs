//! Faults between the program and the engine: every run ends, with the verdict that is due or with an error that names the fault, and
//! never with a wrong pass or a wrong fail. `WSGI_PROOF_FAULTY_RUNS` says how many runs.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use crate::support::proxy::{Proxy, next};
use crate::support::{PrivateEngine, Suite, root, text};

/// The scenarios, and whether the candidate keeps the contract in them.
const SCENARIOS: [(&str, bool); 3] =
    [("hello-wsgi", true), ("failing-pre-build-hook", true), ("apache-as-child", false)];
/// A run that has not ended by then hangs.
const HANGS: Duration = Duration::from_secs(900);

fn runs() -> u64 {
    std::env::var("WSGI_PROOF_FAULTY_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

/// A suite of the scenarios above. One of them must fail: it expects of the hello application what it does not do.
fn suite() -> Suite {
    let suite = Suite::new();
    for (name, keeps) in SCENARIOS {
        let source = root().join("scenarios").join(if keeps { name } else { "hello-wsgi" });
        let target = suite.path().join("scenarios").join(name);
        let copied = std::process::Command::new("cp").arg("-r").arg(&source).arg(&target).status().unwrap();
        assert!(copied.success());
        if !keeps {
            let file = target.join("scenario.toml");
            let text = std::fs::read_to_string(&file).unwrap();
            std::fs::write(&file, text.replace("Hello World!", "Hello Moon!")).unwrap();
        }
    }
    suite
}

/// What came of the runs.
#[derive(Default)]
struct Outcome {
    errors: usize,
    wrong: Vec<String>,
}

impl Outcome {
    /// Takes a run into account, which has left its report in this folder.
    fn add(&mut self, run: &str, output: &Output, report: &Path) {
        let text = text(output);
        if output.status.code().is_none() {
            self.wrong.push(format!("{run} hangs: {text}"));
            return;
        }
        let Ok(document) = std::fs::read(report.join("report.json")) else {
            // It never came to run anything, and says why.
            self.errors += 1;
            if output.status.code() != Some(3) {
                self.wrong.push(format!("{run} without a report: {:?}: {text}", output.status));
            }
            return;
        };
        let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
        for way in document["finish"]["isolation"]["broken"].as_array().into_iter().flatten() {
            self.wrong.push(format!("{run}: {way}"));
        }
        for scenario in document["scenarios"].as_array().unwrap() {
            let (name, verdict) = (scenario["name"].as_str().unwrap(), scenario["verdict"].as_str().unwrap());
            let due = if SCENARIOS.contains(&(name, true)) { "pass" } else { "fail" };
            self.errors += usize::from(verdict == "error");
            if verdict != due && verdict != "error" {
                self.wrong.push(format!("{run}: {name} is told as {verdict}: {scenario:#}"));
            }
            if verdict == "error" && scenario["fault"]["what"].as_str().is_none_or(str::is_empty) {
                self.wrong.push(format!("{run}: {name} is an error without a reason"));
            }
        }
    }
}

#[test]
fn a_fault_is_never_a_wrong_verdict() {
    let engine = PrivateEngine::start();
    engine.command(&["run", "=hello-wsgi"]).assert().success();
    let socket = PathBuf::from(engine.docker_host().strip_prefix("unix://").unwrap());
    let suite = suite();
    let (mut outcome, mut faults) = (Outcome::default(), 0);
    for seed in 1..=runs() {
        let proxy = Proxy::faulty(&socket, seed, 6);
        let report = tempfile::tempdir().unwrap();
        let place = report.path().to_str().unwrap();
        let mut command = engine.command(&["run", "--suite", suite.path().to_str().unwrap(), "--report", place]);
        let output = command.env("DOCKER_HOST", proxy.docker_host()).timeout(HANGS).output().unwrap();
        faults += proxy.faults();
        outcome.add(&format!("seed {seed}"), &output, report.path());
    }
    let Outcome { errors, wrong } = outcome;
    println!("{} runs, {faults} connections with a fault, {errors} errors, {} wrong", runs(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(faults > 0);
    engine.command(&["prune"]).assert().success();
    assert!(engine.leftovers().is_empty(), "{:?}", engine.leftovers());
}

#[test]
fn an_engine_that_is_killed_and_comes_back_is_never_a_wrong_verdict() {
    let engine = PrivateEngine::start();
    engine.command(&["run", "=hello-wsgi"]).assert().success();
    let suite = suite();
    let (mut outcome, mut random) = (Outcome::default(), 7);
    let runs = runs().div_ceil(3);
    for number in 1..=runs {
        let report = tempfile::tempdir().unwrap();
        let place = report.path().to_str().unwrap();
        let mut command = engine.command(&["run", "--suite", suite.path().to_str().unwrap(), "--report", place]);
        let after = Duration::from_millis(next(&mut random) % 6000);
        let output = std::thread::scope(|scope| {
            let run = scope.spawn(|| command.timeout(HANGS).output().unwrap());
            // A fault at some time, not a wait for something.
            std::thread::sleep(after);
            engine.kill();
            engine.command(&["engine", "start"]).assert().success();
            run.join().unwrap()
        });
        outcome.add(&format!("run {number}, killed after {after:?}"), &output, report.path());
    }
    let Outcome { errors, wrong } = outcome;
    println!("{runs} runs with an engine that was killed and came back, {errors} errors, {} wrong", wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    engine.command(&["prune"]).assert().success();
    assert!(engine.leftovers().is_empty(), "{:?}", engine.leftovers());
}
