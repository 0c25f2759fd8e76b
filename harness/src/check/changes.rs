//! What a container changed in its file system.

use std::fmt;

use super::evidence::{Change, ChangeKind};
use super::scope::Scope;
use super::text::printable;
use crate::outcome::{CheckId, Finding};
use crate::suite::scenario::Declared;

/// How many changes a finding names.
const SHOWN: usize = 10;

/// Checks that nothing was changed at or below these paths: a finding for each.
pub(crate) fn check(scope: &Scope, unchanged: &[Declared<String>], changes: &[Change]) -> Vec<Finding> {
    let findings = unchanged.iter().map(|path| {
        scope.holds(CheckId::PathUnchanged, printable(&path.value), &path.at, || {
            let found: Vec<_> = changes.iter().filter(|change| is_at_or_below(&change.path, &path.value)).collect();
            if found.is_empty() {
                return None;
            }
            let mut got: Vec<_> = found.iter().take(SHOWN).map(ToString::to_string).collect();
            if found.len() > SHOWN {
                got.push(format!("and {} more", found.len() - SHOWN));
            }
            Some((format!("the container to change nothing at or below {}", printable(&path.value)), got.join(", ")))
        })
    });
    findings.collect()
}

fn is_at_or_below(path: &str, folder: &str) -> bool {
    match path.strip_prefix(folder) {
        Some(rest) => rest.is_empty() || rest.starts_with('/') || folder == "/",
        None => false,
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            ChangeKind::Added => "added",
            ChangeKind::Changed => "changed",
            ChangeKind::Removed => "removed",
        };
        write!(f, "{kind} {}", printable(&self.path))
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{broken, declared, held, scope};
    use super::*;

    fn change(kind: ChangeKind, path: &str) -> Change {
        Change { kind, path: path.to_owned() }
    }

    #[test]
    fn changes_elsewhere_hold() {
        let changes = [change(ChangeKind::Changed, "/"), change(ChangeKind::Added, "/application/x")];
        assert_eq!(held(&check(&scope(), &[declared("/app".to_owned()), declared("/etc".to_owned())], &changes)), 2);
    }

    #[test]
    fn changes_at_or_below_break() {
        let changes = [change(ChangeKind::Changed, "/app"), change(ChangeKind::Added, "/app/x\u{1b}")];
        assert_eq!(
            broken(&check(&scope(), &[declared("/app".to_owned())], &changes)),
            ("/app unchanged", "the container to change nothing at or below /app", "changed /app, added /app/x\\u{1b}")
        );
        assert!(check(&scope(), &[declared("/".to_owned())], &changes)[0].is_broken());
    }

    #[test]
    fn many_changes_are_counted() {
        let changes: Vec<_> = (0..12).map(|index| change(ChangeKind::Removed, &format!("/app/{index}"))).collect();
        let findings = check(&scope(), &[declared("/app".to_owned())], &changes);
        assert!(broken(&findings).2.ends_with("removed /app/9, and 2 more"));
    }
}
