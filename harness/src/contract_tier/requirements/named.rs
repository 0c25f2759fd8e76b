//! Requirements by name (PEP 508), as today's pip takes them apart: name, extras, versions or an address, a marker.
//!
//! It is pip's own grammar that counts here, with what it tolerates: `six>=1,`, names that end in `_`, any text after `===`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::legacy;
use super::marker::{Applies, Evaluation};
use super::pip::Pip;

/// The parts of a requirement by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) name: String,
    pub(super) extras: BTreeSet<String>,
    /// Operators with their versions.
    pub(super) versions: BTreeSet<(String, String)>,
    pub(super) address: Option<String>,
    pub(super) marker: Option<Applies>,
}

/// Why a text is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bad {
    Syntax,
    /// What only shows when the parts are looked at: a version that is none when a list is split at its commas, a string that Python does
    /// not take. Before 26.1 pip did not tell it as an error.
    Late,
    /// What pip does not tell as an error: more parentheses in each other than it can follow, half an address.
    Exception,
    /// There is more of a marker than is read.
    Beyond,
}

/// How many parentheses may be open at once.
pub(super) const DEEPEST: usize = 200;

/// White space of `\s`: what the lines of a file can still have of it.
pub(super) const SPACE: &str = r"[\s\x1c-\x1f]";
pub(super) const HEAD: &str = r"v?(?:[0-9]+!)?[0-9]+";
const PRE: &str = "(?:[-_.]?(?:alpha|beta|preview|pre|a|b|c|rc)[-_.]?[0-9]*)?";
pub(super) const POST: &str = "(?:-[0-9]+|[-_.]?(?:post|rev|r)[-_.]?[0-9]*)?";
pub(super) const DEV: &str = "(?:[-_.]?dev[-_.]?[0-9]*)?";
pub(super) const LOCAL: &str = r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?";

/// An operator and its version.
static VERSION: LazyLock<Option<[Regex; 2]>> = LazyLock::new(|| {
    let any = format!(r"==={SPACE}*[^\s\x1c-\x1f;)]*");
    let equal = format!(r"(?:==|!=){SPACE}*{HEAD}(?:\.[0-9]+)*(?:\.\*|{PRE}{POST}{DEV}{LOCAL})?");
    let compatible = format!(r"~={SPACE}*{HEAD}(?:\.[0-9]+)+{PRE}{POST}{DEV}");
    let other = format!(r"(?:<=|>=|<|>){SPACE}*{HEAD}(?:\.[0-9]+)*{PRE}{POST}{DEV}");
    let one = format!("(?:{any}|{equal}|{compatible}|{other})");
    Some([Regex::new(&format!("(?i)^{one}")).ok()?, Regex::new(&format!("(?i)^{SPACE}*{one}{SPACE}*$")).ok()?])
});

impl Named {
    pub(super) fn parse(text: &str, pip: Pip) -> Result<Self, Bad> {
        let named = if pip.is_legacy() { legacy::named(text, pip) } else { Cursor { text, at: 0 }.named(pip) };
        match named {
            Err(Bad::Late) if pip.is_newest() => Err(Bad::Syntax),
            Err(Bad::Late) => Err(Bad::Exception),
            other => other,
        }
    }
}

/// What a marker comes to, if a text is one for this pip.
pub(super) fn evaluated(text: &str, pip: Pip) -> Result<Applies, Bad> {
    if pip.is_legacy() {
        return legacy::evaluated(text, pip);
    }
    Cursor { text, at: 0 }.marker_to_end(pip)
}

/// Whether this pip takes a text for an operator and a version.
pub(super) fn is_specifier(text: &str) -> bool {
    VERSION.as_ref().is_some_and(|[_, whole]| whole.is_match(text))
}

/// Takes an operator and a version apart.
pub(super) fn operator_and_version(text: &str) -> (&str, &str) {
    let long = ["===", "~=", "==", "!=", "<=", ">="].iter().find(|operator| text.starts_with(**operator));
    let (operator, version) = text.split_at(long.map_or(1, |operator| operator.len()));
    (operator, version.trim())
}

/// Splits versions at their commas, and takes each apart.
pub(super) fn versions(text: &str, valid: &dyn Fn(&str) -> bool) -> Result<BTreeSet<(String, String)>, Bad> {
    let mut versions = BTreeSet::new();
    for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
        if !valid(one) {
            return Err(Bad::Late);
        }
        let (operator, version) = operator_and_version(one);
        versions.insert((operator.to_owned(), version.to_owned()));
    }
    Ok(versions)
}

/// A place in a text.
pub(super) struct Cursor<'a> {
    text: &'a str,
    pub(super) at: usize,
}

impl<'a> Cursor<'a> {
    pub(super) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(super) fn spaces(&mut self) -> bool {
        let bare = self.rest().trim_start_matches([' ', '\t']);
        let some = bare.len() < self.rest().len();
        self.at = self.text.len() - bare.len();
        some
    }

    pub(super) fn eat(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        self.at += if found { token.len() } else { 0 };
        found
    }

    fn end(&self) -> Result<(), Bad> {
        self.rest().is_empty().then_some(()).ok_or(Bad::Syntax)
    }

    /// Whether words meet what is no word at this place.
    fn is_boundary(&self, at: usize) -> bool {
        let before = self.text[..at].chars().next_back().is_some_and(is_of_word);
        before != self.text[at..].chars().next().is_some_and(is_of_word)
    }

