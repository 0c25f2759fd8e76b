//! Arguments, the library, the error, the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    // In the sandbox of the contract tier this program is also the stub of pip, apt-get and the like.
    if let Some(code) = wsgi_proof::stub() {
        return ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX));
    }
    // It is also what starts sandboxes, and what ends them when it is killed.
    if let Some(code) = wsgi_proof::starter().or_else(wsgi_proof::keeper) {
        return ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX));
    }
    // What whoever started this program has open is nothing to what it starts.
    close_fds::set_fds_cloexec(3, &[]);
    // Diagnostics of the libraries, for debugging; without the variable there are none.
    let filter = tracing_subscriber::EnvFilter::try_from_env("WSGI_PROOF_LOG").unwrap_or_else(|_| "off".into());
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(wsgi_proof::Diagnostics::default)
        .with_ansi(false)
        .init();
    wsgi_proof::command()
}
