//! Candidates that a command line names: build and start steps that replace the repository's.

use std::path::{Path, PathBuf};

use super::Failure;
use crate::beneath::{BeneathError, Folder};
use crate::cli::arguments::{StepFileArgs, TestedArgs};
use crate::host::folders::Folders;
use crate::outcome::{Part, with_causes};
use crate::suite::control::{Control, Replacements};
use crate::suite::scenario::MAX_CONTEXT;

const BUILD: &str = "mod_wsgi-docker-build";
const START: &str = "mod_wsgi-docker-start";
/// How the names of the images' own programs and their libraries begin.
const STEPS: &str = "mod_wsgi-docker-";

/// A candidate: files that replace the repository's.
#[derive(Debug, Clone)]
pub(super) struct Steps {
    /// What it is called in tables and reports.
    pub(super) name: String,
    /// The files, each with the name of the one that it replaces.
    files: Vec<(String, PathBuf)>,
    /// What names them on the command line of `run`.
    pub(super) tested: TestedArgs,
}

/// The candidates that the command line names; every step of theirs is there and can be executed. Without any, the repository's own
/// files are the candidate.
pub(super) fn candidates(folders: &[PathBuf], files: &StepFileArgs, images: &Path) -> Result<Vec<Steps>, Failure> {
    let mut candidates = Vec::new();
    for folder in folders {
        candidates.push(Steps::of(&TestedArgs { steps: Some(folder.clone()), ..TestedArgs::default() }, images)?);
    }
    let StepFileArgs { build_step, start_step } = files.clone();
    if build_step.is_some() || start_step.is_some() {
        candidates.push(Steps::of(&TestedArgs { build_step, start_step, ..TestedArgs::default() }, images)?);
    }
    for (name, path) in candidates.iter().flat_map(|candidate| &candidate.files) {
        if [BUILD, START].contains(&name.as_str()) {
            executable(path)?;
        }
    }
    Ok(candidates)
}

/// What the command line puts in the place of the repository's files.
pub(super) struct Candidate {
    pub(super) control: Option<Control>,
    pub(super) base: Replacements,
    pub(super) onbuild: Replacements,
    pub(super) dockerfiles: Dockerfiles,
}

impl Candidate {
    pub(super) fn of(tested: &TestedArgs, folders: &Folders) -> Result<Self, Failure> {
        let images = folders.images();
        let dockerfiles = Dockerfiles::of(tested, &images)?;
        let Some(name) = &tested.control else {
            let base = Steps::of(tested, &images)?.read()?;
            return Ok(Self { control: None, base, onbuild: Vec::new(), dockerfiles });
        };
        let control = Control::load(&images, name).map_err(|error| Failure::usage(with_causes(&error), None))?;
        let (base, onbuild) = (control.base.clone(), control.onbuild.clone());
        Ok(Self { control: Some(control), base, onbuild, dockerfiles })
    }

    /// Whether it changes nothing but the steps and their libraries.
    pub(super) fn is_of_steps(&self) -> bool {
        let is_step = |path: &Path| path.to_str().is_some_and(|path| path.starts_with(STEPS));
        self.onbuild.is_empty() && self.base.iter().all(|(path, _)| is_step(path))
    }
}

/// What is tested, in words.
pub(super) fn announce(tested: &TestedArgs) -> String {
    if let Some(control) = &tested.control {
        return format!("the control {control} (images/controls/{control})");
    }
    if let Some(folder) = &tested.dockerfile {
        return format!("the images built from {}", folder.display());
    }
    let base = tested.base_image.as_deref().unwrap_or("images/base");
    let onbuild = tested.onbuild_image.as_deref().unwrap_or("images/onbuild");
    let mut text = format!("{base}, {onbuild}");
    for (what, path) in
        [("files of", &tested.steps), ("build step", &tested.build_step), ("start step", &tested.start_step)]
    {
        if let Some(path) = path {
            text.push_str(&format!(", {what} {}", path.display()));
        }
    }
    text
}

/// What is tested, as the options of `run` have it, each with its value.
pub(super) fn options(tested: &TestedArgs) -> Vec<(&'static str, String)> {
    let TestedArgs { control, base_image, onbuild_image, dockerfile, steps, build_step, start_step } = tested;
    let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
    let options = [
        ("--control", control.clone()),
        ("--base-image", base_image.clone()),
        ("--onbuild-image", onbuild_image.clone()),
        ("--dockerfile", path(dockerfile)),
        ("--steps", path(steps)),
        ("--build-step", path(build_step)),
        ("--start-step", path(start_step)),
    ];
    options.into_iter().filter_map(|(option, value)| Some((option, value?))).collect()
}

/// The files of a folder that have the names of those of `images/base`.
fn in_folder(folder: &Path, images: &Path) -> Result<Vec<(String, PathBuf)>, Failure> {
    let own = images.join("base");
    let known = std::fs::read_dir(&own).and_then(Iterator::collect::<std::io::Result<Vec<_>>>);
    let known = known.map_err(|error| Failure::usage(format!("{}: {error}", own.display()), None))?;
    let mut files: Vec<(String, PathBuf)> = known
        .into_iter()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with(STEPS))
        .map(|name| (name.clone(), folder.join(name)))
        // A link that leads nowhere, or anywhere, is there: it is refused when it is read.
        .filter(|(_, path)| path.symlink_metadata().is_ok())
        .collect();
    files.sort();
    if files.is_empty() {
        return Err(Failure::usage(
            format!("{}: has neither {BUILD} nor {START}", folder.display()),
            Some("a candidate is a folder with one or both of them; --build-step and --start-step name single files"),
        ));
    }
    Ok(files)
}

