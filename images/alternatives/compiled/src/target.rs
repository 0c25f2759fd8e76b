//! What mod_wsgi-express is to serve, according to its arguments.

use std::path::{Path, PathBuf};

/// Options that are followed by two words.
const TWO: [&str; 5] = ["--error-document", "--proxy-mount-point", "--proxy-virtual-host", "--setenv", "--url-alias"];
/// How options begin that are followed by none; all others are followed by one, or have a `=`.
const NONE: [&str; 26] = [
    "--access-log",
    "--allow",
    "--as-",
    "--chunked",
    "--compress",
    "--debug",
    "--destroy",
    "--directory-listing",
    "--disable",
    "--enable",
    "--hsts",
    "--isatty",
    "--log-to",
    "--no-",
    "--passenv-all",
    "--persist",
    "--profiler",
    "--reload",
    "--rewrite",
    "--rotate",
    "--send",
    "--service-log",
    "--setup-only",
    "--startup-log",
    "--trust",
    "--with",
];

/// What is to be served and is not there; `None` when all is there, or nothing can be said. `python_finds` looks for a module where
/// Python itself does.
pub fn missing(arguments: &[String], python_finds: &dyn Fn(&str) -> bool) -> Option<String> {
    let (mut kind, mut name, mut folder) = ("script".to_owned(), None, PathBuf::from("."));
    let mut paths = Vec::new();
    let mut rest = arguments.iter();
    while let Some(word) = rest.next() {
        if !word.starts_with('-') {
            name.get_or_insert_with(|| word.clone());
            continue;
        }
        let (option, value) = match word.split_once('=') {
            Some((option, value)) => (option, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        if TWO.contains(&option) {
            rest.nth(usize::from(value.is_none()));
            continue;
        }
        let value = match value {
            None if NONE.iter().any(|beginning| option.starts_with(beginning)) => continue,
            None => rest.next().cloned(),
            value => value,
        };
        let Some(value) = value else { continue };
        match option {
            "--application-type" => kind = value,
            "--entry-point" => name = Some(value),
            "--working-directory" => folder = PathBuf::from(value),
            "--python-path" => paths.push(PathBuf::from(value)),
            _ => {}
        }
    }
    let name = name?;
    let there = match kind.as_str() {
        "script" => Path::new(&name).exists(),
        "module" => {
            paths.push(folder);
            let first = name.split([':', '.']).next().unwrap_or(&name);
            let is_in =
                |path: &PathBuf| ["", ".py", ".so"].iter().any(|end| path.join(format!("{first}{end}")).exists());
            paths.iter().any(is_in) || python_finds(first)
        }
        _ => true,
    };
    (!there).then(|| format!("{kind} {name}"))
}
