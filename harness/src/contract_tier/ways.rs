//! How what is asked for was installed. A candidate chooses how much that is, so that nothing is compared one by one.

use std::collections::{BTreeMap, BTreeSet};

use super::requirements::{Requirement, Source};
use super::stub::record::{Call, Effect, Installed};

/// What the one installed and the one asked for have in common. A version may have come from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Same<'a> {
    Project { name: &'a str, editable: bool },
    Other { source: &'a Source, editable: bool },
}

impl<'a> Same<'a> {
    pub(super) fn of(requirement: &'a Requirement) -> Self {
        let editable = requirement.editable;
        match &requirement.source {
            Source::Index { name, .. } => Self::Project { name, editable },
            source => Self::Other { source, editable },
        }
    }
}

/// How a requirement was installed.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Way<'a> {
    /// The first one that an application finds.
    pub found: Option<&'a Installed>,
    /// The first option that put one elsewhere.
    pub elsewhere: Option<&'a str>,
}

/// How each was installed.
pub(super) fn ways<'a>(installed: &[(usize, &'a Installed)]) -> BTreeMap<Same<'a>, Way<'a>> {
    let mut ways: BTreeMap<Same<'a>, Way<'a>> = BTreeMap::new();
    for (_, one) in installed {
        let way = ways.entry(Same::of(&one.requirement)).or_default();
        match &one.elsewhere {
            None => way.found = way.found.or(Some(one)),
            Some(option) => way.elsewhere = way.elsewhere.or(Some(option)),
        }
    }
    ways
}

/// What was installed and stays, each with the place of its call, and what pip took away afterwards.
pub(super) fn stays<'a>(
    installed: &[(usize, &'a Installed)],
    calls: &[Call],
) -> (Vec<(usize, &'a Installed)>, BTreeSet<Same<'a>>) {
    let gone = uninstalled(calls);
    let (gone, stays): (Vec<(usize, &'a Installed)>, _) = installed.iter().copied().partition(|(place, one)| {
        let last = project(&one.requirement).and_then(|name| gone.get(name));
        last.is_some_and(|last| last > place)
    });
    (stays, gone.into_iter().map(|(_, one)| Same::of(&one.requirement)).collect())
}

/// The projects that pip took away, each with the place of the last call that did.
fn uninstalled(calls: &[Call]) -> BTreeMap<&str, usize> {
    let names = calls.iter().enumerate().flat_map(|(index, call)| match &call.effect {
        Effect::Uninstalled(names) => names.iter().map(move |name| (name.as_str(), index)).collect::<Vec<_>>(),
        _ => Vec::new(),
    });
    names.collect()
}

/// The name of a requirement's project, where it is known.
pub(super) fn project(requirement: &Requirement) -> Option<&str> {
    match &requirement.source {
        Source::Index { name, .. } | Source::Repository { name, .. } => Some(name),
        Source::Archive { name, .. } => name.as_deref(),
        Source::Path(_) | Source::Foreign { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::samples::{at, scope};
    use crate::contract_tier::calls::{self, Asked, Remains};
    use crate::contract_tier::stub::record::Tool;
    use crate::outcome::Finding;
    use crate::suite::dialect::Dialect;

    fn requirement(name: &str, pinned: Option<&str>, editable: bool) -> Requirement {
        let source = Source::Index { name: name.to_owned(), pinned: pinned.map(str::to_owned) };
        Requirement {
            source,
            editable,
            marked: false,
            direct: true,
            usual_case: true,
            hashed: false,
            names_pre_release: false,
        }
    }

    fn installed(requirement: Requirement, elsewhere: Option<&str>) -> Installed {
        let elsewhere = elsewhere.map(str::to_owned);
        Installed { requirement, fresh: true, checkout: None, elsewhere, less: Vec::new(), pre_release: false }
    }

    fn call(effect: Effect) -> Call {
        Call {
            tool: Tool::Pip,
            arguments: Vec::new(),
            folder: "/app".into(),
            user: 0,
            process: 2,
            environment: BTreeMap::new(),
            effect,
            exit_code: 0,
            hides: None,
            deaf: false,
        }
    }

    #[test]
    fn what_is_uninstalled_stays_where_it_is_installed_again() {
        let one = |name| installed(requirement(name, None, false), None);
        let projects = [one("six"), one("six"), one("seven")];
        let installed = [(0, &projects[0]), (2, &projects[1]), (0, &projects[2])];
        let calls = [Effect::None, Effect::Uninstalled(vec!["six".to_owned()]), Effect::None].map(call);
        assert_eq!(stays(&installed, &calls).0, [(2, &projects[1]), (0, &projects[2])]);
        let (stay, gone) = stays(&installed[..1], &calls);
        assert!(stay.is_empty() && gone.contains(&Same::of(&projects[0].requirement)));
    }

    #[test]
    fn the_first_that_is_found_counts_whatever_its_version() {
        let projects = [
            installed(requirement("six", None, false), Some("--target")),
            installed(requirement("six", Some("1.0"), false), None),
            installed(requirement("six", Some("2.0"), false), None),
        ];
        let all: Vec<(usize, &Installed)> = projects.iter().map(|one| (0, one)).collect();
        let ways = ways(&all);
        let wanted = requirement("six", Some("3.0"), false);
        let way = ways.get(&Same::of(&wanted)).copied().unwrap_or_default();
        assert_eq!((way.found, way.elsewhere), (Some(&projects[1]), Some("--target")));
        for other in [requirement("six", None, true), requirement("seven", None, false)] {
            assert!(!ways.contains_key(&Same::of(&other)));
        }
    }

    /// One by one, there would be more than a billion to compare, each with words for all: that does not end.
    #[test]
    fn many_that_are_missing_are_told_in_few_words() {
        let asked = |requirements| Asked {
            at: at(1),
            dialect: Dialect::Docker,
            requirements: Some(requirements),
            mentioned: Vec::new(),
            setup_py: false,
            came_with_requirements: true,
            changed_requirements: true,
            has_pre_build_hook: false,
            pre_releases: false,
        };
        let many = |prefix: &str, count: usize| -> Vec<Requirement> {
            (0..count).map(|index| requirement(&format!("{prefix}{index}"), None, false)).collect()
        };
        let call = call(Effect::Projects(many("m", 20_000).into_iter().map(|one| installed(one, None)).collect()));
        let findings = calls::succeeded(&scope(), &asked(many("n", 60_000)), &[call], &Remains::default());
        let broken: Vec<&Finding> = findings.iter().filter(|one| one.is_broken()).collect();
        assert_eq!(broken.len(), 21);
        assert!(format!("{broken:?}").len() < 100_000);
    }
}
