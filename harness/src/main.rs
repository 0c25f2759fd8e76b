//! Arguments, the library, the error, the exit code.

use std::process::ExitCode;

use clap::Parser;
use wsgi_proof::cli::Cli;

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::from_env("WSGI_PROOF_LOG"))
        .with_writer(std::io::stderr)
        .init();
    ExitCode::from(wsgi_proof::command::main(Cli::parse()) as u8)
}
