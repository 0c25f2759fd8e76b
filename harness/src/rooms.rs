//! Holds the order of the rooms, so that there is no circle: a room imports only rooms before it. And where is printed.

#![allow(clippy::expect_used)]

use std::path::{Path, PathBuf};

/// The rooms; each imports only rooms before it.
const ROOMS: [&str; 16] = [
    "outcome",
    "beneath",
    "suite",
    "check",
    "host",
    "relay",
    "mirror",
    "engine",
    "isolation",
    "run",
    "report",
    "image_tier",
    "contract_tier",
    "mutate",
    "fuzz",
    "cli",
];

/// Libraries that only one room may name.
const HELD: [(&str, &str); 3] = [("bollard", "engine"), ("testcontainers", "engine"), ("parse_dockerfile", "suite")];

/// The most lines of a file.
const LONGEST: usize = 400;

/// The files of Rust below a folder, with their texts.
fn files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in folder.read_dir().expect("a folder of the source") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).expect("a file of the source");
            found.push((path, text));
        }
    }
    found
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The files of each room, from the room's folder on.
fn by_room() -> Vec<(usize, PathBuf, String)> {
    let room = |path: &Path| {
        let first = path.strip_prefix(source()).ok()?.components().next()?;
        ROOMS.iter().position(|room| first.as_os_str() == *room)
    };
    let all = files(&source()).into_iter();
    all.filter_map(|(path, text)| Some((room(&path)?, path, text))).collect()
}

#[test]
fn rooms_import_only_rooms_before_them() {
    let mut wrong = Vec::new();
    for (room, path, text) in by_room() {
        for (number, line) in text.lines().enumerate() {
            for after in line.split("crate::").skip(1) {
                let name = after.split(|character: char| !(character.is_alphanumeric() || character == '_')).next();
                match ROOMS.iter().position(|room| Some(*room) == name) {
                    Some(other) if other <= room => {}
                    _ => wrong.push(format!("{}:{}: {}", path.display(), number + 1, line.trim())),
                }
            }
        }
    }
    assert!(wrong.is_empty(), "imports against the order of the rooms:\n{}", wrong.join("\n"));
}

#[test]
fn every_folder_of_the_source_is_a_room() {
    let folders = source().read_dir().expect("the source").map(|entry| entry.expect("an entry").path());
    let mut names: Vec<String> = folders
        .filter(|path| path.is_dir())
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    let mut rooms = ROOMS.map(str::to_owned).to_vec();
    rooms.sort();
    assert_eq!(names, rooms);
}

#[test]
fn a_held_library_is_named_in_one_room_only() {
    for (library, holder) in HELD {
        let named = |text: &str| text.contains(&format!("{library}::"));
        let elsewhere: Vec<PathBuf> = by_room()
            .into_iter()
            .filter(|(room, _, text)| ROOMS[*room] != holder && named(text))
            .map(|(_, path, _)| path)
            .collect();
        assert!(elsewhere.is_empty(), "{library} belongs to {holder} alone: {elsewhere:?}");
    }
}

/// A reader that has gone makes these macros panic, and what goes past `host::outgoing` can have secrets in it, and commands for a CI
/// system.
#[test]
fn nothing_is_printed_by_macro() {
    let mut wrong = Vec::new();
    for (_, path, text) in by_room() {
        for (number, line) in text.lines().enumerate() {
            let prints = calls(line, "print!") || calls(line, "println!");
            let complains = calls(line, "eprint!") || calls(line, "eprintln!");
            if prints || complains {
                wrong.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(wrong.is_empty(), "prints past host::outgoing:\n{}", wrong.join("\n"));
}

/// Whether a line calls a macro of exactly this name.
fn calls(line: &str, name: &str) -> bool {
    line.match_indices(name)
        .any(|(at, _)| !line[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_'))
}

#[test]
fn files_are_small() {
    let long: Vec<String> = files(&source())
        .into_iter()
        .filter(|(_, text)| text.lines().count() > LONGEST)
        .map(|(path, text)| format!("{}: {} lines", path.display(), text.lines().count()))
        .collect();
    assert!(long.is_empty(), "files of more than {LONGEST} lines:\n{}", long.join("\n"));
}
