//! How a control is judged: by the clauses that it lists.

use std::collections::BTreeSet;

use crate::check::scope::Scope;
use crate::outcome::{At, CheckId, ClauseId, Finding, Level, Verdict, listed as words};
use crate::suite::control::Control;

/// The verdict of a scenario of a control, and the finding that says what is wrong with it: one that failed where it must is
/// *caught*; one that did not fail, or found other clauses broken, is a fail.
pub(super) fn hold(
    control: &Control,
    scenario: &str,
    at: &At,
    verdict: Verdict,
    findings: &[Finding],
) -> (Verdict, Option<Finding>) {
    let Some(listed) = control.fails.get(scenario) else { return (verdict, None) };
    if !matches!(verdict, Verdict::Pass | Verdict::Warn | Verdict::Fail) {
        return (verdict, None);
    }
    let broken: BTreeSet<ClauseId> = findings
        .iter()
        .filter(|finding| finding.is_broken() && finding.level == Level::Must)
        .flat_map(|finding| finding.clauses.iter().copied())
        .collect();
    if verdict == Verdict::Fail && broken == *listed {
        return (Verdict::Caught, None);
    }
    let got = if broken.is_empty() { "no clause broken".to_owned() } else { format!("{} broken", words(&broken)) };
    let finding = Scope::default().holds(CheckId::ControlListed, &control.name, at, || {
        Some((format!("{} broken, as the control lists", words(listed)), got))
    });
    // It speaks for what is listed.
    (Verdict::Fail, Some(Finding { clauses: listed.iter().copied().collect(), ..finding }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::samples::finding;

    fn judged(name: &str, verdict: Verdict, broken: &[(&str, Level)]) -> Verdict {
        let findings: Vec<Finding> = broken
            .iter()
            .map(|(clause, level)| Finding {
                level: *level,
                clauses: clause.parse().into_iter().collect(),
                ..finding(true)
            })
            .collect();
        let control = Control::sample("c", &[("a", "BUILD-1")]);
        let (verdict, said) = hold(&control, name, &finding(true).at, verdict, &findings);
        // A scenario that fails because of the control alone says so.
        assert!(said.is_none() || verdict == Verdict::Fail);
        verdict
    }

    #[test]
    fn what_fails_as_listed_is_caught() {
        let broken = [("BUILD-1", Level::Must), ("BUILD-2", Level::Should)];
        assert_eq!(judged("a", Verdict::Fail, &broken), Verdict::Caught);
    }

    #[test]
    fn anything_else_is_a_fail_or_stays_what_it_is() {
        assert_eq!(judged("a", Verdict::Pass, &[]), Verdict::Fail);
        assert_eq!(judged("a", Verdict::Fail, &[("BUILD-3", Level::Must)]), Verdict::Fail);
        assert_eq!(judged("a", Verdict::Error, &[]), Verdict::Error);
        assert_eq!(judged("a", Verdict::Skip, &[]), Verdict::Skip);
        assert_eq!(judged("b", Verdict::Fail, &[("BUILD-1", Level::Must)]), Verdict::Fail);
        assert_eq!(judged("b", Verdict::Pass, &[]), Verdict::Pass);
    }
}
