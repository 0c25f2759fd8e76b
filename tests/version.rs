//! The program says its version.

use crate::support::wsgi_proof;

#[test]
fn the_program_says_its_version() {
    let version = concat!("wsgi-proof ", env!("CARGO_PKG_VERSION"), "\n");
    wsgi_proof(&["--version"]).assert().success().stdout(version);
}
