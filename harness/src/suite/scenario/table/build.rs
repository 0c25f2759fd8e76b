//! `[build]`: what the build must come to.

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::suite::scenario::Declared;
use crate::suite::scenario::pattern::Purpose;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;

/// What the build must come to.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct BuildTable {
    /// How it must end.
    pub(crate) outcome: Typed<OutcomeKey>,
    /// The phase that must fail.
    pub(crate) phase: Option<Typed<Phase>>,
    /// The exit code of the build step that fails, 1 to 255.
    pub(crate) exit_code: Option<Typed<i64>>,
    /// Instead of `exit_code`: several, of which it must be one.
    pub(crate) exit_codes: Option<Typed<Vec<i64>>>,
    /// Instead of `exit_code`: `true` for any but 0.
    pub(crate) nonzero: Option<Typed<bool>>,
    /// Instead of `exit_code`: the signal that ends the program which fails. The build step may end with any exit code but 0, and
    /// stubs end by this signal.
    pub(crate) signal: Option<Typed<Signal>>,
    /// A regular expression for a line that the failing phase logs, or with `either` for any line.
    pub(crate) because: Option<Typed<String>>,
    /// The phases that must announce themselves with their progress lines, exactly and in this order. Progress lines are a
    /// SHOULD: one that is missing or worded otherwise is a warning.
    pub(crate) phases: Option<Typed<Vec<Phase>>>,
    /// Regular expressions for lines that the log should have, in any order; one that is not there is a warning.
    #[serde(default)]
    pub(crate) should_log: Vec<Typed<String>>,
    /// Regular expressions for lines that the log must have, in this order.
    #[serde(default)]
    pub(crate) log: Vec<Typed<String>>,
    /// As `log`, in an order of their own: lines that take the real pip, apt, git and the like, for which the contract tier has
    /// stubs.
    #[serde(default)]
    pub(crate) tool_log: Vec<Typed<String>>,
    /// Regular expressions for lines that the log must not have.
    #[serde(default)]
    pub(crate) log_absent: Vec<Typed<String>>,
}

/// How the build must end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum OutcomeKey {
    /// The image must be built.
    Success,
    /// The build step must fail: `phase`, `exit_code` and `because` say how.
    Failure,
    /// The image must be built with the lines of `log`, or the build step must fail with that of `because`.
    Either,
}

/// A signal that ends a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub(crate) enum Signal {
    /// No program can catch it.
    Kill,
    /// What `kill` sends.
    Term,
    /// A fault of the program's own.
    Segv,
}

impl Signal {
    /// Its number, on Linux.
    pub(crate) fn number(self) -> u8 {
        match self {
            Self::Kill => 9,
            Self::Term => 15,
            Self::Segv => 11,
        }
    }

    /// Its name, as `kill` has it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Kill => "KILL",
            Self::Term => "TERM",
            Self::Segv => "SEGV",
        }
    }
}

/// A phase of the build step, in the order of the article.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Phase {
    /// The `pre-build` hook.
    PreBuild,
    /// The installation of git.
    Git,
    /// The installation of Mercurial.
    Mercurial,
    /// The installation of the requirements.
    Pip,
    /// The `build` hook.
    Build,
}

/// What the build must come to.
#[derive(Debug, Clone)]
pub(crate) struct BuildExpectation {
    /// How it must end.
    pub outcome: Declared<BuildOutcome>,
    /// The folders that progress lines may name: the dialect's.
    pub folders: &'static [&'static str],
    /// The phases that should announce themselves, exactly and in this order.
    pub phases: Option<Declared<Vec<Phase>>>,
    /// Lines that the log should have, in any order.
    pub should_log: Vec<Declared<Regex>>,
    /// Lines that the log must have, in this order.
    pub log: Vec<Declared<Regex>>,
    /// Lines of the real tools, in an order of their own.
    pub tool_log: Vec<Declared<Regex>>,
    /// Lines that the log must not have.
    pub log_absent: Vec<Declared<Regex>>,
}

/// How the build must end.
#[derive(Debug, Clone)]
pub(crate) enum BuildOutcome {
    /// The image must be built.
    Success,
    /// The build step must fail, for this reason and no other.
    Failure {
        /// The phase that must fail.
        phase: Declared<Phase>,
        exit_code: Declared<FailureCode>,
        /// A line that the failing phase must log.
        because: Declared<Regex>,
    },
    /// Both will do: the image with the lines of the log, or a build step that fails for this reason.
    Either {
        /// A line that a build step which fails must log.
        because: Declared<Regex>,
    },
}

/// The exit code of a build step that must fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum FailureCode {
    OneOf(Vec<i64>),
    /// Any but 0.
    NonZero,
    /// Any but 0, since a signal ends what fails.
    OfSignal(Signal),
}

