//! Filters of scenarios.

use clap::Args;

#[derive(Debug, Clone, Args)]
pub(crate) struct SelectArgs {
    /// Only scenarios with FILTER in their name; `=NAME` for exactly one; or an expression
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
}
