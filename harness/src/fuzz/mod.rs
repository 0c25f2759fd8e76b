//! Model-based fuzzing: random application folders, and a model of the contract that predicts what a build and start step must do
//! with each. An application that a candidate treats otherwise is made as small as it can be, and is a scenario like any other.

mod application;
pub(crate) mod campaign;
mod generate;
mod model;
mod render;

pub(crate) use application::Application;
pub(crate) use campaign::generated;
pub(crate) use generate::applications;
pub(crate) use render::{Content, File, files};
