//! Comparisons in markers: of versions, where what is compared with is one, and else of strings.

use std::str::FromStr;

use pep440_rs::Version;

use super::environment::{self, Value};
use super::{Applies, Operand};
use crate::contract_tier::requirements::pip::Pip;
use crate::contract_tier::requirements::{legacy, named};

/// The variables that pip since 26 compares as versions; before, it did so with all.
const VERSIONS: [&str; 4] = ["implementation_version", "platform_release", "python_full_version", "python_version"];
/// Longer numbers are all the same to the versions that they are compared with.
const DIGITS: usize = 18;
/// Python makes no number of more digits.
const MAX_DIGITS: usize = 4300;
/// More than the last number of the version of any Python.
const LAST: &str = "999";

/// What a comparison comes to.
pub(super) fn compared(left: &Operand, operator: &str, right: &Operand, pip: Pip) -> Applies {
    let (variable, of_right) = match left {
        Operand::Variable(name) => (name.as_ref(), false),
        // Whatever stands at the right is a variable's name then.
        Operand::Text(_) => (right.text(), true),
    };
    let Some(value) = environment::value(variable, pip) else { return Applies::Undefined };
    let comparison = Comparison { operator, versions: pip.is_legacy() || VERSIONS.contains(&variable), pip };
    let other = if of_right { left.text() } else { right.text() };
    let with = |value: &str| if of_right { comparison.of(other, value) } else { comparison.of(value, other) };
    match value {
        Value::Known(value) => with(&value),
        // Whether a value at the right is one of a version decides whether there is a comparison at all.
        Value::Unknown if of_right && comparison.versions => {
            if ["~=", "==="].contains(&operator) {
                Applies::Doubtful
            } else {
                Applies::Unknown
            }
        }
        Value::Unknown => of_unknown(with("")),
        Value::Full { minor } if operator.ends_with("in") => of_unknown(with(&minor)),
        Value::Full { minor } => {
            let last = third_number(other);
            let found = ["0", &last, LAST].map(|last| with(&format!("{minor}.{last}")));
            if found.iter().all(|one| *one == found[0]) { found[0] } else { Applies::Unknown }
        }
    }
}

/// What is known where the value is not.
fn of_unknown(applies: Applies) -> Applies {
    if applies == Applies::Undefined { applies } else { Applies::Unknown }
}

/// The third number of a version, or the smallest in its place.
fn third_number(version: &str) -> String {
    let third = version.split('.').nth(2).unwrap_or_default();
    let digits: String = third.chars().take(DIGITS).take_while(char::is_ascii_digit).collect();
    if digits.is_empty() { "0".to_owned() } else { digits }
}

struct Comparison<'a> {
    operator: &'a str,
    /// Whether versions are compared.
    versions: bool,
    pip: Pip,
}

impl Comparison<'_> {
    fn of(&self, left: &str, right: &str) -> Applies {
        match self.operator {
            "in" => return right.contains(left).into(),
            "not in" => return (!right.contains(left)).into(),
            _ => {}
        }
        if self.versions {
            // An operator and a version, put together as pip does it: of `<` and `=3`, that is `<=`.
            let specifier = format!("{}{right}", self.operator);
            let is_one = if self.pip.is_legacy() { legacy::is_specifier } else { named::is_specifier };
            if is_one(&specifier) {
                let (operator, version) = named::operator_and_version(&specifier);
                return self.contains(left, operator, version);
            }
        }
        match (self.operator, self.pip.is_legacy()) {
            ("==", _) | ("<=" | ">=", false) => (left == right).into(),
            ("!=", _) => (left != right).into(),
            ("<" | ">", false) => Applies::No,
            ("<", true) => (left < right).into(),
            (">", true) => (left > right).into(),
            ("<=", true) => (left <= right).into(),
            (">=", true) => (left >= right).into(),
            _ => Applies::Undefined,
        }
    }

    /// Whether an operator and a version take what stands at the left.
    fn contains(&self, left: &str, operator: &str, version: &str) -> Applies {
        let (Some(item), Some(wanted)) = (clamped(self.pip.strip(left)), clamped(version)) else {
            return Applies::Unknown;
        };
        let parsed = Version::from_str(&item).ok();
        let wanted_version = Version::from_str(wanted.trim_end_matches(".*")).ok();
        let of_any = |version: Option<&Version>| version.is_some_and(Version::any_prerelease);
        if self.pip.is_legacy() && of_any(parsed.as_ref()) {
            let implied = !["!=", "<", ">"].contains(&operator);
            if !(implied && of_any(wanted_version.as_ref())) {
                return Applies::No;
            }
        }
        if operator == "===" {
            let normal = parsed.filter(|_| self.pip.is_legacy()).map(|version| version.to_string());
            let left = normal.as_deref().unwrap_or(left);
            return (left.to_lowercase() == version.to_lowercase()).into();
        }
        let Some(parsed) = parsed else { return Applies::No };
        wanted_version
            .and_then(|version| self.holds(&parsed, operator, &version, &wanted))
            .map_or(Applies::Unknown, Into::into)
    }

    /// Whether an operator holds; `None` where pip's own way to find it out depends on how the version is written.
    fn holds(&self, item: &Version, operator: &str, version: &Version, text: &str) -> Option<bool> {
        let public = item.clone().without_local();
        // Before, a local version was more than the same without it.
        let bare = if self.pip.is_legacy() { item } else { &public };
        let same_release = || item.epoch() == version.epoch() && item.only_release() == version.only_release();
        let equal = || match text.strip_suffix(".*") {
            Some(prefix) => has_prefix(item, &plain(prefix)?),
            None if version.is_local() => Some(item == version),
            None => Some(public == *version),
        };
        Some(match operator {
            "==" => equal()?,
            "!=" => !equal()?,
            "<=" => bare <= version,
            ">=" => bare >= version,
            "<" => item < version && (version.any_prerelease() || !item.any_prerelease() || !same_release()),
            ">" => {
                let more = (item.is_post() && !version.is_post()) || item.is_local();
                item > version && !(more && same_release())
            }
            "~=" => {
                let numbers = plain(text)?;
                bare >= version && has_prefix(item, numbers.split_last()?.1)?
            }
            _ => return None,
        })
    }
}