pub(super) fn resolve(resolver: &mut Resolver<'_>, build: &Typed<BuildTable>) -> Option<BuildExpectation> {
    let table = build.get();
    let (log, log_absent) = resolver.lines(&table.log, &table.log_absent);
    let outcome = match table.outcome.get() {
        OutcomeKey::Success => {
            let phase = table.phase.as_ref().map(|typed| ("phase", typed.span()));
            let exit_code = table.exit_code.as_ref().map(|typed| ("exit_code", typed.span()));
            let exit_codes = table.exit_codes.as_ref().map(|typed| ("exit_codes", typed.span()));
            let nonzero = table.nonzero.as_ref().map(|typed| ("nonzero", typed.span()));
            let signal = table.signal.as_ref().map(|typed| ("signal", typed.span()));
            let because = table.because.as_ref().map(|typed| ("because", typed.span()));
            for (key, span) in [phase, exit_code, exit_codes, nonzero, signal, because].into_iter().flatten() {
                resolver
                    .fault(span, format!("`{key}` of a build that must succeed"))
                    .label("only for `outcome = \"failure\"`");
            }
            BuildOutcome::Success
        }
        OutcomeKey::Failure => {
            for (key, missing) in [
                ("phase", table.phase.is_none()),
                ("exit_code", !table.says_how_it_ends()),
                ("because", table.because.is_none()),
            ] {
                if missing {
                    resolver
                        .fault(table.outcome.span(), format!("a build that must fail has no `{key}`"))
                        .label(format!("needs `{key}`"))
                        .advice("a failure is named by its phase, its exit code and a line of that phase's log");
                }
            }
            let exit_code = failure_code(resolver, table);
            let because = resolver.optional(table.because.as_ref(), Purpose::Line);
            let phase = table.phase.as_ref().map(|typed| resolver.declared(typed, *typed.get()));
            BuildOutcome::Failure { phase: phase?, exit_code: exit_code?, because: because? }
        }
        OutcomeKey::Either => {
            if table.because.is_none() || table.log.is_empty() {
                resolver
                    .fault(table.outcome.span(), "`either` without `because` and `log`")
                    .advice("`log` says what a build that succeeds logs, and `because` what one that fails does");
            }
            BuildOutcome::Either { because: resolver.optional(table.because.as_ref(), Purpose::Line)? }
        }
    };
    Some(BuildExpectation {
        outcome: resolver.declared(&table.outcome, outcome),
        folders: resolver.cell().dialect.folders(),
        phases: table.phases.as_ref().map(|typed| resolver.declared(typed, typed.get().clone())),
        should_log: resolver.patterns(&table.should_log, Purpose::Line),
        log,
        tool_log: resolver.patterns(&table.tool_log, Purpose::Line),
        log_absent,
    })
}

impl BuildTable {
    fn says_how_it_ends(&self) -> bool {
        let has_code = self.exit_code.is_some() || self.exit_codes.is_some();
        has_code || self.nonzero.is_some() || self.signal.is_some()
    }
}

fn failure_code(resolver: &mut Resolver<'_>, table: &BuildTable) -> Option<Declared<FailureCode>> {
    if let Some(signal) = &table.signal {
        if table.exit_code.is_some() || table.exit_codes.is_some() || table.nonzero.is_some() {
            resolver.fault(signal.span(), "`signal` beside an exit code").label("one of the two says it all");
        }
        return Some(resolver.declared(signal, FailureCode::OfSignal(*signal.get())));
    }
    if let Some(nonzero) = &table.nonzero {
        if !nonzero.get() {
            resolver.fault(nonzero.span(), "`nonzero = false` says nothing").advice("leave it out");
        }
        if table.exit_code.is_some() || table.exit_codes.is_some() {
            resolver.fault(nonzero.span(), "`nonzero` beside `exit_code`").label("one of the two says it all");
        }
        return Some(resolver.declared(nonzero, FailureCode::NonZero));
    }
    let Some(several) = &table.exit_codes else {
        let one = table.exit_code.as_ref().and_then(|typed| resolver.exit_code(typed, 1))?;
        return Some(Declared { value: FailureCode::OneOf(vec![one.value]), at: one.at });
    };
    if table.exit_code.is_some() {
        resolver.fault(several.span(), "`exit_codes` beside `exit_code`").advice("keep one of the two");
    }
    if several.get().len() < 2 || !several.get().iter().all(|code| (1..=255).contains(code)) {
        resolver.fault(several.span(), "`exit_codes` are not several exit codes").label("two or more of 1 to 255");
        return None;
    }
    Some(resolver.declared(several, FailureCode::OneOf(several.get().clone())))
}
