//! `wsgi-proof doctor`: what was found on this machine, what would be used, what it can do, and why not.

use std::path::Path;

use serde::Serialize;
use tokio_util::sync::CancellationToken;

use super::{Failure, host, output};
use crate::cli::arguments::DoctorArgs;
use crate::engine::{Capability, Endpoint, Engine, EngineError, State, discover, private};
use crate::mirror::Fixtures;
use crate::outcome::{RunId, with_causes};
use crate::run::lease::Lease;
use crate::run::leftovers;
use crate::run::tally::ExitCode;

/// What was found.
#[derive(Serialize)]
struct Findings {
    cache: String,
    /// Where an engine was looked for, and what came of it.
    engines: Vec<Tried>,
    private_engine: String,
    /// What a run would use, in words; none where there is nothing.
    would_use: Option<String>,
    /// What the engine that would be used can do; empty where none is running.
    capabilities: Vec<Capability>,
    fixtures: Option<String>,
    /// What stands in the way of a run.
    problems: Vec<Problem>,
}

#[derive(Serialize)]
struct Tried {
    what: String,
    hint: Option<String>,
}

#[derive(Serialize)]
struct Problem {
    what: String,
    hint: Option<String>,
}

pub(super) async fn doctor(arguments: &DoctorArgs) -> Result<ExitCode, Failure> {
    // Nothing of a cache that cannot be trusted is looked into.
    let cache = arguments.folders.cache()?;
    let discovery = discover(&cache, arguments.reach.name()).await;
    let mut findings = Findings {
        cache: cache.display().to_string(),
        engines: discovery
            .tried
            .iter()
            .map(|tried| Tried { what: tried.to_string(), hint: tried.hint.map(str::to_owned) })
            .collect(),
        private_engine: private::status(&cache).to_string(),
        would_use: None,
        capabilities: Vec::new(),
        fixtures: None,
        problems: Vec::new(),
    };
    match &discovery.chosen {
        Some(endpoint) => findings.engine(endpoint, &cache).await,
        None if discovery.named.is_some() => findings.problems.push(Problem {
            what: "the engine that was named does not answer, and no other engine is used".to_owned(),
            hint: host::advice(&discovery).map(str::to_owned),
        }),
        None => match private::possible(&cache) {
            Ok(how) => findings.would_use = Some(format!("a private engine: {how}")),
            Err(error) => findings.problem(&error, error.hint()),
        },
    }
    match arguments.folders.find() {
        Ok(folders) => match Fixtures::open(&folders.cache, &folders.scenarios(), true) {
            Ok(fixtures) => findings.fixtures = Some(fixtures.status()),
            Err(error) => findings.problem(&error, error.hint().map(str::to_owned)),
        },
        // Images can be tested elsewhere than in a suite's folder: it is said, and is no problem.
        Err(error) => findings.fixtures = Some(format!("no suite: {error} (hint: {})", error.hint())),
    }
    let ready = findings.problems.is_empty();
    if arguments.json {
        let text = serde_json::to_string_pretty(&findings)
            .map_err(|error| Failure::infrastructure(format!("cannot write JSON: {error}"), None))?;
        output::line(text)?;
    } else {
        findings.print()?;
    }
    Ok(if ready { ExitCode::Pass } else { ExitCode::Infrastructure })
}

impl Findings {
    fn problem(&mut self, error: &(dyn std::error::Error + 'static), hint: Option<String>) {
        self.problems.push(Problem { what: with_causes(error), hint });
    }

    /// Tries an engine out, and takes away what that made.
    async fn engine(&mut self, endpoint: &Endpoint, cache: &Path) {
        match try_out(endpoint, cache).await {
            Ok((engine, capabilities, notes)) => {
                // How other programs reach it, where that is this simple.
                let lasting = endpoint.lasting().map(|socket| format!(", DOCKER_HOST=unix://{}", socket.display()));
                self.would_use = Some(format!("{}{}", engine.describe(), lasting.unwrap_or_default()));
                for missing in capabilities.iter().filter(|one| one.state == State::Missing) {
                    let what = format!("the engine lacks `{}`: {}", missing.name, missing.what);
                    self.problems.push(Problem { what, hint: Some("name another engine".to_owned()) });
                }
                self.capabilities = capabilities;
                self.problems.extend(notes.into_iter().map(|what| Problem { what, hint: None }));
            }
            Err(error) => {
                let what = format!("{}: {}", endpoint.address, with_causes(&error));
                self.problems.push(Problem { what, hint: error.hint() });
            }
        }
    }

    fn print(&self) -> Result<(), Failure> {
        output::line(format_args!("cache     {}", self.cache))?;
        for Tried { what, hint } in &self.engines {
            output::line(format_args!("engine    {what}"))?;
            print_hint(hint.as_deref())?;
        }
        output::line(format_args!("engine    private: {}", self.private_engine))?;
        if let Some(engine) = &self.would_use {
            output::line(format_args!("would use {engine}"))?;
        }
        for Capability { name, state, what } in &self.capabilities {
            output::line(format_args!("  {name:<9} {:<9} {what}", state.word()))?;
        }
        if let Some(fixtures) = &self.fixtures {
            output::line(format_args!("fixtures  {fixtures}"))?;
        }
        for Problem { what, hint } in &self.problems {
            output::line(format_args!("problem   {what}"))?;
            print_hint(hint.as_deref())?;
        }
        Ok(())
    }
}

fn print_hint(hint: Option<&str>) -> Result<(), Failure> {
    hint.map_or(Ok(()), |hint| output::line(format_args!("  hint: {hint}")))
}

/// The engine, what it can do, and what of the trial could not be taken away.
async fn try_out(endpoint: &Endpoint, cache: &Path) -> Result<(Engine, Vec<Capability>, Vec<String>), EngineError> {
    let run = RunId::new();
    let unusable = |source| EngineError::Cache { path: cache.display().to_string(), source };
    let engine = Engine::connect(endpoint).await?.with_journal(cache)?;
    let _alive = Lease::begin(cache, &run).map_err(unusable)?;
    let engine = engine.of_run(&run)?;
    let tried = engine.try_out(&run).await;
    let notes = leftovers::clean(&engine, cache, &run, None, false, &CancellationToken::new()).await;
    tried.map(|capabilities| (engine, capabilities, notes))
}