/// Whether a version begins with these numbers.
#[allow(clippy::unnecessary_wraps, reason = "it is used beside what may not be known")]
fn has_prefix(item: &Version, numbers: &[u64]) -> Option<bool> {
    let release = item.release();
    let same = |(index, number): (usize, &u64)| release.get(index).copied().unwrap_or(0) == *number;
    Some(item.epoch() == 0 && numbers.iter().enumerate().all(same))
}

/// The numbers of a version that has nothing else, written as is usual.
fn plain(text: &str) -> Option<Vec<u64>> {
    let number = |part: &str| {
        let usual = part == "0" || !part.starts_with('0');
        part.parse().ok().filter(|_| usual && part.bytes().all(|byte| byte.is_ascii_digit()))
    };
    text.split('.').map(number).collect()
}

/// A version in which no number is longer than can be read; `None` where Python itself refuses one.
fn clamped(version: &str) -> Option<String> {
    let mut clamped = String::new();
    let mut rest = version;
    while let Some(at) = rest.find(|character: char| character.is_ascii_digit()) {
        let digits = rest[at..].bytes().take_while(u8::is_ascii_digit).count();
        let number = rest[at..at + digits].trim_start_matches('0');
        clamped.push_str(&rest[..at]);
        match number.len() {
            _ if digits > MAX_DIGITS => return None,
            0..=DIGITS if digits > DIGITS => clamped.push_str(if number.is_empty() { "0" } else { number }),
            0..=DIGITS => clamped.push_str(&rest[at..at + digits]),
            _ => clamped.push_str(&"9".repeat(DIGITS)),
        }
        rest = &rest[at + digits..];
    }
    clamped.push_str(rest);
    Some(clamped)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract_tier::requirements::named::evaluated;
    use crate::contract_tier::requirements::samples::{NEW, OLD};

    /// As `packaging` of pip 9.0.3 and of 26.3 have them.
    #[test]
    fn versions_and_strings() {
        use Applies::{No, Undefined, Unknown, Yes};
        for (marker, on_old, on_new) in [
            ("python_version == '3.13.0'", No, Yes),
            ("python_version == '2.*'", Yes, No),
            ("python_version ~= '3.1'", No, Yes),
            ("python_version < '=3.13'", Yes, Yes),
            ("python_version == '=2.7'", Yes, No),
            ("python_version > '3.13.dev1'", No, Yes),
            ("'3' <= python_version", No, Yes),
            ("'2.7+x' <= python_version", No, Yes),
            ("'3rc1' < python_version", No, Yes),
            ("'x' != python_version", No, No),
            ("python_version < 'x'", Yes, No),
            ("os_name > '2'", No, No),
            ("os_name >= 'posix'", Yes, Yes),
            ("os_name > 'a'", Yes, No),
            ("python_version in '2.7, 3.13'", Yes, Yes),
            ("python_version === '2.7'", Yes, No),
            ("python_version === '2.7;'", No, Undefined),
            ("python_full_version >= '3.13'", No, Yes),
            ("python_full_version >= '3.13.2'", No, Unknown),
            ("python_full_version != '2.7.18'", Unknown, Yes),
            ("python_full_version in '2.7.18'", Unknown, Unknown),
            ("implementation_version ~= 'x'", Undefined, Undefined),
            ("'1' ~= platform_version", Unknown, Undefined),
        ] {
            assert_eq!((evaluated(marker, OLD), evaluated(marker, NEW)), (Ok(on_old), Ok(on_new)), "{marker}");
        }
    }

    #[test]
    fn numbers_may_be_of_any_length() {
        for number in ["3.18446744073709551615", "3.18446744073709551616", "99999999999999999999999", &"9".repeat(4000)]
        {
            assert_eq!(evaluated(&format!("python_version <= '{number}'"), NEW), Ok(Applies::Yes), "{number}");
            assert_eq!(evaluated(&format!("python_version == '{number}.*'"), NEW), Ok(Applies::No), "{number}");
        }
        let zeros = format!("python_version == '3.{}13'", "0".repeat(40));
        assert_eq!(evaluated(&zeros, NEW), Ok(Applies::Yes));
        let refused = format!("python_version <= '{}'", "9".repeat(5000));
        assert_eq!(evaluated(&refused, NEW), Ok(Applies::Unknown));
    }
}
