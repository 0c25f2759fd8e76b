//! The package index: what files a project has, as JSON (PEP 691).

use std::collections::BTreeMap;
use std::process::Command;
use std::str::FromStr;

use pep440_rs::{Version, VersionSpecifiers};
use serde::Deserialize;

use crate::Error;

/// The public package index, where pip is set to no other.
const PUBLIC: &str = "https://pypi.org/simple/";

/// An index, and the pages that were read.
pub(crate) struct Index {
    client: reqwest::Client,
    address: String,
    pages: BTreeMap<String, Vec<File>>,
}

#[derive(Deserialize)]
struct Page {
    files: Vec<File>,
}

/// A file of a project.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct File {
    pub(crate) filename: String,
    hashes: BTreeMap<String, String>,
    pub(crate) requires_python: Option<String>,
    size: Option<u64>,
    /// `false`, or the reason.
    #[serde(default)]
    yanked: serde_json::Value,
}

impl Index {
    /// The index that pip uses: `PIP_INDEX_URL`, its configuration, or the public one.
    pub(crate) fn of_pip() -> Result<Self, Error> {
        let named = std::env::var("PIP_INDEX_URL").ok();
        let configured = || {
            let output = Command::new("pip").args(["config", "get", "global.index-url"]).output().ok()?;
            output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
        };
        let address = named.or_else(configured).filter(|text| !text.is_empty()).unwrap_or_else(|| PUBLIC.to_owned());
        Ok(Self { client: reqwest::Client::builder().build()?, address, pages: BTreeMap::new() })
    }

    /// The files of a project.
    pub(crate) async fn files(&mut self, project: &str) -> Result<&[File], Error> {
        if !self.pages.contains_key(project) {
            let page = format!("{}/{project}/", self.address.trim_end_matches('/'));
            let asked = self.client.get(&page).header("accept", "application/vnd.pypi.simple.v1+json").send().await;
            let answer = asked?.error_for_status()?.text().await?;
            let Page { files } = serde_json::from_str(&answer)
                .map_err(|error| format!("{page} is not the JSON form of an index (PEP 691): {error}"))?;
            self.pages.insert(project.to_owned(), files);
        }
        Ok(self.pages.get(project).map_or(&[], Vec::as_slice))
    }
}

impl File {
    /// The release that it is of, as its name says.
    pub(crate) fn release(&self) -> Option<&str> {
        match self.filename.strip_suffix(".whl") {
            Some(name) => name.split('-').nth(1),
            None => self.filename.strip_suffix(".tar.gz")?.rsplit_once('-').map(|(_, release)| release),
        }
    }

    /// Its release, if that is final and not withdrawn.
    pub(crate) fn version(&self) -> Option<Version> {
        let version = Version::from_str(self.release()?).ok()?;
        let withdrawn = self.yanked == true || self.yanked.is_string();
        (!withdrawn && !version.any_prerelease()).then_some(version)
    }

    /// The tags of a wheel: Python, ABI, platform.
    fn tags(&self) -> Option<(&str, &str, &str)> {
        let mut tags = self.filename.strip_suffix(".whl")?.rsplit('-');
        let (platform, abi, python) = (tags.next()?, tags.next()?, tags.next()?);
        Some((python, abi, platform))
    }

    /// Whether it is a wheel that was built for one Python.
    pub(crate) fn is_binary(&self) -> bool {
        self.tags().is_some_and(|(_, abi, _)| abi != "none")
    }

    pub(crate) fn is_wheel(&self) -> bool {
        self.tags().is_some()
    }

    /// How well it suits a Python on x86-64 with glibc, better ones higher; `None` where it cannot be installed.
    pub(crate) fn suits(&self, python: &str) -> Option<u8> {
        let version = Version::from_str(python).ok()?;
        if let Some(text) = &self.requires_python
            && !VersionSpecifiers::from_str(text).ok()?.contains(&version)
        {
            return None;
        }
        let Some((tag, abi, platform)) = self.tags() else {
            return self.filename.ends_with(".tar.gz").then_some(0);
        };
        let digits = python.replace('.', "");
        let major = format!("py{}", python.split('.').next().unwrap_or_default());
        let own = format!("cp{digits}");
        if platform == "any" && abi == "none" && tag.split('.').any(|tag| tag == major || tag == format!("py{digits}"))
        {
            return Some(1);
        }
        let glibc = platform.split('.').any(|tag| tag.starts_with("manylinux") && tag.ends_with("_x86_64"));
        // Python 2.7 of Debian has wide characters.
        (tag == own && glibc && (abi == own || abi == "cp27mu")).then_some(2)
    }

    /// Its hash.
    pub(crate) fn sha256(&self) -> Result<&str, Error> {
        self.hashes.get("sha256").map(String::as_str).ok_or_else(|| self.lacks("SHA-256"))
    }

    /// Its size in bytes.
    pub(crate) fn size(&self) -> Result<u64, Error> {
        self.size.ok_or_else(|| self.lacks("size"))
    }

    fn lacks(&self, what: &str) -> Error {
        format!("the index does not say the {what} of {}", self.filename).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(name: &str, requires_python: Option<&str>) -> File {
        File {
            filename: name.to_owned(),
            hashes: BTreeMap::new(),
            requires_python: requires_python.map(str::to_owned),
            size: None,
            yanked: false.into(),
        }
    }

    #[test]
    fn a_file_suits_the_pythons_that_it_names() {
        let binary = file("mercurial-7.2.4-cp313-cp313-manylinux_2_17_x86_64.manylinux2014_x86_64.whl", Some(">=3.9"));
        assert_eq!((binary.suits("3.13"), binary.suits("3.11"), binary.release()), (Some(2), None, Some("7.2.4")));
        assert!(binary.is_binary());
        let both = file("six-1.17.0-py2.py3-none-any.whl", Some("!=3.0.*,!=3.1.*,!=3.2.*,>=2.7"));
        assert_eq!((both.suits("2.7"), both.suits("3.9"), both.suits("3.1")), (Some(1), Some(1), None));
        let source = file("mod_wsgi-5.0.2.tar.gz", Some(">=3.8"));
        assert_eq!((source.suits("2.7"), source.suits("3.11"), source.release()), (None, Some(0), Some("5.0.2")));
        assert!(file("mercurial-7.2rc1.tar.gz", None).version().is_none());
    }
}
