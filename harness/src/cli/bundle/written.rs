//! Writing a bundle.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::contents::{APPLICATION, IMAGES, MANIFEST, README, REPORT, SCRIPT, STORE, SUITE};
use super::manifest::Manifest;
use super::{Failure, script, unwritable};
use crate::host::written;
use crate::outcome::with_causes;
use crate::suite::packed::Packed;
use crate::suite::scenario::{Scenario, build_context};

/// All that goes into a bundle.
pub(super) struct Contents<'a> {
    pub manifest: Manifest,
    pub suite: &'a Packed,
    pub images: &'a Path,
    /// The fixture store.
    pub store: &'a Path,
    /// The files of the store that were used.
    pub used: &'a [PathBuf],
    /// The scenario, if it is of an application.
    pub application: Option<&'a Scenario>,
    /// The folder with the report.
    pub report: &'a Path,
}

impl Contents<'_> {
    /// Writes it, whole or not at all.
    pub(super) fn write(&self, into: &Path) -> Result<(), Failure> {
        let application = self.application.map(build_context).transpose();
        let application = application.map_err(|error| Failure::usage(with_causes(&error), None))?;
        let failed = |error: io::Error| unwritable(into, &error);
        written::made(into, |file| self.archive(file, application.as_deref())).map_err(failed)
    }

    fn archive(&self, file: &mut File, application: Option<&[u8]>) -> io::Result<()> {
        let mut archive = tar::Builder::new(file);
        let manifest = serde_json::to_vec_pretty(&self.manifest)?;
        add(&mut archive, MANIFEST, &manifest, 0o644)?;
        add(&mut archive, README, script::readme(&self.manifest, application.is_some()).as_bytes(), 0o644)?;
        add(&mut archive, SCRIPT, script::script(&self.manifest, self.application).as_bytes(), 0o755)?;
        add(&mut archive, SUITE, &self.suite.to_bytes(), 0o644)?;
        if let Some(application) = application {
            add(&mut archive, APPLICATION, application, 0o644)?;
        }
        for name in names(self.report)? {
            archive.append_path_with_name(self.report.join(&name), Path::new(REPORT).join(&name))?;
        }
        for path in self.used {
            archive.append_path_with_name(self.store.join(path), Path::new(STORE).join(path))?;
        }
        archive.append_path_with_name(self.images, IMAGES)?;
        archive.into_inner()?.flush()
    }
}

fn add(archive: &mut tar::Builder<&mut File>, name: &str, content: &[u8], mode: u32) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_mode(mode);
    header.set_size(u64::try_from(content.len()).unwrap_or(u64::MAX));
    archive.append_data(&mut header, name, content)
}

/// The names of the files in a folder, in order.
fn names(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut names: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.file_name().into())).collect::<io::Result<_>>()?;
    names.sort();
    Ok(names)
}
