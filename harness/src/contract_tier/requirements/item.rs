//! From the text of a requirement to what pip keeps of it: `InstallRequirement.from_line` and `from_editable`.

use std::collections::BTreeSet;
use std::path::Path;

use super::address::{self, Parts};
use super::marker::Applies;
use super::named::{self, Bad, Named};
use super::pip::Pip;
use super::refused::Refused;
use super::wheel;

/// What can be asked about files without reading them.
pub(crate) trait Files {
    /// The content of a file.
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>>;
    fn is_folder(&self, path: &Path) -> bool;
    fn is_file(&self, path: &Path) -> bool;
}

/// The files of this machine.
pub(crate) struct Disk;

impl Files for Disk {
    fn read(&self, path: &Path) -> std::io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn is_folder(&self, path: &Path) -> bool {
        path.is_dir()
    }

    fn is_file(&self, path: &Path) -> bool {
        path.is_file()
    }
}

/// What pip keeps of a requirement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Item {
    /// The project's name as it is written, where the text says it.
    pub name: Option<String>,
    pub extras: BTreeSet<String>,
    /// Operators with their versions.
    pub versions: BTreeSet<(String, String)>,
    /// Where it comes from, if not from an index.
    pub address: Option<String>,
    pub editable: bool,
    /// What its marker comes to.
    pub marker: Option<Applies>,
}

/// Where requirements are read: by which pip, in which folder.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) pip: Pip,
    /// The working directory, which paths are relative to.
    pub(super) folder: &'a str,
    pub(super) files: &'a dyn Files,
}

