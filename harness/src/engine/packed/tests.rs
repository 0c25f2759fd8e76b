//! Folders as engines pack them, and what an engine would have to be asked to pack.

use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use super::*;
use crate::beneath::Folder;

/// An archive in which the folder itself comes first.
struct Archive(tar::Builder<Vec<u8>>);

impl Archive {
    fn new() -> Self {
        let mut archive = Self(tar::Builder::new(Vec::new()));
        archive.add(b"volume/", EntryType::Directory, b"");
        archive
    }

    fn add(&mut self, path: &[u8], kind: EntryType, content: &[u8]) {
        self.raw(&header(path, kind, content.len() as u64), content);
    }

    fn raw(&mut self, header: &tar::Header, content: &[u8]) {
        self.0.append(header, content).unwrap();
    }

    /// An extended header.
    fn records(&mut self, records: &[(&str, &[u8])]) {
        let mut data = Vec::new();
        for (key, value) in records {
            let text = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
            let mut length = text.len() + 1;
            while length != text.len() + length.to_string().len() {
                length += 1;
            }
            data.extend([length.to_string().as_bytes(), &text].concat());
        }
        self.add(b"PaxHeaders.0/x", EntryType::XHeader, &data);
    }

    fn read(self) -> Result<Snapshot, BeneathError> {
        snapshot(self.0.into_inner().unwrap().as_slice())
    }

    fn bound(self) -> Bound {
        match self.read() {
            Err(BeneathError::Bound(bound)) => bound,
            other => panic!("{other:?}"),
        }
    }
}

fn header(path: &[u8], kind: EntryType, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path);
    header.set_entry_type(kind);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(33);
    header.set_size(size);
    header.set_cksum();
    header
}

/// What is different from a volume with nothing in it.
fn added(archive: Archive) -> Vec<String> {
    let now = archive.read().unwrap();
    Archive::new().read().unwrap().changes(&now, "/app").iter().map(ToString::to_string).collect()
}

#[test]
fn a_folder_and_its_archive_are_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    fs::create_dir_all(path("deep/deeper")).unwrap();
    fs::write(path("deep/file"), "text").unwrap();
    fs::write(path(&"long".repeat(50)), "").unwrap();
    symlink("/nowhere", path("link")).unwrap();
    let mut archive = tar::Builder::new(Vec::new());
    archive.follow_symlinks(false);
    archive.append_dir_all("volume", folder.path()).unwrap();
    let packed = snapshot(archive.into_inner().unwrap().as_slice()).unwrap();
    let found = Snapshot::whole(&Folder::open(folder.path()).unwrap()).unwrap();
    assert_eq!(found.changes(&packed, "/app"), []);
    fs::write(path("deep/file"), "TEXT").unwrap();
    let now = Snapshot::whole(&Folder::open(folder.path()).unwrap()).unwrap();
    assert_eq!(packed.changes(&now, "/app").len(), 1);
}

#[test]
fn what_is_waited_for_or_leads_elsewhere_is_only_seen() {
    let mut archive = Archive::new();
    for (name, kind) in [("pipe", EntryType::Fifo), ("null", EntryType::Char), ("disk", EntryType::Block)] {
        archive.add(format!("volume/{name}").as_bytes(), kind, b"");
    }
    archive.records(&[("linkpath", b"/etc/\xff\npasswd")]);
    archive.add(b"volume/link", EntryType::Symlink, b"");
    assert_eq!(added(archive), ["added /app/disk", "added /app/link", "added /app/null", "added /app/pipe"]);
}

#[test]
fn a_name_may_have_any_bytes() {
    let name = b"volume/\xff\n12 path=else\n";
    let mut archive = Archive::new();
    archive.records(&[("mtime", b"1.5"), ("path", name), ("uid", b"4294967294")]);
    archive.add(b"volume/x", EntryType::Regular, b"text");
    archive.add(b"volume/short\nname", EntryType::Regular, b"text");
    let now = archive.read().unwrap();
    let changes = Archive::new().read().unwrap().changes(&now, "/app");
    let expected = String::from_utf8_lossy(&name[7..]).into_owned();
    assert_eq!(
        changes.iter().map(|change| change.path.clone()).collect::<Vec<_>>(),
        ["/app/short\nname".to_owned(), format!("/app/{expected}"),]
    );
}

