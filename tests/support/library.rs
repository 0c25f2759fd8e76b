//! What the tests use of the program's library.

pub(crate) use wsgi_proof::{Bug, Control, Operator, SCRIPTS, Variant, mutants, proof};
