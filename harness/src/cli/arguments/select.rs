//! Filters of scenarios.

use clap::Args;

/// Which scenarios.
#[derive(Debug, Clone, Args)]
pub struct SelectArgs {
    /// Only scenarios with FILTER in their name; `=NAME` for exactly one
    #[arg(value_name = "FILTER")]
    pub filters: Vec<String>,
}
