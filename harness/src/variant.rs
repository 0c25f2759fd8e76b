//! Variants: a base image's distribution and Python, as `images/variants.toml` lists them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

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
    /// The distribution's image in a registry, by digest; without it, or where no registry answers, mmdebstrap makes one.
    pub registry_image: Option<String>,
    /// The lock file of the Python packages in the image, relative to `images/`.
    pub lock: PathBuf,
}

/// Why there is no such variant.
#[derive(Debug, thiserror::Error)]
pub enum VariantError {
    /// The list cannot be read.
    #[error("{}: cannot be read", path.display())]
    Unreadable {
        /// The list.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The list is not valid.
    #[error("{}: {source}", path.display())]
    Invalid {
        /// The list.
        path: PathBuf,
        /// Why, with the line.
        source: Box<toml::de::Error>,
    },
    /// The list does not have it.
    #[error("no variant `{name}` in {}; there are: {known}", path.display())]
    Unknown {
        /// What was asked for.
        name: String,
        /// The list.
        path: PathBuf,
        /// The variants that there are.
        known: String,
    },
}

impl Variant {
    /// Reads a variant from `variants.toml` in the folder `images`.
    ///
    /// # Errors
    /// When the list cannot be read, is not valid, or does not have it.
    pub fn load(images: &Path, name: &str) -> Result<Self, VariantError> {
        let path = images.join("variants.toml");
        let text =
            std::fs::read_to_string(&path).map_err(|source| VariantError::Unreadable { path: path.clone(), source })?;
        let mut variants: BTreeMap<String, Self> = toml::from_str(&text)
            .map_err(|source| VariantError::Invalid { path: path.clone(), source: Box::new(source) })?;
        if let Some(variant) = variants.remove(name) {
            return Ok(Self { name: name.to_owned(), ..variant });
        }
        let known = variants.into_keys().collect::<Vec<_>>().join(", ");
        Err(VariantError::Unknown { name: name.to_owned(), path, known })
    }
}
