//! Verdicts of scenarios.

use super::fault::Fault;
use super::finding::Finding;
use super::level::Level;

/// What a scenario came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Verdict {
    Pass,
    /// Every MUST held, but a SHOULD did not.
    Warn,
    /// A control broke the contract where it must.
    Caught,
    /// The candidate broke the contract.
    Fail,
    /// Inconclusive: engine, network, disk.
    Error,
    /// Not run, for a stated reason.
    Skip,
}

impl Verdict {
    /// The verdict that findings and a fault lead to. A fault outranks what was seen: evidence gathered while the
    /// suite itself was failing proves nothing, in either direction. No assertion at all is never a pass. A broken SHOULD
    /// is a warning, and where the run is `strict` a fail.
    pub(crate) fn of(findings: &[Finding], fault: Option<&Fault>, strict: bool) -> Self {
        let mut broken = findings.iter().filter(|finding| finding.is_broken()).peekable();
        if fault.is_some() || findings.is_empty() {
            Self::Error
        } else if broken.peek().is_some() {
            if strict || broken.any(|finding| finding.level == Level::Must) { Self::Fail } else { Self::Warn }
        } else {
            Self::Pass
        }
    }

    /// The word that reports use.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Warn => "warn",
            Self::Caught => "caught",
            Self::Fail => "fail",
            Self::Error => "error",
            Self::Skip => "skip",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::samples::finding;

    #[test]
    fn a_fault_is_never_a_pass_nor_a_fail() {
        let fault = Fault { what: "the engine is gone".into(), hint: None };
        assert_eq!(Verdict::of(&[finding(true)], Some(&fault), false), Verdict::Error);
        assert_eq!(Verdict::of(&[finding(false)], Some(&fault), false), Verdict::Error);
    }

    #[test]
    fn findings_decide_otherwise() {
        assert_eq!(Verdict::of(&[finding(false), finding(true)], None, false), Verdict::Fail);
        assert_eq!(Verdict::of(&[finding(false)], None, true), Verdict::Pass);
        assert_eq!(Verdict::of(&[], None, false), Verdict::Error);
    }

    #[test]
    fn a_broken_should_is_a_warning_unless_the_run_is_strict() {
        let should = |broken| Finding { level: Level::Should, ..finding(broken) };
        assert_eq!(Verdict::of(&[finding(false), should(true)], None, false), Verdict::Warn);
        assert_eq!(Verdict::of(&[finding(false), should(true)], None, true), Verdict::Fail);
        assert_eq!(Verdict::of(&[finding(true), should(true)], None, false), Verdict::Fail);
        assert_eq!(Verdict::of(&[should(false)], None, true), Verdict::Pass);
    }
}
