//! What lies in the cache folder is executed and believed: only where nobody else can have put it there.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use predicates::prelude::*;
use rstest::rstest;
use tempfile::TempDir;

use crate::support::{PrivateEngine, without_engine};

/// A cache folder with a bubblewrap that somebody else put there. It notes that it was executed.
struct Planted {
    outer: TempDir,
}

impl Planted {
    fn new() -> Self {
        let planted = Self { outer: TempDir::new().unwrap() };
        let program = planted.cache().join("sandbox/tree/usr/bin/bwrap");
        std::fs::create_dir_all(program.parent().unwrap()).unwrap();
        std::fs::write(&program, format!("#!/bin/sh\ntouch {}\nexit 1\n", planted.note().display())).unwrap();
        set(&program, 0o755);
        planted
    }

    fn cache(&self) -> PathBuf {
        self.outer.path().join("cache")
    }

    fn note(&self) -> PathBuf {
        self.outer.path().join("executed")
    }

    fn call(&self, arguments: &[&str]) -> assert_cmd::Command {
        let mut command = without_engine(arguments);
        command.env("WSGI_PROOF_CACHE", self.cache());
        command
    }
}

fn set(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[rstest]
#[case::of_the_folder(0o755, 0o777, "cache can be written by other users (mode 0777)")]
#[case::of_its_group(0o755, 0o775, "cache can be written by other users (mode 0775)")]
#[case::sticky(0o755, 0o1777, "cache can be written by other users (mode 1777)")]
#[case::above(0o777, 0o755, "can be written by other users (mode 0777)")]
fn nothing_is_executed_from_a_cache_that_others_can_write(#[case] above: u32, #[case] own: u32, #[case] why: &str) {
    let planted = Planted::new();
    set(planted.outer.path(), above);
    set(&planted.cache(), own);
    for command in [&["run", "--tier", "contract", "=hello-wsgi"][..], &["doctor"], &["engine", "status"], &["prune"]] {
        let told = predicate::str::contains("cannot be trusted").and(predicate::str::contains(why));
        planted.call(command).assert().code(2).stderr(told.and(predicate::str::contains("--cache")));
    }
    assert!(!planted.note().exists(), "the planted program was executed");
}

/// Owner and mode are right: only that it was never unpacked tells it from the one that would be.
#[test]
fn nothing_is_executed_that_was_not_unpacked() {
    let planted = Planted::new();
    set(planted.outer.path(), 0o755);
    set(&planted.cache(), 0o700);
    drop(planted.call(&["run", "--offline", "--tier", "contract", "=hello-wsgi"]).output().unwrap());
    assert!(!planted.note().exists(), "the planted program was executed");
}

/// Only root can give a folder away.
#[test]
fn nothing_is_executed_from_a_cache_of_another_user() {
    let planted = Planted::new();
    if !given(&planted.cache(), 12345) {
        return;
    }
    let run = ["run", "--tier", "contract", "=hello-wsgi"];
    planted.call(&run).assert().code(2).stderr(predicate::str::contains("belongs to user 12345"));
    // Whom root works for by `sudo` is no stranger.
    let doctor = planted.call(&["doctor"]).env("SUDO_UID", "12345").env("SUDO_GID", "12345").output().unwrap();
    assert!(!String::from_utf8_lossy(&doctor.stderr).contains("cannot be trusted"));
    assert!(!planted.note().exists(), "the planted program was executed");
}

/// Gives a folder to a user; whether it could be.
fn given(folder: &Path, user: u32) -> bool {
    std::os::unix::fs::chown(folder, Some(user), Some(user)).is_ok()
}

#[test]
fn a_new_cache_is_its_users_alone() {
    let outer = TempDir::new().unwrap();
    let cache = outer.path().join("a/cache");
    drop(without_engine(&["doctor"]).env("WSGI_PROOF_CACHE", &cache).output().unwrap());
    assert_eq!(std::fs::metadata(&cache).unwrap().permissions().mode() & 0o7777, 0o700);
}

/// An archive that anybody can load has the name and the label of the image that canaries are let out in.
#[test]
fn an_image_that_was_loaded_is_not_taken_for_the_canaries() {
    const NAME: &str = "wsgi-proof:distribution-bookworm";
    let engine = PrivateEngine::start();
    let run = ["run", "=failing-pre-build-hook"];
    engine.command(&run).assert().success();
    let made = engine.image(NAME);
    let config = serde_json::json!({
        "architecture": made["Architecture"],
        "os": "linux",
        "config": { "Labels": made["Config"]["Labels"], "Env": ["POSED=yes"] },
        "rootfs": { "type": "layers", "diff_ids": [] },
    });
    engine.load_image(NAME, &config.to_string());
    assert_ne!(engine.image(NAME)["Id"], made["Id"], "the image has the name");
    let output = engine.command(&run).assert().success().get_output().stdout.clone();
    let output = String::from_utf8(output).unwrap();
    assert!(output.contains("canaries  a build and a container tried"), "{output}");
    assert_eq!(engine.image(NAME)["Id"], made["Id"], "the name is given back");
}

/// What runs leave in the cache folder is removed.
#[test]
fn a_folder_with_files_of_ones_own_is_no_cache() {
    let place = TempDir::new().unwrap();
    let files =
        ["sandboxes/my-project/thesis.txt", "volumes/photos/1.jpg", "runs/notes"].map(|name| place.path().join(name));
    for file in &files {
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, "").unwrap();
    }
    let prune = || without_engine(&["prune", "--cache", place.path().to_str().unwrap()]);
    // Only such as a former version could have made: what no run has made stays all the same.
    drop(prune().assert());
    assert!(files.iter().all(|file| file.exists()));
    std::fs::remove_file(place.path().join("CACHEDIR.TAG")).unwrap();
    std::fs::write(place.path().join("letter.txt"), "").unwrap();
    let told = "has something in it that is not wsgi-proof's: ";
    prune().assert().code(2).stderr(predicate::str::contains(told)).stderr(predicate::str::contains("letter.txt"));
    assert!(files.iter().all(|file| file.exists()));
}
