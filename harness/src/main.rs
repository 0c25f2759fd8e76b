//! Arguments, the library, the error, the exit code.

use std::process::ExitCode;

use clap::Parser;
use wsgi_proof::cli::arguments::Cli;

fn main() -> ExitCode {
    // In the sandbox of the contract tier this program is also pip, apt-get and the like.
    if let Some(code) = wsgi_proof::contract_tier::stub::main() {
        return ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX));
    }
    // Diagnostics of the libraries, for who looks for a bug of ours; without the variable there are none.
    let filter = tracing_subscriber::EnvFilter::try_from_env("WSGI_PROOF_LOG").unwrap_or_else(|_| "off".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    ExitCode::from(wsgi_proof::cli::main(Cli::parse()) as u8)
}
