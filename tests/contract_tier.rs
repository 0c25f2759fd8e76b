//! The contract tier: the same scenarios without an engine.

use std::fs::{self, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use tempfile::NamedTempFile;

use crate::support::place::{Place, User};
use crate::support::{
    EngineRun, NO_ENGINE, PrivateEngine, Run, Slot, Suite, call_of, program, root, text, without_engine,
};

#[test]
fn the_repositorys_steps_keep_the_contract_in_both_dialects() {
    let run = Run::without_engine(&["--dialect", "all", "--strict"]);
    let scenarios = run.report["scenarios"].as_array().unwrap();
    let passed = scenarios.iter().filter(|scenario| scenario["verdict"] == "pass").count();
    assert!(passed > 160, "only {passed} scenarios passed: {}", run.output());
    run.assert().success();
}

/// A container begins with the engine's umask.
#[test]
fn the_umask_of_the_program_is_not_that_of_its_sandboxes() {
    let mut command = Command::new("sh");
    command.args(["-c", "umask 077; exec \"$@\"", "sh"]).arg(program());
    command.args(["run", "--tier", "contract", "--strict"]).current_dir(root()).env("DOCKER_HOST", NO_ENGINE);
    let _slot = Slot::take();
    assert_cmd::Command::from_std(command).assert().success();
}

#[test]
fn what_a_step_leaves_running_ends_with_its_sandbox() {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"#!/bin/sh\nsleep 86417 &\nexit 3\n").unwrap();
    let run = Run::without_engine(&["--build-step", file.path().to_str().unwrap(), "=hello-wsgi"]);
    assert_eq!(run.verdict("hello-wsgi"), "fail", "{}", run.output());
    run.assert().code(1);
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let sleeping = processes
        .filter_map(|process| std::fs::read_to_string(process.path().join("cmdline")).ok())
        .any(|words| words.contains("86417"));
    assert!(!sleeping);
}

/// Its stubs are the program, which a build may replace while it runs. Where sandboxes cannot reach it they have a copy.
#[test]
fn a_program_that_is_replaced_gives_no_verdict_by_the_new_one() {
    let _slot = Slot::take();
    for (mode, code) in [(0o755, 3), (0o700, 0)] {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(mode)).unwrap();
        let (own, other) = (folder.path().join("wsgi-proof"), folder.path().join("other"));
        fs::copy(program(), &own).unwrap();
        fs::write(&other, "another program").unwrap();
        let mut command = call_of(&own, &["run", "--tier", "contract", "--repeat", "100", "=hello-wsgi"]);
        let run = EngineRun::until("isolation ", command.env("DOCKER_HOST", NO_ENGINE));
        fs::rename(&other, &own).unwrap();
        // A user's own sandboxes reach all that he reaches.
        let code = if rustix::process::geteuid().is_root() { code } else { 3 };
        let (ended, text) = run.end();
        assert_eq!(ended, Some(code), "{text}");
        assert_eq!(text.contains("was replaced while it ran"), code == 3, "{text}");
        assert!(!text.contains("FAIL"), "{text}");
    }
}

#[test]
fn a_missing_interpreter_is_the_candidates_fault() {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(b"#!/no/such/interpreter\n").unwrap();
    let run = Run::without_engine(&["--build-step", file.path().to_str().unwrap(), "=hello-wsgi"]);
    assert_eq!(run.verdict("hello-wsgi"), "fail", "{}", run.output());
    run.assert().code(1);
}

