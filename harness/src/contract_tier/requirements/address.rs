//! Addresses and paths, as Python's `urlsplit`, `os.path` and pip's `Link` take them apart.

use std::path::{Component, Path, PathBuf};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::pip::Pip;
use super::refused::Refused;

/// What `urllib.parse.quote` leaves as it is in Python 3; Python 2 quotes `~`, too.
const QUOTED: AsciiSet = NON_ALPHANUMERIC.remove(b'/').remove(b'_').remove(b'.').remove(b'-').remove(b'~');
const QUOTED_IN_PYTHON_2: AsciiSet = QUOTED.add(b'~');

/// The ends of names that pip takes for archives.
const ARCHIVES: [&str; 12] =
    [".zip", ".whl", ".tar.bz2", ".tbz", ".tar.gz", ".tgz", ".tar", ".tar.xz", ".txz", ".tlz", ".tar.lz", ".tar.lzma"];

/// The schemes of version control that every pip knows.
const VCS: [&str; 19] = [
    "bzr+ftp",
    "bzr+http",
    "bzr+https",
    "bzr+lp",
    "bzr+sftp",
    "bzr+ssh",
    "git+file",
    "git+git",
    "git+http",
    "git+https",
    "git+ssh",
    "hg+http",
    "hg+https",
    "hg+ssh",
    "hg+static-http",
    "svn+http",
    "svn+https",
    "svn+ssh",
    "svn+svn",
];

/// The parts of an address.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Parts {
    /// In lower case; empty where there is none.
    pub(super) scheme: String,
    pub(super) host: String,
    pub(super) path: String,
}

impl Parts {
    /// `urlsplit`.
    pub(super) fn of(address: &str, pip: Pip) -> Result<Self, Refused> {
        let address = address.replace(['\t', '\r', '\n'], "");
        let mut parts = Self::default();
        let mut rest = address.as_str();
        if let Some((scheme, after)) = address.split_once(':') {
            let of_scheme = |character: char| character.is_ascii_alphanumeric() || "+-.".contains(character);
            // Python 2 takes `name:80` for a host and a port.
            let port = pip.is_on_python_2()
                && scheme != "http"
                && !after.is_empty()
                && after.bytes().all(|byte| byte.is_ascii_digit());
            if !scheme.is_empty() && scheme.chars().all(of_scheme) && !port {
                parts.scheme = scheme.to_ascii_lowercase();
                rest = after;
            }
        }
        if let Some(after) = rest.strip_prefix("//") {
            let end = after.find(['/', '?', '#']).unwrap_or(after.len());
            let host = &after[..end];
            if host.contains('[') != host.contains(']') {
                return Err(Refused::exception("ValueError: Invalid IPv6 URL"));
            }
            host.clone_into(&mut parts.host);
            rest = &after[end..];
        }
        let end = rest.find(['?', '#']).unwrap_or(rest.len());
        rest[..end].clone_into(&mut parts.path);
        Ok(parts)
    }
}

/// Whether a scheme is one of version control, for this pip.
pub(super) fn is_vcs(scheme: &str, pip: Pip) -> bool {
    let only = if pip.is_legacy() {
        ["git", "hg", "svn", "bzr"].as_slice()
    } else {
        ["bzr+file", "hg+file", "svn+file"].as_slice()
    };
    only.contains(&scheme) || VCS.contains(&scheme)
}

/// Whether pip takes a requirement for an address.
pub(super) fn is_address(text: &str, pip: Pip) -> Result<bool, Refused> {
    // As most are: neither a scheme nor a host to refuse.
    if !text.bytes().any(|byte| matches!(byte, b':' | b'[' | b']')) {
        return Ok(false);
    }
    let scheme = if pip.is_legacy() {
        text.split_once(':').map(|(scheme, _)| scheme.to_lowercase()).unwrap_or_default()
    } else {
        Parts::of(text, pip)?.scheme
    };
    Ok(["http", "https", "file", "ftp"].contains(&scheme.as_str()) || is_vcs(&scheme, pip))
}

/// What `egg=` names in an address.
pub(super) fn egg(address: &str) -> Option<&str> {
    let start = ["#egg=", "&egg="].iter().filter_map(|key| address.find(key)).min()?;
    let egg = &address[start + 5..];
    Some(egg.split('&').next().unwrap_or(egg))
}

