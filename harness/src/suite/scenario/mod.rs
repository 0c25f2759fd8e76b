//! Scenarios: a sample application, what is done with it, and what must come out.
//!
//! `table` has a file for each table of a scenario file: as it was typed, with spans, and the resolved, valid value. The rest
//! of the program sees only the resolved values. Every expectation keeps the place where it was declared ([`At`]), so that a
//! finding can point at *expected because of this line*.

mod app;
mod context;
pub(crate) mod dockerfile;
mod folders;
mod load;
mod pattern;
mod placeholder;
mod reference;
mod resolver;
mod schema;
mod setting;
mod table;
mod typed;

use crate::outcome::At;

pub(crate) use context::{
    ContextError, MAX_CONTEXT, build_context, folder_context, rebuild_context, volume_context, write_folder_context,
};
pub(crate) use folders::{APP_FOLDER, SCENARIO_FILE, VOLUME_FOLDER};
pub(crate) use load::{is_kebab_case, load};
pub(crate) use pattern::as_typed;
pub(crate) use reference::reference;
pub(crate) use schema::schema;
pub(crate) use setting::Setting;
pub(crate) use table::{
    BuildExpectation, BuildOutcome, CommandExpectation, EndCode, EndExpectation, FailureCode, FileExpectation,
    FileState, Generate, HttpExpectation, ImageExpectation, Phase, Rebuild, RestartKey, Scenario, ServeExpectation,
    Signal, StopExpectation, Subject, Volume,
};

/// An expected value, and where it was declared.
#[derive(Debug, Clone)]
pub(crate) struct Declared<T> {
    pub value: T,
    /// Where the scenario file says so.
    pub at: At,
}

#[cfg(test)]
pub(crate) mod tests;
