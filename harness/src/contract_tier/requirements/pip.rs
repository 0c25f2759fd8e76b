//! Which pip reads: its version comes from the variant's lock, and the Python under it from the variant.

use serde::{Deserialize, Serialize};

use crate::suite::variant::Variant;

/// A pip, as far as it decides how requirement files are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Pip {
    /// Major, minor and patch version.
    pub version: (u16, u16, u16),
    /// Major and minor version of the Python that it runs under.
    pub python: (u16, u16),
}

/// Why it is not known which pip a variant has.
#[derive(Debug, thiserror::Error)]
#[error("{file} does not pin pip (`pip==VERSION`)")]
pub(crate) struct NoPip {
    file: String,
}

impl Pip {
    /// The pip of a variant, from the text of its lock.
    ///
    /// # Errors
    /// When the lock has none.
    pub(crate) fn of(variant: &Variant, lock: &str) -> Result<Self, NoPip> {
        let pinned = lock.lines().find_map(|line| line.trim().strip_prefix("pip=="));
        let version = pinned.and_then(|rest| numbers(rest.split([' ', '\\', ';']).next()?));
        match (version, numbers(&variant.python)) {
            (Some(version), Some((major, minor, _))) => Ok(Self { version, python: (major, minor) }),
            _ => Err(NoPip { file: variant.lock.display().to_string() }),
        }
    }

    /// Whether it is one of before 2018: no `${NAME}` in files, addresses after `@` ignored, versions of any form.
    pub(crate) fn is_legacy(self) -> bool {
        self.version.0 < 10
    }

    /// Whether it is of 26.1 or later, which moved what is looked at first, and tells a marker that is not valid as an error.
    pub(crate) fn is_newest(self) -> bool {
        self.version >= (26, 1, 0)
    }

    pub(super) fn is_on_python_2(self) -> bool {
        self.python.0 < 3
    }

    /// Whether Python takes this for white space in `str.strip` and `str.isspace`.
    pub(super) fn strips(self, character: char) -> bool {
        // Unicode took U+180E out of the white space after Python 2.
        character.is_whitespace()
            || matches!(character, '\u{1c}'..='\u{1f}')
            || (self.is_on_python_2() && character == '\u{180e}')
    }

    /// Whether `\s` of a regular expression matches this: on Python 2, ASCII alone.
    pub(super) fn separates(self, character: char) -> bool {
        if self.is_on_python_2() {
            matches!(character, ' ' | '\t' | '\n' | '\r' | '\u{b}' | '\u{c}')
        } else {
            self.strips(character)
        }
    }

    /// `str.strip`.
    pub(super) fn strip(self, text: &str) -> &str {
        text.trim_matches(|character| self.strips(character))
    }
}

impl std::fmt::Display for Pip {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (major, minor, patch) = self.version;
        write!(formatter, "{major}.{minor}")?;
        if patch > 0 { write!(formatter, ".{patch}") } else { Ok(()) }
    }
}

fn numbers(version: &str) -> Option<(u16, u16, u16)> {
    let mut parts = version.trim().split('.').map(|part| part.parse().ok());
    let mut next = || parts.next().flatten();
    Some((next()?, next().unwrap_or(0), next().unwrap_or(0)))
}

/// The oldest pip of a variant, and the newest, for tests.
#[cfg(test)]
pub(crate) mod samples {
    use super::Pip;

    pub(crate) const OLD: Pip = Pip { version: (9, 0, 3), python: (2, 7) };
    pub(crate) const NEW: Pip = Pip { version: (26, 3, 0), python: (3, 13) };
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_lock_says_which_pip() {
        let variant = Variant::sample("python-3.11");
        let lock =
            "# pip==1.0 is not meant\nmod-wsgi==5.0.2 \\\n    --hash=sha256:00\npip==26.0.1 \\\n    --hash=sha256:00\n";
        let pip = Pip::of(&variant, lock).unwrap();
        assert_eq!((pip.to_string().as_str(), pip.python), ("26.0.1", (3, 11)));
        assert!(Pip::of(&variant, "pip-tools==7.0\n").unwrap_err().to_string().contains("base/locks/sample.txt"));
    }

    #[test]
    fn white_space_depends_on_python() {
        let (old, new) = (Pip { version: (9, 0, 3), python: (2, 7) }, Pip { version: (26, 3, 0), python: (3, 13) });
        assert_eq!(new.strip("\u{a0}\u{1f}x\u{3000}"), "x");
        assert!(new.separates('\u{a0}') && !old.separates('\u{a0}') && old.strips('\u{a0}'));
    }
}
