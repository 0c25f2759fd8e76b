//! From the file as typed to a valid [`Scenario`], or every fault of its meaning: values that are not what they must
//! be, and expectations that contradict each other.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::diagnostic::{Diagnostic, Source};
use super::file::{BuildTable, CommandTable, ImageTable, OutcomeKey, ScenarioFile, SubjectKey, Typed};
use super::load::{APP_FOLDER, VOLUME_FOLDER, is_kebab_case};
use super::pattern::{self, Purpose};
use super::{
    BuildExpectation, BuildOutcome, CommandExpectation, Declared, ImageExpectation, Scenario, Setting, Subject, app,
    applies, files, placeholder, rebuild, serve,
};
use crate::outcome::At;
use crate::suite::cell::Cell;
use crate::suite::limits::Limit;

/// Resolves one file; `folder` is the scenario's folder.
pub(super) fn scenario(
    name: &str,
    folder: &Path,
    source: &Source,
    file: &ScenarioFile,
    setting: &Setting<'_>,
) -> Result<Scenario, Vec<Diagnostic>> {
    let mut resolving = Resolver { source, setting, faults: Vec::new() };
    let resolved = resolving.scenario(name, folder, file);
    if resolving.faults.is_empty() { Ok(resolved) } else { Err(resolving.faults) }
}

/// Resolves values of one file, and keeps the faults. A method that returns `None` has reported why.
pub(super) struct Resolver<'a> {
    source: &'a Source,
    setting: &'a Setting<'a>,
    faults: Vec<Diagnostic>,
}

impl<'a> Resolver<'a> {
    fn scenario(&mut self, name: &str, folder: &Path, file: &ScenarioFile) -> Scenario {
        self.not_empty(&file.summary, "summary");
        self.not_empty(&file.source, "source");
        let subject = match file.subject.as_ref().map(Typed::get) {
            None | Some(SubjectKey::Application) => Subject::Application,
            Some(SubjectKey::OnbuildImage) => Subject::OnbuildImage,
            Some(SubjectKey::BaseImage) => Subject::BaseImage,
        };
        let app = if subject == Subject::Application {
            let place = file.subject.as_ref().map_or_else(|| file.summary.span(), Typed::span);
            match app::folder(folder, self.source, place.clone()) {
                Ok(app) => {
                    self.faults.extend(app::context_fault(&app, self.source, place));
                    Some(app)
                }
                Err(fault) => {
                    self.faults.push(*fault);
                    None
                }
            }
        } else {
            self.no_application(folder, file);
            None
        };
        applies::folders(self, app.as_deref(), file);
        let modes = app::modes(app.as_deref(), &file.modes, ("modes", APP_FOLDER), self.source, &mut self.faults);
        if file.build.is_none() && subject == Subject::Application {
            self.fault(file.summary.span(), "a scenario of an application has no `[build]`")
                .advice("add `[build]` with `outcome = \"success\"` or `\"failure\"`");
        }
        self.something_asserted(file, subject);
        let failing = file.build.as_ref().filter(|build| *build.get().outcome.get() == OutcomeKey::Failure);
        if failing.is_some() {
            self.nothing_after_failure(file);
        }
        applies::something_to_serve(self, file);
        let build = file.build.as_ref().and_then(|build| self.build(build));
        let rebuilds = rebuild::resolve(self, app.as_deref(), &file.rebuild);
        let generate = file.generate.as_ref().and_then(|table| rebuild::generate(self, app.as_deref(), table));
        let applies::Reasons { image: not_applicable, contract: not_in_contract_tier } =
            applies::reasons(self, &file.not_applicable);
        let limits = file.limits.iter().filter_map(|(name, value)| self.limit(name, value)).collect();
        let image = file.image.as_ref().map(|image| self.image(image.get())).unwrap_or_default();
        let files = files::resolve(self, &file.file);
        let commands = file.command.iter().filter_map(|command| self.command(command.get())).collect();
        let serve = file.serve.as_ref().map(|table| serve::resolve(self, folder, table));
        let absent_packages = self.absent_packages(file);
        Scenario {
            name: name.to_owned(),
            summary: self.declared(&file.summary, file.summary.get().trim().to_owned()),
            source: file.source.get().trim().to_owned(),
            proves: file.proves.iter().map(|clause| self.declared(clause, clause.get().clone())).collect(),
            subject,
            dialect: self.setting.cell.dialect,
            not_applicable,
            not_in_contract_tier,
            keep_folders: file.keep_folders.as_ref().is_some_and(|keep| *keep.get()),
            limits,
            generate,
            app,
            modes,
            absent_packages,
            build,
            rebuilds,
            image,
            files,
            commands,
            serve,
        }
    }

