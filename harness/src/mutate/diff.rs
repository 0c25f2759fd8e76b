//! What a mutant changes, as a diff.

use similar::TextDiff;

/// The unified diff of two texts.
pub(crate) fn unified(file: &str, before: &str, after: &str) -> String {
    TextDiff::from_lines(before, after).unified_diff().context_radius(1).header(file, file).to_string()
}
