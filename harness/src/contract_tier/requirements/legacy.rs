//! Requirements by name as pip before 10 takes them apart, which is laxer with versions and stricter with names.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::address::Parts;
use super::marker::{Applies, Evaluation, Operand};
use super::named::{Bad, DEEPEST, DEV, HEAD, LOCAL, Named, POST, versions};
use super::pip::Pip;

const PRE: &str = "(?:[-_.]?(?:a|b|c|rc|alpha|beta|pre|preview)[-_.]?[0-9]*)?";
/// `\s` of Python 2, whose patterns are of ASCII.
const SPACE: &str = r"[ \t\n\r\x0b\x0c]";

/// An operator and its version: as PEP 440 has them, and as they were before it.
static VERSION: LazyLock<Option<[Regex; 4]>> = LazyLock::new(|| {
    let compatible = format!(r"~={SPACE}*{HEAD}(?:\.[0-9]+)+{PRE}{POST}{DEV}");
    let equal = format!(r"(?:==|!=){SPACE}*{HEAD}(?:\.[0-9]+)*{PRE}{POST}(?:{DEV}{LOCAL}|\.\*)?");
    let other = format!(r"(?:<=|>=|<|>){SPACE}*{HEAD}(?:\.[0-9]+)*{PRE}{POST}{DEV}");
    let any = format!(r"==={SPACE}*[^ \t\n\r\x0b\x0c]*");
    let strict = format!("(?:{compatible}|{equal}|{other}|{any})");
    let lax = format!(r"(?:==|!=|<=|>=|<|>){SPACE}*[^,; \t\n\r\x0b\x0c)]*");
    Some([
        Regex::new(&format!("(?i)^{strict}")).ok()?,
        Regex::new(&format!("(?i)^{lax}")).ok()?,
        Regex::new(&format!("(?i)^{SPACE}*{strict}{SPACE}*$")).ok()?,
        Regex::new(&format!("(?i)^{SPACE}*{lax}{SPACE}*$")).ok()?,
    ])
});

pub(super) fn named(text: &str, pip: Pip) -> Result<Named, Bad> {
    let text = text.replace('\t', " ");
    let named = Cursor { text: &text, at: 0 }.named(pip)?;
    if let Some(address) = &named.address {
        let parts = Parts::of(address, pip).map_err(|_| Bad::Exception)?;
        if parts.scheme.is_empty() || parts.host.is_empty() {
            return Err(Bad::Syntax);
        }
    }
    Ok(named)
}

/// What a marker comes to, if a text is one.
pub(super) fn evaluated(text: &str, pip: Pip) -> Result<Applies, Bad> {
    let text = text.replace('\t', " ");
    let mut cursor = Cursor { text: &text, at: 0 };
    let found = cursor.whole_marker(pip)?;
    cursor.end()?;
    Ok(found)
}

/// Whether a text is an operator and a version as PEP 440 has them.
pub(super) fn is_specifier(text: &str) -> bool {
    VERSION.as_ref().is_some_and(|[_, _, strict, _]| strict.is_match(text))
}

