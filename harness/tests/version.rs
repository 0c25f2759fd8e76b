//! The program says its version. That this test stands in the program's own package also makes `cargo test` build the
//! program before the tests of the whole program (`tests/`) look for it.

#![allow(clippy::unwrap_used)]

use std::process::Command;

#[test]
fn the_program_says_its_version() {
    let output = Command::new(env!("CARGO_BIN_EXE_wsgi-proof")).arg("--version").output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.trim(), concat!("wsgi-proof ", env!("CARGO_PKG_VERSION")));
}
