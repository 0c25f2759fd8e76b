//! Environment markers, evaluated for the Python that pip runs under, as the `packaging` of that pip does it.
//!
//! They are evaluated while they are read, and nothing is kept of them: a candidate may leave a marker of any length and form.

mod compare;
mod environment;
mod literal;
mod modern;

use std::borrow::Cow;

use super::named::Bad;
use super::pip::Pip;

/// How long a marker may be, in bytes.
const MAX_LENGTH: usize = 64 << 10;
/// How many comparisons it may have.
const MAX_COMPARISONS: usize = 1000;

/// What a marker comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Applies {
    Yes,
    No,
    /// It depends on the machine or the release.
    Unknown,
    /// It compares what cannot be compared, which pip only notices once it asks whether the marker applies.
    Undefined,
    /// It depends on the machine or the release whether it can be compared at all. No marker comes to this as a whole.
    Doubtful,
}

impl From<bool> for Applies {
    fn from(applies: bool) -> Self {
        if applies { Self::Yes } else { Self::No }
    }
}

impl Applies {
    /// Of several, all of which are looked at even where one would decide.
    fn together(self, other: Self, decisive: Self) -> Self {
        match (self, other) {
            (Self::Undefined, _) | (_, Self::Undefined) => Self::Undefined,
            (Self::Doubtful, _) | (_, Self::Doubtful) => Self::Doubtful,
            (one, other) if one == decisive || other == decisive => decisive,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (one, _) => one,
        }
    }
}

/// A side of a comparison.
#[derive(Debug)]
pub(super) enum Operand<'a> {
    /// A variable, by its name of today.
    Variable(Cow<'static, str>),
    Text(Cow<'a, str>),
}

impl Operand<'_> {
    pub(super) fn variable(name: &'static str) -> Self {
        let name = match name {
            "python_implementation" => Cow::Borrowed("platform_python_implementation"),
            name if name.contains('.') => Cow::Owned(name.replace('.', "_")),
            name => Cow::Borrowed(name),
        };
        Self::Variable(name)
    }

    /// What it stands for where no variable is expected.
    fn text(&self) -> &str {
        match self {
            Self::Variable(name) => name,
            Self::Text(text) => text,
        }
    }
}

/// A marker, or what stands in its parentheses: `or` of `and`s.
#[derive(Debug)]
struct Group {
    any: Applies,
    all: Applies,
}

impl Group {
    fn new() -> Self {
        Self { any: Applies::No, all: Applies::Yes }
    }

    fn and(&mut self, applies: Applies) {
        self.all = self.all.together(applies, Applies::No);
    }

    fn or(&mut self) {
        *self = Self { any: self.value(), all: Applies::Yes };
    }

    fn value(&self) -> Applies {
        self.any.together(self.all, Applies::Yes)
    }
}

/// A marker that is being evaluated.
#[derive(Debug)]
pub(super) struct Evaluation {
    pip: Pip,
    comparisons: usize,
    /// The parentheses that are open, and the marker itself.
    outer: Vec<Group>,
    group: Group,
}

impl Evaluation {
    /// Begins with the text of a marker.
    ///
    /// # Errors
    /// When it is longer than is read.
    pub(super) fn of(marker: &str, pip: Pip) -> Result<Self, Bad> {
        if marker.len() > MAX_LENGTH {
            return Err(Bad::Beyond);
        }
        Ok(Self { pip, comparisons: 0, outer: Vec::new(), group: Group::new() })
    }

    pub(super) fn open(&mut self) {
        self.outer.push(std::mem::replace(&mut self.group, Group::new()));
    }

    pub(super) fn close(&mut self) {
        let value = self.group.value();
        self.group = self.outer.pop().unwrap_or_else(Group::new);
        self.group.and(value);
    }

    pub(super) fn or(&mut self) {
        self.group.or();
    }

