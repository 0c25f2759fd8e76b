//! Findings of which a candidate chooses the number: the first ones of a kind, and one for all the others.

use crate::outcome::{Finding, Outcome, Subject};

/// How many broken findings of a kind are kept.
const BROKEN: usize = 20;
/// How many that held. No scenario of the suite has as many.
const HELD: usize = 200;

/// Takes findings, and keeps few of each kind.
#[derive(Debug, Default)]
pub(crate) struct Few {
    kept: Vec<Finding>,
    kinds: Vec<Kind>,
}

/// Findings of one check, for the same clauses, that all held or all broke.
#[derive(Debug)]
struct Kind {
    first: Finding,
    count: usize,
}

impl Kind {
    fn most(&self) -> usize {
        if self.first.is_broken() { BROKEN } else { HELD }
    }

    fn has(&self, one: &Finding) -> bool {
        let of = |finding: &Finding| (finding.id, finding.level, finding.stage, finding.is_broken());
        of(&self.first) == of(one) && self.first.clauses == one.clauses
    }

    /// The finding that stands for those that were not kept.
    fn others(self) -> Option<Finding> {
        let others = self.count.checked_sub(self.most()).filter(|others| *others > 0)?;
        let outcome = match self.first.outcome {
            Outcome::Held => Outcome::Held,
            Outcome::Broken { expected, .. } => {
                Outcome::Broken { expected, got: format!("{others} more of these checks found otherwise") }
            }
        };
        Some(Finding { subject: Subject::from(format!("{others} more")), outcome, ..self.first })
    }
}

impl Few {
    /// What was kept, and what stands for the others.
    pub(crate) fn finish(mut self) -> Vec<Finding> {
        self.kept.extend(self.kinds.into_iter().filter_map(Kind::others));
        self.kept
    }
}

impl Extend<Finding> for Few {
    fn extend<I: IntoIterator<Item = Finding>>(&mut self, findings: I) {
        for finding in findings {
            let known = self.kinds.iter().position(|kind| kind.has(&finding));
            let index = known.unwrap_or_else(|| {
                self.kinds.push(Kind { first: finding.clone(), count: 0 });
                self.kinds.len() - 1
            });
            let kind = &mut self.kinds[index];
            kind.count += 1;
            if kind.count <= kind.most() {
                self.kept.push(finding);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::samples::{at, scope};
    use crate::outcome::CheckId;

    fn of(broken: usize, held: usize) -> Vec<Finding> {
        let mut few = Few::default();
        for number in 0..broken + held {
            let broken = (number < broken).then(|| ("it".to_owned(), "none".to_owned()));
            few.extend([scope().holds(CheckId::RequirementInstalled, format!("n{number}"), &at(1), || broken)]);
        }
        few.finish()
    }

    #[test]
    fn few_are_all_kept() {
        assert_eq!(of(BROKEN, HELD).len(), BROKEN + HELD);
    }

    #[test]
    fn of_many_one_speaks_for_the_others() {
        let findings = of(60_000, 70_000);
        assert_eq!(findings.len(), BROKEN + HELD + 2);
        let broken: Vec<String> = findings.iter().filter(|one| one.is_broken()).map(Finding::check).collect();
        assert_eq!((broken.len(), broken.last().map(String::as_str)), (BROKEN + 1, Some("59980 more installed")));
        assert_eq!(findings.last().map(Finding::check).as_deref(), Some("69800 more installed"));
    }
}
