//! `cargo xtask`: makes what the repository holds and no hand writes.

mod article;
mod generate;
mod lock;
#[cfg(test)]
mod tracked;
#[cfg(test)]
mod workflows;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Make what the repository holds and no hand writes
#[derive(Parser)]
#[command(max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    task: Task,
}

#[derive(Subcommand)]
enum Task {
    /// Make the schema and the reference of scenario files, and the contract's page
    Generate {
        /// Write nothing: fail if a file is stale
        #[arg(long)]
        check: bool,
    },
    Lock(lock::Arguments),
}

/// Why a task could not be done, in words.
type Error = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> ExitCode {
    let done = match Arguments::parse().task {
        Task::Generate { check } => generate::generate(check),
        Task::Lock(arguments) => lock::lock(&arguments).await,
    };
    match done {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The repository's folder.
fn root() -> PathBuf {
    let own = Path::new(env!("CARGO_MANIFEST_DIR"));
    own.parent().unwrap_or(own).to_owned()
}

/// Writes a file that is not fresh, or only says so; `false` when a check found it stale.
fn renew(path: &Path, fresh: &str, check: bool) -> Result<bool, Error> {
    let name = path.strip_prefix(root()).unwrap_or(path).display();
    if std::fs::read_to_string(path).is_ok_and(|text| text == fresh) {
        println!("fresh    {name}");
        return Ok(true);
    }
    if check {
        println!("stale    {name}");
        return Ok(false);
    }
    std::fs::write(path, fresh).map_err(|error| format!("{name}: {error}"))?;
    println!("renewed  {name}");
    Ok(true)
}
