//! What is wrong with scenario files: every fault at once, each with the place in the file.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

/// The text of a scenario file, shared by the diagnostics that point into it.
#[derive(Debug, Clone)]
pub struct Source {
    file: PathBuf,
    text: Arc<NamedSource<String>>,
}

impl Source {
    /// The text of `file`, a path relative to the folder of the scenarios.
    pub fn new(file: &Path, text: String) -> Self {
        let named = NamedSource::new(file.display().to_string(), text).with_language("TOML");
        Self { file: file.to_owned(), text: Arc::new(named) }
    }

    /// The file, relative to the folder of the scenarios.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// The text.
    pub fn text(&self) -> &str {
        self.text.inner()
    }

    /// The line and column of a byte, both counted from 1, the column in characters.
    pub fn position(&self, offset: usize) -> (usize, usize) {
        let mut end = offset.min(self.text().len());
        while !self.text().is_char_boundary(end) {
            end -= 1;
        }
        let before = &self.text()[..end];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
    }
}

/// One fault.
#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The file or folder, relative to the folder of the scenarios.
    pub file: PathBuf,
    /// The bytes in question; `None` when the fault is not inside a file.
    pub span: Option<Range<usize>>,
    /// What is said at the caret.
    pub label: Option<String>,
    source: Option<Source>,
}

impl Diagnostic {
    /// A fault at a place in a file.
    pub fn at(source: &Source, span: Range<usize>, message: impl Into<String>) -> Self {
        let length = source.text().len();
        Self {
            message: message.into(),
            help: None,
            file: source.file.clone(),
            span: Some(span.start.min(length)..span.end.min(length)),
            label: None,
            source: Some(source.clone()),
        }
    }

    /// A fault of a file or folder as a whole.
    pub fn of(file: &Path, message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, file: file.to_owned(), span: None, label: None, source: None }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Adds what is said at the caret.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// The line and column, both counted from 1.
    pub fn position(&self) -> Option<(usize, usize)> {
        Some(self.source.as_ref()?.position(self.span.as_ref()?.start))
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Diagnostic {}

impl miette::Diagnostic for Diagnostic {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.source.as_ref().map(|source| source.text.as_ref() as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span.clone()?;
        Some(Box::new(std::iter::once(LabeledSpan::new_with_span(self.label.clone(), span))))
    }
}

/// All faults of all scenario files, in the order of files and lines; never empty when returned as an error.
///
/// `Display` gives a line each, `FILE:LINE:COLUMN: MESSAGE`; [`Diagnostics::render`] the pictures with carets.
#[derive(Debug, Clone, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// The faults, sorted by file and place.
    pub fn new(mut faults: Vec<Diagnostic>) -> Self {
        faults.sort_by(|a, b| {
            let key = |fault: &Diagnostic| (fault.file.clone(), fault.span.as_ref().map(|span| span.start));
            key(a).cmp(&key(b))
        });
        Self(faults)
    }

    /// The faults.
    pub fn all(&self) -> &[Diagnostic] {
        &self.0
    }

    /// The graphical report: each fault with its lines of the file and a caret. `width` is in columns.
    pub fn render(&self, color: bool, width: usize) -> String {
        let theme = if color { GraphicalTheme::unicode() } else { GraphicalTheme::unicode_nocolor() };
        let handler = GraphicalReportHandler::new_themed(theme).with_width(width).with_links(false);
        let mut report = String::new();
        for fault in &self.0 {
            let mut named = fault.clone();
            if fault.span.is_none() {
                // The picture names the file only when it has something to show of it.
                named.message = plain(fault);
            }
            let mut part = String::new();
            // Writing to a string fails only when the handler cannot read the source; the plain line still says it.
            if handler.render_report(&mut part, &named).is_err() {
                part = plain(fault);
            }
            report.push_str(part.trim_end());
            report.push_str("\n\n");
        }
        report.push_str(&self.count());
        report.push('\n');
        report
    }

    fn count(&self) -> String {
        match self.0.len() {
            1 => "1 fault in the scenario files".to_owned(),
            several => format!("{several} faults in the scenario files"),
        }
    }
}

fn plain(fault: &Diagnostic) -> String {
    match fault.position() {
        Some((line, column)) => format!("{}:{line}:{column}: {}", fault.file.display(), fault.message),
        None => format!("{}: {}", fault.file.display(), fault.message),
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            f.write_str(&plain(fault))?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}

impl miette::Diagnostic for Diagnostics {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        Some(Box::new(self.0.iter().map(|fault| fault as &dyn miette::Diagnostic)))
    }
}
