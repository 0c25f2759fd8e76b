//! What a run writes to standard output.

/// The formats.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Text for a person; in a workflow of GitHub Actions with annotations.
    #[default]
    Human,
    /// One event a line, as JSON.
    JsonLines,
    /// Annotations of GitHub Actions, and nothing else.
    Github,
    /// The document that `--report` writes as junit.xml.
    Junit,
}
