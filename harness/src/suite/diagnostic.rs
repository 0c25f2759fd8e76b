//! What is wrong with the files of a suite: every fault at once, each with its place in the file.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use miette::{GraphicalReportHandler, GraphicalTheme, LabeledSpan, NamedSource, SourceCode};

use super::toml_file::MAX_FILE;
use crate::beneath::Folder;
use crate::outcome::At;

/// A line that is longer than this is not shown, in bytes.
const LONG_LINE: usize = 4000;

/// The text of a file, shared by the diagnostics that point into it.
#[derive(Debug, Clone)]
pub struct Source {
    file: PathBuf,
    text: Arc<NamedSource<String>>,
}

impl Source {
    /// The text of `file`; of a scenario, the path is relative to the folder of the scenarios.
    pub fn new(file: &Path, text: String) -> Self {
        let named = NamedSource::new(file.display().to_string(), text).with_language("TOML");
        Self { file: file.to_owned(), text: Arc::new(named) }
    }

    pub fn file(&self) -> &Path {
        &self.file
    }

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

    /// The place of a line, counted from 1, without what ends it.
    pub fn line(&self, number: usize) -> Range<usize> {
        let lines = self.text().split_inclusive('\n');
        let start = lines.take(number.saturating_sub(1)).map(str::len).sum::<usize>();
        let length = self.text()[start..].lines().next().map_or(0, |line| line.trim_end().len());
        start..start + length
    }

    /// A place of the file, as findings and reasons name it.
    pub(crate) fn at(&self, span: &Range<usize>) -> At {
        At { file: self.file.clone(), line: self.position(span.start).0 }
    }
}

#[derive(Debug, Clone)]
pub struct Diagnostic {
    /// What is wrong, in one sentence.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
    /// The file or folder.
    pub file: PathBuf,
    /// The bytes in question; `None` when the fault is not inside a file.
    pub span: Option<Range<usize>>,
    /// What is said at the caret.
    pub label: Option<String>,
    source: Option<Source>,
    /// The line, where the text is not at hand.
    line: Option<usize>,
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
            line: None,
        }
    }

    /// A fault of a file or folder as a whole.
    pub fn of(file: &Path, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            help: None,
            file: file.to_owned(),
            span: None,
            label: None,
            source: None,
            line: None,
        }
    }

    /// A fault of a line of a file that was read before, below `root`. The file is read again, to be shown.
    pub fn of_line(root: &Path, at: &At, message: impl Into<String>) -> Self {
        let path = root.join(&at.file);
        let Ok(text) = Folder::open(root).and_then(|root| root.text(&at.file, MAX_FILE)) else {
            return Self { line: Some(at.line), ..Self::of(&path, message) };
        };
        let source = Source::new(&path, text);
        Self::at(&source, source.line(at.line), message)
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

    /// Whether the line in question, or the next one to it, is too long to be shown.
    fn is_on_a_long_line(&self) -> bool {
        let Some((source, span)) = self.source.as_ref().zip(self.span.as_ref()) else { return false };
        let shown = source.position(span.start).0.saturating_sub(1)..=source.position(span.end).0 + 1;
        shown.into_iter().any(|line| source.line(line).len() > LONG_LINE)
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

/// All faults of files, in the order of files and lines; never empty when returned as an error.
///
/// `Display` gives a line each, `FILE:LINE:COLUMN: MESSAGE`; [`Diagnostics::render`] the pictures with carets.
#[derive(Debug, Clone)]
pub struct Diagnostics {
    faults: Vec<Diagnostic>,
    of: String,
}

impl Diagnostics {
    /// The faults, sorted by file and place.
    pub fn new(mut faults: Vec<Diagnostic>) -> Self {
        faults.sort_by(|a, b| {
            let key = |fault: &Diagnostic| (fault.file.clone(), fault.line, fault.span.as_ref().map(|span| span.start));
            key(a).cmp(&key(b))
        });
        Self { faults, of: "the scenario files".to_owned() }
    }

    /// The same, of other files than those of scenarios.
    #[must_use]
    pub fn of(self, files: impl Into<String>) -> Self {
        Self { of: files.into(), ..self }
    }

    pub fn all(&self) -> &[Diagnostic] {
        &self.faults
    }

    /// The graphical report: each fault with its lines of the file and a caret. `width` is in columns. It has no colours: escape
    /// sequences in a file could not be told from those.
    pub fn render(&self, width: usize) -> String {
        let handler =
            GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(width).with_links(false);
        let mut report = String::new();
        for fault in &self.faults {
            let mut named = fault.clone();
            if fault.span.is_none() {
                // The picture names the file only when it has something to show of it.
                named.message = plain(fault);
            }
            if fault.is_on_a_long_line() {
                // No picture of it would be of use, and the handler has no room for it.
                report.push_str(&plain(fault));
                if let Some(help) = &fault.help {
                    report.push_str("\n  help: ");
                    report.push_str(help);
                }
                report.push_str("\n\n");
                continue;
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
        match self.faults.len() {
            1 => format!("1 fault in {}", self.of),
            several => format!("{several} faults in {}", self.of),
        }
    }
}

fn plain(fault: &Diagnostic) -> String {
    match fault.position() {
        Some((line, column)) => format!("{}:{line}:{column}: {}", fault.file.display(), fault.message),
        None => match fault.line {
            Some(line) => format!("{}:{line}: {}", fault.file.display(), fault.message),
            None => format!("{}: {}", fault.file.display(), fault.message),
        },
    }
}

impl fmt::Display for Diagnostics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, fault) in self.faults.iter().enumerate() {
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
        Some(Box::new(self.faults.iter().map(|fault| fault as &dyn miette::Diagnostic)))
    }
}

/// Collects the faults of one file.
#[derive(Debug)]
pub(crate) struct Faults {
    source: Source,
    all: Vec<Diagnostic>,
}

impl Faults {
    /// Of this file, none so far.
    pub(crate) fn new(source: Source) -> Self {
        Self { source, all: Vec::new() }
    }

    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Reports a fault at a place of the file; the help can follow.
    pub(crate) fn at(&mut self, span: Range<usize>, message: impl Into<String>) -> Help<'_> {
        self.push(Diagnostic::at(&self.source, span, message));
        Help(self.all.last_mut())
    }

    /// Reports a fault that was made elsewhere.
    pub(crate) fn push(&mut self, fault: Diagnostic) {
        self.all.push(fault);
    }

    /// The value, unless there were faults.
    pub(crate) fn check<T>(self, value: T) -> Result<T, Vec<Diagnostic>> {
        if self.all.is_empty() { Ok(value) } else { Err(self.all) }
    }
}

impl Help<'_> {
    /// That of no fault: there are enough.
    pub(crate) fn of_none() -> Self {
        Self(None)
    }
}

/// The fault just reported, to which what helps can be added.
pub(crate) struct Help<'a>(Option<&'a mut Diagnostic>);

impl Help<'_> {
    /// What is said at the caret.
    pub(crate) fn label(self, label: impl Into<String>) -> Self {
        let Self(mut fault) = self;
        if let Some(fault) = &mut fault {
            fault.label = Some(label.into());
        }
        Self(fault)
    }

    /// What to do about it.
    pub(crate) fn advice(self, help: impl Into<String>) {
        if let Some(fault) = self.0 {
            fault.help = Some(help.into());
        }
    }
}
