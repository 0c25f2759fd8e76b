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
mod together;
mod whole;

pub use build::{BuildExpectation, BuildOutcome, Phase};
pub use command::CommandExpectation;
pub use file::{FileExpectation, FileState};
pub use generate::Generate;
pub use image::ImageExpectation;
pub use rebuild::Rebuild;
pub use serve::{
    Body, EndCode, EndExpectation, HttpExpectation, ServeExpectation, StartSettings, StopExpectation, Volume,
};
pub use whole::{Scenario, Subject};

pub(super) use whole::{ScenarioFile, resolve};
