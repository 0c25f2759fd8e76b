//! What both tiers are asked about: the alternatives, and mutants, as folders of steps.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use super::sampled;
use crate::cli::Failure;
use crate::cli::arguments::{AgreeArgs, TestedArgs};
use crate::cli::candidates::Steps;
use crate::host::folders::Folders;
use crate::mutate::{Bug, Case, Equivalents, SCRIPTS, mutants as mutants_of};
use crate::outcome::with_causes;

/// A mutant, written out.
pub(super) struct Subject {
    pub(super) id: String,
    pub(super) name: String,
    /// Its files. They stay, so that what is reported of them can be reproduced.
    pub(super) folder: PathBuf,
    /// Whether it is in the steps, which is all that the contract tier can try.
    pub(super) of_steps: bool,
}

/// The repository's alternatives that are there as files; one that is compiled is named on the command line.
pub(super) fn alternatives(images: &Path) -> Result<Vec<Steps>, Failure> {
    let folder = images.join("alternatives");
    let mut folders = match entries(&folder) {
        Ok(folders) => folders,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Failure::usage(format!("{}: {error}", folder.display()), None)),
    };
    folders.retain(|path| path.join("mod_wsgi-docker-build").is_file());
    folders.sort();
    let of = |steps| Steps::of(&TestedArgs { steps: Some(steps), ..TestedArgs::default() }, images);
    folders.into_iter().map(of).collect()
}

fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    folder.read_dir()?.map(|entry| Ok(entry?.path())).collect()
}

/// The mutants written by hand, and as many of the generated ones as are asked for.
pub(super) fn mutants(arguments: &AgreeArgs, folders: &Folders) -> Result<Vec<Subject>, Failure> {
    if arguments.mutants == 0 {
        return Ok(Vec::new());
    }
    let images = folders.images();
    let usage = |error: &dyn std::fmt::Display| Failure::usage(error, None);
    let mut cases = Vec::new();
    for bug in Bug::all(&images).map_err(|error| usage(&with_causes(&error)))? {
        cases.push(Case::of_bug(&bug, &images).map_err(|error| usage(&error))?);
    }
    let (mut all, mut generated) = (Vec::new(), Vec::new());
    for script in SCRIPTS {
        let path = images.join("base").join(script);
        let text = std::fs::read_to_string(&path).map_err(|error| usage(&format!("{}: {error}", path.display())))?;
        let found = mutants_of(script, &text).map_err(|error| usage(&error))?;
        generated.extend(found.iter().map(|mutant| Case::of_mutant(mutant, &text)));
        all.extend(found);
    }
    let equivalents = Equivalents::load(&images, &all).map_err(|error| usage(&with_causes(&error)))?;
    generated.retain(|case| equivalents.why(&case.id).is_none());
    generated.sort_by_cached_key(|case| sampled(arguments.seed, &case.id));
    cases.extend(generated.into_iter().take(arguments.mutants));
    cases.into_iter().map(|case| write(case, &folders.cache)).collect()
}

/// Writes the files of a mutant, as a folder that `--steps` accepts.
fn write(case: Case, cache: &Path) -> Result<Subject, Failure> {
    let folder = cache.join("agree").join(&case.id);
    let written = || -> std::io::Result<()> {
        std::fs::create_dir_all(&folder)?;
        for (path, content) in &case.files {
            let place = folder.join(path);
            std::fs::write(&place, content)?;
            std::fs::set_permissions(&place, std::fs::Permissions::from_mode(0o755))?;
        }
        Ok(())
    };
    written().map_err(|error| {
        Failure::infrastructure(format!("cannot write the files of a mutant: {}: {error}", folder.display()), None)
    })?;
    let name = format!("mutant {} ({}:{} {})", case.id, case.file, case.line, case.operator);
    Ok(Subject { id: case.id, name, folder, of_steps: case.of_steps })
}
