//! The cells of a command: every variant named, in every dialect named.

use clap::{Args, ValueEnum};

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
