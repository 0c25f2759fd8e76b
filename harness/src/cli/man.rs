//! `wsgi-proof man`: the manual pages.

use clap::CommandFactory;

use super::{Failure, output};
use crate::cli::arguments::{Cli, ManArgs};
use crate::run::tally::ExitCode;

pub(super) fn man(arguments: &ManArgs) -> Result<ExitCode, Failure> {
    if let Some(folder) = &arguments.dir {
        let written = std::fs::create_dir_all(folder).and_then(|()| clap_mangen::generate_to(Cli::command(), folder));
        written.map_err(|error| Failure::usage(format!("{}: {error}", folder.display()), None))?;
    } else {
        let mut page = Vec::new();
        let rendered = clap_mangen::Man::new(Cli::command()).render(&mut page);
        rendered.map_err(|error| Failure::infrastructure(format!("cannot write the manual page: {error}"), None))?;
        output::text(String::from_utf8_lossy(&page))?;
    }
    Ok(ExitCode::Pass)
}
