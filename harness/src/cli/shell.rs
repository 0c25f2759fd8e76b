//! `wsgi-proof shell`: a shell in what a scenario is about, with its network and its fixtures.

use std::sync::{Arc, OnceLock};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::open_image::Purpose;
use super::run::Job;
use super::{Failure, listen, open_image, output};
use crate::cli::arguments::ShellArgs;
use crate::host::outgoing::shown;
use crate::host::terminal::is_interactive;
use crate::image_tier::Shell;
use crate::outcome::Stage;
use crate::run::event::{Event, PreparationEnd};
use crate::run::plan::Plan;
use crate::run::tally::ExitCode;
use crate::run::tasks::unwound;
use crate::run::tier::Tier as _;

pub(super) async fn shell(arguments: ShellArgs) -> Result<ExitCode, Failure> {
    let ShellArgs { one, command } = arguments;
    let (job, cell, scenario) = Job::of_one(one, false, None, "a shell")?;
    let plan = Plan::shell(cell, scenario, &job.origin());
    let is_interactive = is_interactive();
    // A person ends a shell whenever, with whatever exit code the last command had.
    let counts = !is_interactive || !command.is_empty();
    let shell = Shell { command, is_interactive, tell, ended: OnceLock::new() };
    let signals = listen()?;
    let tier = open_image::open(&job, Purpose::Shell(shell), &signals).await?;
    let setup = Arc::clone(&tier.setup);
    let (sender, events) = unbounded_channel();
    let (executed, why) = tokio::join!(unwound(tier.execute(&plan, sender, &signals.cancel)), hear(events));
    for note in tier.conclude(&plan, &signals.over).await.notes {
        tell(&note);
    }
    if signals.cancel.is_cancelled() {
        return Err(Failure::stopped(&signals));
    }
    if let Some(failure) = executed.err().map(Failure::from).or(why) {
        return Err(failure);
    }
    match setup.shell.as_ref().and_then(|shell| shell.ended.get()) {
        Some(0) => Ok(ExitCode::Pass),
        Some(code) if *code == ExitCode::BrokenPipe as i64 => Err(Failure::reader_gone()),
        Some(_) if !counts => Ok(ExitCode::Pass),
        Some(code) => {
            tell(&format!("the command returned {code}"));
            Ok(ExitCode::Fail)
        }
        // What ended it has been told.
        None => Ok(ExitCode::Infrastructure),
    }
}

/// Tells how it goes until there is a shell; why there is none, if there is none.
async fn hear(mut events: UnboundedReceiver<Event>) -> Option<Failure> {
    let mut why = None;
    while let Some(event) = events.recv().await {
        match event {
            Event::PreparationStarted { what } => tell(&format!("preparing the {what}")),
            Event::PreparationFinished { what, end: PreparationEnd::Failed { why: cause, log }, .. } => {
                for line in log {
                    tell(&format!("  {}", shown(&line)));
                }
                why =
                    Some(Failure::new(ExitCode::Fail, &format!("the {what} cannot be made: {}", shown(&cause)), None));
            }
            Event::ScenarioStage { stage: Stage::Build, .. } => tell("building the application"),
            Event::ScenarioFinished(report) => {
                why = report.fault.map(Failure::from).or(why);
            }
            Event::PreparationFinished { .. }
            | Event::PreparationProgress { .. }
            | Event::ScenarioStarted { .. }
            | Event::ScenarioStage { .. }
            | Event::RunStarted(_)
            | Event::RunFinished(_) => {}
        }
    }
    why
}

fn tell(text: &str) {
    output::complain(format_args!("{text}"));
}
