//! The tables of a scenario file, one file each: the table as typed, what it expects, and how the one becomes the other.
//!
//! The descriptions in the schema and in the scenario reference are the doc comments of the tables as typed.

mod build;
mod command;
mod file;
mod fixtures;
mod generate;
mod image;
mod modes;
mod not_applicable;
mod rebuild;
mod serve;
mod structure;
mod together;
mod whole;

pub(crate) use build::{BuildExpectation, BuildOutcome, FailureCode, Phase, Signal};
pub(crate) use command::CommandExpectation;
pub(crate) use file::{FileExpectation, FileState};
pub(crate) use generate::Generate;
pub(crate) use image::ImageExpectation;
pub(crate) use rebuild::Rebuild;
pub(crate) use serve::{
    EndCode, EndExpectation, HttpExpectation, RestartKey, ServeExpectation, StopExpectation, Volume,
};
pub(crate) use whole::{Scenario, Subject};

pub(super) use whole::{ScenarioFile, resolve};
