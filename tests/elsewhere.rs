//! An engine that is elsewhere, and sees none of this program's folders.

use std::path::Path;
use std::process::Command;

use crate::serving_can_fail::add_volumes;
use crate::support::{PrivateEngine, Suite, cache, call, root, text};

/// Mounts a file system of memory at a place, where only what is started then sees it, with the journal of a cache folder and links to
/// what is only read; and starts this.
const HIDDEN: &str = "place=$1 journal=$2 shared=$3; shift 3
mount -t tmpfs -o mode=700 tmpfs \"$place\" && cp -r \"$journal\" \"$place/journal\" \
&& ln -s \"$shared/store\" \"$shared/distributions\" \"$place\" && exec \"$@\"";

/// A call of the program with this engine, and with a cache folder that the engine does not see.
fn hidden(engine: &PrivateEngine, place: &Path, arguments: &[&str]) -> Command {
    let own = call(arguments);
    let mut command = Command::new("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", HIDDEN, "sh"]);
    command.arg(place).arg(engine.cache().join("journal")).arg(cache());
    command.arg(own.get_program()).args(own.get_args()).current_dir(root());
    command.env("WSGI_PROOF_CACHE", place).env("DOCKER_HOST", engine.docker_host()).env("NO_COLOR", "1");
    command.env_remove("WSGI_PROOF_SUITE").env_remove("GITHUB_ACTIONS");
    command
}

#[test]
fn volumes_need_no_folder_that_the_engine_sees() {
    let engine = PrivateEngine::start();
    engine.command(&["run", "=hello-wsgi"]).assert().success();
    let (place, report, suite) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap(), Suite::new());
    let run = |arguments: &[&str]| hidden(&engine, place.path(), arguments).output().unwrap();
    let scenario = run(&["run", "=volume", "=read-only-volume"]);
    assert_eq!(scenario.status.code(), Some(0), "{}", text(&scenario));

    add_volumes(&suite);
    let suite = suite.path().to_str().unwrap();
    let both = run(&["run", "--suite", suite, "--report", report.path().to_str().unwrap()]);
    assert_eq!(both.status.code(), Some(1), "{}", text(&both));
    let document = std::fs::read(report.path().join("report.json")).unwrap();
    let document: serde_json::Value = serde_json::from_slice(&document).unwrap();
    let verdict = |name: &str| {
        let scenarios = document["scenarios"].as_array().unwrap();
        let found = scenarios.iter().find(|scenario| scenario["name"] == name);
        found.map(|scenario| scenario["verdict"].as_str().unwrap().to_owned())
    };
    assert_eq!(verdict("volume-read-only").as_deref(), Some("pass"), "{}", text(&both));
    assert_eq!(verdict("volume-read-write").as_deref(), Some("fail"), "{}", text(&both));
    assert!(text(&both).contains("added /app/new"), "{}", text(&both));
    // Nobody else has seen what was there, and nothing is left.
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
    assert!(engine.volumes().is_empty(), "{:?}", engine.volumes());
}
