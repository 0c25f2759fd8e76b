//! What is not the candidate's doing: the engine goes away, the user stops the run, the store is not filled. On a private
//! engine of the test's own, which it may kill.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use wsgi_proof_tests::{PrivateEngine, program, root};

/// A run that has begun to work on its first scenarios.
fn begun(engine: &PrivateEngine, report: &std::path::Path) -> (Child, BufReader<std::process::ChildStdout>) {
    let mut child = Command::new(program())
        .current_dir(root())
        .args(["run", "git-requirement", "hg-requirement", "pre-build-system-package", "--report"])
        .arg(report)
        .env("DOCKER_HOST", engine.docker_host())
        .env("WSGI_PROOF_CACHE", engine.cache())
        .env_remove("GITHUB_ACTIONS")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    while !line.contains("onbuild image, instrumented") {
        line.clear();
        assert_ne!(output.read_line(&mut line).unwrap(), 0, "the run ended before its images were ready");
    }
    (child, output)
}

fn rest(mut output: BufReader<std::process::ChildStdout>, child: Child) -> (i32, String) {
    let mut text = String::new();
    std::io::Read::read_to_string(&mut output, &mut text).unwrap();
    let ended = child.wait_with_output().unwrap();
    text.push_str(&String::from_utf8_lossy(&ended.stderr));
    (ended.status.code().unwrap_or(-1), text)
}

#[test]
fn an_engine_that_is_killed_is_an_error_and_an_interrupt_cleans_up() {
    let engine = PrivateEngine::start();
    let report = tempfile::tempdir().unwrap();

    // Ctrl-C: everything of the run is gone afterwards.
    let (child, output) = begun(&engine, report.path());
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().unwrap().success());
    let (code, text) = rest(output, child);
    assert_eq!(code, 130, "{text}");
    assert!(engine.leftovers().is_empty(), "{:?}", engine.leftovers());
    let document: serde_json::Value =
        serde_json::from_slice(&std::fs::read(report.path().join("report.json")).unwrap()).unwrap();
    assert_eq!(document["complete"], false);

    // Ctrl-C while the engine hangs: the run does not wait for it, and says so; the next one removes what it left.
    let (child, output) = begun(&engine, report.path());
    engine.signal("-STOP");
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let (code, text) = rest(output, child);
    engine.signal("-CONT");
    assert_eq!(code, 130, "{text}");
    assert!(text.contains("cleaning up took too long"), "{text}");
    engine.command(&["run", "=hello-wsgi"]).assert().success();
    assert!(engine.leftovers().is_empty(), "{:?}", engine.leftovers());

    // The engine dies: the suite cannot tell, and says why.
    let (child, output) = begun(&engine, report.path());
    engine.kill();
    let (code, text) = rest(output, child);
    assert_eq!(code, 3, "{text}");
    assert!(text.contains("stopped answering") && text.contains("could not tell"), "{text}");
    assert!(!text.contains(" FAIL "), "{text}");
    let junit = std::fs::read_to_string(report.path().join("junit.xml")).unwrap();
    assert!(junit.contains("<error") && !junit.contains("<failure"), "{junit}");
}
