//! `docs/scenario-reference.md`: every key of a scenario file, made of the schema.

use std::fmt::Write;

use serde_json::Value;

use super::schema;

const HEAD: &str = "\
# Scenario reference

Every key of `scenario.toml`. [Writing scenarios](writing-scenarios.md) says how they go together.
Made from the types of the harness by `cargo xtask generate`; not to be edited.

Patterns are regular expressions of Rust's [regex](https://docs.rs/regex) crate; write them in
single quotes, where a backslash is itself. Paths, commands and patterns may have the placeholders
`@{folder}`, `@{dialect}`, `@{python}`, `@{variant}` and `@{budget}`.
";

/// An example of each table.
const EXAMPLES: &str = include_str!("table/examples.toml");

pub(crate) fn reference() -> String {
    let root = schema::value();
    let mut page = HEAD.to_owned();
    section(&mut page, &root, &root, "## At the top of the file", "");
    page
}

/// A table's section, and after it those of the tables in it.
fn section(page: &mut String, root: &Value, table: &Value, heading: &str, path: &str) {
    let _ = writeln!(page, "\n{heading}\n\n{}\n", text(table));
    page.push_str("| key | type | default | meaning |\n|---|---|---|---|\n");
    let keys = keys(table);
    for (name, key, required) in &keys {
        let default = match (required, key.get("default")) {
            (true, _) => "required".to_owned(),
            (false, Some(Value::String(text))) => format!("`\"{text}\"`"),
            (false, Some(value)) => format!("`{value}`"),
            (false, None) => String::new(),
        };
        let meaning = text(key).replace('\n', " ").replace('|', "\\|");
        let _ = writeln!(page, "| `{name}` | {} | {default} | {meaning} |", kind(root, key, &join(path, name)));
    }
    let mut described: Vec<&Value> = Vec::new();
    for (_, key, _) in &keys {
        let chosen = resolved(root, element(key));
        if values(chosen).is_empty() || described.contains(&chosen) {
            continue;
        }
        described.push(chosen);
        let same = keys.iter().filter(|(_, other, _)| resolved(root, element(other)) == chosen);
        let names: Vec<String> = same.map(|(name, ..)| format!("`{name}`")).collect();
        let _ = writeln!(page, "\nValues of {}:\n", names.join(" and "));
        for value in values(chosen) {
            let _ = writeln!(page, "- `\"{}\"`: {}", constant(value), text(value));
        }
    }
    if let Some(example) = example(path) {
        let _ = writeln!(page, "\n```toml\n{example}\n```");
    }
    for (name, key, _) in &keys {
        let inner = resolved(root, element(key));
        if inner.get("properties").is_some() {
            let path = join(path, name);
            section(page, root, inner, &format!("## `{}`", brackets(&path, is_list(key))), &path);
        }
    }
}

/// The example of a table: from its head to the next one.
fn example(path: &str) -> Option<&'static str> {
    let of = |block: &&str| {
        let head = block.lines().find(|line| !line.starts_with('#')).unwrap_or_default();
        if path.is_empty() { !head.starts_with('[') } else { head.trim_matches(['[', ']']) == path }
    };
    let block = EXAMPLES.split("\n\n").find(of)?;
    let comment = block.lines().take_while(|line| line.starts_with('#')).map(|line| line.len() + 1).sum();
    block.get(comment..).map(str::trim)
}

/// The keys of a table, those that are required first; each with whether it is.
fn keys(table: &Value) -> Vec<(&String, &Value, bool)> {
    let required: Vec<&str> =
        table["required"].as_array().map(|names| names.iter().filter_map(Value::as_str).collect()).unwrap_or_default();
    let all = table["properties"].as_object().into_iter().flatten();
    let mut keys: Vec<_> = all.map(|(name, key)| (name, key, required.contains(&name.as_str()))).collect();
    keys.sort_by_key(|(_, _, required)| !required);
    keys
}

/// What a key holds, in words.
fn kind(root: &Value, key: &Value, path: &str) -> String {
    let inner = resolved(root, element(key));
    if inner.get("properties").is_some() {
        let anchor: String = path.chars().filter(|character| *character != '.').collect();
        let name = if is_list(key) { "tables" } else { "table" };
        return format!("[{name} `{}`](#{anchor})", brackets(path, is_list(key)));
    }
    let scalar = match inner["type"].as_str() {
        _ if !values(inner).is_empty() => "one of those below",
        Some("string") => "text",
        Some("integer") => "number",
        Some("boolean") => "`true` or `false`",
        Some("object") => {
            return match inner["additionalProperties"]["type"].as_str() {
                Some("integer") => "table of numbers".to_owned(),
                _ => "table of texts".to_owned(),
            };
        }
        _ => "value",
    };
    if is_list(key) { format!("list: {scalar}") } else { scalar.to_owned() }
}

fn is_list(key: &Value) -> bool {
    key["type"] == "array"
}

/// What is in a list, or the value itself.
fn element(key: &Value) -> &Value {
    if is_list(key) { &key["items"] } else { key }
}

/// What a reference stands for.
fn resolved<'v>(root: &'v Value, value: &'v Value) -> &'v Value {
    let name = value["$ref"].as_str().and_then(|reference| reference.strip_prefix("#/$defs/"));
    name.map_or(value, |name| &root["$defs"][name])
}

/// The values that there are, of those that are listed.
fn values(schema: &Value) -> &[Value] {
    schema["oneOf"].as_array().map_or(&[], Vec::as_slice)
}

fn constant(value: &Value) -> &str {
    value["const"].as_str().unwrap_or_default()
}

fn text(value: &Value) -> &str {
    value["description"].as_str().unwrap_or_default()
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

fn brackets(path: &str, list: bool) -> String {
    if list { format!("[[{path}]]") } else { format!("[{path}]") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::suite::diagnostic::{Diagnostics, Source};
    use crate::suite::scenario::table::ScenarioFile;
    use crate::suite::toml_file;

    #[test]
    fn every_table_has_an_example_that_is_read() {
        let source = Source::new(Path::new("examples.toml"), EXAMPLES.to_owned());
        let read = toml_file::typed::<ScenarioFile>(&source).map_err(Diagnostics::new);
        assert!(read.is_ok(), "{}", read.unwrap_err());
        let page = reference();
        assert_eq!(page.matches("\n## ").count(), page.matches("```toml").count(), "{page}");
    }

    /// `UPDATE=1 cargo test` writes the page and the schema.
    #[test]
    fn the_generated_files_are_fresh() {
        for (name, fresh) in
            [("docs/scenario-reference.md", reference()), ("scenarios/scenario.schema.json", schema::schema())]
        {
            let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
            if std::env::var_os("UPDATE").is_some() {
                std::fs::write(&path, &fresh).unwrap();
            }
            let committed = std::fs::read_to_string(&path).unwrap_or_default();
            assert!(committed == fresh, "{name} is stale: `cargo xtask generate` renews it");
        }
    }
}