    fn limit(&mut self, name: &Typed<String>, value: &Typed<i64>) -> Option<Limit> {
        match Limit::new(name.get(), *value.get()) {
            Ok(limit) => Some(limit),
            Err(why) => {
                self.fault(value.span(), why);
                None
            }
        }
    }

    /// What the scenario is loaded for.
    pub(super) fn setting(&self) -> Setting<'a> {
        *self.setting
    }

    /// Reports a fault; the help can follow.
    pub(super) fn fault(&mut self, span: Range<usize>, message: impl Into<String>) -> Help<'_> {
        self.faults.push(Diagnostic::at(self.source, span, message));
        Help(self.faults.last_mut())
    }

    pub(super) fn at(&self, span: &Range<usize>) -> At {
        At { file: self.source.file().to_owned(), line: self.source.position(span.start).0 }
    }

    pub(super) fn declared<T, V>(&self, typed: &Typed<T>, value: V) -> Declared<V> {
        Declared { value, at: self.at(&typed.span()) }
    }

    pub(super) fn pattern(&mut self, typed: &Typed<String>, purpose: Purpose) -> Option<Declared<Regex>> {
        match pattern::compile(self.source, typed, purpose, self.setting.cell) {
            Ok(regex) => Some(self.declared(typed, regex)),
            Err(fault) => {
                self.faults.push(*fault);
                None
            }
        }
    }

    pub(super) fn optional(&mut self, typed: Option<&Typed<String>>, purpose: Purpose) -> Option<Declared<Regex>> {
        typed.and_then(|typed| self.pattern(typed, purpose))
    }

    /// Patterns for lines, and patterns for absent lines, which must not be the same.
    pub(super) fn lines(
        &mut self,
        log: &[Typed<String>],
        absent: &[Typed<String>],
    ) -> (Vec<Declared<Regex>>, Vec<Declared<Regex>>) {
        for typed in absent {
            if log.iter().any(|present| present.get() == typed.get()) {
                self.fault(typed.span(), "the same pattern is in `log` and in `log_absent`")
                    .label("a line cannot be both there and not there");
            }
        }
        (self.patterns(log, Purpose::Line), self.patterns(absent, Purpose::AbsentLine))
    }

    pub(super) fn patterns(&mut self, list: &[Typed<String>], purpose: Purpose) -> Vec<Declared<Regex>> {
        list.iter().filter_map(|typed| self.pattern(typed, purpose)).collect()
    }

    /// Reports that the pattern which must be found is also the one that must not.
    pub(super) fn opposites(&mut self, present: Option<&Typed<String>>, absent: Option<&Typed<String>>, key: &str) {
        if let (Some(present), Some(absent)) = (present, absent)
            && present.get() == absent.get()
        {
            self.fault(absent.span(), format!("the same pattern is in `{key}` and in `{key}_absent`"))
                .label("it cannot be both found and not found");
        }
    }

    pub(super) fn named_patterns(
        &mut self,
        declared: &BTreeMap<Typed<String>, Typed<String>>,
        purpose: Purpose,
    ) -> BTreeMap<String, Declared<Regex>> {
        let compiled = declared.iter().filter_map(|(name, pattern)| {
            if name.get().is_empty() {
                self.fault(name.span(), "a name is empty");
            }
            Some((name.get().clone(), self.pattern(pattern, purpose)?))
        });
        compiled.collect()
    }

    pub(super) fn arguments(&mut self, typed: &Typed<Vec<String>>, key: &str) -> Option<Vec<String>> {
        if typed.get().is_empty() {
            self.fault(typed.span(), format!("`{key}` is an empty list"))
                .advice("give at least one argument, or leave the key out");
            return None;
        }
        Some(self.texts(typed))
    }

    /// A text with its placeholders filled in.
    pub(super) fn text(&mut self, typed: &Typed<String>) -> String {
        match placeholder::fill(typed.get(), self.setting.cell, str::to_owned) {
            Ok(text) => text.into_owned(),
            Err(unknown) => {
                self.faults.push(*pattern::unknown_placeholder(self.source, typed, &unknown));
                String::new()
            }
        }
    }

    /// A list of texts with their placeholders filled in.
    fn texts(&mut self, typed: &Typed<Vec<String>>) -> Vec<String> {
        let cell = self.setting.cell;
        let mut filled = Vec::new();
        for text in typed.get() {
            match placeholder::fill(text, cell, str::to_owned) {
                Ok(text) => filled.push(text.into_owned()),
                Err(unknown) => {
                    let known = Cell::PLACEHOLDERS.join(", ");
                    self.fault(typed.span(), format!("there is no placeholder `@{{{}}}`", unknown.0.escape_debug()))
                        .advice(format!("there are: {known}"));
                }
            }
        }
        filled
    }

    /// An exit code from `lowest` to 255.
    pub(super) fn exit_code(&mut self, typed: &Typed<i64>, lowest: i64) -> Option<Declared<i64>> {
        if !(lowest..=255).contains(typed.get()) {
            let message = format!("the exit code {} is not possible here", typed.get());
            self.fault(typed.span(), message).label(format!("must be {lowest} to 255"));
            return None;
        }
        Some(self.declared(typed, *typed.get()))
    }

    fn exit_codes(&mut self, table: &BuildTable) -> Option<Declared<Vec<i64>>> {
        let Some(several) = &table.exit_codes else {
            let one = table.exit_code.as_ref().and_then(|typed| self.exit_code(typed, 1))?;
            return Some(Declared { value: vec![one.value], at: one.at });
        };
        if table.exit_code.is_some() {
            self.fault(several.span(), "`exit_codes` beside `exit_code`").advice("keep one of the two");
        }
        if several.get().len() < 2 || !several.get().iter().all(|code| (1..=255).contains(code)) {
            self.fault(several.span(), "`exit_codes` are not several exit codes").label("two or more of 1 to 255");
            return None;
        }
        Some(self.declared(several, several.get().clone()))
    }

    /// What keeps a volume's folder from being one, and its modes.
    pub(super) fn volume(
        &mut self,
        folder: &Path,
        place: Range<usize>,
        modes: &BTreeMap<Typed<String>, Typed<String>>,
    ) -> BTreeMap<PathBuf, u32> {
        self.faults.extend(app::context_fault(folder, self.source, place));
        let names = ("serve.volume_modes", VOLUME_FOLDER);
        app::modes(Some(folder), modes, names, self.source, &mut self.faults)
    }

    fn not_empty(&mut self, typed: &Typed<String>, key: &str) {
        if typed.get().trim().is_empty() {
            self.fault(typed.span(), format!("the {key} is empty"));
        }
    }

    fn no_application(&mut self, folder: &Path, file: &ScenarioFile) {
        let place = file.subject.as_ref().map_or(0..0, Typed::span);
        if let Some(build) = &file.build {
            self.fault(build.span(), "a scenario of an image has a `[build]`")
                .label("nothing is built for it")
                .advice("remove `[build]`, or the `subject`");
        }
        if folder.join(APP_FOLDER).exists() {
            self.fault(place.clone(), format!("a scenario of an image has an `{APP_FOLDER}/` folder"))
                .advice(format!("remove `{APP_FOLDER}/`, or the `subject`"));
        }
        let rebuild = file.rebuild.first().map(|table| ("[[rebuild]]", table.span()));
        let generate = file.generate.as_ref().map(|table| ("[generate]", table.span()));
        let folders = file.keep_folders.as_ref().map(|keep| ("keep_folders", keep.span()));
        for (key, span) in [rebuild, generate, folders].into_iter().flatten() {
            self.fault(span, format!("a scenario of an image has `{key}`")).label("nothing is built for it");
        }
        if let Some(path) = file.modes.keys().next() {
            self.fault(path.span(), "a scenario of an image has `[modes]`").label("there are no files to set modes of");
        }
        if let Some(serve) = &file.serve {
            self.fault(serve.span(), "a scenario of an image has a `[serve]`")
                .label("the image has no application to serve");
        }
    }

    fn something_asserted(&mut self, file: &ScenarioFile, subject: Subject) {
        if let Some(image) = &file.image
            && is_empty(image.get())
        {
            self.fault(image.span(), "`[image]` asserts nothing").advice("give it a key, or remove it");
        }
        let asserts = file.build.is_some()
            || file.image.is_some()
            || file.serve.is_some()
            || !file.file.is_empty()
            || !file.command.is_empty();
        if !asserts && subject != Subject::Application {
            self.fault(file.summary.span(), "the scenario asserts nothing")
                .advice("add `[image]`, `[[file]]` or `[[command]]`");
        }
    }

    fn nothing_after_failure(&mut self, file: &ScenarioFile) {
        let rebuild = file.rebuild.first().map(|table| ("[[rebuild]]", table.span()));
        let image = file.image.as_ref().map(|table| ("[image]", table.span()));
        let first_file = file.file.first().map(|table| ("[[file]]", table.span()));
        let command = file.command.first().map(|table| ("[[command]]", table.span()));
        let serve = file.serve.as_ref().map(|table| ("[serve]", table.span()));
        for (table, span) in [rebuild, image, first_file, command, serve].into_iter().flatten() {
            self.fault(span, format!("`{table}` of a build that must fail")).label("there will be no image to look at");
        }
    }

    fn build(&mut self, build: &Typed<BuildTable>) -> Option<BuildExpectation> {
        let table = build.get();
        let (log, log_absent) = self.lines(&table.log, &table.log_absent);
        let outcome = match table.outcome.get() {
            OutcomeKey::Success => {
                let phase = table.phase.as_ref().map(|typed| ("phase", typed.span()));
                let exit_code = table.exit_code.as_ref().map(|typed| ("exit_code", typed.span()));
                let exit_codes = table.exit_codes.as_ref().map(|typed| ("exit_codes", typed.span()));
                let because = table.because.as_ref().map(|typed| ("because", typed.span()));
                for (key, span) in [phase, exit_code, exit_codes, because].into_iter().flatten() {
                    self.fault(span, format!("`{key}` of a build that must succeed"))
                        .label("only for `outcome = \"failure\"`");
                }
                BuildOutcome::Success
            }
            OutcomeKey::Failure => {
                for (key, missing) in [
                    ("phase", table.phase.is_none()),
                    ("exit_code", table.exit_code.is_none() && table.exit_codes.is_none()),
                    ("because", table.because.is_none()),
                ] {
                    if missing {
                        self.fault(table.outcome.span(), format!("a build that must fail has no `{key}`"))
                            .label(format!("needs `{key}`"))
                            .advice("a failure is named by its phase, its exit code and a line of that phase's log");
                    }
                }
                let exit_codes = self.exit_codes(table);
                let because = self.optional(table.because.as_ref(), Purpose::Line);
                let phase = table.phase.as_ref().map(|typed| self.declared(typed, *typed.get()));
                BuildOutcome::Failure { phase: phase?, exit_codes: exit_codes?, because: because? }
            }
        };
        Some(BuildExpectation {
            outcome: self.declared(&table.outcome, outcome),
            folders: self.setting.cell.dialect.folders(),
            phases: table.phases.as_ref().map(|typed| self.declared(typed, typed.get().clone())),
            should_log: self.patterns(&table.should_log, Purpose::Line),
            log,
            tool_log: self.patterns(&table.tool_log, Purpose::Line),
            log_absent,
        })
    }

    fn image(&mut self, table: &ImageTable) -> ImageExpectation {
        if let Some(ports) = &table.exposed_ports {
            for port in ports.get() {
                let (number, protocol) = port.split_once('/').unwrap_or((port, ""));
                if number.parse::<u16>().is_err() || !["tcp", "udp", "sctp"].contains(&protocol) {
                    self.fault(ports.span(), format!("`{}` is not an exposed port", port.escape_debug()))
                        .advice("write the number and the protocol, such as \"80/tcp\"");
                }
            }
        }
        ImageExpectation {
            triggers: self.list(table.triggers.as_ref()),
            entry_point: self.list(table.entry_point.as_ref()),
            command: self.list(table.command.as_ref()),
            exposed_ports: self.list(table.exposed_ports.as_ref()),
            working_directory: self.declared_text(table.working_directory.as_ref()),
            user: self.declared_text(table.user.as_ref()),
            max_megabytes: table.max_megabytes.as_ref().and_then(|typed| self.megabytes(typed)),
            environment: self.named_patterns(&table.environment, Purpose::Whole),
            labels: self.named_patterns(&table.labels, Purpose::Whole),
        }
    }

    fn list(&mut self, typed: Option<&Typed<Vec<String>>>) -> Option<Declared<Vec<String>>> {
        typed.map(|typed| {
            let value = self.texts(typed);
            self.declared(typed, value)
        })
    }

    fn declared_text(&mut self, typed: Option<&Typed<String>>) -> Option<Declared<String>> {
        typed.map(|typed| {
            let value = self.text(typed);
            self.declared(typed, value)
        })
    }

    fn megabytes(&mut self, typed: &Typed<String>) -> Option<Declared<u64>> {
        let Ok(value @ 1..) = self.text(typed).parse::<u64>() else {
            self.fault(typed.span(), "the size is not a number of megabytes")
                .advice("write it as digits, such as \"400\", or as \"@{budget}\": the budget of the variant");
            return None;
        };
        Some(self.declared(typed, value))
    }

    pub(super) fn mode(&mut self, typed: &Typed<String>) -> Option<Declared<u32>> {
        match app::octal(typed.get()) {
            Ok(bits) => Some(self.declared(typed, bits)),
            Err(reason) => {
                self.faults.push(app::bad_mode(self.source, typed, reason));
                None
            }
        }
    }

    pub(super) fn command(&mut self, table: &CommandTable) -> Option<CommandExpectation> {
        self.opposites(table.output.as_ref(), table.output_absent.as_ref(), "output");
        let output = self.optional(table.output.as_ref(), Purpose::Text);
        let output_absent = self.optional(table.output_absent.as_ref(), Purpose::AbsentText);
        let exit_code = match &table.exit_code {
            Some(typed) => self.exit_code(typed, 0),
            None => Some(self.declared(&table.run, 0)),
        };
        let run = self.arguments(&table.run, "run")?;
        if run.first().is_some_and(String::is_empty) {
            self.fault(table.run.span(), "the program's name is empty");
        }
        Some(CommandExpectation { run: self.declared(&table.run, run), exit_code: exit_code?, output, output_absent })
    }

    fn absent_packages(&mut self, file: &ScenarioFile) -> Vec<String> {
        let declared = file.fixtures.as_ref().map(|fixtures| fixtures.absent_packages.as_slice()).unwrap_or_default();
        for name in declared {
            if !is_kebab_case(name.get()) {
                self.fault(name.span(), "the package's name is not normalised")
                    .label("as the index is asked for it")
                    .advice("use lower case, and one hyphen for each run of `-`, `_` and `.`");
            }
        }
        declared.iter().map(|name| name.get().clone()).collect()
    }
}

/// The fault just reported, to which what helps can be added.
pub(super) struct Help<'a>(Option<&'a mut Diagnostic>);

impl Help<'_> {
    /// What is said at the caret.
    pub(super) fn label(self, label: impl Into<String>) -> Self {
        let Self(mut fault) = self;
        if let Some(fault) = &mut fault {
            fault.label = Some(label.into());
        }
        Self(fault)
    }

    /// What to do about it.
    pub(super) fn advice(self, help: impl Into<String>) {
        if let Some(fault) = self.0 {
            fault.help = Some(help.into());
        }
    }
}

fn is_empty(table: &ImageTable) -> bool {
    let ImageTable {
        triggers,
        entry_point,
        command,
        exposed_ports,
        working_directory,
        user,
        max_megabytes,
        environment,
        labels,
    } = table;
    let lists = [triggers, entry_point, command, exposed_ports].iter().all(|list| list.is_none());
    let texts = [working_directory, user, max_megabytes].iter().all(|text| text.is_none());
    lists && texts && environment.is_empty() && labels.is_empty()
}
