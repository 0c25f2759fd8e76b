#![allow(clippy::unwrap_used)]

use super::*;

fn loaded(text: &str) -> StructureTest {
    load(Path::new("tests.yaml"), text.to_owned()).unwrap_or_else(|faults| unreachable!("{faults}"))
}

/// What is wrong with a file, a line each.
fn faults(text: &str) -> Vec<String> {
    load(Path::new("tests.yaml"), text.to_owned()).unwrap_err().to_string().lines().map(str::to_owned).collect()
}

#[test]
fn a_file_has_its_tests_with_their_places() {
    let test = loaded(
        "schemaVersion: 2.0.0
globalEnvVars:
  - key: A
    value: $PATH
commandTests:
  - name: shell
    command: sh
    args: [-c, echo 1]
    envVars: [{key: PORT, value: 8080}]
    setup: [[mkdir, /x]]
    teardown: [[rmdir, /x]]
    expectedOutput: ['^1\\n$', \"a\"]
    excludedError: [x]
    exitCode: 3
fileExistenceTests:
  - {name: there, path: /bin, uid: 0, gid: -1, permissions: drwxr-xr-x, isExecutableBy: any}
  - {name: not there, path: /none, shouldExist: false}
fileContentTests:
  - name: passwd
    path: /etc/passwd
    expectedContents:
      - root
    excludedContents:
metadataTest:
  envVars: [{key: A, value: ''}, {key: B, value: 1.+, isRegex: true}]
  unboundEnvVars: [{key: C}]
  exposedPorts: [80]
  cmd: []
  workdir: ''
  user: nobody
containerRunOptions:
  user: 33:33
  privileged: false
  capabilities: []
",
    );
    assert_eq!(test.environment, [("A".to_owned(), "$PATH".to_owned())]);
    assert_eq!(test.user.as_deref(), Some("33:33"));
    let command = &test.commands[0];
    assert_eq!((command.run.join(" ").as_str(), command.exit_code, command.at.line), ("sh -c echo 1", 3, 6));
    assert_eq!(command.environment, [("PORT".to_owned(), "8080".to_owned())]);
    assert_eq!(command.setup, [["mkdir", "/x"]]);
    let lines: Vec<usize> = command.output.expected.iter().map(|pattern| pattern.at.line).collect();
    assert_eq!((lines, command.error.excluded.len(), command.error.expected.len()), (vec![12, 12], 1, 0));
    // The text as a whole, and not each line, is what `^` and `$` are of.
    assert!(command.output.expected[0].value.is_match("1\n") && !command.output.expected[0].value.is_match("0\n1\n"));
    let [there, absent] = &test.files[..] else { unreachable!() };
    assert_eq!(there.user.as_ref().map(|user| user.value), Some(0));
    assert!(there.group.is_none() && there.should_exist && !absent.should_exist);
    assert_eq!(there.executable_by.as_ref().map(|by| by.value.bits), Some(0o111));
    assert_eq!((test.contents[0].content.expected[0].at.line, test.contents[0].content.excluded.len()), (22, 0));
    let metadata = &test.metadata;
    assert_eq!(metadata.exposed[0].value, "80");
    assert_eq!(metadata.command.as_ref().map(|command| command.value.len()), Some(0));
    assert!(metadata.entry_point.is_none() && metadata.working_directory.is_none());
    assert!(matches!(&metadata.environment[0].value.value, Value::Text(value) if value.is_empty()));
    assert!(matches!(&metadata.environment[1].value.value, Value::Pattern(_)));
}

#[test]
fn json_is_read_too() {
    let test = loaded(r#"{"schemaVersion": "2.0.0", "commandTests": [{"name": "a", "command": "true"}]}"#);
    assert_eq!(test.commands[0].run, ["true"]);
}

#[test]
fn what_is_no_file_of_that_version_is_refused() {
    assert_eq!(
        faults("schemaVersion: '1.0.0'\ncommandTests: [{name: a, command: [a]}]"),
        ["tests.yaml:1:16: this program reads schema version 2.0.0"]
    );
    assert_eq!(faults("commandTests: []"), ["tests.yaml:1:1: the file has no `schemaVersion`"]);
    assert_eq!(faults("schemaVersion: 2.0.0"), ["tests.yaml:1:1: the file has no tests"]);
    assert_eq!(faults("a: [").len(), 1);
}

/// What is not understood is not left out in silence.
#[test]
fn unknown_keys_and_wrong_types_are_faults() {
    let of = |line: &str| faults(&format!("schemaVersion: 2.0.0\ncommandTests:\n  - name: a\n    {line}\n"));
    let unknown = of("comand: x");
    assert!(unknown[0].starts_with("tests.yaml:4:") && unknown[0].contains("comand"), "{unknown:?}");
    assert!(of("args: {a: b}")[0].starts_with("tests.yaml:4:"));
    let twice = of("name: b");
    assert!(twice[0].starts_with("tests.yaml:4:") && twice[0].contains("name"), "{twice:?}");
}

#[test]
fn what_a_run_cannot_give_is_refused_with_the_reason() {
    let found = faults(
        "schemaVersion: 2.0.0
commandTests: [{name: a, command: env}]
licenseTests: [{debian: true}]
containerRunOptions:
  privileged: true
  allocateTty: true
  capabilities: [sys_admin]
  bindMounts: [/tmp:/tmp]
  envVars: [HOME]
  envFile: x
",
    );
    let lines: Vec<&str> = found.iter().filter_map(|line| line.split(':').nth(1)).collect();
    assert_eq!(lines, ["3", "5", "6", "7", "8", "9", "10"], "{found:?}");
}

#[test]
fn tests_lack_nothing_that_they_need() {
    let found = faults(
        "schemaVersion: 2.0.0
commandTests:
  - command: a
  - name: a
  - {name: b, command: b, setup: [[]], exitCode: 256}
  - {name: c, command: c, expectedOutput: ['(']}
fileExistenceTests:
  - {name: d}
  - {name: e, path: /e, isExecutableBy: me}
globalEnvVars: [{key: ''}]
",
    );
    assert_eq!(
        found,
        [
            "tests.yaml:3:5: the test has no `name`",
            "tests.yaml:4:5: the test has no `command`",
            "tests.yaml:5:5: a command of `setup` is empty",
            "tests.yaml:5:5: the exit code 256 is not possible",
            "tests.yaml:6:44: the regular expression is not valid",
            "tests.yaml:8:5: the test has no `path`",
            "tests.yaml:9:41: `isExecutableBy` is none of owner, group, other and any",
            "tests.yaml:10:17: the `key` of a variable is empty or has a `=`",
        ]
    );
}

/// Small files that would become large ones.
#[test]
fn aliases_have_an_end() {
    let mut text = "schemaVersion: 2.0.0\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..12 {
        let aliases = vec![format!("*a{}", level - 1); 10].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{aliases}]\n"));
    }
    assert_eq!(faults(&text).len(), 1);
}

