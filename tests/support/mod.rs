//! What the tests share.

pub(crate) mod browser;
mod cache;
mod candidate;
mod engine_run;
pub(crate) mod front;
pub(crate) mod library;
pub(crate) mod place;
mod private_engine;
mod program;
pub(crate) mod proxy;
mod run;
mod slots;
pub(crate) mod ssh_server;
mod suite;
pub(crate) mod workflow;

pub(crate) use cache::{cache, docker_host, first_run, other_cache};
pub(crate) use candidate::{changed, changed_file, compiled_alternative};
pub(crate) use engine_run::EngineRun;
pub(crate) use private_engine::{PrivateEngine, archive, volumes};
pub(crate) use program::{NO_ENGINE, call, call_of, program, root, text, without_engine, wsgi_proof};
pub(crate) use run::{Run, SharedRun};
pub(crate) use slots::Slot;
pub(crate) use suite::Suite;