impl Place<'_> {
    /// A requirement that is not editable.
    pub(super) fn line(&self, text: &str) -> Result<Item, Refused> {
        let is_address = address::is_address(text, self.pip)?;
        let (text, marker) = match text.split_once(if is_address { "; " } else { ";" }) {
            Some((text, marker)) => (text, Some(self.pip.strip(marker)).filter(|marker| !marker.is_empty())),
            None => (text, None),
        };
        let marker = marker.map(|marker| self.marker(marker)).transpose()?;
        let text = self.pip.strip(text);
        let path = address::absolute(text, self.folder);
        let link;
        let mut brackets = None;
        if address::is_address(text, self.pip)? {
            link = Some(text.to_owned());
        } else {
            let (path, extras) = self.without_extras(&path);
            if self.pip.is_newest() {
                // Looked at before anything else, and the error is not told as one.
                self.extras(extras)?;
            }
            brackets = extras;
            link = self.path(path, text)?;
        }
        if link.is_none() && !self.pip.is_legacy() {
            self.extras(brackets)?;
        }
        let (mut item, address) = match link {
            Some(link) => (self.linked(link)?, None),
            None => self.named(text)?,
        };
        let extras = self.extras(brackets)?;
        if !extras.is_empty() {
            item.extras = extras;
        }
        // Before pip 10 the address of `NAME @ ADDRESS` is passed over.
        if let Some(link) = address.filter(|_| !self.pip.is_legacy()) {
            self.check_link(&link)?;
            item.address = Some(link);
        }
        item.marker = marker.or(item.marker);
        Ok(item)
    }

    /// The address of a path, if it is one of a folder or an archive.
    fn path(&self, path: &str, text: &str) -> Result<Option<String>, Refused> {
        if self.pip.is_on_python_2() && path.contains('\0') {
            return Err(Refused::exception("TypeError: must be encoded string without NULL bytes"));
        }
        let looks = |text: &str| text.contains('/') || text.starts_with('.');
        let is_folder = || !path.contains('\0') && self.files.is_folder(Path::new(path));
        if looks(text) && is_folder() {
            let has = |name: &str| self.files.is_file(&Path::new(path).join(name));
            if !has("setup.py") && (self.pip.is_legacy() || !has("pyproject.toml")) {
                return Err(Refused::error(format!("Directory '{text}' is not installable.")));
            }
        } else {
            if !address::is_archive(path) {
                return Ok(None);
            }
            let is_file = !path.contains('\0') && self.files.is_file(Path::new(path));
            let named = text.split_once('@').is_some_and(|(name, _)| !looks(name));
            if !self.pip.is_legacy() && !is_file && named {
                return Ok(None);
            }
        }
        address::of_file(path, self.folder, self.pip).map(Some)
    }

    /// A requirement with an address of its own.
    fn linked(&self, link: String) -> Result<Item, Refused> {
        let mut link = link;
        let mut parts = Parts::of(&link, self.pip)?;
        if !self.pip.is_legacy() {
            check_egg(&link)?;
        }
        if parts.scheme == "file" && link.contains("../") {
            link = address::of_file(&address::unquoted(&parts.path), self.folder, self.pip)?;
            parts = Parts::of(&link, self.pip)?;
        }
        let path = address::unquoted(&parts.path);
        let name = address::last_part(&path);
        let asked = if address::extension(name) == ".whl" {
            Some(wheel::requirement(name, self.pip)?)
        } else {
            address::egg(&link).map(str::to_owned)
        };
        let mut item = match asked {
            Some(asked) => self.named(&asked)?.0,
            None => Item::default(),
        };
        if !self.pip.is_legacy() {
            self.check_link(&link)?;
        }
        item.address = Some(link);
        Ok(item)
    }

    /// A requirement by name, and the address that stands beside it.
    fn named(&self, text: &str) -> Result<(Item, Option<String>), Refused> {
        let Named { name, extras, versions, address, marker } =
            self.parse(text)?.map_err(|bad| not_a_requirement(text, bad))?;
        let extras = extras.iter().map(|extra| self.extra(extra)).collect();
        Ok((Item { name: Some(name), extras, versions, marker, ..Item::default() }, address))
    }

    /// The parts of a requirement by name, or why it is none.
    fn parse(&self, text: &str) -> Result<Result<Named, Bad>, Refused> {
        match Named::parse(text, self.pip) {
            Err(Bad::Beyond) => Err(long_marker()),
            other => Ok(other),
        }
    }

    /// An editable requirement.
    pub(super) fn editable(&self, text: &str) -> Result<Item, Refused> {
        if self.pip.is_legacy() {
            return self.legacy_editable(text);
        }
        let direct = match self.parse(text)? {
            Err(bad @ Bad::Exception) => return Err(not_a_requirement(text, bad)),
            parsed => parsed.ok().filter(|named| named.address.is_some()),
        };
        let mut item = match direct {
            Some(named) => {
                let Named { name, extras, address, marker, .. } = named;
                Item { name: Some(name), extras, address, marker, ..Item::default() }
            }
            None => self.editable_path_or_address(text)?,
        };
        let link = item.address.clone().unwrap_or_default();
        let scheme = Parts::of(&link, self.pip)?.scheme;
        check_egg(&link)?;
        let is_file = link.starts_with("file:");
        if !address::is_vcs(&scheme, self.pip) && !is_file {
            return Err(Refused::error(format!("{text} is not a valid editable requirement.")));
        }
        if item.name.is_none() && !is_file {
            return Err(Refused::error(format!("Could not detect requirement name for '{text}'")));
        }
        self.check_link(&link)?;
        item.editable = true;
        Ok(item)
    }

    fn editable_path_or_address(&self, text: &str) -> Result<Item, Refused> {
        let (path, brackets) = self.without_extras(text);
        let mut early = None;
        if self.pip.is_newest() {
            early = Some(self.extras(brackets)?);
        }
        let file = if self.is_folder(path)? {
            Some(address::of_file(path, self.folder, self.pip)?)
        } else {
            path.to_lowercase().starts_with("file:").then(|| path.to_owned())
        };
        let link = file.clone().unwrap_or_else(|| with_vcs_prefix(text));
        Parts::of(&link, self.pip)?;
        check_egg(&link)?;
        let mut item = Item::default();
        if let Some(egg) = address::egg(&link) {
            item = self.named(egg)?.0;
        }
        if file.is_some() {
            let extras = match early {
                Some(extras) => extras,
                None => self.extras(brackets)?,
            };
            if !extras.is_empty() {
                item.extras = extras;
            }
        }
        item.address = Some(link);
        Ok(item)
    }

    fn legacy_editable(&self, text: &str) -> Result<Item, Refused> {
        let (path, brackets) = self.without_extras(text);
        let is_folder = self.is_folder(path)?;
        if is_folder && !self.files.is_file(&Path::new(&address::absolute(path, self.folder)).join("setup.py")) {
            return Err(Refused::error(format!("Directory '{path}' is not installable. File 'setup.py' not found.")));
        }
        let file = if is_folder {
            Some(address::of_file(path, self.folder, self.pip)?)
        } else {
            path.to_lowercase().starts_with("file:").then(|| path.to_owned())
        };
        if let Some(file) = file {
            let extras = self.extras(brackets)?;
            if file.starts_with("file:") {
                address::file_of(&file, self.pip)?;
            }
            let mut item = match address::egg(&file) {
                Some(egg) => self.named(egg)?.0,
                None => Item::default(),
            };
            if brackets.is_some() {
                item.extras = extras;
            }
            return Ok(Item { editable: true, address: Some(file), ..item });
        }
        let link = with_vcs_prefix(text);
        let vcs = link.split_once('+').map(|(vcs, _)| vcs.to_lowercase());
        if !vcs.is_some_and(|vcs| ["git", "hg", "svn", "bzr"].contains(&vcs.as_str())) {
            return Err(Refused::error(format!(
                "{text} should either be a path to a local project or a VCS url beginning with svn+, git+, hg+, or bzr+"
            )));
        }
        let Some(egg) = address::egg(&link).filter(|egg| !egg.is_empty()) else {
            return Err(Refused::error("Could not detect requirement name, please specify one with #egg="));
        };
        let (item, _) = self.named(without_version(egg))?;
        Ok(Item { editable: true, address: Some(link), ..item })
    }

    fn is_folder(&self, path: &str) -> Result<bool, Refused> {
        if path.contains('\0') {
            let fatal = self.pip.is_on_python_2();
            return if fatal { Err(Refused::exception("TypeError: NULL bytes")) } else { Ok(false) };
        }
        // `os.path.isdir` of nothing is false.
        Ok(!path.is_empty() && self.files.is_folder(Path::new(&address::joined(self.folder, path))))
    }

    /// A text without `[EXTRAS]` at its end, and these.
    fn without_extras<'t>(&self, text: &'t str) -> (&'t str, Option<&'t str>) {
        let found = text.strip_suffix(']').and_then(|inner| {
            let from = inner.rfind(']').map_or(0, |index| index + 1);
            // The last bracket that something stands in; and before it, too.
            let mut open = inner[from..].rmatch_indices('[').map(|(index, _)| from + index);
            open.find(|open| *open > 0 && open + 1 < inner.len())
        });
        let Some(open) = found else { return (text, None) };
        let path = &text[..open];
        let path = if self.pip.is_legacy() { path } else { path.trim_end_matches(|c| self.pip.strips(c)) };
        (path, Some(&text[open..]))
    }

    /// The extras in brackets. What is not valid is no error that pip tells.
    fn extras(&self, brackets: Option<&str>) -> Result<BTreeSet<String>, Refused> {
        let Some(brackets) = brackets else { return Ok(BTreeSet::new()) };
        let text = format!("placeholder{}", brackets.to_lowercase());
        let named = self.parse(&text)?.map_err(|_| Refused::exception(format!("Invalid extras: {brackets}")))?;
        Ok(named.extras.iter().map(|extra| self.extra(extra)).collect())
    }

    /// An extra as this pip keeps it.
    fn extra(&self, extra: &str) -> String {
        if !self.pip.is_legacy() {
            return extra.to_owned();
        }
        let mut safe = String::new();
        for character in extra.chars() {
            match character {
                'A'..='Z' | 'a'..='z' | '0'..='9' | '.' | '-' => safe.push(character.to_ascii_lowercase()),
                _ if safe.ends_with('_') => {}
                _ => safe.push('_'),
            }
        }
        safe
    }

    fn marker(&self, marker: &str) -> Result<Applies, Refused> {
        named::evaluated(marker, self.pip).map_err(|bad| match bad {
            Bad::Beyond => long_marker(),
            Bad::Syntax | Bad::Late if self.pip.is_newest() => Refused::error(format!("Invalid marker: {marker}")),
            Bad::Syntax | Bad::Late | Bad::Exception => Refused::exception(format!("Invalid marker: {marker}")),
        })
    }

    /// A `file:` address must be one of this machine.
    fn check_link(&self, link: &str) -> Result<(), Refused> {
        let scheme = Parts::of(link, self.pip)?.scheme;
        check_egg(link)?;
        if scheme == "file" {
            address::file_of(link, self.pip)?;
        }
        Ok(())
    }
}

