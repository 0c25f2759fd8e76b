//! The commands that do a part of a run again: all that was given and changes what comes of it.

use super::candidates::options;
use crate::cli::arguments::{CandidateArgs, CellArgs, FolderArgs, FuzzArgs, RunArgs, StructureArgs};
use crate::host::carried;
use crate::suite::tier::Tier;

/// The command that repeats a run; the scenario and its cell follow.
pub(super) fn reproduce(arguments: &RunArgs) -> String {
    let RunArgs {
        // The scenario is named in their place.
        select: _,
        last_failed: _,
        watch: _,
        bundle,
        cells: _,
        builders: _,
        folders: FolderArgs { suite, cache: _ },
        tier,
        strict,
        candidate,
        structure: StructureArgs { files, on },
        offline,
        reach,
        limits,
        repeat,
        until_fail,
        keep: _,
        // These change how a run goes, not what comes of a scenario.
        run_seconds: _,
        jobs: _,
        format: _,
        report: _,
        shard: _,
        plan: _,
        write_lock: _,
    } = arguments;
    let mut words = Words::new("run");
    match bundle {
        // It has both, and they are nowhere else.
        Some(bundle) => words.option("--bundle", Some(bundle.display().to_string())),
        None => {
            words.option("--suite", suite.as_ref().map(|path| path.display().to_string()));
            for (option, value) in options(candidate) {
                words.option(option, Some(value));
            }
        }
    }
    for file in files {
        words.option("--structure-test", Some(file.display().to_string()));
    }
    words.option("--on", (!files.is_empty()).then(|| on.clone()));
    match tier {
        Tier::Contract => words.option("--tier", Some(tier.to_string())),
        // Whoever does it again wants to see what is left.
        Tier::Image => words.flag("--keep", true),
    }
    words.flag("--strict", *strict);
    words.flag("--offline", *offline);
    words.option("--engine", reach.engine.clone());
    for limit in limits {
        words.option("--limit", Some(limit.to_string()));
    }
    words.option("--repeat", (*repeat > 1).then(|| repeat.to_string()));
    words.flag("--until-fail", *repeat > 1 && *until_fail);
    words.text()
}

/// The command that tries a candidate with one generated application again; `tested` are the arguments that name the candidate.
pub(super) fn reproduce_case(arguments: &FuzzArgs, seed: u64, case: u64, tested: &[String]) -> String {
    let FuzzArgs {
        candidate: CandidateArgs { .. },
        folders: FolderArgs { suite, cache: _ },
        cells: cells @ CellArgs { variant, dialect: _ },
        count: _,
        seed: _,
        case: _,
        write: _,
        all: _,
        strict,
        jobs: _,
        offline,
        // In sandboxes an engine has no part.
        reach: _,
    } = arguments;
    let mut words = Words::new("fuzz");
    words.option("--suite", suite.as_ref().map(|path| path.display().to_string()));
    words.option("--variant", Some(variant.join(",")));
    let dialects: Vec<String> = cells.dialects().iter().map(ToString::to_string).collect();
    words.option("--dialect", Some(dialects.join(",")));
    words.flag("--strict", *strict);
    words.flag("--offline", *offline);
    words.option("--seed", Some(seed.to_string()));
    words.option("--case", Some(case.to_string()));
    for word in tested {
        words.0.push(quoted(word));
    }
    words.text()
}

/// The words of a command, as a shell reads them.
struct Words(Vec<String>);

impl Words {
    fn new(command: &str) -> Self {
        // A program that carries its suite is not one of a checkout.
        let program = if carried::digest().is_some() { "wsgi-proof" } else { "cargo run --" };
        Self(vec![program.to_owned(), command.to_owned()])
    }

    fn flag(&mut self, flag: &str, given: bool) {
        self.0.extend(given.then(|| flag.to_owned()));
    }

    fn option(&mut self, option: &str, value: Option<String>) {
        self.0.extend(value.map(|value| format!("{option} {}", quoted(&value))));
    }

    fn text(self) -> String {
        self.0.join(" ")
    }
}

/// A word that a shell reads as it is.
pub(super) fn quoted(word: &str) -> String {
    let plain = |character: char| character.is_ascii_alphanumeric() || "-_./:=@%+,".contains(character);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::arguments::{Cli, Command};

    fn again(words: &str) -> String {
        let Some(Command::Run(arguments)) = Cli::parse_from(words.split(' ')).command else { panic!("not a run") };
        reproduce(&arguments)
    }

    #[test]
    fn what_changes_the_result_is_given_again() {
        assert_eq!(again("wsgi-proof run --jobs 3 --report out hook"), "cargo run -- run --keep");
        assert_eq!(
            again(
                "wsgi-proof run --suite my/suite --strict --limit processes=9 --steps a --offline --repeat 3 --until-fail"
            ),
            "cargo run -- run --suite my/suite --steps a --keep --strict --offline --limit processes=9 --repeat 3 --until-fail"
        );
        assert_eq!(again("wsgi-proof run --engine ssh://h"), "cargo run -- run --keep --engine ssh://h");
        assert_eq!(
            again("wsgi-proof run --tier contract --control requirements-first"),
            "cargo run -- run --control requirements-first --tier contract"
        );
    }

    #[test]
    fn words_are_quoted_where_a_shell_would_split_them() {
        assert_eq!(quoted("a b"), "'a b'");
        assert_eq!(quoted("it's"), "'it'\\''s'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_generated_application_is_named_with_the_cells_that_it_was_taken_from() {
        let words = "wsgi-proof fuzz --variant python-2.7,python-3.9 --dialect all --strict";
        let Some(Command::Fuzz(arguments)) = Cli::parse_from(words.split(' ')).command else { panic!("no fuzz") };
        assert_eq!(
            reproduce_case(&arguments, 7, 12, &["my step".to_owned()]),
            "cargo run -- fuzz --variant python-2.7,python-3.9 --dialect docker,whiskey --strict --seed 7 --case 12 'my step'"
        );
    }
}
