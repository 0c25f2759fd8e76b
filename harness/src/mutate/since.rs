//! Which lines of a script have changed since a commit.

use std::ops::Range;
use std::path::Path;
use std::process::Command;

/// The lines of a file that have changed since a commit, counted from 1; where lines were only taken out, the one before them.
///
/// # Errors
/// In words: when git cannot say.
pub(crate) fn changed_lines(file: &Path, since: &str) -> Result<Vec<Range<usize>>, String> {
    let folder = file.parent().unwrap_or(Path::new("."));
    let mut command = Command::new("git");
    command.arg("-C").arg(folder).args([
        "diff",
        "--no-color",
        "--no-ext-diff",
        "--unified=0",
        "--end-of-options",
        since,
        "--",
    ]);
    let output = command
        .arg(file.file_name().unwrap_or_default())
        .output()
        .map_err(|error| format!("cannot run git, which lists the changes: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned());
    }
    Ok(hunks(&String::from_utf8_lossy(&output.stdout)))
}

/// The stretches of lines that the hunks of a unified diff add.
fn hunks(diff: &str) -> Vec<Range<usize>> {
    let of = |line: &str| {
        let added = line.strip_prefix("@@ ")?.split_once('+')?.1.split_whitespace().next()?;
        let (first, count) = added.split_once(',').unwrap_or((added, "1"));
        let (first, count): (usize, usize) = (first.parse().ok()?, count.parse().ok()?);
        Some(first..first + count.max(1))
    };
    diff.lines().filter_map(of).collect()
}

#[cfg(test)]
mod tests {
    use super::hunks;

    #[test]
    fn the_lines_of_hunks() {
        let diff =
            "--- a/x\n+++ b/x\n@@ -1 +1,2 @@ f() {\n-a\n+b\n+c\n@@ -9,2 +10,0 @@\n-x\n-y\n@@ -20 +19 @@\n-a\n+b\n";
        assert_eq!(hunks(diff), [1..3, 10..11, 19..20]);
    }
}
