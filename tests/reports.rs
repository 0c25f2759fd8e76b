//! What leaves the program, read by those whom a candidate would mislead: CI systems, terminals, parsers, and who finds secrets.

use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Output;

use rstest::rstest;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{Suite, text, without_engine};

/// A build step that fails, and prints this before, with the escapes of `printf`.
fn prints(said: &str) -> tempfile::NamedTempFile {
    let step = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(step.path(), format!("#!/bin/sh\nprintf '{said}'\nexit 3\n")).unwrap();
    step
}

/// A run of this step in the contract tier, in a workflow; its output and the folder of its reports.
fn run(step: &Path, environment: &[(&str, &str)]) -> (Output, TempDir) {
    let folder = TempDir::new().unwrap();
    let report = folder.path().join("report");
    let suite = Suite::new();
    suite.hello("greeting", "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\nlog = ['^never$']\n");
    let (suite, report) = (suite.path().to_str().unwrap(), report.to_str().unwrap());
    let arguments = ["run", "--suite", suite, "--tier", "contract", "--report", report];
    let mut command = without_engine(&arguments);
    command.arg("--build-step").arg(step).envs(environment.iter().copied());
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    (output, folder)
}

/// The lines that a runner of GitHub's takes for commands, by its own rules.
fn commands(output: &str) -> Vec<&str> {
    let mut end: Option<&str> = None;
    let mut found = Vec::new();
    for line in output.lines() {
        let trimmed = line.trim_start();
        if let Some(token) = end {
            if trimmed.strip_prefix("::").and_then(|rest| rest.strip_suffix("::")) == Some(token) {
                end = None;
            }
        } else if let Some(token) = trimmed.strip_prefix("::stop-commands::") {
            end = Some(token);
        } else if trimmed.starts_with("::") || line.contains("##[") {
            found.push(line);
        }
    }
    assert_eq!(end, None, "commands stay stopped: {output}");
    found
}

#[test]
fn a_log_has_no_commands_for_a_workflow() {
    let step = prints(
        "::stop-commands::x\\n::error::planted\\n ::set-env name=A::planted\\n##[error]planted\\n##vso[task.complete]planted\\n::x::\\n::warning::planted\\n",
    );
    let summary = tempfile::NamedTempFile::new().unwrap();
    let environment = [("GITHUB_ACTIONS", "true"), ("GITHUB_STEP_SUMMARY", summary.path().to_str().unwrap())];
    let (output, _folder) = run(step.path(), &environment);
    let (out, errors) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(out.contains("planted"), "the log is shown: {out}");
    let found = commands(&out);
    // The annotations are the program's own.
    assert!(!found.is_empty() && found.iter().all(|line| line.starts_with("::error file=")), "{out}");
    assert!(found.iter().all(|line| !line.contains("##[")), "{found:?}");
    assert!(!out.contains("##[") && !out.contains("##vso["), "{out}");
    assert_eq!(commands(&errors), Vec::<&str>::new());
}

#[test]
fn a_log_leaves_reports_valid_and_a_terminal_as_it_was() {
    let step = prints(
        "\\357\\277\\277 \\357\\277\\276 \\000 \\001 \\013 \\033]0;title\\007 \\033[2J \\302\\2332J \\377 \\355\\240\\200 \\342\\200\\256 \\r x ]]> <y> &z;\\n",
    );
    let (output, folder) = run(step.path(), &[]);
    let shown = text(&output);
    assert!(shown.chars().all(|character| character == '\n' || !character.is_control()), "{shown:?}");
    assert!(!shown.contains('\u{202e}'), "{shown:?}");
    let read = |name: &str| std::fs::read_to_string(folder.path().join("report").join(name)).unwrap();
    for name in ["report.json", "ctrf.json", "report.sarif"] {
        serde_json::from_str::<serde_json::Value>(&read(name)).unwrap();
    }
    let xml = read("junit.xml");
    let document = roxmltree::Document::parse(&xml).unwrap_or_else(|error| panic!("{error}: {xml:?}"));
    let log = document.descendants().find(|node| node.has_tag_name("system-out")).unwrap().text().unwrap();
    assert!(log.contains("\\u{ffff} \\u{fffe} \\u{0} \\u{1} \\u{b} "), "{log}");
    // Escape sequences are taken out of a log when it is read.
    assert!(!log.contains("title"), "{log}");
    assert!(log.contains("x ]]> <y> &z;"), "{log}");
}