#[test]
fn a_text_may_be_left_empty() {
    let test = loaded("schemaVersion: 2.0.0\nmetadataTest: {envVars: [{key: A, value: }, {key: B, value: ~}]}\n");
    for declared in &test.metadata.environment {
        assert!(matches!(&declared.value.value, Value::Text(value) if value.is_empty()));
    }
    let given =
        faults("schemaVersion: 2.0.0\ncommandTests: [{name: a, command: b, envVars: [{key: A}], teardown: [[]]}]");
    assert_eq!(given.len(), 2, "{given:?}");
}

/// What the library says is for its own users.
#[test]
fn faults_are_in_words_for_readers() {
    for (text, words) in [
        ("schemaVersion: 2.0.0\nglobalEnvVars:\nglobalEnvVars:\n", "the key `globalEnvVars` is there twice"),
        ("schemaVersion: 2.0.0\n---\na: b\n", "the file has several documents"),
        (
            "schemaVersion: 2.0.0\ncommandTests: [{name: a, command: b, exitCode: x}]\n",
            "a whole number is expected here",
        ),
    ] {
        let found = faults(text);
        assert!(found[0].contains(words), "{found:?}");
        assert!(!found[0].contains("Options") && !found[0].contains("from_str"), "{found:?}");
    }
}

#[test]
fn not_every_fault_of_very_many_is_told() {
    let file = format!("schemaVersion: 2.0.0\ncommandTests:\n{}", "  - name: a\n".repeat(5000));
    assert_eq!(faults(&file).len(), MAX_FAULTS);
    let patterns = "  - {name: a, command: b, expectedOutput: [a]}\n".repeat(MAX_PATTERNS + 1);
    let found = faults(&format!("schemaVersion: 2.0.0\ncommandTests:\n{patterns}"));
    assert_eq!(found, ["tests.yaml:1003:44: the file has more than 1000 patterns"]);
    assert_eq!(
        faults("schemaVersion: 2.0.0\nfileContentTests: [{name: a, path: /a, expectedContents: ['\\w{999}']}]").len(),
        1
    );
}

/// Minified JSON is one line.
#[test]
fn a_fault_on_a_very_long_line_is_told_without_it() {
    let tests = vec!["{\"name\":\"\",\"command\":\"a\"}"; 4000].join(",");
    let file = format!("{{\"schemaVersion\":\"2.0.0\",\"commandTests\":[{tests}]}}");
    let told = load(Path::new("tests.json"), file).unwrap_err().render(80);
    assert!(told.starts_with("tests.json:1:42: the test has no `name`\n"), "{}", &told[..200]);
    assert!(told.len() < 20_000);
}
