//! The scenario tests are found when they are compiled: compile again when a scenario comes or goes.

fn main() {
    println!("cargo::rerun-if-changed=../scenarios");
}
