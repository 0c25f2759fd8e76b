//! Arguments of `bundle`.

use std::path::PathBuf;

use clap::Args;

use super::OneArgs;

const AFTER_HELP: &str = "\
The scenario is run, and all that it needs is written into one archive: the
suite, both images, the application, the fixtures that were used, the report,
and a script that builds and starts the application by docker alone.
`wsgi-proof run --bundle FILE` runs it again, on any engine.

Exit codes: 0 if the bundle is written and says whether the scenario passed or
failed; 3 if the run was inconclusive.

Examples:
  wsgi-proof bundle hello-wsgi
  wsgi-proof bundle --build-step my-step --output failure.tar hook-fails";

#[derive(Debug, Clone, Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct BundleArgs {
    /// Where to write it; nothing may be there [default: SCENARIO.bundle.tar]
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// Treat SHOULD violations as failures
    #[arg(long)]
    pub strict: bool,
    #[command(flatten)]
    pub one: OneArgs,
}
