//! What resolving the tables of one file takes: the texts with their placeholders filled in, patterns compiled, places kept, and every
//! fault of meaning collected.

use std::collections::BTreeMap;
use std::ops::Range;

use regex::Regex;

use super::pattern::{self, Purpose};
use super::typed::Typed;
use super::{Declared, Setting, placeholder};
use crate::outcome::{At, ClauseId};
use crate::suite::cell::Cell;
use crate::suite::diagnostic::{Diagnostic, Faults, Help, Source};

/// Resolves values of one file, and keeps the faults. A method that returns `None` has reported why.
pub(super) struct Resolver<'a> {
    setting: &'a Setting<'a>,
    faults: Faults,
}

impl<'a> Resolver<'a> {
    pub(super) fn new(source: &Source, setting: &'a Setting<'a>) -> Self {
        Self { setting, faults: Faults::new(source.clone()) }
    }

    /// The value, unless there were faults.
    pub(super) fn finish<T>(self, resolved: T) -> Result<T, Vec<Diagnostic>> {
        self.faults.check(resolved)
    }

    /// The cell that the scenario is loaded for.
    pub(super) fn cell(&self) -> &'a Cell {
        self.setting.cell
    }

    /// What the scenario is loaded for.
    pub(super) fn setting(&self) -> Setting<'a> {
        *self.setting
    }

    /// Reports a fault; the help can follow.
    pub(super) fn fault(&mut self, span: Range<usize>, message: impl Into<String>) -> Help<'_> {
        self.faults.at(span, message)
    }

    /// Reports a fault of another file of the scenario.
    pub(super) fn report(&mut self, fault: Diagnostic) {
        self.faults.push(fault);
    }

    pub(super) fn at(&self, span: &Range<usize>) -> At {
        self.faults.source().at(span)
    }

    pub(super) fn declared<T, V>(&self, typed: &Typed<T>, value: V) -> Declared<V> {
        Declared { value, at: self.at(&typed.span()) }
    }

    pub(super) fn pattern(&mut self, typed: &Typed<String>, purpose: Purpose) -> Option<Declared<Regex>> {
        match pattern::compile(self.faults.source(), typed, purpose, self.setting.cell) {
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
                self.faults.push(*pattern::unknown_placeholder(self.faults.source(), typed, &unknown));
                String::new()
            }
        }
    }

    /// A list of texts with their placeholders filled in.
    pub(super) fn texts(&mut self, typed: &Typed<Vec<String>>) -> Vec<String> {
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

    /// Clauses of the contract, by their ids.
    pub(super) fn clauses(&mut self, list: &[Typed<String>]) -> Vec<Declared<ClauseId>> {
        let mut clauses = Vec::new();
        for typed in list {
            match typed.get().parse() {
                Ok(id) => clauses.push(self.declared(typed, id)),
                Err(error) => {
                    self.fault(typed.span(), format!("{error}"));
                }
            }
        }
        clauses
    }

    /// Reports a text without anything in it.
    pub(super) fn not_empty(&mut self, typed: &Typed<String>, key: &str) {
        if typed.get().trim().is_empty() {
            self.fault(typed.span(), format!("the {key} is empty"));
        }
    }
}
