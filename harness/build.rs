//! How the program is linked.

use std::env::var;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // At one fixed address: where it can be loaded anywhere, each start writes 130,000 addresses into its data first, and the contract
    // tier starts this program hundreds of times as a stub. An address that nobody can foresee helps where memory can be written to
    // that is not one's own, which the safe code of this program does not do.
    let (system, library) = (var("CARGO_CFG_TARGET_OS"), var("CARGO_CFG_TARGET_ENV"));
    if system.as_deref() == Ok("linux") && library.as_deref() == Ok("gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
