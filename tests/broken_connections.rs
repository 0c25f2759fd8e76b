//! An output whose connection breaks is not whole, however well what was read of it would do; one that comes in pieces is.

use std::path::Path;

use crate::support::proxy::Proxy;
use crate::support::{PrivateEngine, Suite, text};

/// What a command in the container prints. Behind the word the connection breaks: within a frame, between frames while it goes on, and
/// not at all.
const OUTPUTS: [(&str, &str, &str); 3] = [
    ("in-a-frame", "printf 'C''UT FORBIDDEN'; sleep 1", "error"),
    ("between-frames", "printf 'C''UT'; sleep 5; echo FORBIDDEN", "error"),
    ("whole", "printf 'allowed'", "pass"),
];

/// A program whose words look like the engine's.
const FORGED: &str = "echo 'OCI runtime exec failed: exec: \"x\": executable file not found in $PATH'; exit 3";

#[test]
fn what_a_broken_output_lacks_is_not_known() {
    let engine = PrivateEngine::start();
    let suite = Suite::new();
    let serve = |command: &str, expected: &str| {
        format!(
            "summary = \"x\"\nsource = \"x\"\n[build]\noutcome = \"success\"\n[serve]\n[[serve.http]]\npath = \"/\"\n[[serve.command]]\nrun = [\"sh\", \"-c\", '''{command}''']\n{expected}\n"
        )
    };
    for (name, command, _) in OUTPUTS {
        suite.hello(name, &serve(command, "output_absent = 'FORBIDDEN'"));
    }
    suite.hello("forged", &serve(FORGED, "exit_code = 3"));
    let report = tempfile::tempdir().unwrap();
    let proxy = Proxy::cutting(socket(&engine));
    let arguments = ["--suite", suite.path().to_str().unwrap(), "--report", report.path().to_str().unwrap()];
    let mut command = engine.command(&[&["run"], &arguments[..]].concat());
    let output = command.env("DOCKER_HOST", proxy.docker_host()).output().unwrap();
    let document = std::fs::read(report.path().join("report.json")).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
    let verdict = |name: &str| {
        let found = document["scenarios"].as_array().unwrap().iter().find(|scenario| scenario["name"] == name);
        found.unwrap()["verdict"].as_str().unwrap().to_owned()
    };
    for (name, _, due) in OUTPUTS {
        assert_eq!(verdict(name), due, "{name}: {}", text(&output));
    }
    assert_eq!(verdict("forged"), "pass", "{}", text(&output));
    assert_eq!(output.status.code(), Some(3), "{}", text(&output));
}

/// Where the pieces of an answer end is up to the engine, the kernel, and how busy the machine is.
#[test]
fn builds_whose_logs_come_in_pieces_are_known_to_their_end() {
    let engine = PrivateEngine::start();
    let proxy = Proxy::in_pieces(socket(&engine));
    let report = tempfile::tempdir().unwrap();
    let arguments = [
        "run",
        "--report",
        report.path().to_str().unwrap(),
        "=hello-wsgi",
        "=failing-pre-build-hook",
        "=missing-requirement",
    ];
    let output = engine.command(&arguments).env("DOCKER_HOST", proxy.docker_host()).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    // No build was done a second time.
    let document = std::fs::read_to_string(report.path().join("report.json")).unwrap();
    assert!(!document.contains("second attempt"), "{document}");
}

fn socket(engine: &PrivateEngine) -> &Path {
    Path::new(engine.docker_host().strip_prefix("unix://").unwrap())
}