/// What `egg=` names must be a project's name since pip 25.
fn check_egg(link: &str) -> Result<(), Refused> {
    let Some(egg) = address::egg(link) else { return Ok(()) };
    let inner = |character: char| character.is_ascii_alphanumeric() || "._-".contains(character);
    let end = |character: Option<char>| character.is_some_and(|character| character.is_ascii_alphanumeric());
    let is_name = egg.chars().all(inner) && end(egg.chars().next()) && end(egg.chars().next_back());
    if is_name { Ok(()) } else { Err(Refused::error(format!("The '{egg}' egg fragment is invalid: from '{link}'"))) }
}

/// There is more of a marker than is read.
fn long_marker() -> Refused {
    Refused::beyond("MemoryError: a longer marker")
}

fn not_a_requirement(text: &str, bad: Bad) -> Refused {
    let message = format!("Invalid requirement: '{text}'");
    if bad == Bad::Exception { Refused::exception(message) } else { Refused::error(message) }
}

/// `git://...` is short for `git+git://...` in an editable requirement.
fn with_vcs_prefix(text: &str) -> String {
    let lower = text.to_lowercase();
    let vcs = ["git", "hg", "svn", "bzr"].into_iter().find(|vcs| lower.starts_with(&format!("{vcs}:")));
    vcs.map_or_else(|| text.to_owned(), |vcs| format!("{vcs}+{text}"))
}

/// A name without `-dev` or `-1.0` at its end.
fn without_version(name: &str) -> &str {
    let ends = |index: usize| {
        let rest = &name[index + 1..];
        rest == "dev" || rest.starts_with(|first: char| first.is_ascii_digit())
    };
    name.match_indices('-').map(|(index, _)| index).find(|index| ends(*index)).map_or(name, |index| &name[..index])
}
