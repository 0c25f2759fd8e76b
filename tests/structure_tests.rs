//! Files of container-structure-test, on real images: what they ask for holds or not, and nothing of them is left out.

use std::fs;

use predicates::str::contains;

use crate::support::{Run, SharedRun, Slot, Suite, root, without_engine};

/// Tests that the base image passes: of each kind, and of what is peculiar to each.
const GOOD: &str = "schemaVersion: 2.0.0
globalEnvVars:
  - {key: GIVEN, value: 'in $LANG'}
commandTests:
  - name: streams
    command: sh
    args: [-c, 'printf out; printf err >&2; exit 3']
    expectedOutput: ['^out$']
    excludedOutput: [err]
    expectedError: ['^err$']
    excludedError: [out]
    exitCode: 3
  - name: variables
    command: sh
    args: [-c, 'echo $GIVEN; env']
    envVars: [{key: OWN, value: $LANG}]
    expectedOutput: ['^in C.UTF-8\\n', 'GIVEN=in C.UTF-8\\n', 'OWN=\\$LANG\\n']
  - name: set-up
    setup: [[mkdir, /made], [touch, /made/file]]
    command: ls
    args: [/made]
    expectedOutput: ['^file\\n$']
  - name: set-up with variables
    setup: [[sh, -c, 'test $OWN = C.UTF-8']]
    envVars: [{key: OWN, value: $LANG}]
    command: echo
    args: [$OWN, $NONE.]
    expectedOutput: ['^C.UTF-8 \\.\\n$']
  - name: gone again
    command: test
    args: ['!', -e, /made]
fileExistenceTests:
  - {name: root, path: /, uid: 0, gid: 0, permissions: drwxr-xr-x}
  - {name: sticky, path: /tmp, permissions: dtrwxrwxrwx}
  - {name: link, path: /bin, permissions: Lrwxrwxrwx}
  - {name: shell, path: /usr/bin/dash, isExecutableBy: other}
  - {name: none, path: /no-such-file, shouldExist: false}
  - {name: below a file, path: /etc/passwd/x, shouldExist: false}
  - {name: no path, path: $NONE, shouldExist: false}
fileContentTests:
  - name: users
    path: /etc/passwd
    expectedContents: ['^root:x:0:0:', '\\nwww-data:']
    excludedContents: ['^www-data:']
  - name: by a link
    path: /etc/os-release
    expectedContents: [Debian]
metadataTest:
  envVars: [{key: LANG, value: C.UTF-8}, {key: PATH, value: '^/', isRegex: true}]
  unboundEnvVars: [{key: GIVEN}]
  unexposedPorts: [8080]
  unmountedVolumes: [/app]
containerRunOptions:
  user: root
";

/// Tests of which every part fails.
const BAD: &str = "schemaVersion: 2.0.0
commandTests:
  - {name: streams, command: sh, args: [-c, 'echo out; echo err >&2'], expectedOutput: [err], excludedError: [err], exitCode: 1}
  - {name: not there, command: no-such-program, exitCode: 127}
  - {name: set-up, setup: [['false']], command: 'true'}
fileExistenceTests:
  - {name: mode, path: /etc/passwd, permissions: -rwxrwxrwx, uid: 1}
  - {name: none, path: /no-such-file}
fileContentTests:
  - {name: content, path: /etc/passwd, expectedContents: [nobody-of-ours]}
  - {name: link, path: /etc/mtab, expectedContents: [mounts]}
  - {name: device, path: /dev/null}
  - {name: folder, path: /etc/passwd/}
metadataTest:
  labels: [{key: none, value: x}]
  exposedPorts: [8080]
";

fn write(suite: &Suite, name: &str, text: &str) -> String {
    let path = suite.path().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

/// One run of both files, and of a scenario's application.
fn run() -> &'static Run {
    static RUN: SharedRun = SharedRun::new();
    RUN.get(|| {
        let suite = Suite::new();
        let (good, bad) = (write(&suite, "Good_1.yaml", GOOD), write(&suite, "bad.yaml", BAD));
        // It is not among those that are named.
        suite.hello("other", "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n");
        suite.run_with(&["--structure-test", &good, "--structure-test", &bad])
    })
}

#[test]
fn what_holds_passes() {
    let run = run();
    assert_eq!(run.verdict("structure-good-1"), "pass", "{}", run.scenario("structure-good-1"));
    assert_eq!(run.verdict("other"), "not reported");
    let findings = run.reported("structure-good-1").unwrap()["findings"].as_array().unwrap();
    // Each part of each test is one.
    assert_eq!(findings.len(), 5 + 4 + 2 + 2 + 1 + (2 + 2) + 2 + 2 + 2 + 3 + 4 + 2 + 5, "{findings:#?}");
}