#[test]
fn another_name_of_a_file_is_what_the_file_is() {
    let with = |kind, content: &[u8]| {
        let mut archive = Archive::new();
        archive.add(b"volume/a", EntryType::Regular, b"text");
        let mut link = header(b"volume/b", kind, content.len() as u64);
        if kind == EntryType::Link {
            link.set_link_name("volume/a").unwrap();
        }
        link.set_cksum();
        archive.raw(&link, content);
        archive.read().unwrap()
    };
    assert_eq!(with(EntryType::Link, b"").changes(&with(EntryType::Regular, b"text"), "/app"), []);
    let mut archive = Archive::new();
    let mut link = header(b"volume/b", EntryType::Link, 0);
    link.set_link_name("../etc/shadow").unwrap();
    link.set_cksum();
    archive.raw(&link, b"");
    assert!(archive.read().is_err());
}

#[test]
fn more_than_is_read_is_a_bound() {
    let mut archive = Archive::new();
    let deep = |levels: usize| [b"volume".as_slice(), &b"/d".repeat(levels)].concat();
    archive.records(&[("path", &deep(MAX_DEPTH))]);
    archive.add(b"volume/d", EntryType::Directory, b"");
    assert_eq!(archive.bound(), Bound::Deep);
    let mut archive = Archive::new();
    archive.records(&[("path", &deep(MAX_DEPTH - 1))]);
    archive.add(b"volume/d", EntryType::Directory, b"");
    assert!(archive.read().is_ok());
    let mut archive = Archive::new();
    let long = [b"volume".as_slice(), &[b"/".as_slice(), &[b'n'; 255]].concat().repeat(15)].concat();
    archive.records(&[("path", &long)]);
    archive.add(b"volume/d", EntryType::Directory, b"");
    assert_eq!(archive.bound(), Bound::Long);
    // A terabyte of holes: the size is enough.
    let mut archive = Archive::new();
    archive.records(&[("size", b"1099511627776")]);
    archive.add(b"volume/sparse", EntryType::Regular, b"");
    assert_eq!(archive.bound(), Bound::Heavy { most: MAX_CONTENT });
    let mut archive = Archive::new();
    archive.add(b"PaxHeaders.0/x", EntryType::XHeader, &vec![b'x'; 2 << 20]);
    assert_eq!(archive.bound(), Bound::Heavy { most: MAX_HEADERS });
    let mut archive = Archive::new();
    for number in 0..=MAX_ENTRIES {
        archive.add(format!("volume/{number}").as_bytes(), EntryType::Regular, b"");
    }
    assert_eq!(archive.bound(), Bound::Many);
}

/// Docker calls it by its name, Podman `/`.
#[test]
fn an_archive_may_call_the_folder_as_it_likes() {
    let called = |root: &str| {
        let mut archive = Archive(tar::Builder::new(Vec::new()));
        archive.add(root.as_bytes(), EntryType::Directory, b"");
        archive.add(format!("{root}a/").as_bytes(), EntryType::Directory, b"");
        archive.add(format!("{root}a/b").as_bytes(), EntryType::Regular, b"text");
        let mut link = header(format!("{root}c").as_bytes(), EntryType::Link, 0);
        link.set_link_name(format!("{root}a/b")).unwrap();
        link.set_cksum();
        archive.raw(&link, b"");
        archive.read().unwrap()
    };
    for root in ["/", "./", "volume/"] {
        let told = Archive::new().read().unwrap().changes(&called(root), "/app");
        let told: Vec<_> = told.iter().map(ToString::to_string).collect();
        assert_eq!(told, ["added /app/a", "added /app/a/b", "added /app/c"], "{root}");
    }
}

#[test]
fn what_is_outside_of_the_folder_is_an_error() {
    for name in ["/etc/passwd", "volume/../etc/passwd", "../x", "volumes/x"] {
        let mut archive = Archive::new();
        archive.add(name.as_bytes(), EntryType::Regular, b"");
        assert!(archive.read().is_err(), "{name}");
    }
}

/// What is missing would be taken for removed.
#[test]
fn an_archive_that_broke_off_is_an_error() {
    let mut archive = Archive::new();
    archive.add(b"volume/a", EntryType::Regular, b"text");
    let whole = archive.0.into_inner().unwrap();
    assert!(snapshot(whole.as_slice()).is_ok());
    for length in (0..whole.len()).step_by(512) {
        assert!(snapshot(&whole[..length]).is_err(), "{length}");
    }
    assert!(snapshot([&whole[..1536], b"{\"message\":\"x\"}"].concat().as_slice()).is_err());
}

#[test]
fn a_header_that_lies_is_an_error() {
    for data in [&b"999 path=x\n"[..], b"0 path=x\n", b"3 path=x\n", b"x", b"9 path x\n", b"8 path=x\n"] {
        let mut archive = Archive::new();
        archive.add(b"PaxHeaders.0/x", EntryType::XHeader, data);
        archive.add(b"volume/a", EntryType::Regular, b"");
        assert!(archive.read().is_err(), "{}", std::ffi::OsStr::from_bytes(data).to_string_lossy());
    }
}