/// A place in a text. White space before a token does not count.
struct Cursor<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Cursor<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// What is left, from the next token on.
    fn next(&self) -> &'a str {
        self.rest().trim_start_matches([' ', '\n', '\r'])
    }

    fn skip_to(&mut self, rest: &str) {
        self.at = self.text.len() - rest.len();
    }

    fn eat(&mut self, token: &str) -> bool {
        let rest = self.next().strip_prefix(token);
        if let Some(rest) = rest {
            self.skip_to(rest);
        }
        rest.is_some()
    }

    fn end(&self) -> Result<(), Bad> {
        self.next().is_empty().then_some(()).ok_or(Bad::Syntax)
    }

    /// Letters and digits, with `-`, `_` and `.` between them.
    fn identifier(&mut self) -> Option<&'a str> {
        let rest = self.next();
        let run = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte)).count();
        let name = rest[..run].trim_end_matches(['.', '_', '-']);
        let found = name.starts_with(|first: char| first.is_ascii_alphanumeric());
        found.then(|| {
            self.skip_to(&rest[name.len()..]);
            name
        })
    }

    fn named(mut self, pip: Pip) -> Result<Named, Bad> {
        let mut named = Named { name: self.identifier().ok_or(Bad::Syntax)?.to_owned(), ..Named::default() };
        named.extras = self.extras().unwrap_or_default();
        // Looked at when all else is as it must be.
        let mut versions = Ok(BTreeSet::new());
        if self.eat("@") {
            let rest = self.next();
            let length = rest.find(' ').unwrap_or(rest.len());
            if length == 0 {
                return Err(Bad::Syntax);
            }
            named.address = Some(rest[..length].to_owned());
            self.skip_to(&rest[length..]);
        } else {
            versions = self.versions();
        }
        if self.eat(";") {
            named.marker = Some(self.whole_marker(pip)?);
        }
        self.end()?;
        named.versions = versions?;
        Ok(named)
    }

    /// The extras, if there are any as they must be; else nothing is taken.
    fn extras(&mut self) -> Option<BTreeSet<String>> {
        let begin = self.at;
        let found = self.extras_in_brackets();
        if found.is_none() {
            self.at = begin;
        }
        found
    }

    fn extras_in_brackets(&mut self) -> Option<BTreeSet<String>> {
        let mut extras = BTreeSet::new();
        if !self.eat("[") {
            return None;
        }
        if let Some(first) = self.identifier() {
            extras.insert(first.to_owned());
            while self.eat(",") {
                extras.insert(self.identifier()?.to_owned());
            }
        }
        self.eat("]").then_some(extras)
    }

    fn versions(&mut self) -> Result<BTreeSet<(String, String)>, Bad> {
        let [_, _, strict, lax] = VERSION.as_ref().ok_or(Bad::Syntax)?;
        let begin = self.at;
        let text = if self.eat("(") {
            let text = self.version_list();
            if text.is_empty() || !self.eat(")") {
                self.at = begin;
                return Ok(BTreeSet::new());
            }
            text
        } else {
            self.version_list()
        };
        versions(&text, &|one| strict.is_match(one) || lax.is_match(one))
    }

    fn version_list(&mut self) -> String {
        let mut list = String::new();
        while let Some(version) = self.version() {
            list.push_str(version);
            let comma = self.at;
            if !self.eat(",") || self.version_length() == 0 {
                self.at = comma;
                break;
            }
            list.push(',');
        }
        list
    }

    fn version(&mut self) -> Option<&'a str> {
        let length = self.version_length();
        let rest = self.next();
        (length > 0).then(|| {
            self.skip_to(&rest[length..]);
            &rest[..length]
        })
    }

    /// The longer of what both forms find.
    fn version_length(&self) -> usize {
        let Some([strict, lax, ..]) = VERSION.as_ref() else { return 0 };
        let length = |form: &Regex| form.find(self.next()).map_or(0, |found| found.end());
        length(strict).max(length(lax))
    }

    /// What is left is a marker, as far as it is one.
    fn whole_marker(&mut self, pip: Pip) -> Result<Applies, Bad> {
        let marker = self.rest();
        let mut found = Evaluation::of(marker, pip)?;
        if self.marker(0, &mut found)? { Ok(found.value(marker)) } else { Err(Bad::Syntax) }
    }

    /// Takes a marker; whether there is one. Nothing that is gone back over is part of one that pip accepts.
    fn marker(&mut self, depth: usize, found: &mut Evaluation) -> Result<bool, Bad> {
        if depth > DEEPEST {
            return Err(Bad::Exception);
        }
        if !self.atom(depth, found)? {
            return Ok(false);
        }
        loop {
            let begin = self.at;
            let and = self.eat("and");
            if !and && self.eat("or") {
                found.or();
            }
            if self.at == begin || !self.atom(depth, found)? {
                self.at = begin;
                return Ok(true);
            }
        }
    }

    fn atom(&mut self, depth: usize, found: &mut Evaluation) -> Result<bool, Bad> {
        let begin = self.at;
        if self.comparison(found)? {
            return Ok(true);
        }
        self.at = begin;
        if !self.eat("(") {
            return Ok(false);
        }
        found.open();
        let inner = self.marker(depth + 1, found)? && self.eat(")");
        found.close();
        if !inner {
            self.at = begin;
        }
        Ok(inner)
    }

    /// Takes a comparison; whether there is one.
    fn comparison(&mut self, found: &mut Evaluation) -> Result<bool, Bad> {
        let Some(left) = self.operand() else { return Ok(false) };
        let Some(operator) = OPERATORS.into_iter().find(|operator| self.eat(operator)) else { return Ok(false) };
        let Some(right) = self.operand() else { return Ok(false) };
        found.compare(&left, operator, &right)?;
        Ok(true)
    }

    fn operand(&mut self) -> Option<Operand<'a>> {
        if let Some(name) = VARIABLES.into_iter().find(|variable| self.eat(variable)) {
            return Some(Operand::variable(name));
        }
        let rest = self.next();
        let quote = rest.chars().next().filter(|first| ['"', '\''].contains(first))?;
        let length = rest[1..].find([quote, '\n', '\r'])?;
        if !rest[1 + length..].starts_with(quote) {
            return None;
        }
        self.skip_to(&rest[length + 2..]);
        Some(Operand::Text(Cow::Borrowed(&rest[1..=length])))
    }
}

const OPERATORS: [&str; 10] = ["===", "==", ">=", "<=", "!=", "~=", ">", "<", "not in", "in"];

/// The variables of markers, in the order in which they are tried.
const VARIABLES: [&str; 18] = [
    "implementation_version",
    "platform_python_implementation",
    "implementation_name",
    "python_full_version",
    "platform_release",
    "platform_version",
    "platform_machine",
    "platform_system",
    "python_version",
    "sys_platform",
    "os_name",
    "os.name",
    "sys.platform",
    "platform.version",
    "platform.machine",
    "platform.python_implementation",
    "python_implementation",
    "extra",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract_tier::requirements::samples::OLD;

    #[test]
    fn versions_of_any_form_but_no_comma_at_the_end() {
        let versions = |text: &str| named(text, OLD).map(|named| named.versions.into_iter().collect::<Vec<_>>());
        let one = |operator: &str, version: &str| vec![(operator.to_owned(), version.to_owned())];
        assert_eq!(versions("six==1.17.0=py_0"), Ok(one("==", "1.17.0=py_0")));
        assert_eq!(versions("six (== 1.*)"), Ok(one("==", "1.*")));
        assert_eq!(versions("six=="), Ok(one("==", "")));
        assert_eq!(versions("six>=1,"), Err(Bad::Syntax));
        assert_eq!(named("six_", OLD), Err(Bad::Syntax));
        assert_eq!(named("six @ file:///x", OLD), Err(Bad::Syntax));
    }

    #[test]
    fn markers() {
        assert_eq!(evaluated("os.name=='posix'and(python_version < '3')", OLD), Ok(Applies::Yes));
        assert_eq!(evaluated("'a'  not  in extra", OLD), Err(Bad::Syntax));
        assert_eq!(evaluated(&"(".repeat(60_000), OLD), Err(Bad::Exception));
    }
}
