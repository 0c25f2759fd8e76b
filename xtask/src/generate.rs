//! `cargo xtask generate`: files that the program itself prints, and the page of what the article lacks.

use std::process::{Command, Stdio};

use crate::{Error, article, renew, root};

/// The files, each with the arguments that print it.
const FILES: [(&str, &[&str]); 3] = [
    ("scenarios/scenario.schema.json", &["schema"]),
    ("docs/scenario-reference.md", &["schema", "--markdown"]),
    ("docs/contract.md", &["contract", "--markdown"]),
];

/// Makes the files; `false` when one was found stale.
pub(crate) fn generate(check: bool) -> Result<bool, Error> {
    let mut fresh = true;
    for (name, arguments) in FILES {
        fresh &= renew(&root().join(name), &printed(arguments)?, check)?;
    }
    fresh &= renew(&root().join("docs/article.md"), &article::page(&root())?, check)?;
    Ok(fresh)
}

/// What the program prints.
fn printed(arguments: &[&str]) -> Result<String, Error> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["run", "--quiet", "--package", "wsgi-proof", "--"])
        .args(arguments)
        .current_dir(root())
        .stderr(Stdio::inherit())
        .output()?;
    if !output.status.success() {
        return Err(format!("`wsgi-proof {}` failed: {}", arguments.join(" "), output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}
