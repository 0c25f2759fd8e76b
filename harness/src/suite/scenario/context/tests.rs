#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::io::Read;
use std::os::unix::fs::{PermissionsExt, symlink};

use tempfile::TempDir;

use super::archive::EARLIEST;
use super::content::leads_out;
use super::*;
use crate::suite::scenario::tests::load_here;

fn application(files: &[(&str, &str)]) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let app = root.path().join("sample/app");
    fs::create_dir_all(&app).unwrap();
    let scenario = "summary = 'x'\nsource = 'x'\nnothing_to_serve = 'a test'\n[modes]\n'hook' = '0755'\n[build]\noutcome = 'success'\n";
    fs::write(root.path().join("sample/scenario.toml"), scenario).unwrap();
    for (path, content) in [("Dockerfile", "ARG IMAGE\nFROM ${IMAGE}\n"), ("hook", "#!/bin/sh\n")].iter().chain(files) {
        fs::create_dir_all(app.join(path).parent().unwrap()).unwrap();
        fs::write(app.join(path), content).unwrap();
    }
    root
}

fn context(root: &TempDir) -> Vec<u8> {
    build_context(&load_here(root.path()).unwrap()[0]).unwrap()
}

fn error(root: &TempDir) -> ContextError {
    entries(&root.path().join("sample/app")).unwrap_err()
}

fn listing(archive: &[u8]) -> Vec<(String, u32, u64)> {
    let mut archive = tar::Archive::new(archive);
    let entries = archive.entries().unwrap().map(Result::unwrap);
    let lines = entries.map(|entry| {
        let header = entry.header();
        assert_eq!((header.uid().unwrap(), header.gid().unwrap()), (0, 0));
        (entry.path().unwrap().display().to_string(), header.mode().unwrap(), header.mtime().unwrap())
    });
    lines.collect()
}

fn names(root: &TempDir) -> Vec<String> {
    listing(&context(root)).into_iter().map(|(name, ..)| name).collect()
}

#[test]
fn the_archive_is_the_same_whatever_the_checkout() {
    let one = application(&[("a/x.py", "one"), ("b.py", "two")]);
    let other = application(&[("b.py", "two"), ("a/x.py", "one")]);
    fs::set_permissions(other.path().join("sample/app/b.py"), fs::Permissions::from_mode(0o700)).unwrap();
    fs::set_permissions(other.path().join("sample/app/a"), fs::Permissions::from_mode(0o700)).unwrap();
    let archive = context(&one);
    assert_eq!(archive, context(&other));
    let modes: Vec<_> = listing(&archive).into_iter().map(|(name, mode, _)| (name, mode)).collect();
    let expected = [("Dockerfile", 0o644), ("a", 0o755), ("a/x.py", 0o644), ("b.py", 0o644), ("hook", 0o755)];
    assert_eq!(modes, expected.map(|(name, mode)| (name.to_owned(), mode)));
}

#[test]
fn content_of_the_same_size_has_another_time() {
    let time = |content: &str| listing(&context(&application(&[("x.py", content)])))[2].2;
    assert_ne!(time("a = 1"), time("a = 2"));
    assert!((EARLIEST..1_700_000_000).contains(&time("a = 1")));
}

#[test]
fn long_names_and_links_are_kept() {
    let long = format!("{}/x.txt", "folder/".repeat(30));
    let root = application(&[(&long, "content")]);
    symlink("folder/../hook", root.path().join("sample/app/link")).unwrap();
    let archive = context(&root);
    let mut archive = tar::Archive::new(archive.as_slice());
    let mut found = 0;
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if entry.path().unwrap().ends_with("x.txt") {
            let mut content = String::new();
            entry.read_to_string(&mut content).unwrap();
            assert_eq!(content, "content");
            found += 1;
        }
        if entry.path().unwrap() == Path::new("link") {
            assert_eq!(entry.link_name().unwrap().unwrap(), Path::new("folder/../hook"));
            found += 1;
        }
    }
    assert_eq!(found, 2);
}

#[test]
fn what_is_ignored_stays_out() {
    let root = application(&[
        (".dockerignore", "*.pyc\ncache\n!cache/keep/this\nDockerfile\n.dockerignore\n"),
        ("x.pyc", ""),
        ("x.py", ""),
        ("cache/other", ""),
        ("cache/keep/this", ""),
    ]);
    assert_eq!(names(&root), [".dockerignore", "Dockerfile", "cache", "cache/keep", "cache/keep/this", "hook", "x.py"]);
}

#[test]
fn a_bad_ignore_file_is_an_error() {
    assert!(matches!(error(&application(&[(".dockerignore", "[")])), ContextError::Ignore(_)));
}

#[test]
fn links_that_lead_out_are_errors() {
    for target in ["/etc/passwd", "..", "folder/../../x"] {
        let root = application(&[]);
        symlink(target, root.path().join("sample/app/link")).unwrap();
        assert!(matches!(error(&root), ContextError::LinkOut { .. }), "{target}");
    }
    assert!(!leads_out(Path::new("a/b/link"), Path::new("../../x")));
}

#[test]
fn sockets_and_pipes_are_errors() {
    let root = application(&[]);
    let _listener = std::os::unix::net::UnixListener::bind(root.path().join("sample/app/socket")).unwrap();
    assert!(matches!(error(&root), ContextError::Special { kind: "socket", .. }));
}

#[test]
fn too_much_is_an_error_that_names_the_largest() {
    let root = application(&[]);
    fs::File::create(root.path().join("sample/app/big")).unwrap().set_len(MAX_CONTEXT).unwrap();
    let error = error(&root);
    assert!(matches!(&error, ContextError::TooLarge { largest, .. } if largest == Path::new("big")), "{error}");
}

#[test]
fn an_image_has_no_context() {
    let root = application(&[]);
    let mut scenario = load_here(root.path()).unwrap().remove(0);
    scenario.app = None;
    assert!(matches!(build_context(&scenario), Err(ContextError::NoApplication(_))));
}
