#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::time::Duration;

use super::super::evidence::CommandEnd;
use super::super::limit::Exceeded;
use super::super::samples::{broken, held, scope};
use super::*;
use crate::suite::structure::{StructureTest, load};

/// The tests of a file with these lines.
fn of(lines: &str) -> StructureTest {
    load(Path::new("tests.yaml"), format!("schemaVersion: 2.0.0\n{lines}")).unwrap()
}

fn command_of(keys: &str) -> CommandTest {
    of(&format!("commandTests: [{{name: a, command: x, {keys}}}]")).commands.remove(0)
}

fn ended(output: &str, error: &str) -> ApartEvidence {
    ApartEvidence {
        end: Ok(CommandEnd::Exited(0)),
        output: output.as_bytes().to_vec(),
        error: error.as_bytes().to_vec(),
        cut: None,
    }
}

#[test]
fn each_output_is_looked_at_by_itself() {
    let test = command_of("expectedOutput: [out], excludedOutput: [err], expectedError: [err], excludedError: [out]");
    assert_eq!(held(&command(&scope(), &test, &ended("out\n", "err\n"))), 5);
    let findings = command(&scope(), &test, &ended("err\n", "out\n"));
    assert_eq!(findings.iter().filter(|finding| finding.is_broken()).count(), 4);
    assert_eq!(
        broken(&findings[1..2]),
        ("structure test a: standard output has /out/", "standard output that matches /out/", "standard output:\nerr")
    );
    assert_eq!(broken(&command(&scope(), &test, &ended("", "err"))[1..]).2, "no standard output");
}

#[test]
fn a_command_ends_as_it_must() {
    let test = command_of("exitCode: 127");
    let with = |end| command(&scope(), &test, &ApartEvidence { end, ..ended("", "") });
    assert_eq!(held(&with(Ok(CommandEnd::Exited(127)))), 1);
    assert!(broken(&with(Ok(CommandEnd::Exited(0)))).2.starts_with("exit code 0, standard output:"));
    assert!(broken(&with(Ok(CommandEnd::TimedOut(Duration::from_secs(9))))).2.starts_with("timed out after 9 s"));
    // No exit code stands for a program that is not there.
    let absent = with(Err("exec: \"x\": executable file not found".to_owned()));
    assert_eq!((absent.len(), broken(&absent).2.starts_with("the command cannot be started: ")), (1, true));
}

#[test]
fn what_an_output_lacks_that_was_cut_is_not_known() {
    let test = command_of("expectedOutput: [there, none], excludedOutput: [other]");
    let evidence = ApartEvidence { cut: Some(Exceeded::Log(1_000_000)), ..ended("there\npart", "") };
    let findings = command(&scope(), &test, &evidence);
    let checks: Vec<String> = findings.iter().map(Finding::check).collect();
    assert_eq!(
        checks,
        [
            "structure test a: exit code",
            "structure test a: standard output has /there/",
            "limit of the structure test a's log size"
        ]
    );
}

#[test]
fn a_set_up_that_fails_fails_its_test() {
    let test = command_of("setup: [[false]]");
    let failed = ApartEvidence { end: Ok(CommandEnd::Exited(1)), ..ended("a", "b") };
    let findings = setup_failed(&scope(), &test, &test.setup[0], &failed);
    assert_eq!(broken(&findings), ("structure test a: set-up", "exit code 0 of [\"false\"]", "exit code 1\nab"));
    // What stopped it is told, too.
    let stopped = ApartEvidence { cut: Some(Exceeded::Disk(1_000_000)), ..failed };
    let findings = setup_failed(&scope(), &test, &test.setup[0], &stopped);
    assert_eq!(findings[1].check(), "limit of the structure test a's disk space");
}

fn entry(kind: EntryKind, mode: u32) -> EntryEvidence {
    EntryEvidence { kind, mode, user: 0, group: 33 }
}

#[test]
fn permissions_are_those_of_go() {
    for (kind, mode, letters) in [
        (EntryKind::File, 0o644, "-rw-r--r--"),
        (EntryKind::Directory, 0o755, "drwxr-xr-x"),
        (EntryKind::Directory, 0o1777, "dtrwxrwxrwx"),
        (EntryKind::Link, 0o777, "Lrwxrwxrwx"),
        (EntryKind::File, 0o6755, "ugrwxr-xr-x"),
        (EntryKind::File, 0, "----------"),
    ] {
        assert_eq!(permissions(&entry(kind, mode)), letters);
    }
}

