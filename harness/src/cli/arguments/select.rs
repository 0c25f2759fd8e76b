//! Filters of scenarios.

use std::collections::BTreeSet;

use clap::Args;

#[derive(Debug, Clone, Default, Args)]
pub(crate) struct SelectArgs {
    /// Only scenarios with FILTER in their name; `=NAME` for exactly one; or an expression
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
    /// Of those only these, by name: what has changed.
    #[arg(skip)]
    pub among: Option<BTreeSet<String>>,
}

impl SelectArgs {
    /// These filters, and nothing else.
    pub(crate) fn of(filters: Vec<String>) -> Self {
        Self { filters, among: None }
    }

    /// Whether it leaves nothing out.
    pub(crate) fn is_all(&self) -> bool {
        self.filters.is_empty() && self.among.is_none()
    }
}
