//! What is not the candidate's doing: the engine goes away, the user stops the run, the store is not filled. On a private
//! engine of the test's own, which it may kill.

use crate::support::{EngineRun, PrivateEngine};

fn begun(engine: &PrivateEngine, report: &std::path::Path) -> EngineRun {
    let scenarios = ["run", "git-requirement", "hg-requirement", "pre-build-system-package", "--report"];
    EngineRun::begin(engine.call(&scenarios).arg(report))
}

#[test]
fn an_engine_that_is_killed_is_an_error_and_an_interrupt_cleans_up() {
    let engine = PrivateEngine::start();
    let report = tempfile::tempdir().unwrap();

    // Ctrl-C: everything of the run is gone afterwards.
    let run = begun(&engine, report.path());
    run.signal("-INT");
    let (code, text) = run.end_stopped();
    assert_eq!(code, Some(130), "{text}");
    if text.contains("`wsgi-proof prune`, removes") {
        // It said that the engine was too slow for its five seconds, and the next one takes what is left.
        engine.command(&["prune"]).assert().success();
    }
    assert!(engine.leftovers().is_empty(), "{:?}\n{text}", engine.leftovers());
    let document: serde_json::Value =
        serde_json::from_slice(&std::fs::read(report.path().join("report.json")).unwrap()).unwrap();
    assert_eq!(document["complete"], false);

    // Ctrl-C while the engine hangs: the run does not wait for it, and says so; the next one removes what it left.
    let run = begun(&engine, report.path());
    engine.signal("-STOP");
    run.signal("-INT");
    let (code, text) = run.end_stopped();
    engine.signal("-CONT");
    assert_eq!(code, Some(130), "{text}");
    assert!(text.contains("clean-up took too long"), "{text}");
    let next = engine.command(&["run", "=hello-wsgi"]).assert().success();
    assert!(engine.leftovers().is_empty(), "{:?}\n{next}", engine.leftovers());

    // The engine dies: the suite cannot tell, and says why.
    let run = begun(&engine, report.path());
    engine.kill();
    let (code, text) = run.end();
    assert_eq!(code, Some(3), "{text}");
    assert!(text.contains("stopped answering") && text.contains("inconclusive"), "{text}");
    assert!(!text.contains(" FAIL "), "{text}");
    let junit = std::fs::read_to_string(report.path().join("junit.xml")).unwrap();
    assert!(junit.contains("<error") && !junit.contains("<failure"), "{junit}");
}
