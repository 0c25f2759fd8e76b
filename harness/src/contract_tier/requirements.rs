//! Requirement files as pip reads them: what is asked for, and in which file.
//!
//! Only as much of the format as says what an application asks for: names, versions pinned, version control, paths, files that
//! name each other. It is what the stub of pip obeys, and what the contract tier expects to be obeyed.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use crate::suite::project_name::normalised;

/// A tool of version control.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Vcs {
    Git,
    Mercurial,
}

impl Vcs {
    /// How a requirement begins, in lower case.
    pub(crate) fn prefix(self) -> &'static str {
        match self {
            Self::Git => "git+",
            Self::Mercurial => "hg+",
        }
    }

    pub(crate) fn program(self) -> &'static str {
        match self {
            Self::Git => "git",
            Self::Mercurial => "hg",
        }
    }
}

/// What a requirement names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Source {
    /// A project of the package index, by its normalised name (PEP 503).
    Index {
        name: String,
        /// The version pinned by `==`.
        pinned: Option<String>,
    },
    Repository {
        /// Which tool it takes.
        vcs: Vcs,
        /// The project's name: that of `#egg=`, or the last part of the address.
        name: String,
    },
    /// A folder or archive, with its absolute path.
    Path(PathBuf),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[allow(clippy::struct_excessive_bools, reason = "each is a property of its own")]
pub(crate) struct Requirement {
    pub source: Source,
    /// Whether it is installed as editable (`-e`).
    pub editable: bool,
    /// Whether it has an environment marker, so that it may not apply.
    pub marked: bool,
    /// Whether it is in requirements.txt itself, and not in a file named there.
    pub direct: bool,
    /// Whether its prefix is in lower case, as is usual.
    pub usual_case: bool,
}

/// Why a requirement file cannot be obeyed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RequirementError {
    /// The file cannot be read.
    #[error("Could not open requirements file: {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    /// Files that name each other.
    #[error("{} recursively references itself", path.display())]
    Recursive { path: PathBuf },
}

impl Requirement {
    /// A requirement, as it stands on a command line or in a line of a file; paths are relative to `folder`. `None` when there
    /// is nothing in it.
    pub(crate) fn parse(text: &str, editable: bool, folder: &Path) -> Option<Self> {
        let text = text.trim();
        let first = text.split_whitespace().next()?;
        let plain =
            Self { source: Source::Path(PathBuf::new()), editable, marked: false, direct: true, usual_case: true };
        let lower = first.to_ascii_lowercase();
        // `NAME @ ADDRESS` of PEP 508, too.
        let address = text.split_once('@').map_or(
            text,
            |(name, address)| {
                if name.contains(['/', ':']) { text } else { address.trim() }
            },
        );
        for vcs in [Vcs::Git, Vcs::Mercurial] {
            let found = [text, address].into_iter().find(|part| part.to_ascii_lowercase().starts_with(vcs.prefix()));
            if let Some(part) = found {
                let name =
                    if part == text { project_of(part) } else { normalised(text.split('@').next().unwrap_or(text)) };
                let usual_case = part.starts_with(vcs.prefix());
                return Some(Self { source: Source::Repository { vcs, name }, usual_case, ..plain });
            }
        }
        if lower.contains("://") || first == "." || first.starts_with("./") || first.contains('/') || is_archive(first)
        {
            let path = first.split('[').next().unwrap_or(first);
            let path = path.strip_prefix("file://").unwrap_or(path);
            return Some(Self { source: Source::Path(plainly(&folder.join(path))), ..plain });
        }
        let (specifier, marked) = match text.split_once(';') {
            Some((specifier, _)) => (specifier, true),
            None => (text, false),
        };
        let specifier = specifier.split(" --").next().unwrap_or(specifier);
        let end = specifier.find(|character: char| !(character.is_ascii_alphanumeric() || "-_.".contains(character)));
        let (name, rest) = specifier.split_at(end.unwrap_or(specifier.len()));
        let pinned = rest
            .split_once("==")
            .map(|(_, version)| version.trim().chars().take_while(|c| !c.is_whitespace() && *c != ',').collect());
        Some(Self { source: Source::Index { name: normalised(name), pinned }, marked, ..plain })
    }

    /// The tool of version control that it takes.
    pub(crate) fn vcs(&self) -> Option<Vcs> {
        match self.source {
            Source::Repository { vcs, .. } => Some(vcs),
            Source::Index { .. } | Source::Path(_) => None,
        }
    }
}

/// What a requirement file asks for, with the files that it names; paths in it are relative to `folder`, those of files to the
/// file that names them. `content` reads a file by its absolute path.
///
/// # Errors
/// When a file cannot be read, or files name each other.
pub(crate) fn read(file: &Path, folder: &Path, content: Content<'_>) -> Result<Vec<Requirement>, RequirementError> {
    let mut found = Vec::new();
    read_into(&folder.join(file), folder, content, true, &mut BTreeSet::new(), &mut found)?;
    Ok(found)
}

pub(crate) type Content<'a> = &'a dyn Fn(&Path) -> std::io::Result<Vec<u8>>;

