//! Cells: a variant in a dialect, built by a builder. The scenarios are held against each cell for itself.

use std::fmt;

use crate::outcome::CellName;
use crate::suite::builder::Builder;
use crate::suite::dialect::Dialect;
use crate::suite::variant::Variant;

/// A variant in a dialect, built by a builder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cell {
    /// The base image's distribution and Python.
    pub variant: Variant,
    /// The form of the contract.
    pub dialect: Dialect,
    /// What turns Dockerfiles into images.
    pub builder: Builder,
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
        CellName::from(self).fmt(f)
    }
}

impl From<&Cell> for CellName {
    fn from(cell: &Cell) -> Self {
        let Cell { variant, dialect, builder } = cell;
        Self { variant: variant.name.clone(), dialect: dialect.to_string(), builder: builder.to_string() }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
pub(crate) mod tests {
    use super::*;

    /// The default variant in a dialect, of the default builder.
    pub(crate) fn cell(dialect: Dialect) -> Cell {
        Cell { variant: Variant::sample("python-3.11"), dialect, builder: Builder::default() }
    }

    #[test]
    fn a_name_has_the_builder_unless_it_is_the_usual_one() {
        let usual = cell(Dialect::Docker);
        let other = Cell { builder: Builder::BuildKit, ..usual.clone() };
        assert_eq!(usual.to_string(), "python-3.11 docker");
        assert_eq!(other.to_string(), "python-3.11 docker buildkit");
        assert_eq!(CellName::from(&other).to_string(), other.to_string());
    }

    #[test]
    fn an_older_report_names_no_builder() {
        let older = serde_json::json!({"variant": "python-3.11", "dialect": "docker"});
        let read: CellName = serde_json::from_value(older).unwrap();
        assert_eq!(read, CellName::from(&cell(Dialect::Docker)));
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
