//! Cells: a variant in a dialect. The scenarios are held against each cell for itself.

use std::fmt;

use crate::outcome::CellName;
use crate::suite::dialect::Dialect;
use crate::suite::variant::Variant;

/// A variant in a dialect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The base image's distribution and Python.
    pub variant: Variant,
    /// The form of the contract.
    pub dialect: Dialect,
}

impl Cell {
    /// What the placeholder `@{name}` of a scenario file stands for here; `None` when there is no such placeholder.
    pub(crate) fn value(&self, name: &str) -> Option<String> {
        match name {
            "folder" => Some(self.dialect.folder().to_owned()),
            "dialect" => Some(self.dialect.name().to_owned()),
            "python" => Some(self.variant.python.clone()),
            "variant" => Some(self.variant.name.clone()),
            "budget" => Some(self.variant.budget.to_string()),
            _ => None,
        }
    }

    /// The names of the placeholders.
    pub(crate) const PLACEHOLDERS: [&str; 5] = ["folder", "dialect", "python", "variant", "budget"];
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.variant.name, self.dialect)
    }
}

impl From<&Cell> for CellName {
    fn from(cell: &Cell) -> Self {
        Self { variant: cell.variant.name.clone(), dialect: cell.dialect.to_string() }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The default variant in a dialect.
    pub(crate) fn cell(dialect: Dialect) -> Cell {
        Cell { variant: Variant::sample("python-3.11"), dialect }
    }

    #[test]
    fn every_placeholder_has_a_value() {
        for name in Cell::PLACEHOLDERS {
            assert!(cell(Dialect::Docker).value(name).is_some(), "{name}");
        }
        assert_eq!(cell(Dialect::Whiskey).value("folder").as_deref(), Some(".whiskey"));
        assert_eq!(cell(Dialect::Whiskey).value("other"), None);
    }
}
