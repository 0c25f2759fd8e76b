//! Variants: a base image's distribution and Python, as `images/variants.toml` lists them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::suite::toml_file::{self, TomlError};

/// A base image's distribution and Python.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Variant {
    /// Its name, such as `python-3.11`.
    #[serde(skip)]
    pub name: String,
    /// The version of Python, such as `3.11`.
    pub python: String,
    /// The Debian suite, such as `bookworm`.
    pub suite: String,
    /// Whether Debian's archive has security updates for the suite. Those of a suite whose support has ended go, and the indexes
    /// stay.
    #[serde(default = "yes")]
    pub security: bool,
    /// The distribution's image in a registry, by digest; without it, or where no registry answers, mmdebstrap makes one.
    pub registry_image: Option<String>,
    /// The lock file of the Python packages in the image, relative to `images/`.
    pub lock: PathBuf,
    /// What the base image may take, in megabytes of 1,000,000 bytes.
    pub budget: u64,
}

fn yes() -> bool {
    true
}

/// The name that stands for every variant.
pub(crate) const ALL: &str = "all";

/// Why there is no such variant.
#[derive(Debug, thiserror::Error)]
pub enum VariantError {
    /// The list cannot be read or is not valid.
    #[error(transparent)]
    List(#[from] TomlError),
    /// The list does not have it.
    #[error("no variant `{name}` in {}; there are: {known}", path.display())]
    Unknown {
        /// What was asked for.
        name: String,
        path: PathBuf,
        /// The variants that there are.
        known: String,
    },
}

impl Variant {
    /// Reads all variants from `variants.toml` in the folder `images`, sorted by the version of Python.
    ///
    /// # Errors
    /// When the list cannot be read or is not valid.
    pub fn all(images: &Path) -> Result<Vec<Self>, VariantError> {
        let (variants, _): (BTreeMap<String, Self>, _) = toml_file::read(&images.join("variants.toml"))?;
        let mut variants: Vec<Self> = variants.into_iter().map(|(name, variant)| Self { name, ..variant }).collect();
        variants.sort_by_key(|variant| {
            variant.python.split('.').map(|part| part.parse::<u32>().unwrap_or(0)).collect::<Vec<_>>()
        });
        Ok(variants)
    }

    /// The variants of these names, each once and in the order of [`Self::all`]; `all` names every one.
    ///
    /// # Errors
    /// When the list cannot be read, is not valid, or does not have one of them.
    pub fn select(images: &Path, names: &[String]) -> Result<Vec<Self>, VariantError> {
        let mut variants = Self::all(images)?;
        let known: Vec<String> = variants.iter().map(|variant| variant.name.clone()).collect();
        if let Some(name) = names.iter().find(|name| *name != ALL && !known.contains(name)) {
            let path = images.join("variants.toml");
            return Err(VariantError::Unknown { name: name.clone(), path, known: known.join(", ") });
        }
        if !names.iter().any(|name| name == ALL) {
            variants.retain(|variant| names.contains(&variant.name));
        }
        Ok(variants)
    }

    /// A variant for tests.
    #[cfg(test)]
    pub(crate) fn sample(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            python: name.trim_start_matches("python-").to_owned(),
            suite: "bookworm".to_owned(),
            security: true,
            registry_image: None,
            lock: PathBuf::from("base/locks/sample.txt"),
            budget: 400,
        }
    }
}
