//! A program that brings the suite along: in a folder where nothing is, it does what it does in a checkout.

use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use predicates::prelude::*;
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{NO_ENGINE, PrivateEngine, Slot, cache, call_of, root, text, wsgi_proof};

/// A program with the repository's suite in it, an empty folder and an empty cache.
struct Packed {
    outer: TempDir,
}

impl Packed {
    fn new() -> Self {
        let packed = Self { outer: TempDir::new().unwrap() };
        fs::create_dir(packed.place("empty")).unwrap();
        wsgi_proof(&["pack", packed.program().to_str().unwrap()])
            .assert()
            .success()
            .stdout(predicate::str::contains("with the suite sha256:"));
        packed
    }

    fn place(&self, name: &str) -> PathBuf {
        self.outer.path().join(name)
    }

    fn program(&self) -> PathBuf {
        self.place("wsgi-proof")
    }

    /// A call of it, in the empty folder.
    fn call(&self, arguments: &[&str]) -> Command {
        let mut command = call_of(&self.program(), arguments);
        command.current_dir(self.place("empty")).env("DOCKER_HOST", NO_ENGINE);
        command
    }

    /// The same with the empty cache.
    fn alone(&self, arguments: &[&str]) -> Output {
        self.call(arguments).env("WSGI_PROOF_CACHE", self.place("cache")).output().unwrap()
    }

    /// Where the suite is unpacked.
    fn unpacked(&self) -> PathBuf {
        let suites = self.place("cache/suites").read_dir().unwrap().map(|entry| entry.unwrap().path());
        let folders: Vec<PathBuf> = suites.filter(|path| path.is_dir()).collect();
        assert_eq!(folders.len(), 1, "{folders:?}");
        folders[0].clone()
    }
}

/// It did nothing, and said why.
fn refused(output: &Output, why: &str) {
    assert_eq!(output.status.code(), Some(2), "{}", text(output));
    assert!(text(output).contains(why), "{}", text(output));
}

fn suite_of(report: &Path) -> String {
    let report: Value = serde_json::from_slice(&fs::read(report.join("report.json")).unwrap()).unwrap();
    report["run"]["suite"].as_str().unwrap().to_owned()
}