/// A build that does one thing or the other: told as flaky, and never tried into a pass.
#[test]
fn what_comes_out_otherwise_when_it_is_repeated_is_flaky() {
    let suite = Suite::new();
    let scenario = "summary = \"x\"\nsource = \"x\"\n[modes]\n\".docker/action_hooks/build\" = \"0755\"\n[build]\noutcome = \"success\"\n";
    suite.hello("by-chance", scenario);
    suite.write(
        "by-chance/app/.docker/action_hooks/build",
        "#!/bin/sh\nexit $(( $(od -An -N1 -tu1 /dev/urandom) % 2 ))\n",
    );
    suite.hello("steady", "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n");
    let place = suite.path().to_str().unwrap();
    let repeated = Run::without_engine(&["--suite", place, "--repeat", "30"]);
    let flaky = repeated.report["finish"]["flaky"].as_array().unwrap();
    assert_eq!(flaky.len(), 1, "{flaky:?}");
    assert!(flaky[0].as_str().unwrap().starts_with("by-chance [python-3.11 docker]: "), "{flaky:?}");
    assert!(repeated.output().contains("flaky: by-chance"), "{}", repeated.output());
    assert_eq!(repeated.report["tally"]["planned"], 60);
    repeated.assert().code(1);
    let stopped = Run::without_engine(&["--suite", place, "--repeat", "1000", "--until-fail"]);
    assert!(stopped.report["tally"]["planned"].as_u64().unwrap() > 100);
    assert!(stopped.report["scenarios"].as_array().unwrap().len() < 200);
    assert!(stopped.output().contains("stopped at the first failure (--until-fail)"), "{}", stopped.output());
    stopped.assert().code(1);
}

/// Where no user namespaces are permitted all is done in one container, with the same verdicts and reports.
#[test]
fn without_namespaces_the_same_runs_in_one_container() {
    // A user namespace in which there can be no further ones, unless this machine permits none to begin with.
    const NONE: &str = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
    let permitted = Command::new("unshare").args(["--user", "--map-root-user", "true"]).status().unwrap().success();
    let engine = PrivateEngine::start();
    let report = tempfile::tempdir().unwrap();
    let words = ["run", "--tier", "contract", "--dialect", "all", "--strict", "--report"];
    let mut command = Command::new("unshare");
    if permitted {
        command.args(["--user", "--map-root-user", "sh", "-c", NONE, "sh"]);
    } else {
        command = Command::new("env");
    }
    let output = command
        .arg(program())
        .args(words)
        .arg(report.path())
        .current_dir(root())
        .env("NO_COLOR", "1")
        .env("DOCKER_HOST", engine.docker_host())
        .env("WSGI_PROOF_CACHE", engine.cache())
        .output()
        .unwrap();
    let text = text(&output);
    assert!(output.status.success(), "{text}");
    assert!(text.contains("running everything in one container"), "{text}");
    let document: serde_json::Value =
        serde_json::from_slice(&std::fs::read(report.path().join("report.json")).unwrap()).unwrap();
    let scenarios = document["scenarios"].as_array().unwrap();
    assert!(scenarios.iter().filter(|scenario| scenario["verdict"] == "pass").count() > 160, "{text}");
    assert!(engine.leftovers().is_empty(), "{:?}", engine.leftovers());
}

#[test]
fn the_cache_folder_and_the_memory_are_left_empty() {
    Run::without_engine(&["=hello-wsgi"]).assert().success();
    let pruned = without_engine(&["prune"]).output().unwrap();
    assert!(!String::from_utf8_lossy(&pruned.stdout).contains("sandbox"), "{pruned:?}");
}

#[test]
fn what_failed_is_run_again() {
    let place = Place::of(User::Own);
    let _slot = Slot::take();
    let good = "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n";
    let bad = format!("{good}log = ['^never$']\n");
    let suite = place.suite();
    suite.hello("good", good).hello("bad", &bad).hello("worse", &bad);
    let run = |arguments: &[&str], code: i32, told: &str| {
        let output = place.call(&[&["run", "--tier", "contract"], arguments].concat()).output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", text(&output));
        assert!(text(&output).contains(told), "no {told}: {}", text(&output));
    };
    run(&["--last-failed"], 4, "nothing failed in the last run");
    run(&[], 1, "3 of 3 scenarios: 1 passed, 2 failed");
    run(&["--last-failed"], 1, "2 of 2 scenarios: 0 passed, 2 failed");
    suite.hello("worse", good);
    run(&["--last-failed"], 1, "2 of 2 scenarios: 1 passed, 1 failed");
    run(&["--last-failed"], 1, "1 of 1 scenarios: 0 passed, 1 failed");
    suite.hello("bad", good);
    run(&["--last-failed"], 0, "1 of 1 scenarios: 1 passed");
    run(&["--last-failed"], 4, "nothing failed in the last run");
}
