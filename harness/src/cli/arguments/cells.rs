//! The cells of a command: every variant named, in every dialect named, and where images are built with every builder named.

use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use crate::suite::builder::Builder;
use crate::suite::dialect::Dialect;

/// The variant that is built when none is named.
pub(crate) const DEFAULT_VARIANT: &str = "python-3.11";

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Cells")]
pub(crate) struct CellArgs {
    /// Variants by name, or `all`
    #[arg(long, value_name = "NAME", default_value = DEFAULT_VARIANT, value_delimiter = ',')]
    pub variant: Vec<String>,
    /// Dialects: docker, whiskey, or `all`
    #[arg(long, value_name = "NAME", default_value = "docker", value_delimiter = ',', hide_possible_values = true)]
    pub dialect: Vec<DialectArg>,
}

/// Every builder, among their names.
const ALL: &str = "all";

/// The builders of a command that builds images.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
#[command(next_help_heading = "Cells")]
pub(crate) struct BuilderArgs {
    /// Builders by name, or `all`
    #[arg(long, value_name = "NAME", default_value = Builder::default().name(), value_delimiter = ',', value_parser = names())]
    pub builder: Vec<String>,
}

fn names() -> PossibleValuesParser {
    PossibleValuesParser::new(Builder::ALL.map(Builder::name).into_iter().chain([ALL]))
}

impl Default for BuilderArgs {
    fn default() -> Self {
        Self::of(Builder::default())
    }
}

impl BuilderArgs {
    /// One builder.
    pub(crate) fn of(builder: Builder) -> Self {
        Self { builder: vec![builder.name().to_owned()] }
    }

    /// The builders named, each once and in the order of [`Builder::ALL`].
    pub(crate) fn builders(&self) -> Vec<Builder> {
        let is_named = |builder: &Builder| self.builder.iter().any(|name| name == ALL || name == builder.name());
        Builder::ALL.into_iter().filter(is_named).collect()
    }
}

/// A dialect, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum DialectArg {
    Docker,
    Whiskey,
    All,
}

impl CellArgs {
    /// One variant in one dialect, by their names.
    pub(crate) fn of(variant: &str, dialect: &str) -> Option<Self> {
        let dialect = DialectArg::from_str(dialect, false).ok()?;
        Some(Self { variant: vec![variant.to_owned()], dialect: vec![dialect] })
    }

    /// The dialects named, each once and in the order of [`Dialect::ALL`].
    pub(crate) fn dialects(&self) -> Vec<Dialect> {
        let named = |dialect: &Dialect| {
            self.dialect.iter().any(|argument| match argument {
                DialectArg::All => true,
                DialectArg::Docker => *dialect == Dialect::Docker,
                DialectArg::Whiskey => *dialect == Dialect::Whiskey,
            })
        };
        Dialect::ALL.into_iter().filter(named).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn builders_are_named_one_by_one_or_all() {
        let builders =
            |names: &[&str]| BuilderArgs { builder: names.iter().map(ToString::to_string).collect() }.builders();
        assert_eq!(BuilderArgs::default().builders(), [Builder::Classic]);
        assert_eq!(builders(&["buildkit"]), [Builder::BuildKit]);
        assert_eq!(builders(&["buildkit", "classic", "buildkit"]), Builder::ALL);
        assert_eq!(builders(&["all"]), Builder::ALL);
    }
}