    /// A word that stands by itself.
    pub(super) fn word(&mut self, word: &str) -> bool {
        let end = self.at + word.len();
        let found = self.rest().starts_with(word) && self.is_boundary(self.at) && self.is_boundary(end);
        self.at = if found { end } else { self.at };
        found
    }

    fn identifier(&mut self) -> Option<&'a str> {
        let rest = self.rest();
        let run = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(byte)).count();
        let begins = rest.starts_with(|first: char| first.is_ascii_alphanumeric()) && self.is_boundary(self.at);
        let length = (1..=run).rev().find(|length| begins && self.is_boundary(self.at + length))?;
        self.at += length;
        Some(&rest[..length])
    }

    fn named(mut self, pip: Pip) -> Result<Named, Bad> {
        self.spaces();
        let mut named = Named { name: self.identifier().ok_or(Bad::Syntax)?.to_owned(), ..Named::default() };
        self.spaces();
        named.extras = self.extras()?;
        // Looked at when all else is as it must be.
        let mut versions = Ok(BTreeSet::new());
        self.spaces();
        if self.eat("@") {
            self.spaces();
            let rest = self.rest();
            let length = rest.find([' ', '\t']).unwrap_or(rest.len());
            if length == 0 {
                return Err(Bad::Syntax);
            }
            named.address = Some(rest[..length].to_owned());
            self.at += length;
            self.spaces();
        } else {
            versions = self.versions();
            if versions == Err(Bad::Syntax) {
                return Err(Bad::Syntax);
            }
            self.spaces();
        }
        if !self.rest().is_empty() {
            if !self.eat(";") {
                return Err(Bad::Syntax);
            }
            named.marker = Some(self.marker_to_end(pip)?);
        }
        named.versions = versions?;
        Ok(named)
    }

    /// What is left is a marker.
    fn marker_to_end(&mut self, pip: Pip) -> Result<Applies, Bad> {
        let marker = self.rest();
        let mut found = Evaluation::of(marker, pip)?;
        self.marker(0, &mut found)?;
        self.end()?;
        Ok(found.value(marker))
    }

    fn extras(&mut self) -> Result<BTreeSet<String>, Bad> {
        let mut extras = BTreeSet::new();
        if !self.eat("[") {
            return Ok(extras);
        }
        self.spaces();
        let mut next = self.identifier();
        while let Some(extra) = next {
            extras.insert(extra.to_owned());
            self.spaces();
            if !self.eat(",") {
                break;
            }
            self.spaces();
            next = Some(self.identifier().ok_or(Bad::Syntax)?);
        }
        self.spaces();
        if self.eat("]") { Ok(extras) } else { Err(Bad::Syntax) }
    }

    fn versions(&mut self) -> Result<BTreeSet<(String, String)>, Bad> {
        let [one, whole] = VERSION.as_ref().ok_or(Bad::Syntax)?;
        let parenthesis = self.eat("(");
        self.spaces();
        let begin = self.at;
        while let Some(found) = one.find(self.rest()) {
            self.at += found.end();
            let local =
                self.rest().strip_prefix('+').is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
            if self.rest().starts_with(".*") || local {
                return Err(Bad::Syntax);
            }
            self.spaces();
            if !self.eat(",") {
                break;
            }
            self.spaces();
        }
        let versions = versions(&self.text[begin..self.at], &|one| whole.is_match(one));
        self.spaces();
        if parenthesis && !self.eat(")") {
            return Err(Bad::Syntax);
        }
        versions
    }
}

fn is_of_word(character: char) -> bool {
    character == '_' || character.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract_tier::requirements::samples::NEW;

    fn parse(text: &str) -> Result<Named, Bad> {
        Named::parse(text, NEW)
    }

    fn pairs(versions: &[(&str, &str)]) -> BTreeSet<(String, String)> {
        versions.iter().map(|(operator, version)| ((*operator).to_owned(), (*version).to_owned())).collect()
    }

    #[test]
    fn names_extras_and_versions() {
        let named = parse("Django [argon2, bcrypt] ( >= 4.2, !=4.3.* ,) ; python_version > '3'").unwrap_or_default();
        assert_eq!((named.name.as_str(), named.extras.len()), ("Django", 2));
        assert_eq!(named.versions, pairs(&[(">=", "4.2"), ("!=", "4.3.*")]));
        assert_eq!(named.marker, Some(Applies::Yes));
        assert_eq!(parse("six===any,text").map(|named| named.versions), Err(Bad::Syntax));
        assert_eq!(parse("six_").map(|named| named.name), Ok("six_".to_owned()));
    }

    #[test]
    fn what_is_refused() {
        for text in [
            "",
            "six==1.17.0=py_0",
            "six >",
            "six[",
            "six[a b]",
            "six-",
            "<<<<<<< HEAD",
            "six~=1",
            "six==1+",
            "six>=1.*",
            "six @",
            "six x",
        ] {
            assert_eq!(parse(text), Err(Bad::Syntax), "{text}");
        }
    }

    #[test]
    fn markers() {
        for text in ["os_name == 'posix' and (python_version<\"3\" or 'x' not in extra)", "'a' ~= 'b'"] {
            assert!(evaluated(text, NEW).is_ok(), "{text}");
        }
        for text in ["", "python_version", "python_version = '3'", "os_name == 'x", "os_name == 'x' android"] {
            assert_eq!(evaluated(text, NEW), Err(Bad::Syntax), "{text}");
        }
        assert_eq!(evaluated("os_name == '\\x1'", NEW), Err(Bad::Late));
        assert_eq!(evaluated(&"(".repeat(60_000), NEW), Err(Bad::Exception));
    }
}