/// The folders that the images are built from.
#[derive(Debug)]
pub(super) struct Dockerfiles {
    pub(super) base: PathBuf,
    pub(super) onbuild: PathBuf,
}

impl Dockerfiles {
    /// Those of the command line, or the repository's.
    pub(super) fn of(tested: &TestedArgs, images: &Path) -> Result<Self, Failure> {
        let own = Self { base: images.join("base"), onbuild: images.join("onbuild") };
        let Some(folder) = &tested.dockerfile else { return Ok(own) };
        let failed = |error: BeneathError| {
            let hint = error.hint().unwrap_or(
                "--dockerfile requires a folder with `base/Dockerfile`, `onbuild/Dockerfile` or both, or with a single `Dockerfile`",
            );
            Failure::usage(with_causes(&error.below(folder)), Some(hint))
        };
        // A builder gets all that is in them: a link in their place is refused.
        let opened = Folder::open(folder).map_err(failed)?;
        let there = |name: &str| -> Result<Option<PathBuf>, Failure> {
            let dockerfile = opened.status(&Path::new(name).join("Dockerfile")).map_err(failed)?;
            Ok(dockerfile.map(|_| folder.join(name)))
        };
        let (base, onbuild) = (there("base")?, there("onbuild")?);
        if base.is_some() || onbuild.is_some() {
            return Ok(Self { base: base.unwrap_or(own.base), onbuild: onbuild.unwrap_or(own.onbuild) });
        }
        let text = opened.into_root().text(Path::new("Dockerfile"), MAX_CONTEXT).map_err(failed)?;
        // A single one is that of the onbuild image if it has triggers.
        let has_triggers = text.lines().any(|line| {
            line.split_whitespace().next().is_some_and(|instruction| instruction.eq_ignore_ascii_case("ONBUILD"))
        });
        Ok(if has_triggers { Self { onbuild: folder.clone(), ..own } } else { Self { base: folder.clone(), ..own } })
    }
}

fn executable(path: &Path) -> Result<(), Failure> {
    let (folder, name) = beneath(path)?;
    let failed = |error| refused(path, error);
    drop(folder.file(&name).map_err(failed)?);
    let mode = folder.status(&name).map_err(failed)?.map_or(0, |status| status.st_mode);
    if mode & 0o111 == 0 {
        return Err(Failure::usage(
            format!("{} is not executable", path.display()),
            Some(&format!("run `chmod +x {}`", path.display())),
        ));
    }
    Ok(())
}

/// A candidate's file, as a name in its folder: what nobody has reviewed is not followed elsewhere, and is not waited for.
fn beneath(path: &Path) -> Result<(Folder, PathBuf), Failure> {
    let folder = Folder::open(path.parent().unwrap_or(Path::new(""))).map_err(|error| refused(path, error))?;
    Ok((folder, path.file_name().map_or_else(|| path.to_owned(), PathBuf::from)))
}

fn refused(path: &Path, error: BeneathError) -> Failure {
    let hint = error.hint();
    let error = match error {
        BeneathError::Io { source, .. } => BeneathError::Io { path: path.to_owned(), source },
        other => other.below(path.parent().unwrap_or(Path::new(""))),
    };
    Failure::usage(with_causes(&error), hint)
}

impl Steps {
    pub(super) fn own() -> Self {
        Self { name: "the repository's own".to_owned(), files: Vec::new(), tested: TestedArgs::default() }
    }

    /// The files that a command line names.
    pub(super) fn of(tested: &TestedArgs, images: &Path) -> Result<Self, Failure> {
        let mut files = Vec::new();
        let mut names = Vec::new();
        if let Some(folder) = &tested.steps {
            files = in_folder(folder, images)?;
            names.push(
                folder
                    .file_name()
                    .map_or_else(|| folder.display().to_string(), |name| name.to_string_lossy().into_owned()),
            );
        }
        for (name, path) in [(BUILD, &tested.build_step), (START, &tested.start_step)] {
            if let Some(path) = path {
                files.push((name.to_owned(), path.clone()));
                names.push(path.display().to_string());
            }
        }
        Ok(Self { name: names.join(" + "), files, tested: tested.clone() })
    }

    /// The files, read whole.
    pub(super) fn read(&self) -> Result<Replacements, Failure> {
        let read = |(name, path): &(String, PathBuf)| {
            let (folder, file) = beneath(path)?;
            let content = folder.read(&file, MAX_CONTEXT).map_err(|error| refused(path, error))?;
            Ok((PathBuf::from(name), content))
        };
        self.files.iter().map(read).collect()
    }

    /// The step that it leaves to the suite, where it has one of the two.
    pub(super) fn lacks(&self) -> Option<Part> {
        let has = |step: &str| self.files.iter().any(|(name, _)| name == step);
        match (has(BUILD), has(START)) {
            (true, false) => Some(Part::Start),
            (false, true) => Some(Part::Build),
            (true, true) | (false, false) => None,
        }
    }

    /// The arguments of `verify` and its like that name the files.
    pub(super) fn arguments(&self) -> Vec<String> {
        match &self.tested.steps {
            Some(folder) => vec![folder.display().to_string()],
            None => options(&self.tested).into_iter().flat_map(|(option, value)| [option.to_owned(), value]).collect(),
        }
    }
}

/// The name of a candidate as that of a file.
pub(super) fn file_name(name: &str) -> String {
    name.replace(|character: char| !(character.is_ascii_alphanumeric() || "._-".contains(character)), "_")
}
