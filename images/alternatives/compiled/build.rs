//! Both steps become part of images, whose size has a budget: without symbols.

fn main() {
    println!("cargo:rustc-link-arg-bins=-s");
}
