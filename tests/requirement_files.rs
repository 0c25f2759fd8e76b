//! Requirement files are read as the real pip of each variant reads them: in its base image, with its own Python.

use rstest::rstest;

use crate::support::library::{Variant, proof};
use crate::support::{Suite, root};

/// How many files are generated, beside the corpus, unless `WSGI_PROOF_REQUIREMENT_FILES` says so.
const SAMPLE: usize = 500;
const SCENARIO: &str = r#"
summary = "Requirement files are read as pip reads them"
source = "pip itself"
proves = ["BUILD-3"]
nothing_to_serve = "only the pre-build hook is looked at"

[modes]
".docker/action_hooks/pre-build" = "0755"

[build]
outcome = "success"
log = ['^0 differences in [0-9]+ requirement files$']
"#;

/// The numbers of a variable, or these.
fn of_variable(name: &str, default: usize) -> usize {
    std::env::var(name).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}

fn held_to_pip(name: &str) {
    let images = root().join("images");
    let variant = Variant::select(&images, &[name.to_owned()]).unwrap().remove(0);
    let count = of_variable("WSGI_PROOF_REQUIREMENT_FILES", SAMPLE);
    let seed = of_variable("WSGI_PROOF_SEED", 1) as u64;
    let suite = Suite::new();
    suite
        .write("requirement-files/scenario.toml", SCENARIO)
        .write("requirement-files/app/Dockerfile", "ARG IMAGE\nFROM ${IMAGE}\nCMD [ \"wsgi.py\" ]\n")
        .write("requirement-files/app/oracle.py", proof::ORACLE)
        .write("requirement-files/app/cases", &proof::cases(&images, &variant, seed, count).unwrap())
        .write(
            "requirement-files/app/.docker/action_hooks/pre-build",
            // The last case must not be built.
            "#!/bin/sh\nset -e\npython oracle.py < cases\nfind . -mindepth 1 -delete\n",
        );
    suite.run_with(&["--variant", name]).assert().success();
}

/// The oldest pip and today's; the others are read like the latter, and `cargo test` is to have an end.
#[rstest]
fn as_the_real_pip_reads_them(#[values("python-2.7", "python-3.11")] variant: &str) {
    held_to_pip(variant);
}

/// All variants: `cargo test -- --ignored in_every_variant`, with `WSGI_PROOF_REQUIREMENT_FILES=10000` for all that is promised.
#[rstest]
#[ignore = "takes minutes; the sample above is part of every run"]
fn in_every_variant(#[values("python-2.7", "python-3.9", "python-3.11", "python-3.13", "python-3.14")] variant: &str) {
    held_to_pip(variant);
}
