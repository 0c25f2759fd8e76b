//! Candidates and filters of scenarios, which stand side by side on a command line.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::cli::arguments::{CandidateSelectArgs, SelectArgs};
use crate::run::tally::ExitCode;

/// What a command line names.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Chosen {
    /// The folders of candidates.
    pub(super) folders: Vec<PathBuf>,
    /// The filters, those of `--only` after the others.
    pub(super) filters: Vec<String>,
    /// Whether one of the filters may be a folder that is missing.
    doubtful: bool,
}

impl Chosen {
    /// Tells folders from filters: what is there is a candidate, and so is what has a `/`, which no name of a scenario has.
    pub(super) fn of(arguments: &CandidateSelectArgs) -> Self {
        let mut chosen = Self { folders: Vec::new(), filters: Vec::new(), doubtful: false };
        for word in &arguments.named {
            match word.to_str().filter(|_| !is_folder(word)) {
                Some(filter) => chosen.filters.push(filter.to_owned()),
                None => chosen.folders.push(PathBuf::from(word)),
            }
        }
        chosen.doubtful = !chosen.filters.is_empty();
        chosen.filters.extend(arguments.only.iter().cloned());
        chosen
    }

    pub(super) fn select(&self) -> SelectArgs {
        SelectArgs::of(self.filters.clone())
    }

    /// Why filters select nothing: a folder that is not there would be one, too.
    pub(super) fn explained(&self, failure: Failure) -> Failure {
        if failure.code == ExitCode::NothingSelected && self.doubtful {
            failure.and_hint("what is not a folder here is a filter: a folder may be misspelt, or be elsewhere")
        } else {
            failure
        }
    }
}

fn is_folder(word: &OsStr) -> bool {
    // A link that leads nowhere is there, too: it is refused when it is opened.
    word.as_encoded_bytes().contains(&b'/') || Path::new(word).symlink_metadata().is_ok()
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::cli::arguments::StepFileArgs;

    fn chosen(named: &[&str], only: &[&str]) -> Chosen {
        Chosen::of(&CandidateSelectArgs {
            named: named.iter().map(OsString::from).collect(),
            only: only.iter().map(ToString::to_string).collect(),
            files: StepFileArgs { build_step: None, start_step: None },
        })
    }

    #[test]
    fn what_is_there_or_has_a_slash_is_a_folder_and_all_else_a_filter() {
        // Tests run in the package's own folder.
        let chosen = chosen(&["src", "=hello-wsgi", "no/such", ".", "clause(BUILD-20) and not name(git)"], &["src"]);
        assert_eq!(chosen.folders, ["src", "no/such", "."].map(PathBuf::from));
        assert_eq!(chosen.filters, ["=hello-wsgi", "clause(BUILD-20) and not name(git)", "src"]);
    }

    #[test]
    fn only_a_word_by_position_can_be_a_folder_that_is_missing() {
        let nothing = || Failure::new(ExitCode::NothingSelected, &"nothing", None);
        assert!(chosen(&["mystep"], &[]).explained(nothing()).text.contains("may be misspelt"));
        assert!(!chosen(&["src"], &["mystep"]).explained(nothing()).text.contains("hint"));
        assert!(!chosen(&["mystep"], &[]).explained(Failure::usage("bad", None)).text.contains("hint"));
    }
}
