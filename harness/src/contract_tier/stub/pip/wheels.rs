//! Wheels that `pip wheel` and `pip download` leave, for an `install` that has no index but a folder of them.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

/// The end of their names.
const END: &str = "-py3-none-any.whl";

/// Leaves a wheel. In it stands what was left out that it may need, a line each.
pub(super) fn leave(folder: &Path, label: &str, less: &[String]) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    match fs::write(folder.join(file(label)), less.join("\n")) {
        // A project may have a name that is too long for a file's.
        Err(error) if error.kind() == ErrorKind::InvalidFilename => Ok(()),
        written => written,
    }
}

/// What the wheel in one of these folders lacks; `None` where there is none.
pub(super) fn lacks(folders: &[String], beside: &Path, label: &str) -> Option<Vec<String>> {
    let read = |folder: &String| {
        let folder = folder.strip_prefix("file://").unwrap_or(folder);
        fs::read_to_string(beside.join(folder).join(file(label))).ok()
    };
    folders.iter().find_map(read).map(|text| text.lines().map(str::to_owned).collect())
}

fn file(label: &str) -> String {
    match label.rsplit_once('-') {
        Some((name, version)) => format!("{}-{version}{END}", name.replace('-', "_")),
        None => format!("{label}{END}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_a_wheel_lacks_stays_with_it() {
        let folder = tempfile::tempdir().unwrap();
        leave(&folder.path().join("w"), "six-1.0", &[]).unwrap();
        leave(&folder.path().join("w"), "my-own-1.0", &["--no-deps".to_owned()]).unwrap();
        let folders = ["elsewhere".to_owned(), "w".to_owned()];
        let lacks = |label| lacks(&folders, folder.path(), label);
        assert_eq!((lacks("six-1.0"), lacks("seven-1.0")), (Some(Vec::new()), None));
        assert_eq!(lacks("my-own-1.0"), Some(vec!["--no-deps".to_owned()]));
        assert!(folder.path().join("w/my_own-1.0-py3-none-any.whl").is_file());
    }
}
