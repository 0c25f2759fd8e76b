//! A run whose fixture server has no way out: what was recorded once is enough.

use crate::support::Run;

#[test]
fn a_second_run_needs_nothing_from_outside() {
    // The second one also has a proxy that nobody listens on for whatever would want to leave.
    let scenarios = ["=git-requirement", "=setup-py-only"];
    Run::of(&scenarios).assert().success();
    let closed = [("http_proxy", "http://127.0.0.1:9"), ("https_proxy", "http://127.0.0.1:9")];
    let run = Run::with(&closed, &["--offline", scenarios[0], scenarios[1]]);
    let fixtures = run.report["finish"]["fixtures"].as_str().unwrap().to_owned();
    assert!(fixtures.contains(" requests, 0 downloaded"), "{fixtures}");
    assert!(!fixtures.starts_with("0 requests"), "{fixtures}");
    run.assert().success();
}
