//! What the tests use of the program's library.

pub(crate) use wsgi_proof::cell::Cell;
pub(crate) use wsgi_proof::cli::Cli;
pub(crate) use wsgi_proof::control::Control;
pub(crate) use wsgi_proof::dialect::Dialect;
pub(crate) use wsgi_proof::limits::Limit;
pub(crate) use wsgi_proof::lock::{LOCK_FILE, SuiteLock};
pub(crate) use wsgi_proof::mutate::{Bug, Operator, SCRIPTS, mutants};
pub(crate) use wsgi_proof::requirements;
pub(crate) use wsgi_proof::scenario::{self, Setting};
pub(crate) use wsgi_proof::variant::Variant;
