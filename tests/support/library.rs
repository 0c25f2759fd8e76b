//! What the tests use of the program's library.

pub(crate) use wsgi_proof::cli::arguments::Cli;
pub(crate) use wsgi_proof::contract_tier::requirements;
pub(crate) use wsgi_proof::mutate::{Bug, Operator, SCRIPTS, mutants};
pub(crate) use wsgi_proof::suite::assertion_lock::{LOCK_FILE, SuiteLock};
pub(crate) use wsgi_proof::suite::cell::Cell;
pub(crate) use wsgi_proof::suite::control::Control;
pub(crate) use wsgi_proof::suite::dialect::Dialect;
pub(crate) use wsgi_proof::suite::limits::Limit;
pub(crate) use wsgi_proof::suite::scenario::{self, Setting};
pub(crate) use wsgi_proof::suite::variant::Variant;
