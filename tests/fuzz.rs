//! `fuzz`: candidates beside the model of the contract.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use predicates::str::contains;
use rstest::rstest;
use tempfile::TempDir;

use crate::support::{NO_ENGINE, Run, Slot, changed, compiled_alternative, root, without_engine};

const BUILD: &str = "mod_wsgi-docker-build";

/// `fuzz` where no engine can have any part in it.
fn fuzz(arguments: &[&str]) -> assert_cmd::Command {
    without_engine(&[&["fuzz", "--dialect", "all"], arguments].concat())
}

/// The repository's build step without `set -e`.
fn without_errexit(folder: &Path) -> String {
    let path = folder.join(BUILD);
    std::fs::write(&path, changed(BUILD, "set -e\n", "")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_reference_and_the_alternatives_do_as_the_model_predicts() {
    let alternatives = root().join("images/alternatives");
    let folders = [
        root().join("images/base"),
        alternatives.join("dash"),
        alternatives.join("python"),
        compiled_alternative().to_owned(),
    ];
    let folders: Vec<&str> = folders.iter().map(|folder| folder.to_str().unwrap()).collect();
    let _slot = Slot::take();
    fuzz(&[&["--seed", "4", "--count", "60"], &folders[..]].concat()).assert().success();
}

#[test]
fn a_difference_is_made_small_and_is_a_scenario_that_fails_the_same_way() {
    let _slot = Slot::take();
    let folder = TempDir::new().unwrap();
    let step = without_errexit(folder.path());
    let suite = TempDir::new().unwrap();
    std::os::unix::fs::symlink(root().join("images"), suite.path().join("images")).unwrap();
    let scenarios = suite.path().join("scenarios");
    std::fs::create_dir(&scenarios).unwrap();
    std::fs::write(scenarios.join("contract.toml"), "version = 1\n").unwrap();
    std::fs::write(scenarios.join("assertions.lock"), "version = 2\n").unwrap();
    let arguments = ["--seed", "11", "--count", "200", "--build-step", &step, "--write", scenarios.to_str().unwrap()];
    let assert = fuzz(&arguments).assert().code(1).stdout(contains("FAILURE with application"));
    let told = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    // What is left are the hook that fails, or the requirement that cannot be had, and what every application has.
    let files = told.lines().filter(|line| line.starts_with("--- app/")).count();
    assert!(files <= 4, "{told}");
    assert!(
        told.contains("reproduce: cargo run -- fuzz --variant python-3.11 --dialect docker,whiskey --seed 11 --case "),
        "{told}"
    );

    std::fs::copy(root().join("scenarios/packages.lock"), scenarios.join("packages.lock")).unwrap();
    let run = |step: &[&str]| {
        let suite = suite.path().to_str().unwrap();
        let arguments = [&["--tier", "contract", "--dialect", "all", "--suite", suite], step].concat();
        Run::cold(&[("DOCKER_HOST", NO_ENGINE)], &arguments)
    };
    run(&["--build-step", &step]).assert().code(1);
    run(&[]).assert().success();
}

#[test]
fn the_same_seed_finds_the_same() {
    let _slot = Slot::take();
    let folder = TempDir::new().unwrap();
    let step = without_errexit(folder.path());
    let told = || {
        let assert = fuzz(&["--seed", "3", "--build-step", &step]).assert().code(1);
        String::from_utf8_lossy(&assert.get_output().stdout).into_owned()
    };
    assert_eq!(told(), told());
}

#[test]
fn nothing_is_written_over() {
    let folder = TempDir::new().unwrap();
    let arguments = ["--seed", "1", "--count", "1", "--all", "--write", folder.path().to_str().unwrap()];
    fuzz(&arguments).assert().success();
    assert!(folder.path().join("generated-1-0/scenario.toml").is_file());
    fuzz(&arguments).assert().code(2).stderr(contains("already exists"));
}

/// The alternative in Python with one change of its build step.
fn python_step(folder: &Path, from: &str, to: &str) -> String {
    let text = std::fs::read_to_string(root().join("images/alternatives/python").join(BUILD)).unwrap();
    assert_eq!(text.matches(from).count(), 1, "{from}");
    let path = folder.join(BUILD);
    std::fs::write(&path, text.replace(from, to)).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    path.to_str().unwrap().to_owned()
}

/// What careful authors get wrong, each found in a few applications, by its clause.
#[rstest]
#[case::output_as_utf8(
    "        code = subprocess.call(words)\n",
    "        child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)\n        \
     for line in child.stdout:\n            sys.stdout.write(line.decode('utf-8'))\n        code = child.wait()\n",
    "BUILD-3"
)]
#[case::only_the_owners_bit("os.access(path, os.X_OK)", "os.stat(path).st_mode & 0o100", "BUILD-3")]
#[case::a_pip_that_a_signal_ends(
    "    if code:\n",
    "    if code and not (code < 0 and words[0] == 'pip'):\n",
    "BUILD-20"
)]
#[case::a_code_of_pips_own(
    "        sys.exit(128 - code if code < 0 else code)\n",
    "        sys.exit(1 if words[0] == 'pip' else 128 - code if code < 0 else code)\n",
    "BUILD-20"
)]
#[case::a_folder_for_a_setup_py("os.path.isfile('setup.py')", "os.path.exists('setup.py')", "BUILD-14")]
fn what_careful_authors_get_wrong_is_found(#[case] from: &str, #[case] to: &str, #[case] clause: &str) {
    let _slot = Slot::take();
    let folder = TempDir::new().unwrap();
    let step = python_step(folder.path(), from, to);
    let assert = fuzz(&["--seed", "5", "--count", "600", "--build-step", &step]).assert().code(1);
    let told = String::from_utf8_lossy(&assert.get_output().stdout).into_owned();
    assert!(told.lines().any(|line| line.starts_with("  MUST ") && line.contains(clause)), "{told}");
}
