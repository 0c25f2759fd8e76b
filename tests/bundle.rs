//! `bundle` and `run --bundle`: a scenario with all that it needs, run again elsewhere.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::path::Path;

use predicates::prelude::PredicateBooleanExt as _;
use predicates::str::contains;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{PrivateEngine, Slot, archive, changed_file, first_run, without_engine, wsgi_proof};

/// The files of a bundle but its images, by their names.
fn files(bundle: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in tar::Archive::new(File::open(bundle).unwrap()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().to_str().unwrap().to_owned();
        let mut content = Vec::new();
        if name != "images.tar" {
            entry.read_to_end(&mut content).unwrap();
        }
        assert!(files.insert(name, content).is_none());
    }
    files
}

/// What a run's report says of its one scenario, but for how long it took and where it was.
fn told(report: &[u8]) -> Value {
    let report: Value = serde_json::from_slice(report).unwrap();
    let [scenario] = &report["scenarios"].as_array().unwrap()[..] else { panic!("{report:#}") };
    json!([scenario["label"], scenario["verdict"], scenario["findings"], scenario["fault"], report["run"]["suite"]])
}

/// On another engine, with an empty cache and without the index: the same failure, and afterwards nothing of it.
#[test]
fn a_failure_is_the_same_elsewhere() {
    first_run();
    let folder = TempDir::new().unwrap();
    let bundle = folder.path().join("failure.tar");
    let step = changed_file("mod_wsgi-docker-build", "run_hook build\n", "exit 9\n");
    {
        let _slot = Slot::take();
        let step = step.path().to_str().unwrap();
        let bundle = bundle.to_str().unwrap();
        let arguments = ["bundle", "--strict", "--build-step", step, "--output", bundle, "requirements-with-hashes"];
        wsgi_proof(&arguments).assert().code(0).stdout(contains("FAIL")).stderr(contains("wrote "));
        wsgi_proof(&arguments).assert().code(2).stderr(contains("exists"));
    }
    let files = files(&bundle);
    for name in ["README.md", "application.tar", "images.tar", "report/index.html", "suite.packed"] {
        assert!(files.contains_key(name), "{name}: {:?}", files.keys());
    }
    let manifest: Value = serde_json::from_slice(&files["bundle.json"]).unwrap();
    let fixtures = manifest["fixtures"].as_array().unwrap();
    assert!(!fixtures.is_empty());
    assert!(fixtures.iter().all(|path| files.contains_key(&format!("store/{}", path.as_str().unwrap()))));
    let script = String::from_utf8_lossy(&files["reproduce.sh"]).into_owned();
    let base = manifest["base_image"]["id"].as_str().unwrap();
    assert!(script.contains(&format!("docker tag {base} wsgi-proof-bundle:base\n")), "{script}");

    let engine = PrivateEngine::start();
    let is_there = || engine.ask("GET", &format!("/images/{base}/json"), b"").0 == 200;
    assert!(!is_there());
    let report = folder.path().join("report");
    let run = ["run", "--bundle", bundle.to_str().unwrap(), "--report", report.to_str().unwrap()];
    let reproduce = format!("run --bundle {} --keep --strict", bundle.display());
    engine
        .command(&run)
        .env("PIP_INDEX_URL", "http://127.0.0.1:1/simple/")
        .assert()
        .code(1)
        .stdout(contains("fixtures: ").and(contains(", 0 downloaded")).and(contains(&reproduce)));
    assert_eq!(told(&fs::read(report.join("report.json")).unwrap()), told(&files["report/report.json"]));
    assert!(!is_there());
    assert_eq!((engine.leftovers(), engine.volumes()), (Vec::<String>::new(), Vec::new()));

    refused_with_names(&folder, &files);
}

/// Names of images are the user's: an archive that has some is not loaded.
fn refused_with_names(folder: &TempDir, files: &BTreeMap<String, Vec<u8>>) {
    let manifest = br#"[{"Config":"config.json","RepoTags":["python:3.11"],"Layers":[]}]"#;
    let images = archive([("config.json", b"{}".as_slice()), ("manifest.json", manifest)]);
    let named = folder.path().join("named.tar");
    let others = files.iter().filter(|(name, _)| *name != "images.tar");
    let others = others.map(|(name, content)| (name.as_str(), content.as_slice()));
    fs::write(&named, archive(others.chain([("images.tar", images.as_slice())]))).unwrap();
    without_engine(&["run", "--bundle", named.to_str().unwrap()])
        .assert()
        .code(2)
        .stderr(contains("its images have names, which would replace those of the engine's images"));
}

#[test]
fn what_is_no_bundle_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("bundle.tar");
    let refused = |content: &[u8], why: &str| {
        fs::write(&file, content).unwrap();
        without_engine(&["run", "--bundle", file.to_str().unwrap()]).assert().code(2).stderr(contains(why));
    };
    refused(b"", "it has no bundle.json");
    refused(&b"no archive, though it is as long as a header".repeat(30), "bundle.tar: ");
    refused(&archive([("bundle.json", b"{}".as_slice())]), "its bundle.json cannot be read");
    let image = json!({ "id": "sha256:0", "digests": [], "layers": [] });
    let mut manifest = json!({
        "version": 1, "program": "0.1.0", "suite": "sha256:0", "scenario": "hello-wsgi", "variant": "python-3.11",
        "dialect": "docker", "candidate": "x", "strict": false, "limits": [], "verdict": "pass", "engine": "x",
        "architecture": "amd64", "base_image": image, "onbuild_image": image, "fixtures": [],
    });
    let with = |manifest: &Value, suite: &[u8]| {
        archive([("bundle.json", manifest.to_string().as_bytes()), ("suite.packed", suite)])
    };
    refused(&archive([("bundle.json", manifest.to_string().as_bytes())]), "it has no suite.packed");
    refused(&with(&manifest, b"no suite"), "its suite is damaged");
    manifest["version"] = json!(2);
    refused(&with(&manifest, b""), "it is a bundle of version 2");
    let none = folder.path().join("none.tar");
    without_engine(&["run", "--bundle", none.to_str().unwrap()]).assert().code(2).stderr(contains("none.tar: "));
}

#[test]
fn what_a_bundle_cannot_be_of_is_refused() {
    let folder = TempDir::new().unwrap();
    let file = folder.path().join("bundle.tar");
    let refused = |arguments: &[&str], code: i32, why: &str| {
        let output = ["bundle", "--output", file.to_str().unwrap()];
        without_engine(&[&output, arguments].concat()).assert().code(code).stderr(contains(why));
        assert!(!file.exists());
    };
    refused(&["hello"], 4, "hello");
    refused(&["hello-wsgi", "--variant", "all"], 2, "a bundle has one variant, one dialect and one builder");
    refused(&["setup-py-ignored"], 4, "does not apply");
    let bundle = ["run", "--tier", "contract", "--bundle", file.to_str().unwrap()];
    without_engine(&bundle).assert().code(2).stderr(contains("--bundle requires the image tier"));
}