#[test]
fn a_url_in_a_log_loses_its_secrets() {
    let step = prints("Looking in indexes: https://me:Zq-pass@a.test/simple?token=Zq-token https://Zq-user@b.test\\n");
    let (output, folder) = run(step.path(), &[]);
    assert!(text(&output).contains("https://***@a.test/simple?token=*** https://***@b.test"), "{}", text(&output));
    for entry in folder.path().join("report").read_dir().unwrap() {
        let path = entry.unwrap().path();
        let report = std::fs::read_to_string(&path).unwrap();
        assert!(!report.contains("Zq-"), "{}: {report}", path.display());
    }
}

/// The secrets of who runs the program, with errors that name the URLs they stand in.
#[rstest]
#[case::index(&["fetch"], "PIP_INDEX_URL", "http://me:Zq-password@127.0.0.1:1/simple?token=Zq-token")]
#[case::index_with_a_user(&["fetch"], "PIP_INDEX_URL", "http://Zq-password.test@127.0.0.1:1/")]
#[case::engine(&["doctor"], "DOCKER_HOST", "tcp://me:Zq-password@127.0.0.1:1")]
#[case::engine_of_a_run(&["run", "=hello-wsgi"], "DOCKER_HOST", "http://me:Zq-password@127.0.0.1:1")]
#[case::unknown_engine(&["run", "=hello-wsgi"], "DOCKER_HOST", "ssh://Zq-password@127.0.0.1:1")]
fn a_url_of_the_environment_is_told_without_its_secrets(
    #[case] arguments: &[&str],
    #[case] name: &str,
    #[case] url: &str,
) {
    let cache = TempDir::new().unwrap();
    let mut command = without_engine(arguments);
    command.env("WSGI_PROOF_CACHE", cache.path()).env("WSGI_PROOF_LOG", "debug").env(name, url);
    let output = command.output().unwrap();
    let told = text(&output);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(told.contains("127.0.0.1"), "{told}");
    assert!(!told.contains("Zq-"), "{told}");
}

#[test]
fn a_proxy_is_told_without_its_password() {
    let cache = TempDir::new().unwrap();
    let mut command = without_engine(&["fetch"]);
    command.env("WSGI_PROOF_CACHE", cache.path()).env("WSGI_PROOF_LOG", "debug");
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"] {
        command.env(name, "http://me:Zq-password@127.0.0.1:1");
    }
    let output = command.env_remove("NO_PROXY").env_remove("no_proxy").output().unwrap();
    let told = text(&output);
    assert_eq!(output.status.code(), Some(3), "{told}");
    assert!(!told.contains("Zq-"), "{told}");
}

#[test]
fn reports_have_the_modes_that_files_usually_have() {
    let step = prints("x\\n");
    let (_, folder) = run(step.path(), &[]);
    let usual = folder.path().join("usual");
    std::fs::write(&usual, "").unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().mode() & 0o777;
    for entry in folder.path().join("report").read_dir().unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), mode(&usual), "{}", path.display());
    }
}

/// As `sudo` has it: only root can give files away.
#[test]
fn after_sudo_reports_are_the_callers() {
    let probe = tempfile::NamedTempFile::new().unwrap();
    if std::os::unix::fs::chown(probe.path(), Some(12345), None).is_err() {
        return;
    }
    let step = prints("x\\n");
    let (_, folder) = run(step.path(), &[("SUDO_UID", "12345"), ("SUDO_GID", "54321")]);
    let report = folder.path().join("report");
    let mut paths: Vec<_> = report.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    assert_eq!(paths.len(), 5);
    paths.push(report);
    for path in paths {
        let metadata = path.symlink_metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (12345, 54321), "{}", path.display());
    }
    assert_eq!(folder.path().metadata().unwrap().uid(), 0, "what was there before stays whose it was");
}

/// What a workflow keeps from one run to the next.
#[test]
fn after_sudo_the_store_is_the_callers() {
    let outer = TempDir::new().unwrap();
    if std::os::unix::fs::chown(outer.path(), Some(12345), None).is_err() {
        return;
    }
    let cache = outer.path().join("cache");
    let mut command = without_engine(&["doctor"]);
    command.env("WSGI_PROOF_CACHE", &cache).env("SUDO_UID", "12345").env("SUDO_GID", "54321");
    // The engine that is named does not answer; the store is opened all the same.
    command.assert().code(3);
    for folder in ["", "store", "store/sha256", "store/responses"] {
        let metadata = cache.join(folder).symlink_metadata().unwrap();
        assert_eq!((metadata.uid(), metadata.gid()), (12345, 54321), "{folder}");
    }
}