#[test]
fn paths_are_there_or_not() {
    let existence_of = |keys: &str| of(&format!("fileExistenceTests: [{{name: a, path: /x, {keys}}}]")).files.remove(0);
    let all = existence_of("permissions: -rw-r-xr--, uid: 0, gid: 33, isExecutableBy: group");
    assert_eq!(held(&existence(&scope(), &all, Some(entry(EntryKind::File, 0o654)))), 5);
    let other = existence(&scope(), &all, Some(EntryEvidence { user: 1, group: 1, ..entry(EntryKind::File, 0o711) }));
    let words: Vec<String> = other.iter().filter(|finding| finding.is_broken()).map(Finding::check).collect();
    assert_eq!(words, ["structure test a: /x permissions", "structure test a: /x user", "structure test a: /x group"]);
    assert!(existence(&scope(), &all, None).iter().all(Finding::is_broken));
    let absent = existence_of("shouldExist: false");
    assert_eq!(held(&existence(&scope(), &absent, None)), 1);
    assert_eq!(broken(&existence(&scope(), &absent, Some(entry(EntryKind::Link, 0o777)))).2, "Lrwxrwxrwx");
}

#[test]
fn files_have_their_content() {
    let test = of("fileContentTests: [{name: a, path: /x, expectedContents: [one], excludedContents: [two]}]");
    let test = &test.contents[0];
    let file = |content: &str, size| ContentEvidence::File { content: content.as_bytes().to_vec(), size };
    assert_eq!(held(&content(&scope(), test, &file("one", 3))), 3);
    assert_eq!(content(&scope(), test, &file("two", 3)).iter().filter(|finding| finding.is_broken()).count(), 2);
    // Of what was read in part only what is there is known, and what is not known is never green.
    let part = content(&scope(), test, &file("one\n", 9));
    assert_eq!(part.len(), 3);
    assert!(part[2].is_broken() && !part[1].is_broken());
    let asks_for_one =
        ContentTest { content: Patterns { excluded: Vec::new(), ..test.content.clone() }, ..test.clone() };
    assert_eq!(held(&content(&scope(), &asks_for_one, &file("one\n", 9))), 2);
    assert_eq!(broken(&content(&scope(), test, &ContentEvidence::NoFile("nothing there"))).2, "nothing there");
}

#[test]
fn the_configuration_is_as_it_must_be() {
    let test = of("metadataTest:
  envVars: [{key: A, value: x}, {key: B, value: y, isRegex: true}]
  unboundEnvVars: [{key: C}]
  labels: [{key: L, value: ''}]
  exposedPorts: [80]
  unexposedPorts: [81]
  volumes: [/v]
  unmountedVolumes: [/w]
  entrypoint: []
  cmd: [a, b]
  workdir: /app
  user: u");
    let map =
        |pairs: &[(&str, &str)]| pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let image = ImageEvidence {
        environment: map(&[("A", "x"), ("B", "xyz")]),
        labels: map(&[("L", "")]),
        exposed_ports: vec!["80/tcp".to_owned()],
        volumes: vec!["/v".to_owned()],
        command: vec!["a".to_owned(), "b".to_owned()],
        working_directory: "/app".to_owned(),
        user: "u".to_owned(),
        ..ImageEvidence::default()
    };
    assert_eq!(held(&metadata(&scope(), &test.metadata, &image)), 12);
    let other = ImageEvidence {
        environment: map(&[("A", "xx"), ("C", "")]),
        exposed_ports: vec!["81/udp".to_owned()],
        volumes: vec!["/w".to_owned()],
        entry_point: vec!["e".to_owned()],
        ..ImageEvidence::default()
    };
    let findings = metadata(&scope(), &test.metadata, &other);
    assert_eq!(findings.iter().filter(|finding| finding.is_broken()).count(), 12);
    assert_eq!(broken(&findings[2..3]), ("structure test metadata: variable C not set", "no such variable", "\"\""));
}
