//! The application of a new scenario: its files, as they are found, and the Dockerfile as scenarios have it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::{Failure, unmade};
use crate::suite::scenario::MAX_CONTEXT;

const DOCKERFILE: &str = "Dockerfile";
/// Of the onbuild image, whose triggers do the rest.
const HELLO_DOCKERFILE: &str = "ARG IMAGE\nFROM ${IMAGE}\nCMD [ \"wsgi.py\" ]\n";
const HELLO: &str = "def application(environ, start_response):
    body = b'Hello!'
    start_response('200 OK', [('Content-Type', 'text/plain'), ('Content-Length', str(len(body)))])
    return [body]
";
/// What is no part of an application, and large or private.
const LEFT_OUT: [&str; 3] = [".git", ".hg", "__pycache__"];
/// As many files and folders as are copied at the most.
const MOST: usize = 10_000;

pub(super) struct Application {
    entries: BTreeMap<PathBuf, Entry>,
    /// What was not copied.
    pub(super) left_out: Vec<String>,
}

enum Entry {
    Folder,
    Link(PathBuf),
    File { content: Vec<u8>, executable: bool },
}

impl Application {
    /// One that says hello.
    pub(super) fn hello() -> Self {
        let file = |name: &str, text: &str| {
            (PathBuf::from(name), Entry::File { content: text.as_bytes().to_vec(), executable: false })
        };
        let entries = [file(DOCKERFILE, HELLO_DOCKERFILE), file("wsgi.py", HELLO)];
        Self { entries: entries.into(), left_out: Vec::new() }
    }

    /// The application in this folder. Links stay links, and are not followed.
    ///
    /// # Errors
    /// If it cannot be read, is too large, has something else than files, folders and links, or no Dockerfile.
    pub(super) fn read(folder: &Path) -> Result<Self, Failure> {
        let mut application = Self { entries: BTreeMap::new(), left_out: Vec::new() };
        application.read_below(folder).map_err(|error| {
            let what = format!("cannot copy the application {}: {error}", folder.display());
            Failure::usage(what, Some("name a folder with a Dockerfile, files, folders and links"))
        })?;
        let Some(Entry::File { content, .. }) = application.entries.get_mut(Path::new(DOCKERFILE)) else {
            let what = format!("{} has no Dockerfile", folder.display());
            return Err(Failure::usage(what, Some("begin it with the onbuild image: FROM, and CMD")));
        };
        *content = as_in_scenarios(&String::from_utf8_lossy(content)).into_bytes();
        Ok(application)
    }

    fn read_below(&mut self, root: &Path) -> io::Result<()> {
        let mut left = MAX_CONTEXT;
        let mut folders = vec![PathBuf::new()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(root.join(&folder))? {
                let entry = entry?;
                let (path, kind) = (folder.join(entry.file_name()), entry.file_type()?);
                let name = path.display().to_string();
                if kind.is_dir() && LEFT_OUT.iter().any(|left_out| entry.file_name() == *left_out) {
                    self.left_out.push(name);
                    continue;
                }
                if self.entries.len() == MOST {
                    return Err(io::Error::other(format!("it has more than {MOST} files and folders")));
                }
                let found = if kind.is_dir() {
                    folders.push(path.clone());
                    Entry::Folder
                } else if kind.is_symlink() {
                    Entry::Link(fs::read_link(entry.path())?)
                } else if kind.is_file() {
                    let metadata = entry.metadata()?;
                    left = left
                        .checked_sub(metadata.len())
                        .ok_or_else(|| io::Error::other(format!("it has more than {MAX_CONTEXT} bytes")))?;
                    let executable = metadata.permissions().mode() & 0o111 != 0;
                    Entry::File { content: fs::read(entry.path())?, executable }
                } else {
                    return Err(io::Error::other(format!("{name} is neither a file, nor a folder, nor a link")));
                };
                self.entries.insert(path, found);
            }
        }
        Ok(())
    }

    /// Writes it to this folder, which is made.
    pub(super) fn write(&self, folder: &Path) -> Result<(), Failure> {
        fs::create_dir(folder).map_err(|error| unmade(folder, &error))?;
        for (path, entry) in &self.entries {
            let path = folder.join(path);
            match entry {
                Entry::Folder => fs::create_dir(&path),
                Entry::Link(target) => symlink(target, &path),
                Entry::File { content, .. } => fs::write(&path, content),
            }
            .map_err(|error| unmade(&path, &error))?;
        }
        Ok(())
    }

    /// The table of the files that can be executed: the permissions of a checkout are not used.
    pub(super) fn modes(&self) -> String {
        let executable = self.entries.iter().filter(|(_, entry)| matches!(entry, Entry::File { executable: true, .. }));
        let modes: toml::Table =
            executable.map(|(path, _)| (path.to_string_lossy().into_owned(), "0755".into())).collect();
        if modes.is_empty() {
            return String::new();
        }
        format!("{}\n", toml::Table::from_iter([("modes".to_owned(), modes.into())]))
    }
}

/// The Dockerfile with the candidate's image in the place of its own: the base image if it runs the build step itself, and otherwise
/// the onbuild image. One with several stages stays as it is.
fn as_in_scenarios(text: &str) -> String {
    let is_from = |line: &&str| line.split_whitespace().next().is_some_and(|word| word.eq_ignore_ascii_case("from"));
    if text.lines().filter(is_from).count() != 1 || text.contains("${IMAGE}") || text.contains("${BASE_IMAGE}") {
        return text.to_owned();
    }
    let image = if text.contains("mod_wsgi-docker-build") { "BASE_IMAGE" } else { "IMAGE" };
    let mut changed = String::new();
    for line in text.lines() {
        if is_from(&line) {
            changed.push_str(&format!("ARG {image}\nFROM ${{{image}}}\n"));
        } else {
            changed.push_str(line);
            changed.push('\n');
        }
    }
    changed
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_dockerfile_gets_the_candidates_image() {
        for (text, expected) in [
            ("FROM a/b:c\nCMD [ \"x\" ]\n", "ARG IMAGE\nFROM ${IMAGE}\nCMD [ \"x\" ]\n"),
            (
                "# a\nfrom a\nRUN mod_wsgi-docker-build",
                "# a\nARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nRUN mod_wsgi-docker-build\n",
            ),
            ("FROM a AS b\nFROM b\n", "FROM a AS b\nFROM b\n"),
            ("ARG IMAGE\nFROM ${IMAGE}\n", "ARG IMAGE\nFROM ${IMAGE}\n"),
        ] {
            assert_eq!(as_in_scenarios(text), expected);
        }
    }

    #[test]
    fn what_can_be_executed_is_declared() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join(".docker/\"x")).unwrap();
        fs::write(folder.path().join("Dockerfile"), "FROM a\n").unwrap();
        fs::write(folder.path().join(".docker/\"x/hook"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(folder.path().join(".docker/\"x/hook"), fs::Permissions::from_mode(0o750)).unwrap();
        let modes: toml::Table = Application::read(folder.path()).ok().unwrap().modes().parse().unwrap();
        assert_eq!(modes["modes"][".docker/\"x/hook"].as_str(), Some("0755"));
    }
}
