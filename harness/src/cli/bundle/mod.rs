//! `wsgi-proof bundle`, and the bundles that `run --bundle` reads: all that a scenario needs, to run it again elsewhere.

mod contents;
mod manifest;
mod opened;
mod script;
mod written;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::open_image::Purpose;
use super::pack::packed;
use super::reporters::Audience;
use super::run::Job;
use super::{Failure, candidates, listen, open_image, output};
use crate::cli::arguments::BundleArgs;
use crate::image_tier::Saving;
use crate::mirror::STORE;
use crate::report::format::Format;
use crate::run::plan::Plan;
use crate::run::tally::ExitCode;
use crate::suite::scenario::Subject;

pub(super) use opened::Opened;

use manifest::{Manifest, VERSION};
use written::Contents;

pub(super) async fn bundle(arguments: BundleArgs) -> Result<ExitCode, Failure> {
    let BundleArgs { one, output, strict } = arguments;
    let folder = tempfile::tempdir().map_err(|error| unwritable(&std::env::temp_dir(), &error))?;
    let report = folder.path().join(contents::REPORT);
    let (mut job, cell, scenario) = Job::of_one(one, strict, Some(report.clone()), "a bundle")?;
    let file = output.unwrap_or_else(|| PathBuf::from(format!("{}.bundle.tar", scenario.name)));
    if file.symlink_metadata().is_ok() {
        let hint = Some("name a place where nothing is with --output");
        return Err(Failure::usage(format!("{} exists", file.display()), hint));
    }
    job.plan = Plan::archived(cell.clone(), Arc::clone(&scenario), &job.origin());
    let signals = listen()?;
    let reporters = job.reporters(Audience::Caller(Format::Human))?;
    let saving = Saving::into(folder.path().join(contents::IMAGES));
    let tier = open_image::open(&job, Purpose::Bundle(saving), &signals).await?;
    let setup = Arc::clone(&tier.setup);
    let ended = job.run_in(tier, &signals, reporters).await;
    if matches!(ended.code, ExitCode::Interrupted | ExitCode::Terminated | ExitCode::BrokenPipe) {
        return Ok(ended.code);
    }
    let saved = setup.saving.as_ref().and_then(|saving| Some((&saving.file, saving.images.get()?)));
    let (Some((images, [base, onbuild])), [of]) = (saved, ended.reports.as_slice()) else {
        if matches!(ended.code, ExitCode::Pass | ExitCode::Fail) {
            let what = "no bundle was written: the images could not be saved";
            return Err(Failure::infrastructure(what, Some("`wsgi-proof doctor` tries the engine")));
        }
        output::complain(format_args!("no bundle was written"));
        return Ok(ended.code);
    };
    let suite = packed(&job.folders.suite)?;
    let store = job.folders.cache.join(STORE);
    // A file that was found damaged is not there any more; whoever needed it was told.
    let used: Vec<PathBuf> = setup.server.used().into_iter().filter(|path| store.join(path).is_file()).collect();
    let engine = setup.engine.describe();
    let manifest = Manifest {
        version: VERSION,
        program: env!("CARGO_PKG_VERSION").to_owned(),
        suite: suite.digest(),
        scenario: scenario.name.clone(),
        variant: cell.variant.name.clone(),
        dialect: cell.dialect.name().to_owned(),
        builder: cell.builder,
        candidate: candidates::announce(&job.arguments.candidate),
        strict,
        limits: job.arguments.limits.iter().map(ToString::to_string).collect(),
        verdict: of.verdict,
        engine: engine.to_string(),
        architecture: engine.architecture.clone(),
        base_image: base.clone(),
        onbuild_image: onbuild.clone(),
        fixtures: used.iter().map(|path| path.display().to_string()).collect(),
    };
    let application = (scenario.subject == Subject::Application).then_some(&*scenario);
    let contents =
        Contents { manifest, suite: &suite, images, store: &store, used: &used, application, report: &report };
    contents.write(&file)?;
    output::complain(format_args!("wrote {}", file.display()));
    Ok(if ended.code == ExitCode::Fail { ExitCode::Pass } else { ended.code })
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::infrastructure(
        format!("cannot write {}: {error}", path.display()),
        Some("check its space and permissions"),
    )
}
