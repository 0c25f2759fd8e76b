//! Whatever stands in a file or on a command line, it is read or refused, and never a panic.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Parser;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::cli::arguments::Cli;
use crate::contract_tier::requirements::samples::{NEW, OLD};
use crate::contract_tier::requirements::{Files, Reader, resolved};
use crate::mutate::mutants;
use crate::suite::assertion_lock::{LOCK_FILE, SuiteLock};
use crate::suite::builder::Builder;
use crate::suite::cell::Cell;
use crate::suite::dialect::Dialect;
use crate::suite::limits::Limit;
use crate::suite::scenario::{self, Setting};
use crate::suite::variant::Variant;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Files that all say the same.
struct Everywhere(String);

impl Files for Everywhere {
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        // Files that name further ones for ever are not on any disk.
        match path.components().count() {
            0..8 => Ok(self.0.clone().into_bytes()),
            _ => Err(std::io::ErrorKind::NotFound.into()),
        }
    }

    fn is_folder(&self, path: &Path) -> bool {
        path.extension().is_none()
    }

    fn is_file(&self, path: &Path) -> bool {
        path.extension().is_some()
    }
}

fn cell() -> Cell {
    let variant = Variant::select(&root().join("images"), &["python-3.11".to_owned()]).unwrap().remove(0);
    Cell { variant, dialect: Dialect::Docker, builder: Builder::Classic }
}

/// The texts of the repository's own scenario files.
fn own_scenario_files() -> Vec<String> {
    let folders = std::fs::read_dir(root().join("scenarios")).unwrap().flatten();
    let mut paths: Vec<PathBuf> = folders.map(|entry| entry.path().join("scenario.toml")).collect();
    paths.sort();
    paths.iter().filter_map(|path| std::fs::read_to_string(path).ok()).collect()
}

/// A scenario file in which a stretch is taken out, doubled, or replaced.
fn damaged() -> impl Strategy<Value = String> {
    let scraps = prop_oneof![
        Just(String::new()),
        Just("\"".to_owned()),
        Just("'''".to_owned()),
        Just("[[".to_owned()),
        Just("= -1".to_owned()),
        Just("99999999999999999999".to_owned()),
        Just("\u{0}".to_owned()),
        Just("@{".to_owned()),
        "[ -~\u{e4}\n]{0,12}",
    ];
    (prop::sample::select(own_scenario_files()), any::<prop::sample::Index>(), 0..30_usize, any::<bool>(), scraps)
        .prop_map(|(text, place, length, double, scrap)| {
            let characters: Vec<char> = text.chars().collect();
            let first = place.index(characters.len());
            let last = (first + length).min(characters.len());
            let kept = if double { &characters[first..last] } else { &[] };
            let part = |part: &[char]| part.iter().collect::<String>();
            format!("{}{scrap}{}{}{}", part(&characters[..first]), part(kept), part(kept), part(&characters[last..]))
        })
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn scenario_files(text in damaged()) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("x/app")).unwrap();
        std::fs::write(folder.path().join("x/app/Dockerfile"), "ARG IMAGE\nFROM ${IMAGE}\n").unwrap();
        std::fs::write(folder.path().join("x/scenario.toml"), text).unwrap();
        let cell = cell();
        if let Err(diagnostics) = scenario::load(folder.path(), &Setting { cell: &cell, variants: &[] }) {
            // What is wrong with it is told, with or without colours, at any width.
            prop_assert!(!diagnostics.render(120).is_empty());
            prop_assert!(!diagnostics.render(20).is_empty());
        }
    }

    #[test]
    fn requirement_files(text in r"(-r |-e |--requirement=|git\+|hg\+|six|\./x|@|#|==|;|\\|[ -~]{0,5}|\u{e4}|\r?\n){0,20}") {
        for pip in [OLD, NEW] {
            let reader = Reader { pip, folder: "/app", environment: &BTreeMap::new(), files: &Everywhere(text.clone()) };
            drop(reader.file("requirements.txt", false).and_then(|asked| resolved(asked, pip)));
        }
    }

    #[test]
    fn markers(text in r#"((python_(full_)?version|implementation_version|os[._]name|platform_(release|version)|extras?) ?|'[0-9.*a-z+!=;-]{0,8}'|"[ -~\u{e4}]{0,4}"|'[0-9]{17,24}(\.[0-9]{1,21}|\.\*)?'|[<>=!~]=|===?|[<>]| (not )?in | and | or |\(|\)|\\|[ -~\u{e4}\u{17f}]){0,24}"#) {
        for pip in [OLD, NEW] {
            for line in [format!("six; {text}"), format!("six @ file:///x ; {text}"), format!("-e git+file:///x#egg=six; {text}")] {
                let reader = Reader { pip, folder: "/app", environment: &BTreeMap::new(), files: &Everywhere(line) };
                drop(reader.file("requirements.txt", false).and_then(|asked| resolved(asked, pip)));
            }
        }
    }

    #[test]
    fn comparisons_in_markers(
        left in r"python_version|os_name|extra|'[0-9.*a-z+!-]{0,8}'|'[0-9]{1,24}(\.[0-9]{1,24}){0,3}'",
        operator in "===?|[~!<>]=|[<>]| (not )?in ",
        right in r"python_full_version|python_version|'=?[0-9.*a-z+!-]{0,8}'|'[0-9]{1,24}(\.[0-9]{1,24}){0,3}(\.\*)?'",
    ) {
        for pip in [OLD, NEW] {
            let files = Everywhere(format!("six; {left} {operator} {right}"));
            let reader = Reader { pip, folder: "/app", environment: &BTreeMap::new(), files: &files };
            drop(reader.file("requirements.txt", false).and_then(|asked| resolved(asked, pip)));
        }
    }

    #[test]
    fn command_lines(words in vec(r"--?[a-z-]{0,12}(=[ -~]{0,6})?|run|verify|fuzz|mutate|=[a-z]{0,5}|[ -~\u{e4}]{0,8}", 0..6)) {
        drop(Cli::try_parse_from(std::iter::once("wsgi-proof".to_owned()).chain(words)));
    }

    #[test]
    fn limits(text in r"[a-z-]{0,16}=?-?[0-9]{0,25}") {
        drop(text.parse::<Limit>());
    }

    #[test]
    fn locks(text in r#"(version = [0-9]{1,3}\n|\[[a-z]{0,9}\]\n|["a-z 0-9.-]{0,12} = -?[0-9]{0,20}\n|[ -~]{0,10}\n){0,6}"#) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join(LOCK_FILE), text).unwrap();
        drop(SuiteLock::load(folder.path()));
    }

    #[test]
    fn scripts_to_be_changed(text in r#"(#!/usr/bin/env bash\n|if \[\[ -f x \]\]; then\n|fi\n|exec |"\$x" |set -e\n|\$\(|\)|&&|\|\||\n|[ -~\u{e4}]{0,6}){0,16}"#) {
        drop(mutants("script", &text));
    }
}
