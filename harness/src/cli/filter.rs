//! Filters of scenarios: a part of a name, `=NAME`, or an expression such as `clause(BUILD-20) and not name(git)`.

use std::fmt;

use winnow::ascii::{multispace0, multispace1};
use winnow::combinator::{alt, cut_err, delimited, opt, peek, preceded, terminated};
use winnow::token::take_while;
use winnow::{ModalResult, Parser};

use crate::outcome::ClauseId;
use crate::suite::scenario::Scenario;

/// The longest expression, in bytes: each parenthesis is a call of its own.
const LONGEST: usize = 1000;

/// Which scenarios are meant.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Filter {
    One(Predicate),
    Not(Box<Self>),
    All(Box<Self>, Box<Self>),
    Any(Box<Self>, Box<Self>),
}

/// What is true of a scenario by itself, with the text that it was written as.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Predicate {
    text: String,
    kind: Kind,
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    NameHas(String),
    NameIs(String),
    Clause(ClauseId),
}

/// An expression that cannot be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum BadFilter {
    #[error("the filter `{text}` cannot be read from its character {place} on: `{rest}`")]
    Unreadable { text: String, place: usize, rest: String },
    #[error("the filter `{0}` ends too early")]
    Unfinished(String),
    #[error("a filter of more than {LONGEST} bytes")]
    TooLong,
}

impl Filter {
    /// Reads a filter. A text with a parenthesis is an expression: no scenario's name has one.
    ///
    /// # Errors
    /// When it is an expression that cannot be read.
    pub(super) fn read(text: &str) -> Result<Self, BadFilter> {
        if !text.contains(['(', ')']) {
            return Ok(Self::One(Predicate::of_name(text, text)));
        }
        if text.len() > LONGEST {
            return Err(BadFilter::TooLong);
        }
        terminated(any, multispace0).parse(text).map_err(|error| {
            let (read, rest) = text.split_at(error.offset());
            let text = text.to_owned();
            if rest.is_empty() {
                return BadFilter::Unfinished(text);
            }
            BadFilter::Unreadable { text, place: read.chars().count() + 1, rest: rest.to_owned() }
        })
    }

    pub(super) fn selects(&self, scenario: &Scenario) -> bool {
        match self {
            Self::One(predicate) => predicate.is_true_of(scenario),
            Self::Not(filter) => !filter.selects(scenario),
            Self::All(one, other) => one.selects(scenario) && other.selects(scenario),
            Self::Any(one, other) => one.selects(scenario) || other.selects(scenario),
        }
    }

    /// Each thing that it says of a scenario.
    pub(super) fn predicates(&self) -> Vec<&Predicate> {
        match self {
            Self::One(predicate) => vec![predicate],
            Self::Not(filter) => filter.predicates(),
            Self::All(one, other) | Self::Any(one, other) => [one.predicates(), other.predicates()].concat(),
        }
    }
}

impl Predicate {
    fn of_name(text: &str, name: &str) -> Self {
        let kind = match name.strip_prefix('=') {
            Some(exact) => Kind::NameIs(exact.to_owned()),
            None => Kind::NameHas(name.to_owned()),
        };
        Self { text: text.to_owned(), kind }
    }

    pub(super) fn is_true_of(&self, scenario: &Scenario) -> bool {
        match &self.kind {
            Kind::NameHas(part) => scenario.name.contains(part),
            Kind::NameIs(name) => scenario.name == *name,
            Kind::Clause(id) => scenario.proves.iter().any(|clause| clause.value == *id),
        }
    }

    /// Which command prints what it could say.
    pub(super) fn hint(&self) -> &'static str {
        match self.kind {
            Kind::NameHas(_) | Kind::NameIs(_) => "`wsgi-proof list` prints the names of all scenarios",
            Kind::Clause(_) => "`wsgi-proof contract` prints all clauses, with the scenarios that cover each",
        }
    }
}

impl fmt::Display for Predicate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn any(input: &mut &str) -> ModalResult<Filter> {
    let mut filter = all.parse_next(input)?;
    while opt(word("or")).parse_next(input)?.is_some() {
        filter = Filter::Any(Box::new(filter), Box::new(cut_err(all).parse_next(input)?));
    }
    Ok(filter)
}

