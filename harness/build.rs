//! How the program is linked.

use std::env::var;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    // At one fixed address: a program that can be loaded at any address writes 130,000 addresses into its data at each start, and the
    // contract tier starts this one hundreds of times as a stub. What is given up, an address that nobody can foresee, helps where memory
    // is corrupted; the program's own code is safe Rust.
    let (system, library) = (var("CARGO_CFG_TARGET_OS"), var("CARGO_CFG_TARGET_ENV"));
    if system.as_deref() == Ok("linux") && library.as_deref() == Ok("gnu") {
        println!("cargo::rustc-link-arg-bins=-no-pie");
    }
}