    /// Takes a comparison.
    ///
    /// # Errors
    /// When there are more than are read.
    pub(super) fn compare(&mut self, left: &Operand, operator: &str, right: &Operand) -> Result<(), Bad> {
        self.comparisons += 1;
        if self.comparisons > MAX_COMPARISONS {
            return Err(Bad::Beyond);
        }
        self.group.and(compare::compared(left, operator, right, self.pip));
        Ok(())
    }

    /// What it comes to in the end. Python 2 cannot compare other characters.
    pub(super) fn value(&self, marker: &str) -> Applies {
        match self.group.value() {
            Applies::Doubtful => Applies::Unknown,
            _ if self.pip.is_on_python_2() && !marker.is_ascii() => Applies::Unknown,
            value => value,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract_tier::requirements::named::evaluated;
    use crate::contract_tier::requirements::samples::{NEW, OLD};

    const YES: Result<Applies, Bad> = Ok(Applies::Yes);
    const NO: Result<Applies, Bad> = Ok(Applies::No);
    const UNKNOWN: Result<Applies, Bad> = Ok(Applies::Unknown);
    const UNDEFINED: Result<Applies, Bad> = Ok(Applies::Undefined);

    #[test]
    fn markers_are_those_of_the_variant() {
        for (marker, on_old, on_new) in [
            ("python_version < '3'", YES, NO),
            ("python_version >= '3.9' and os_name == 'posix'", NO, YES),
            ("sys_platform == 'win32'", NO, NO),
            ("'linux' in sys_platform", YES, YES),
            ("platform_release == '6.1'", UNKNOWN, UNKNOWN),
            ("platform_release == '6.1' and os_name == 'nt'", NO, NO),
            ("(os_name == 'nt' or platform_release > '6') and os_name == 'posix'", UNKNOWN, UNKNOWN),
            ("os_name == 'nt' and os_name == 'nt' or os_name == 'posix'", YES, YES),
            ("os_name == 'nt' and (os_name == 'nt' or os_name == 'posix')", NO, NO),
            ("extra == 'x'", NO, NO),
            ("os.name == 'posix' and python_implementation == 'CPython'", YES, YES),
        ] {
            assert_eq!((evaluated(marker, OLD), evaluated(marker, NEW)), (on_old, on_new), "{marker}");
        }
    }

    #[test]
    fn what_cannot_be_compared_is_noticed_wherever_it_stands() {
        for (marker, on_old, on_new) in [
            ("'posix' ~= os_name", UNDEFINED, UNDEFINED),
            ("os_name == 'posix' or os_name ~= 'x'", UNDEFINED, UNDEFINED),
            ("os_name ~= '1.0'", NO, UNDEFINED),
            ("python_version ~= '3'", UNDEFINED, UNDEFINED),
            ("'1' ~= platform_release and os_name == 'nt'", UNKNOWN, UNKNOWN),
            ("'1' ~= platform_release and os_name ~= 'x'", UNDEFINED, UNDEFINED),
            ("'a' == 'b'", UNDEFINED, UNDEFINED),
            ("'posix' == 'os_name'", YES, YES),
        ] {
            assert_eq!((evaluated(marker, OLD), evaluated(marker, NEW)), (on_old, on_new), "{marker}");
        }
    }

    #[test]
    fn no_more_is_read_than_the_bounds() {
        let many = |count: usize| vec!["os_name != 'a'"; count].join(" and ");
        let long = |length: usize| format!("os_name != '{}'", "a".repeat(length));
        for pip in [OLD, NEW] {
            assert_eq!(evaluated(&many(MAX_COMPARISONS), pip), YES);
            assert_eq!(evaluated(&many(MAX_COMPARISONS + 1), pip), Err(Bad::Beyond));
            assert_eq!(evaluated(&long(MAX_LENGTH - 20), pip), YES);
            assert_eq!(evaluated(&long(MAX_LENGTH), pip), Err(Bad::Beyond));
        }
    }
}