#[test]
fn what_does_not_hold_fails_each_by_itself() {
    let run = run();
    run.assert().code(1);
    assert_eq!(
        run.broken("structure-bad"),
        [
            "structure test streams: exit code",
            "structure test streams: standard output has /err/",
            "structure test streams: standard error without /err/",
            "structure test not there: exit code",
            "structure test set-up: set-up",
            "structure test content: content has /nobody-of-ours/",
            "structure test link: /etc/mtab is a file",
            "structure test device: /dev/null is a file",
            "structure test folder: /etc/passwd/ is a file",
            "structure test mode: /etc/passwd permissions",
            "structure test mode: /etc/passwd user",
            "structure test none: /no-such-file exists",
            "structure test metadata: label none",
            "structure test metadata: port 8080 exposed",
        ],
        "{}",
        run.scenario("structure-bad")
    );
    assert!(run.output().contains("bad.yaml:3"), "{}", run.output());
}

/// The same file as a scenario, and on an application image.
#[test]
fn a_file_can_be_kept_as_a_scenario() {
    let suite = Suite::new();
    let file = write(&suite, "app.yaml", "schemaVersion: 2.0.0\nfileExistenceTests: [{name: a, path: /app/wsgi.py}]\n");
    let kept =
        write(&suite, "kept.json", "{\"schemaVersion\": \"2.0.0\", \"metadataTest\": {\"exposedPorts\": [\"80\"]}}");
    {
        let _slot = Slot::take();
        let place = suite.path().to_str().unwrap();
        let import = ["import", "structure-test", &kept, "kept", "--on", "onbuild-image", "--suite", place];
        without_engine(&import).assert().success().stdout(contains("scenarios/kept/scenario.toml"));
        without_engine(&import).assert().code(2).stderr(contains("choose another name"));
    }
    suite.hello("hello", "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n");
    // A run of one scenario is not held to all of them.
    suite.write(
        "assertions.lock",
        "version = 2\n[image.cells]\n\"python-3.11 docker\" = 2\n[image.scenarios]\n\"hello\" = 1\n",
    );
    let run = suite.run_with(&["--structure-test", &file, "--on", "hello", "=kept"]);
    run.assert().code(0);
    suite.run_with(&["--structure-test", &file, "--on", "hello"]).assert().code(0);
    assert_eq!((run.verdict("hello"), run.verdict("kept")), ("pass", "pass"), "{}", run.output());
    assert!(run.scenario("hello").contains("structure test a: /app/wsgi.py exists"));
    assert!(run.scenario("kept").contains("kept/structure.yaml"), "{}", run.scenario("kept"));
}

/// A file that somebody names is not of the contract: it is no SHOULD because a scenario proves no more than that.
#[test]
fn a_test_that_fails_fails_a_scenario_of_a_should_too() {
    let folder = tempfile::TempDir::new().unwrap();
    let file = folder.path().join("no.yaml");
    fs::write(&file, "schemaVersion: 2.0.0\nmetadataTest: {user: nobody-of-ours}\n").unwrap();
    let run = Run::of(&["--structure-test", file.to_str().unwrap(), "--on", "base-image-size"]);
    run.assert().code(1);
    assert_eq!(run.broken("base-image-size"), ["structure test metadata: user"]);
    let finding = run.reported("base-image-size").unwrap()["findings"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(
        (finding["level"].as_str(), finding["clauses"].as_array().map(Vec::len)),
        (Some("MUST"), Some(0)),
        "{finding}"
    );
}

#[test]
fn what_cannot_be_run_is_refused() {
    let _slot = Slot::take();
    let suite = Suite::new();
    suite.hello("fails", "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"failure\"\nphase = \"pip\"\nexit_code = 1\nbecause = 'x'\n");
    let place = suite.path().to_str().unwrap();
    let good = write(&suite, "good.yaml", GOOD);
    let refused = |arguments: &[&str], why: &str| {
        let arguments = [&["run", "--suite", place], arguments].concat();
        without_engine(&arguments).assert().code(2).stderr(contains(why));
    };
    let licence = write(&suite, "licence.yaml", "schemaVersion: 2.0.0\nlicenseTests: [{debian: true}]\n");
    refused(&["--structure-test", &licence], "licence.yaml:2");
    refused(&["--structure-test", &good, "--on", "none"], "nor a scenario");
    refused(&["--structure-test", &good, "--on", "fails"], "does not always leave an image");
    refused(&["--structure-test", "/dev/zero"], "/dev/zero cannot be read");
    refused(&["--structure-test", &good, "--tier", "contract"], "--structure-test requires the image tier");
    refused(&["--structure-test", "no-such-file"], "no-such-file cannot be read");
    // The repository's suite has a contract.
    let own = root();
    let import = ["import", "structure-test", &good, "mine", "--suite", own.to_str().unwrap()];
    without_engine(&import).assert().code(2).stderr(contains("--proves"));
}
