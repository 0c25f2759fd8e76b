//! `new`: a scenario to begin with, which passes as it is.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use predicates::str::contains;
use rstest::rstest;
use tempfile::TempDir;

use crate::support::{Slot, Suite, first_run, root, without_engine, wsgi_proof};

/// An application that serves, with this build hook.
fn application(hook: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    write("Dockerfile", "FROM example/mod-wsgi:onbuild\nCMD [ \"wsgi.py\" ]\n", 0o644);
    write(
        "wsgi.py",
        "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'x']\n",
        0o600,
    );
    write(".docker/action_hooks/build", hook, 0o755);
    write(".git/config", "secret", 0o600);
    folder
}

fn new(suite: &Suite, arguments: &[&str]) -> assert_cmd::assert::Assert {
    let suite = suite.path().to_str().unwrap();
    without_engine(&[&["new", "--suite", suite, "--tier", "contract"], arguments].concat()).assert()
}

fn passes(suite: &Suite, name: &str) {
    let (suite, filter) = (suite.path().to_str().unwrap(), format!("={name}"));
    without_engine(&["run", "--tier", "contract", "--suite", suite, &filter]).assert().success();
}

fn is_there(suite: &Suite) -> bool {
    suite.path().join("scenarios/mine").exists()
}

#[test]
fn a_scenario_of_nothing_says_hello() {
    let _slot = Slot::take();
    let suite = Suite::new();
    new(&suite, &["mine", "--summary", "It's \"mine\""]).success().stdout(contains("scenarios/mine/scenario.toml"));
    passes(&suite, "mine");
    let file = suite.path().join("scenarios/mine/scenario.toml");
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("mine"), "{text}");
    // What is there is not touched.
    new(&suite, &["mine"]).code(2).stderr(contains("choose another name"));
    assert_eq!(fs::read_to_string(&file).unwrap(), text);
}

/// Which is where it is run unless said otherwise.
#[test]
fn a_scenario_of_an_application_is_recorded_in_images() {
    first_run();
    let _slot = Slot::take();
    let (suite, application) = (Suite::new(), application("#!/bin/sh\n"));
    let (suite, application) = (suite.path().to_str().unwrap(), application.path().to_str().unwrap());
    let new = wsgi_proof(&["new", "mine", "--suite", suite, "--from-app", application]).assert();
    new.success().stdout(contains("it is built and answers"));
    wsgi_proof(&["run", "--suite", suite, "=mine"]).assert().success();
}

/// A suite with a contract, as the repository's is: each scenario says which clauses it proves.
#[test]
fn in_a_suite_with_a_contract_it_proves_a_clause() {
    let _slot = Slot::take();
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("suite");
    let suite = path.to_str().unwrap();
    without_engine(&["eject", suite, "--suite", root().to_str().unwrap()]).assert().success();
    let new = |arguments: &[&str]| {
        without_engine(&[&["new", "--suite", suite, "--tier", "contract"], arguments].concat()).assert()
    };
    let written = |name: &str| fs::read_to_string(path.join("scenarios").join(name).join("scenario.toml"));
    new(&["hello"]).success();
    assert!(written("hello").unwrap().contains("proves = [\"START-1\"]"));
    let breaks = application("#!/bin/sh\nexit 7\n");
    new(&["breaks", "--from-app", breaks.path().to_str().unwrap()]).success();
    assert!(written("breaks").unwrap().contains("proves = [\"BUILD-6\"]"));
    new(&["named", "--proves", "BUILD-14", "--proves", "START-1"]).success();
    new(&["none", "--proves", "BUILD-999"]).code(2).stderr(contains("there is no clause BUILD-999"));
    assert!(written("none").is_err());
    without_engine(&["run", "--tier", "contract", "--suite", suite, "=hello", "=breaks", "=named"]).assert().success();
}

#[rstest]
#[case::that_serves("#!/bin/sh\n", "it is built and answers", "status = 200")]
#[case::that_does_not_start("#!/bin/sh\nrm wsgi.py\n", "it is built, and does not answer", "nothing_to_serve")]
#[case::that_breaks("#!/bin/sh\necho 'the (last) line'\nexit 7\n", "it fails in phase build", "line$")]
fn a_scenario_of_an_application_expects_what_comes_of_it(
    #[case] hook: &str,
    #[case] told: &str,
    #[case] expected: &str,
) {
    let _slot = Slot::take();
    let (suite, application) = (Suite::new(), application(hook));
    new(&suite, &["mine", "--from-app", application.path().to_str().unwrap()])
        .success()
        .stdout(contains(told))
        .stdout(contains("left out: .git"));
    let folder = suite.path().join("scenarios/mine");
    let text = fs::read_to_string(folder.join("scenario.toml")).unwrap();
    assert!(text.contains(expected), "{text}");
    assert!(!folder.join("app/.git").exists());
    passes(&suite, "mine");
}

#[rstest]
#[case::no_name("No-Name", "true", "lower-case words")]
#[case::no_dockerfile("mine", "rm Dockerfile", "has no Dockerfile")]
#[case::pipe("mine", "mkfifo pipe", "pipe is neither a file, nor a folder, nor a link")]
#[case::too_large("mine", "truncate -s 1T large", "bytes")]
#[case::nowhere("mine", "rm -r \"$PWD\"", "cannot copy the application")]
fn what_cannot_be_a_scenario_leaves_nothing(#[case] name: &str, #[case] spoil: &str, #[case] why: &str) {
    let (suite, application) = (Suite::new(), application("#!/bin/sh\n"));
    let folder = application.path();
    let spoilt = std::process::Command::new("sh").args(["-ec", spoil]).current_dir(folder).status().unwrap();
    assert!(spoilt.success());
    new(&suite, &[name, "--from-app", folder.to_str().unwrap()]).code(2).stderr(contains(why));
    assert!(!is_there(&suite));
}

/// A link out of the application is refused as in any scenario, and nothing is left that would hold up all runs.
#[test]
fn links_are_not_followed() {
    let (suite, application) = (Suite::new(), application("#!/bin/sh\n"));
    std::os::unix::fs::symlink("/etc/passwd", application.path().join("link")).unwrap();
    new(&suite, &["mine", "--from-app", application.path().to_str().unwrap()])
        .code(2)
        .stderr(contains("leads out of the application folder"));
    assert!(!is_there(&suite));
}
