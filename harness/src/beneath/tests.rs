#![allow(clippy::unwrap_used)]

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Dev, FileType, Mode, OFlags, mkdirat, mknodat, openat};

use super::*;

fn fifo(path: &Path) {
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, Dev::default()).unwrap();
}

/// A folder in folders, more of them than a path may name.
fn deep(path: &Path, levels: usize) {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = openat(CWD, path, flags, Mode::empty()).unwrap();
    for _ in 0..levels {
        mkdirat(&folder, "d", Mode::RWXU).unwrap();
        folder = openat(&folder, "d", flags, Mode::empty()).unwrap();
    }
}

fn read(folder: &Folder, path: &str) -> Result<Vec<u8>, String> {
    folder.read(Path::new(path), 100).map_err(|error| error.to_string())
}

#[test]
fn only_regular_files_inside_are_read() {
    let place = tempfile::tempdir().unwrap();
    let inner = place.path().join("inner");
    fs::create_dir_all(inner.join("folder")).unwrap();
    fs::write(place.path().join("secret"), "secret").unwrap();
    fs::write(inner.join("folder/file"), "text").unwrap();
    symlink("../secret", inner.join("out")).unwrap();
    symlink("folder", inner.join("other")).unwrap();
    symlink("/proc/self/environ", inner.join("magic")).unwrap();
    fifo(&inner.join("fifo"));
    let _socket = UnixListener::bind(inner.join("socket")).unwrap();
    let folder = Folder::open(&inner).unwrap();
    assert_eq!(read(&folder, "folder/file").unwrap(), b"text");
    for (path, why) in [
        ("out", "`out` is a symbolic link to `../secret`"),
        ("other/file", "`other` is a symbolic link to `folder`"),
        ("magic", "`magic` is a symbolic link to `/proc/self/environ`"),
        ("fifo", "`fifo` is a named pipe, not a regular file"),
        ("socket", "`socket` is a socket, not a regular file"),
        ("folder", "`folder` is a folder, not a regular file"),
        ("../secret", "../secret"),
        ("none", "none"),
    ] {
        assert_eq!(read(&folder, path).unwrap_err(), why, "{path}");
    }
    assert!(folder.read(Path::new("folder/file"), 3).unwrap_err().to_string().contains("4 bytes, more than the 3"));
    assert_eq!(folder.beginning(Path::new("folder/file"), 3).unwrap(), b"tex");
    assert!(folder.status(Path::new("out")).unwrap().is_some() && folder.status(Path::new("no")).unwrap().is_none());
}

#[test]
fn in_a_root_links_stay_inside() {
    let place = tempfile::tempdir().unwrap();
    let inner = place.path().join("inner");
    fs::create_dir(&inner).unwrap();
    fs::write(place.path().join("secret"), "outside").unwrap();
    fs::write(inner.join("secret"), "inside").unwrap();
    symlink("../../secret", inner.join("up")).unwrap();
    symlink("/secret", inner.join("absolute")).unwrap();
    symlink("loop", inner.join("loop")).unwrap();
    symlink("/", inner.join("app")).unwrap();
    let root = Folder::open(&inner).unwrap().into_root();
    for path in ["up", "absolute", "/secret"] {
        assert_eq!(read(&root, path).unwrap(), b"inside", "{path}");
    }
    assert!(root.read(Path::new("loop"), 100).unwrap_err().is_absent());
    assert!(root.folder(Path::new("app")).unwrap_err().is_absent());
    assert_eq!(root.target(Path::new("up")).unwrap(), Some(PathBuf::from("../../secret")));
}

fn walked(folder: &Path) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    let walk = Folder::open(folder).unwrap().walk(|one| {
        found.push(format!("{} {}", one.path.display(), one.word()));
        Ok(true)
    });
    found.sort();
    walk.map(|()| found).map_err(|error| error.to_string())
}

#[test]
fn a_walk_sees_everything_and_has_an_end() {
    let place = tempfile::tempdir().unwrap();
    fs::create_dir_all(place.path().join("a/b")).unwrap();
    fs::write(place.path().join("a/b/c"), "").unwrap();
    symlink("/etc", place.path().join("a/etc")).unwrap();
    fs::set_permissions(place.path().join("a/b"), Permissions::from_mode(0o000)).unwrap();
    assert_eq!(walked(place.path()).unwrap(), ["a folder", "a/b folder", "a/b/c file", "a/etc symbolic link"]);
    assert_eq!(fs::metadata(place.path().join("a/b")).unwrap().mode() & 0o777, 0);
    deep(place.path(), MAX_DEPTH - 1);
    assert!(walked(place.path()).is_ok());
    remove(&place.path().join("d")).unwrap();
    deep(place.path(), MAX_DEPTH);
    assert_eq!(walked(place.path()).unwrap_err(), "a folder tree deeper than 256 levels");
    remove(place.path()).unwrap();
}

#[test]
fn a_walk_of_long_names_has_an_end() {
    let place = tempfile::tempdir().unwrap();
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut folder = openat(CWD, place.path(), flags, Mode::empty()).unwrap();
    for _ in 0..20 {
        mkdirat(&folder, "d".repeat(250), Mode::RWXU).unwrap();
        folder = openat(&folder, "d".repeat(250), flags, Mode::empty()).unwrap();
    }
    assert_eq!(walked(place.path()).unwrap_err(), "a path longer than 4095 bytes");
    remove(place.path()).unwrap();
}

#[test]
fn whatever_is_in_a_folder_is_removed() {
    let place = tempfile::tempdir().unwrap();
    let kept = place.path().join("kept");
    fs::create_dir(&kept).unwrap();
    fs::write(kept.join("file"), "").unwrap();
    let folder = place.path().join("folder");
    fs::create_dir_all(folder.join("closed/inner")).unwrap();
    fs::write(folder.join("closed/inner/file"), "").unwrap();
    fs::create_dir(folder.join(".moved-1")).unwrap();
    fs::write(folder.join(".moved-2"), "").unwrap();
    symlink(&kept, folder.join("link")).unwrap();
    fifo(&folder.join("fifo"));
    deep(&folder, 20_000);
    deep(&folder.join("closed"), 300);
    for path in ["closed/inner", "closed", ""] {
        fs::set_permissions(folder.join(path), Permissions::from_mode(0o000)).unwrap();
    }
    remove(&folder).unwrap();
    assert!(!folder.exists());
    assert!(kept.join("file").exists());
}

#[test]
fn what_cannot_be_removed_is_put_aside() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("folder");
    fs::create_dir(&folder).unwrap();
    let said = not_removed(&folder, &std::io::ErrorKind::PermissionDenied.into());
    let aside = place.path().join(ASIDE).join("folder");
    assert!(said.ends_with(&format!("was put aside: {}", aside.display())), "{said}");
    assert!(aside.exists() && !folder.exists());
    // Once there, it stays there.
    assert!(not_removed(&aside, &std::io::ErrorKind::PermissionDenied.into()).contains("cannot be removed: "));
    assert!(aside.exists());
}

#[test]
fn a_folder_of_ours_goes_with_its_value() {
    let place = tempfile::tempdir().unwrap();
    let folder = OwnedFolder::new_in(place.path(), "x-").unwrap();
    deep(folder.path(), 2_000);
    drop(folder);
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
}