fn read_into(
    file: &Path,
    folder: &Path,
    content: Content<'_>,
    direct: bool,
    open: &mut BTreeSet<PathBuf>,
    found: &mut Vec<Requirement>,
) -> Result<(), RequirementError> {
    let path = plainly(file);
    if !open.insert(path.clone()) {
        return Err(RequirementError::Recursive { path });
    }
    let bytes = content(&path).map_err(|source| RequirementError::Unreadable { path: path.clone(), source })?;
    let text = String::from_utf8_lossy(&bytes).replace("\r\n", "\n").replace("\\\n", " ");
    for line in text.lines() {
        let line = without_comment(line).trim();
        if let Some(value) = option(line, "-r", "--requirement") {
            read_into(&path.with_file_name("").join(value), folder, content, false, open, found)?;
        } else if let Some(value) = option(line, "-e", "--editable") {
            found.extend(Requirement::parse(value, true, folder).map(|one| Requirement { direct, ..one }));
        } else if !line.starts_with('-') {
            found.extend(Requirement::parse(line, false, folder).map(|one| Requirement { direct, ..one }));
        }
    }
    open.remove(&path);
    Ok(())
}

/// The value of an option at the beginning of a line, in any of its forms.
fn option<'a>(line: &'a str, short: &str, long: &str) -> Option<&'a str> {
    let value = match line.strip_prefix(long) {
        Some(rest) => rest.strip_prefix(['=', ' ', '\t'])?,
        None => line.strip_prefix(short).filter(|rest| !rest.starts_with('-'))?,
    };
    Some(value.trim().trim_matches(['"', '\''])).filter(|value| !value.is_empty())
}

/// A line without its comment, which begins the line or follows white space.
fn without_comment(line: &str) -> &str {
    let begins = |index: usize| index == 0 || line[..index].ends_with([' ', '\t']);
    line.match_indices('#').map(|(index, _)| index).find(|index| begins(*index)).map_or(line, |index| &line[..index])
}

fn project_of(address: &str) -> String {
    let egg = address.split_once("egg=").map(|(_, egg)| egg.split(['&', ' ', '[']).next().unwrap_or(egg));
    let last = || {
        let path = address.split(['#', '?', ' ']).next().unwrap_or(address).trim_end_matches('/');
        let last = path.rsplit('/').next().unwrap_or(path);
        last.split('@').next().unwrap_or(last).trim_end_matches(".git").to_owned()
    };
    normalised(&egg.map_or_else(last, str::to_owned))
}

fn is_archive(word: &str) -> bool {
    [".whl", ".zip", ".tar.gz", ".tgz"].iter().any(|end| word.ends_with(end))
}

/// A path without `.` and `..`.
fn plainly(path: &Path) -> PathBuf {
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

    fn sources(files: &[(&str, &str)]) -> Vec<(Source, bool)> {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut found = read(Path::new("requirements.txt"), folder.path(), &|path| std::fs::read(path)).unwrap();
        for one in &mut found {
            if let Source::Path(path) = &mut one.source {
                *path = path.strip_prefix(folder.path()).unwrap().to_owned();
            }
        }
        found.into_iter().map(|one| (one.source, one.editable)).collect()
    }

    fn index(name: &str, pinned: Option<&str>) -> Source {
        Source::Index { name: name.into(), pinned: pinned.map(str::to_owned) }
    }

    #[test]
    fn names_versions_and_comments() {
        let text = "# git+x\nsix  # hg+y\nSome_Pkg[extra]==1.2 \\\n  --hash=sha256:00\na>=1,<2; python_version < '3'\n--find-links wheels\n";
        let expected = [("six", None), ("some-pkg", Some("1.2")), ("a", None)];
        assert_eq!(sources(&[("requirements.txt", text)]), expected.map(|(name, pinned)| (index(name, pinned), false)));
    }

    #[test]
    fn version_control_in_any_form_and_case() {
        let text =
            "Git+http://x/greeting.git\n-e hg+static-http://x/hello#egg=Salutation\nname @ git+http://x/y.git@main\n";
        let repository = |vcs, name: &str| Source::Repository { vcs, name: name.into() };
        assert_eq!(
            sources(&[("requirements.txt", text)]),
            [
                (repository(Vcs::Git, "greeting"), false),
                (repository(Vcs::Mercurial, "salutation"), true),
                (repository(Vcs::Git, "name"), false),
            ]
        );
    }

    #[test]
    fn files_name_files_relative_to_themselves_and_paths_relative_to_the_folder() {
        let found = sources(&[
            ("requirements.txt", "-r requirements/all.txt\r\n-e .\r\n"),
            ("requirements/all.txt", "--requirement=more.txt\n./vendor/x"),
            ("requirements/more.txt", "six"),
        ]);
        let path = |text: &str| Source::Path(PathBuf::from(text));
        assert_eq!(found, [(index("six", None), false), (path("vendor/x"), false), (path(""), true)]);
    }

    #[test]
    fn files_that_name_each_other_and_missing_ones_are_errors() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("requirements.txt"), "-r a.txt").unwrap();
        let read = || read(Path::new("requirements.txt"), folder.path(), &|path| std::fs::read(path));
        assert!(matches!(read(), Err(RequirementError::Unreadable { .. })));
        std::fs::write(folder.path().join("a.txt"), "-rrequirements.txt").unwrap();
        assert!(matches!(read(), Err(RequirementError::Recursive { .. })));
    }
}