fn all(input: &mut &str) -> ModalResult<Filter> {
    let mut filter = one.parse_next(input)?;
    while opt(word("and")).parse_next(input)?.is_some() {
        filter = Filter::All(Box::new(filter), Box::new(cut_err(one).parse_next(input)?));
    }
    Ok(filter)
}

fn one(input: &mut &str) -> ModalResult<Filter> {
    let negated = preceded(word("not"), cut_err(one)).map(|filter| Filter::Not(Box::new(filter)));
    let grouped = delimited('(', cut_err(any), cut_err(preceded(multispace0, ')')));
    preceded(multispace0, alt((negated, grouped, predicate.map(Filter::One)))).parse_next(input)
}

/// A word between operands, with what parts it from them.
fn word<'a>(word: &'static str) -> impl Parser<&'a str, &'a str, winnow::error::ErrMode<winnow::error::ContextError>> {
    delimited(multispace0, word, peek(alt((multispace1, "("))))
}

fn predicate(input: &mut &str) -> ModalResult<Predicate> {
    let inside = || delimited('(', cut_err(take_while(1.., |character| !matches!(character, '(' | ')'))), cut_err(')'));
    let name = ("name", inside()).with_taken().map(|((_, name), text)| Predicate::of_name(text, str::trim(name)));
    let id = |(_, id): (&str, &str)| id.trim().parse().ok().map(Kind::Clause);
    let clause = ("clause", inside()).verify_map(id).with_taken();
    let clause = clause.map(|(kind, text): (_, &str)| Predicate { text: text.to_owned(), kind });
    alt((name, clause)).parse_next(input)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::outcome::At;
    use crate::suite::scenario::tests::scenario;
    use crate::suite::scenario::{Declared, Subject};

    fn sample(name: &str, clauses: &[&str]) -> Scenario {
        let mut scenario = scenario(name, Subject::Application, true);
        let at = At { file: "x".into(), line: 1 };
        scenario.proves = clauses.iter().map(|id| Declared { value: id.parse().unwrap(), at: at.clone() }).collect();
        scenario
    }

    #[test]
    fn filters_select() {
        let scenario = sample("git-alone", &["BUILD-16", "BUILD-39"]);
        for (filter, due) in [
            ("git", true),
            ("=git", false),
            ("=git-alone", true),
            ("name(git)", true),
            ("name( =git-alone )", true),
            ("clause(BUILD-16)", true),
            ("clause(BUILD-1)", false),
            ("not clause(BUILD-1)", true),
            ("not(name(git))", false),
            ("not not name(git)", true),
            // `and` binds more strongly than `or`.
            ("name(git) or name(x) and name(x)", true),
            ("(name(git) or name(x)) and name(x)", false),
            (" clause(BUILD-39)and(not name(hg))  ", true),
        ] {
            assert_eq!(Filter::read(filter).unwrap().selects(&scenario), due, "{filter}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_told_with_its_place() {
        for (filter, place, rest) in [
            ("name()", 6, ")"),
            ("claus(BUILD-16)", 1, "claus(BUILD-16)"),
            ("clause(BUILD-0)", 1, "clause(BUILD-0)"),
            ("name(a) xor name(b)", 9, "xor name(b)"),
            ("name(\u{e4}) and nam(b)", 13, "nam(b)"),
            ("name(a))", 8, ")"),
            ("not_name(a)", 1, "not_name(a)"),
        ] {
            let (text, rest) = (filter.to_owned(), rest.to_owned());
            assert_eq!(Filter::read(filter), Err(BadFilter::Unreadable { text, place, rest }));
        }
        for filter in ["name(git", "name(a) and ", "(name(a) or name(b)", "not ("] {
            assert_eq!(Filter::read(filter), Err(BadFilter::Unfinished(filter.to_owned())));
        }
        assert_eq!(Filter::read(&"(".repeat(LONGEST + 1)), Err(BadFilter::TooLong));
        assert!(matches!(Filter::read(&"(".repeat(LONGEST)), Err(BadFilter::Unfinished(_))));
        assert!(matches!(Filter::read(&"\u{e4}(".repeat(9)), Err(BadFilter::Unreadable { .. })));
    }

    #[test]
    fn what_it_says_is_listed() {
        let filter = Filter::read("name(a) or not (clause(BUILD-1) and name(=b))").unwrap();
        let said: Vec<String> = filter.predicates().iter().map(ToString::to_string).collect();
        assert_eq!(said, ["name(a)", "clause(BUILD-1)", "name(=b)"]);
    }
}