#[test]
fn a_packed_program_needs_no_checkout() {
    let _slot = Slot::take();
    let packed = Packed::new();
    let report = packed.place("report");
    let run = ["run", "--tier", "contract", "=hello-wsgi", "--report", report.to_str().unwrap()];
    let output = packed.call(&run).output().unwrap();
    assert!(output.status.success(), "{}", text(&output));
    let of_the_checkout = packed.place("other");
    let run = ["run", "--tier", "contract", "=hello-wsgi", "--report", of_the_checkout.to_str().unwrap()];
    wsgi_proof(&run).env("DOCKER_HOST", NO_ENGINE).assert().success();
    let suite = suite_of(&report);
    let again = fs::read_to_string(report.join("report.json")).unwrap();
    assert!(again.contains("\"reproduce\": \"wsgi-proof run --tier contract "), "{again}");
    assert_eq!(suite, suite_of(&of_the_checkout));
    let version = text(&packed.call(&["--version"]).output().unwrap());
    assert_eq!(version, format!("wsgi-proof {} (suite {suite})\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(packed.place("empty").read_dir().unwrap().count(), 0);
}

#[test]
fn a_suite_that_is_named_or_at_hand_goes_before_the_carried_one() {
    let packed = Packed::new();
    let other = packed.place("other");
    assert!(packed.alone(&["eject", other.to_str().unwrap()]).status.success());
    let scenario = other.join("scenarios/hello-wsgi/scenario.toml");
    let text_of_it = fs::read_to_string(&scenario).unwrap();
    fs::write(&scenario, text_of_it.replacen("summary = \"", "summary = \"Another suite: ", 1)).unwrap();
    let is_other = |command: &mut Command| {
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        text(&output).contains("Another suite: ")
    };
    assert!(!is_other(&mut packed.call(&["list", "=hello-wsgi"])));
    assert!(is_other(&mut packed.call(&["list", "--suite", other.to_str().unwrap(), "=hello-wsgi"])));
    assert!(is_other(packed.call(&["list", "=hello-wsgi"]).current_dir(other.join("images"))));
    let none = packed.alone(&["list", "--suite", packed.place("empty").to_str().unwrap()]);
    refused(&none, "is no suite");
}

#[test]
fn what_is_ejected_is_the_suite() {
    let packed = Packed::new();
    let folder = packed.place("suite");
    let output = packed.alone(&["eject", folder.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output));
    for name in ["scenarios/contract.toml", "scenarios/hello-wsgi/scenario.toml", "images/onbuild/Dockerfile"] {
        assert_eq!(fs::read(folder.join(name)).unwrap(), fs::read(root().join(name)).unwrap(), "{name}");
    }
    // Nothing that is there is touched.
    fs::write(folder.join("scenarios/contract.toml"), "mine").unwrap();
    refused(&packed.alone(&["eject", folder.to_str().unwrap()]), "exists");
    assert_eq!(fs::read(folder.join("scenarios/contract.toml")).unwrap(), b"mine");
    refused(&packed.alone(&["pack", folder.join("scenarios/contract.toml").to_str().unwrap()]), "exists");
    assert_eq!(fs::read(folder.join("scenarios/contract.toml")).unwrap(), b"mine");
}

#[test]
fn a_program_is_packed_again_without_growing() {
    let packed = Packed::new();
    let again = packed.place("again");
    let output = packed.alone(&["pack", again.to_str().unwrap()]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(fs::read(again).unwrap() == fs::read(packed.program()).unwrap());
}

#[test]
fn a_carried_suite_that_was_changed_or_damaged_is_told() {
    let packed = Packed::new();
    assert!(packed.alone(&["list"]).status.success());
    refused(&packed.alone(&["run", "--tier", "contract", "--write-lock"]), "wsgi-proof eject DIR");

    let contract = packed.unpacked().join("scenarios/contract.toml");
    let whole = fs::read(&contract).unwrap();
    fs::write(&contract, "").unwrap();
    refused(&packed.alone(&["list"]), "was changed");
    fs::write(&contract, whole).unwrap();
    assert!(packed.alone(&["list"]).status.success());

    let mut program = fs::OpenOptions::new().write(true).open(packed.program()).unwrap();
    program.seek(SeekFrom::End(-2000)).unwrap();
    program.write_all(b"damage").unwrap();
    drop(program);
    refused(&packed.alone(&["list"]), "is damaged");
}

/// Its image, with the socket of an engine, and nothing else of the machine but the cache.
#[test]
fn a_container_of_it_gates_images() {
    let engine = PrivateEngine::start();
    engine.command(&["run", "=hello-wsgi"]).assert().success();
    let packed = Packed::new();
    let context = packed.place("context");
    let (image, report) = ("example/wsgi-proof:test", packed.place("report"));
    fs::create_dir_all(context.join("here")).unwrap();
    fs::create_dir(&report).unwrap();
    fs::copy(packed.program(), context.join("here/wsgi-proof")).unwrap();
    // Nothing is asked of an index here, so any authority will do.
    let authority = rcgen::generate_simple_self_signed(vec!["authority.test".to_owned()]).unwrap();
    fs::write(context.join("ca-certificates.crt"), authority.cert.pem()).unwrap();
    fs::copy(root().join("container/Dockerfile"), context.join("Dockerfile")).unwrap();
    let docker = |arguments: &[&str]| {
        let mut docker = Command::new(engine.cache().join("engine/tree/usr/bin/docker"));
        docker.env("DOCKER_HOST", engine.docker_host()).env("DOCKER_BUILDKIT", "0").args(arguments);
        let output = docker.output().unwrap();
        assert!(output.status.success(), "{}", text(&output));
        text(&output)
    };
    let context = context.to_str().unwrap();
    let distribution = "DISTRIBUTION=wsgi-proof:distribution-bookworm";
    let of_here = ["--build-arg", distribution, "--build-arg", "TARGETARCH=here"];
    docker(&[&["build", "--tag", image], &of_here[..], &[context]].concat());
    let shared = cache();
    let shared = shared.to_str().unwrap();
    let volume = |from: &str, to: &str| format!("--volume={from}:{to}");
    let told = docker(&[
        "run",
        "--rm",
        "--network=none",
        &volume(engine.docker_host().strip_prefix("unix://").unwrap(), "/var/run/docker.sock"),
        &volume(engine.cache().to_str().unwrap(), "/var/cache/wsgi-proof"),
        // What the engine's cache shares with others is there by its path.
        &volume(shared, shared),
        &volume(report.to_str().unwrap(), "/workspace/report"),
        image,
        "run",
        "--base-image=wsgi-proof:base-python-3.11",
        "--onbuild-image=wsgi-proof:onbuild-python-3.11",
        "--report=report",
        "=hello-wsgi",
    ]);
    assert!(told.contains("1 of 1 scenarios: 1 passed"), "{told}");
    assert!(suite_of(&report).starts_with("sha256:"));
    docker(&["rmi", image]);
    assert_eq!((engine.leftovers(), engine.volumes()), (Vec::<String>::new(), Vec::new()));
}