#[test]
fn the_table_of_verify_has_no_commands_for_a_workflow() {
    let folder = TempDir::new().unwrap();
    let step = folder.path().join("mod_wsgi-docker-build");
    std::fs::copy(prints("::error::planted\\n##[error]planted\\n").path(), &step).unwrap();
    std::fs::set_permissions(&step, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let arguments = ["verify", "--tier", "contract", "--only", "=hello-wsgi"];
    for json in [&[][..], &["--json"]] {
        let mut command = without_engine(&arguments);
        let output = command.args(json).arg(folder.path()).env("GITHUB_ACTIONS", "true").output().unwrap();
        let out = String::from_utf8_lossy(&output.stdout);
        assert_eq!(output.status.code(), Some(1), "{}", text(&output));
        assert!(out.contains("mod_wsgi-docker-build") || out.contains("BROKEN") || out.contains("broken"), "{out}");
        assert_eq!(commands(&out), Vec::<&str>::new(), "{out}");
        assert_eq!(out.contains("::stop-commands::"), json.is_empty(), "{out}");
    }
}

/// A repository that has a link where reports are to be.
#[test]
fn nothing_is_written_where_a_link_leads() {
    let folder = TempDir::new().unwrap();
    let elsewhere = folder.path().join("elsewhere");
    std::fs::create_dir(&elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, folder.path().join("report")).unwrap();
    let output = without_engine(&["run", "--tier", "contract", "--report", "report", "=hello-wsgi", "--suite"])
        .arg(crate::support::root())
        .current_dir(folder.path())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", text(&output));
    assert!(text(&output).contains("report is a link or no folder"), "{}", text(&output));
    assert_eq!(elsewhere.read_dir().unwrap().count(), 0);
}

/// Neither variables nor open files of this program reach a candidate.
#[test]
fn the_environment_stays_outside() {
    let step = prints("%s\\n' \"$(env; tr '\\0' '\\n' </proc/self/environ; ls -l /proc/self/fd/ /proc/1/fd/)\" '");
    let (_, folder) =
        run(step.path(), &[("GITHUB_TOKEN", "Zq-token"), ("PIP_INDEX_URL", "https://me:Zq-pass@a.test/")]);
    let report = std::fs::read_to_string(folder.path().join("report/report.json")).unwrap();
    assert!(report.contains("PATH=/usr/local/wsgi/bin"), "{report}");
    assert!(!report.contains("Zq-"), "{report}");
}

/// Standard output of a run in which one scenario fails, in this format, outside and in a workflow.
fn formatted(format: &str, workflow: &str) -> String {
    let step = prints("::error::planted\\n");
    let suite = Suite::new();
    suite.hello("greeting", "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n");
    let arguments = ["run", "--suite", suite.path().to_str().unwrap(), "--tier", "contract", "--format", format];
    let mut command = without_engine(&arguments);
    command.arg("--build-step").arg(step.path()).env("GITHUB_ACTIONS", workflow).env_remove("GITHUB_STEP_SUMMARY");
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output));
    String::from_utf8(output.stdout).unwrap()
}

#[rstest]
#[case::outside("false")]
#[case::in_a_workflow("true")]
fn a_run_is_printed_as_asked(#[case] workflow: &str) {
    let lines: Vec<Value> =
        formatted("json-lines", workflow).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let named = |event: &str| lines.iter().filter(|line| line["event"] == event).collect::<Vec<_>>();
    assert_eq!(lines[0]["event"], "run-started");
    assert_eq!(lines.last().unwrap()["event"], "run-finished");
    assert_eq!(named("scenario-started").len(), 1);
    assert_eq!(named("scenario-finished")[0]["verdict"], "fail");

    let junit = formatted("junit", workflow);
    let document = roxmltree::Document::parse(&junit).unwrap();
    assert_eq!(document.descendants().filter(|node| node.has_tag_name("failure")).count(), 1, "{junit}");
    assert_eq!(commands(&junit), Vec::<&str>::new());

    let github = formatted("github", workflow);
    assert!(github.lines().count() > 0 && github.lines().all(|line| line.starts_with("::error file=")), "{github}");
}
