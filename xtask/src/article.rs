//! `docs/article.md`: what the steps of the article lack, clause by clause.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::path::Path;

use serde::Deserialize;

use crate::Error;

/// The part of the contract that the page shows.
#[derive(Deserialize)]
struct Contract {
    clause: Vec<Clause>,
}

#[derive(Deserialize)]
struct Clause {
    id: String,
    level: String,
    says: String,
    source: String,
}

/// Clauses, by scenario.
type Broken = BTreeMap<String, BTreeSet<String>>;

/// What the candidate breaks, in both tiers and in images alone, and in which variants it does not.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct List {
    breaks: Broken,
    breaks_in_images: Broken,
    not_in: BTreeMap<String, Vec<String>>,
}

/// The page, made from the candidate's list and the contract.
pub(crate) fn page(root: &Path) -> Result<String, Error> {
    let contract: Contract = read(&root.join("scenarios/contract.toml"))?;
    let List { mut breaks, breaks_in_images, not_in } = read(&root.join("images/alternatives/article/breaks.toml"))?;
    breaks.extend(breaks_in_images);
    let mut text = String::from(
        "# What the article's steps lack\n\n\
         Made from `images/alternatives/article/breaks.toml` and `scenarios/contract.toml` by\n\
         `cargo xtask generate`; not to be edited.\n\n\
         Steps that do what the article says, and no more, keep every MUST of [the contract](contract.md) in the dialect\n\
         `docker`. They break the SHOULDs below, each taught by what came later. Whoever implements these images anew learns\n\
         here what the article does not say.\n\n\
         | clause | what is lacking | where it was learnt | shown by |\n|---|---|---|---|\n",
    );
    let mut shown = 0;
    for Clause { id, level, says, source } in &contract.clause {
        let shown_as = |name: &String| match not_in.get(name) {
            Some(variants) => format!("{name} (not in {})", variants.join(", ")),
            None => name.clone(),
        };
        let broken: Vec<String> =
            breaks.iter().filter(|(_, clauses)| clauses.contains(id)).map(|(name, _)| shown_as(name)).collect();
        if broken.is_empty() {
            continue;
        }
        if level != "SHOULD" {
            return Err(format!("the article breaks {id}, which is a {level}").into());
        }
        shown += 1;
        writeln!(text, "| {id} | {says} | {source} | {} |", broken.join(", "))?;
    }
    let listed: BTreeSet<&String> = breaks.values().flatten().collect();
    if shown != listed.len() {
        return Err("the article's list has a clause that the contract does not".into());
    }
    Ok(text)
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let name = path.display();
    let text = std::fs::read_to_string(path).map_err(|error| format!("{name}: {error}"))?;
    toml::from_str(&text).map_err(|error| format!("{name}: {error}").into())
}
