//! `wsgi-proof run --watch`: a run, and whenever something has changed another one, of what that concerns.

use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};

use super::run::Job;
use super::{Failure, listen, output};
use crate::cli::arguments::{RunArgs, TestedArgs};
use crate::host::changes::{Changes, Seen};
use crate::host::folders::Folders;
use crate::run::signals::Signals;
use crate::run::tally::ExitCode;

/// Names that editors give to files of their own.
const EDITORS: [&str; 4] = ["~", ".swp", ".swx", "4913"];

pub(super) async fn watch(mut arguments: RunArgs) -> Result<ExitCode, Failure> {
    let watched = Watched::of(&arguments.candidate, &arguments.folders.find()?)?;
    // Before the first run: what changes meanwhile counts.
    let changes = Changes::of(&watched.folders, &watched.files).map_err(|error| {
        Failure::infrastructure(
            format!("cannot watch files: {error}"),
            Some("fs.inotify.max_user_watches limits how many folders are watched"),
        )
    })?;
    let signals = listen()?;
    loop {
        one(arguments.clone(), &signals).await?;
        if signals.cancel.is_cancelled() {
            return Ok(signals.exit_code());
        }
        output::complain(format_args!("watching {}; Ctrl-C ends", watched.told()));
        let concerned = loop {
            let Some(seen) = signals.unless_stopped(changes.next()).await else { return Ok(signals.exit_code()) };
            if let Some(concerned) = watched.concerned(&seen) {
                break concerned;
            }
        };
        arguments.select.among = match concerned {
            Concerned::All => None,
            Concerned::Scenarios(names) => Some(names),
        };
    }
}

/// A run. What the user can mend, and is perhaps mending, is told and ends nothing.
async fn one(arguments: RunArgs, signals: &Signals) -> Result<(), Failure> {
    let ran = async { Job::of(arguments)?.run_for_caller(signals).await };
    match ran.await.map(|_| ()) {
        Err(Failure { code: ExitCode::Usage | ExitCode::NothingSelected, text }) => {
            output::complain(format_args!("{text}"));
            Ok(())
        }
        other => other,
    }
}

/// What is watched.
struct Watched {
    scenarios: PathBuf,
    folders: Vec<PathBuf>,
    files: Vec<PathBuf>,
}

/// The scenarios that a change concerns.
#[derive(Debug, PartialEq, Eq)]
enum Concerned {
    All,
    Scenarios(BTreeSet<String>),
}

impl Watched {
    /// The suite, unless the program carries it, and the candidate's files.
    fn of(tested: &TestedArgs, folders: &Folders) -> Result<Self, Failure> {
        let TestedArgs { dockerfile, steps, build_step, start_step, .. } = tested;
        let real = |path: PathBuf| {
            path.canonicalize().map_err(|error| Failure::usage(format!("{}: {error}", path.display()), None))
        };
        let all = |paths: Vec<PathBuf>| paths.into_iter().map(real).collect::<Result<Vec<_>, _>>();
        let own = if folders.carried { Vec::new() } else { vec![folders.scenarios(), folders.images()] };
        let given = [dockerfile, steps].into_iter().flatten().cloned();
        let watched = Self {
            scenarios: real(folders.scenarios())?,
            folders: all(own.into_iter().chain(given).collect())?,
            files: all([build_step, start_step].into_iter().flatten().cloned().collect())?,
        };
        if watched.folders.is_empty() && watched.files.is_empty() {
            let hint = "name the candidate by its files, or make a suite that can be changed: `wsgi-proof eject DIR`";
            return Err(Failure::usage(
                "nothing can change: images and the program's own suite stay as they are",
                Some(hint),
            ));
        }
        Ok(watched)
    }

    fn told(&self) -> String {
        let paths: Vec<String> =
            self.folders.iter().chain(&self.files).map(|path| path.display().to_string()).collect();
        paths.join(", ")
    }

    /// Which scenarios are concerned; `None` where nothing is.
    fn concerned(&self, seen: &Seen) -> Option<Concerned> {
        if seen.lost_count {
            return Some(Concerned::All);
        }
        let mut names = BTreeSet::new();
        for path in seen.paths.iter().filter(|path| !is_of_an_editor(path)) {
            match self.scenario(path) {
                Some(name) => {
                    names.insert(name);
                }
                None if self.folders.iter().any(|folder| path.starts_with(folder)) || self.files.contains(path) => {
                    return Some(Concerned::All);
                }
                // A neighbour of a file.
                None => {}
            }
        }
        (!names.is_empty()).then_some(Concerned::Scenarios(names))
    }

    /// The scenario that a path belongs to. What lies beside the scenarios concerns all of them.
    fn scenario(&self, path: &Path) -> Option<String> {
        let mut components = path.strip_prefix(&self.scenarios).ok()?.components();
        let Some(Component::Normal(name)) = components.next() else { return None };
        (components.next().is_some() || path.is_dir()).then(|| name.to_string_lossy().into_owned())
    }
}

fn is_of_an_editor(path: &Path) -> bool {
    path.file_name().is_some_and(|name| EDITORS.iter().any(|end| name.to_string_lossy().ends_with(end)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_concerns_its_scenario_or_all() {
        let path = PathBuf::from;
        let watched = Watched {
            scenarios: path("/s/scenarios"),
            folders: vec![path("/s/scenarios"), path("/s/images")],
            files: vec![path("/c/step")],
        };
        let concerned = |paths: &[&str]| {
            watched.concerned(&Seen { paths: paths.iter().map(PathBuf::from).collect(), lost_count: false })
        };
        let of = |names: &[&str]| Some(Concerned::Scenarios(names.iter().map(|name| (*name).to_owned()).collect()));
        assert_eq!(concerned(&["/s/scenarios/a/app/x", "/s/scenarios/b/scenario.toml"]), of(&["a", "b"]));
        assert_eq!(concerned(&["/s/scenarios/a/app/.x.swp", "/c/other", "/s/scenarios/a/4913"]), None);
        for all in ["/s/scenarios/contract.toml", "/s/images/base/Dockerfile", "/c/step", "/s/scenarios"] {
            assert_eq!(concerned(&["/s/scenarios/a/app/x", all]), Some(Concerned::All), "{all}");
        }
        assert_eq!(watched.concerned(&Seen { lost_count: true, ..Seen::default() }), Some(Concerned::All));
    }
}
