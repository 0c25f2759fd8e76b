//! Faults between the program and the engine: every run ends, with the verdict that is due or with an error that names the fault, and
//! never with a wrong pass or a wrong fail. `WSGI_PROOF_FAULTY_RUNS` says how many runs.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::path::PathBuf;
use std::time::Duration;

use wsgi_proof_tests::proxy::FaultyProxy;
use wsgi_proof_tests::{PrivateEngine, root};

/// The scenarios, and whether the candidate keeps the contract in them.
const SCENARIOS: [(&str, bool); 3] =
    [("hello-wsgi", true), ("failing-pre-build-hook", true), ("apache-as-child", false)];
/// A run that has not ended by then hangs.
const HANGS: Duration = Duration::from_secs(300);

fn runs() -> u64 {
    std::env::var("WSGI_PROOF_FAULTY_RUNS").ok().and_then(|text| text.parse().ok()).unwrap_or(6)
}

#[test]
fn a_fault_is_never_a_wrong_verdict() {
    let engine = PrivateEngine::start();
    engine.command(&["run", "=hello-wsgi"]).assert().success();
    let socket = PathBuf::from(engine.docker_host().strip_prefix("unix://").unwrap());
    // One scenario that must fail: it expects of the hello application what it does not do.
    let suite = wsgi_proof_tests::Suite::new();
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
    let (mut wrong, mut faults, mut errors) = (Vec::new(), 0, 0);
    for seed in 1..=runs() {
        let proxy = FaultyProxy::start(&socket, seed, 6);
        let report = tempfile::tempdir().unwrap();
        let suite = suite.path().to_str().unwrap();
        let mut command = engine.command(&["run", "--suite", suite, "--report", report.path().to_str().unwrap()]);
        let output = command.env("DOCKER_HOST", proxy.docker_host()).timeout(HANGS).output().unwrap();
        faults += proxy.faults();
        let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        if output.status.code().is_none() {
            wrong.push(format!("seed {seed} hangs: {text}"));
            continue;
        }
        let Ok(document) = std::fs::read(report.path().join("report.json")) else {
            // It never came to run anything, and says why.
            errors += 1;
            if output.status.code() != Some(3) {
                wrong.push(format!("seed {seed} without a report: {:?}: {text}", output.status));
            }
            continue;
        };
        let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
        for scenario in document["scenarios"].as_array().unwrap() {
            let (name, verdict) = (scenario["name"].as_str().unwrap(), scenario["verdict"].as_str().unwrap());
            let due = if SCENARIOS.contains(&(name, true)) { "pass" } else { "fail" };
            errors += usize::from(verdict == "error");
            if verdict != due && verdict != "error" {
                wrong.push(format!("seed {seed}: {name} is told as {verdict}: {scenario:#}"));
            }
            if verdict == "error" && scenario["fault"]["what"].as_str().is_none_or(str::is_empty) {
                wrong.push(format!("seed {seed}: {name} is an error without a reason"));
            }
        }
    }
    println!("{} runs, {faults} connections with a fault, {errors} errors, {} wrong", runs(), wrong.len());
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(faults > 0);
    engine.command(&["prune"]).assert().success();
    assert!(engine.leftovers().is_empty(), "{:?}", engine.leftovers());
}