/// The file that a `file:` address names.
pub(super) fn file_of(address: &str, pip: Pip) -> Result<String, Refused> {
    if !address.starts_with("file:") {
        return Err(Refused::exception(format!(
            "AssertionError: You can only turn file: urls into filenames (not {address})"
        )));
    }
    let parts = Parts::of(address, pip)?;
    if pip.is_legacy() {
        let host = if parts.host.is_empty() { String::new() } else { format!("\\\\{}", parts.host) };
        return Ok(unquoted(&format!("{host}{}", parts.path)));
    }
    if !parts.host.is_empty() && parts.host != "localhost" {
        return Err(Refused::exception("ValueError: non-local file URIs are not supported on this platform"));
    }
    Ok(unquoted(&parts.path))
}

/// The address of a file, by its path.
pub(super) fn of_file(path: &str, folder: &str, pip: Pip) -> Result<String, Refused> {
    let path = absolute(path, folder);
    if !pip.is_on_python_2() {
        return Ok(format!("file://{}", utf8_percent_encode(&path, &QUOTED)));
    }
    if !path.is_ascii() {
        return Err(Refused::exception("KeyError"));
    }
    Ok(format!("file://{}", utf8_percent_encode(&path, &QUOTED_IN_PYTHON_2)))
}

pub(super) fn unquoted(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// `normpath(abspath(path))`.
pub(super) fn absolute(path: &str, folder: &str) -> String {
    let path = joined(folder, path);
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    // Two slashes at the beginning are kept; three are one.
    let root = if path.starts_with("//") && !path.starts_with("///") { "//" } else { "/" };
    format!("{root}{}", parts.join("/"))
}

/// `os.path.join` of two.
pub(super) fn joined(folder: &str, path: &str) -> String {
    match folder {
        _ if path.starts_with('/') => path.to_owned(),
        "" => path.to_owned(),
        folder if folder.ends_with('/') => format!("{folder}{path}"),
        folder => format!("{folder}/{path}"),
    }
}

/// `os.path.dirname`.
pub(super) fn folder_of(path: &str) -> &str {
    let head = path.rfind('/').map_or("", |index| &path[..=index]);
    let bare = head.trim_end_matches('/');
    if bare.is_empty() { head } else { bare }
}

/// The last part of a path, without slashes at its end.
pub(super) fn last_part(path: &str) -> &str {
    let path = path.trim_end_matches('/');
    path.rsplit('/').next().unwrap_or(path)
}

/// The end of a name from its last dot on, with a `.tar` before it.
pub(super) fn extension(name: &str) -> &str {
    let name = name.rsplit('/').next().unwrap_or(name);
    let visible = name.trim_start_matches('.');
    let Some(dot) = visible.rfind('.') else { return "" };
    let base = &name[..name.len() - visible.len() + dot];
    let tar = base
        .len()
        .checked_sub(4)
        .and_then(|start| base.get(start..))
        .is_some_and(|end| end.eq_ignore_ascii_case(".tar"));
    &name[if tar { base.len() - 4 } else { base.len() }..]
}

pub(super) fn is_archive(path: &str) -> bool {
    let extension = extension(path);
    !extension.is_empty() && ARCHIVES.contains(&extension.to_lowercase().as_str())
}

/// A path without `.` and `..`.
pub(super) fn plainly(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::contract_tier::requirements::samples::{NEW, OLD};

    #[test]
    fn addresses_and_what_only_looks_like_one() {
        for (text, old, new) in [
            ("git+http://x/y.git", true, true),
            ("Git+HTTP://x/y.git", true, true),
            ("git://x/y.git", true, false),
            ("hg+file:///x", false, true),
            ("./vendor/legit+local", false, false),
            ("name @ git+http://x", false, false),
        ] {
            assert_eq!((is_address(text, OLD).unwrap(), is_address(text, NEW).unwrap()), (old, new), "{text}");
        }
        assert_eq!(is_address("http://[x/", NEW).unwrap_err().exit_code, 2);
    }

    #[test]
    fn files_and_their_addresses() {
        assert_eq!(of_file("vendor/my local", "/app", NEW).unwrap(), "file:///app/vendor/my%20local");
        assert_eq!(of_file("a~", "/app", OLD).unwrap(), "file:///app/a%7E");
        assert_eq!(file_of("file:///app/my%20local#egg=x", NEW).unwrap(), "/app/my local");
        assert_eq!(file_of("file://elsewhere/app", NEW).unwrap_err().exit_code, 2);
        assert_eq!(absolute("../x/./y", "/app/z"), "/app/x/y");
        assert_eq!((folder_of("a/b.txt"), folder_of("/b"), folder_of("b")), ("a", "/", ""));
        assert_eq!((extension("x/a.tar.gz"), extension(".whl"), extension("a.whl")), (".tar.gz", "", ".whl"));
        assert_eq!(egg("git+http://x#subdirectory=a&egg=b&c"), Some("b"));
    }
}
