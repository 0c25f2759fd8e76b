//! The phases of the build step, as its progress lines announce them.

use crate::suite::scenario::Phase;

const ARROW: &str = "-----> ";
/// What a time has beside digits.
const TIME: &str = "[]()-+:.,TZ ";

/// The phase that a line of the log announces.
///
/// The line must be the article's, to the letter; only the space before the arrow and at the end is of no account, and a time
/// at the beginning. A hook may be in any of the dialect's `folders`.
pub(crate) fn announced(line: &str, folders: &[&str]) -> Option<Phase> {
    let (before, said) = line.trim().split_once(ARROW)?;
    if !before.chars().all(|c| c.is_ascii_digit() || TIME.contains(c)) {
        return None;
    }
    match said {
        "Installing git" => Some(Phase::Git),
        "Installing mercurial" => Some(Phase::Mercurial),
        "Installing dependencies with pip" => Some(Phase::Pip),
        _ => {
            let place = said.strip_prefix("Running ")?;
            match folders.iter().find_map(|folder| place.strip_prefix(folder))? {
                "/action_hooks/pre-build" => Some(Phase::PreBuild),
                "/action_hooks/build" => Some(Phase::Build),
                _ => None,
            }
        }
    }
}

/// The phases that a log announces, each with the index of its line. Of a failed build, the last is the one that failed:
/// its lines are those from its announcement to the end.
pub(crate) fn phases(log: &[String], folders: &[&str]) -> Vec<(Phase, usize)> {
    log.iter().enumerate().filter_map(|(index, line)| Some((announced(line, folders)?, index))).collect()
}

/// A phase's name, as scenario files write it.
pub(crate) fn name(phase: Phase) -> &'static str {
    match phase {
        Phase::PreBuild => "pre-build",
        Phase::Git => "git",
        Phase::Mercurial => "mercurial",
        Phase::Pip => "pip",
        Phase::Build => "build",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_each_phase_where_it_is_announced() {
        let log: Vec<String> = [
            "Step 4/4 : RUN mod_wsgi-docker-build",
            " -----> Running .docker/action_hooks/pre-build",
            "-----> Installing git ",
            " -----> Installing mercurial",
            "Collecting django",
            " -----> Installing dependencies with pip",
            " -----> Running .docker/action_hooks/build",
            " -----> Running .docker/action_hooks/build-more",
            "he said -----> Installing git",
            " -----> Running .whiskey/action_hooks/build",
        ]
        .map(str::to_owned)
        .to_vec();
        let expected =
            [(Phase::PreBuild, 1), (Phase::Git, 2), (Phase::Mercurial, 3), (Phase::Pip, 5), (Phase::Build, 6)];
        assert_eq!(phases(&log, &[".docker"]), expected);
        assert_eq!(phases(&log, &[".whiskey", ".docker"]).last(), Some(&(Phase::Build, 9)));
    }
}
