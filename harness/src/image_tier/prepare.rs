//! Preparing the images that scenarios share: distribution, base, onbuild, and the two instrumented.

use std::collections::BTreeMap;
use std::path::Path;

use super::Setup;
use super::canaries::canaries;
use super::step::StepError;
use crate::check::evidence::{BuildEnd, ImageEvidence};
use crate::engine::{BuildRequest, Clients, Distribution, EngineError, Fate, Mark, ensure_distribution};
use crate::mirror;
use crate::outcome::Fault;
use crate::run::plan::Role;
use crate::suite::cell::Cell;
use crate::suite::control::Replacements;
use crate::suite::limits::Limits;
use crate::suite::scenario::folder_context;

/// How long the build of a base or onbuild image may take, in seconds: it installs a distribution's packages.
const IMAGE_SECONDS: u32 = 3600;

/// A shared image that is ready.
pub(super) struct Prepared {
    /// Its reference for those who build on it; none where it is no image.
    pub(super) image: Option<String>,
    /// What a person may want to know of it.
    pub(super) note: String,
}

/// Why it is not available.
pub(super) enum PrepareError {
    /// The candidate's own Dockerfile failed.
    Candidate {
        why: String,
        log: Vec<String>,
        /// Who asked the fixture server in its build.
        clients: Clients,
    },
    /// The engine could not.
    Engine(EngineError),
    /// Something else of the suite.
    Suite(Fault),
    /// What builds and containers say proves nothing any more.
    Broken(Fault),
}

impl From<EngineError> for PrepareError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<StepError> for PrepareError {
    fn from(error: StepError) -> Self {
        match error {
            StepError::Engine(error) => Self::Engine(error),
            StepError::Suite(fault) => Self::Suite(fault),
        }
    }
}

/// Prepares one image. `needs` are the images that the steps before it left.
pub(super) async fn prepare(
    role: Role,
    cell: &Cell,
    needs: &[String],
    setup: &Setup,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<Prepared, PrepareError> {
    match role {
        Role::Distribution => {
            let image = ensure_distribution(
                &setup.engine,
                Distribution {
                    suite: &cell.variant.suite,
                    security: cell.variant.security,
                    registry_image: cell.variant.registry_image.as_deref(),
                },
                // The fixtures of a bundle are those of its scenario alone.
                Some(setup.server.host_url()).filter(|_| setup.loading.is_none()).as_deref(),
                &setup.cache,
                setup.offline,
                &setup.run,
                progress,
            )
            .await?;
            ready(setup, image).await
        }
        Role::Relay => match needs {
            [distribution] => relay(setup, distribution).await,
            _ => Err(without("distribution")),
        },
        Role::Canaries => match needs {
            [distribution] => {
                let begun_with = setup.engine.foundation(distribution, Some(&on(cell)), &setup.run).await?;
                canaries(setup, &begun_with).await
            }
            _ => Err(without("distribution")),
        },
        Role::Base => match (&setup.origin.base, needs) {
            (Some(reference), _) => prebuilt(setup, reference).await,
            (None, [distribution]) => base(setup, cell, distribution, progress).await,
            (None, _) => Err(without("distribution")),
        },
        Role::Onbuild => match (&setup.origin.onbuild, needs) {
            (Some(reference), _) => prebuilt(setup, reference).await,
            (None, [base]) => {
                let name = setup.kept_name("base", cell);
                let base = setup.engine.foundation(base, name.as_deref(), &setup.run).await?;
                let arguments = BTreeMap::from([("BASE".to_owned(), base)]);
                built(setup, cell, ("onbuild", &setup.dockerfiles.1), arguments, &setup.onbuild, progress).await
            }
            (None, _) => Err(without("base image")),
        },
        Role::Archive => match &setup.saving {
            Some(saving) => saving.save(setup, needs).await,
            None => Err(without("archive")),
        },
        Role::InstrumentedBase | Role::InstrumentedOnbuild => {
            let [image] = needs else { return Err(without("candidate")) };
            let files = mirror::instrumentation();
            let image = setup.engine.instrument(image, &files, &setup.run).await?;
            ready(setup, image).await
        }
    }
}

/// The relay of the run, on the plain distribution: not on what is under test.
async fn relay(setup: &Setup, distribution: &str) -> Result<Prepared, PrepareError> {
    let (relay, incoming) = setup.engine.start_relay(distribution, &setup.network, &setup.run).await?;
    setup.server.carry(incoming);
    let note = format!("{}:{}", setup.network.relay, relay.link().port());
    // A plan has one.
    drop(setup.relay.set(relay));
    drop(setup.plain.set(distribution.to_owned()));
    Ok(Prepared { image: None, note })
}

/// The base image, on the plain distribution: what reaches the fixture server are build arguments, so that the image
/// is the one that would be shipped.
async fn base(
    setup: &Setup,
    cell: &Cell,
    distribution: &str,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<Prepared, PrepareError> {
    let server = format!("http://{}:{}", mirror::HOST, mirror::PORT);
    let begun_with = setup.engine.foundation(distribution, Some(&on(cell)), &setup.run).await?;
    let arguments = BTreeMap::from([
        ("DISTRIBUTION".to_owned(), begun_with),
        ("DIALECT".to_owned(), cell.dialect.name().to_owned()),
        ("PYTHON".to_owned(), cell.variant.python.clone()),
        ("APT_OPTIONS".to_owned(), "-o Acquire::Check-Valid-Until=false -o Acquire::EnableSrvRecords=false".to_owned()),
        ("PIP_INDEX_URL".to_owned(), format!("{server}/simple/")),
        ("PIP_TRUSTED_HOST".to_owned(), mirror::HOST.to_owned()),
        ("http_proxy".to_owned(), format!("{server}/")),
        // pip would send its index requests through the proxy too; they are for the same server, but directly.
        ("no_proxy".to_owned(), mirror::HOST.to_owned()),
    ]);
    built(setup, cell, ("base", &setup.dockerfiles.0), arguments, &setup.base, progress).await
}

async fn built(
    setup: &Setup,
    cell: &Cell,
    (role, path): (&str, &Path),
    arguments: BTreeMap<String, String>,
    replacements: &Replacements,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<Prepared, PrepareError> {
    let context = folder_context(path, replacements)
        .map_err(|error| PrepareError::Suite(Fault { what: format!("{}: {error}", path.display()), hint: None }))?;
    let request = BuildRequest {
        context,
        dockerfile: "Dockerfile".to_owned(),
        arguments,
        network: Some(setup.network.clone()),
        use_cache: true,
        limits: Limits { build_seconds: IMAGE_SECONDS, ..setup.limits },
        fate: setup.kept_name(role, cell).map_or_else(|| Fate::OfRun(setup.run.clone()), Fate::Kept),
        mark: Mark::new(),
        builder: cell.builder,
    };
    let mut own = None;
    let (built, clients) = setup.build(request, &mut own, &mut |line| progress(line)).await?;
    setup.give_back(own);
    let evidence = built.map_err(EngineError::from)?;
    let why = match evidence.end {
        BuildEnd::Built { image } => return ready(setup, image).await,
        BuildEnd::Exceeded(exceeded) => exceeded.to_string(),
        BuildEnd::Refused(why) => why,
        BuildEnd::Failed { command: Some(command), exit_code: Some(code), .. } => {
            format!("`{command}` exited with {code}")
        }
        BuildEnd::Failed { message, .. } => message,
    };
    Err(PrepareError::Candidate { why: format!("{}: {why}", path.display()), log: evidence.log.reported(), clients })
}

/// What tells the distribution of a cell from others.
fn on(cell: &Cell) -> String {
    format!("distribution-{}", cell.variant.name)
}

async fn prebuilt(setup: &Setup, reference: &str) -> Result<Prepared, PrepareError> {
    let loaded = match &setup.loading {
        Some(loading) => loading.image(setup, reference).await?,
        None => None,
    };
    let reference = loaded.as_deref().unwrap_or(reference);
    match setup.engine.inspect_image(reference).await? {
        Some(image) => Ok(Prepared { note: note(&image), image: Some(image.id) }),
        None => Err(PrepareError::Suite(Fault {
            what: format!("the engine has no image {reference}"),
            hint: Some("build or pull it on that engine first".to_owned()),
        })),
    }
}

async fn ready(setup: &Setup, image: String) -> Result<Prepared, PrepareError> {
    let note = match setup.engine.inspect_image(&image).await? {
        Some(evidence) => note(&evidence),
        None => {
            return Err(PrepareError::Suite(Fault {
                what: format!("the image {image} was built, but the engine does not have it"),
                hint: Some("check whether another program removed it, then run again".to_owned()),
            }));
        }
    };
    Ok(Prepared { image: Some(image), note })
}

fn note(image: &ImageEvidence) -> String {
    let id = image.id.trim_start_matches("sha256:");
    id.get(..12).unwrap_or(id).to_owned()
}

pub(super) fn without(what: &str) -> PrepareError {
    PrepareError::Suite(Fault {
        what: format!("internal error: a step has no {what}"),
        hint: Some("this is a bug of wsgi-proof; please report it".to_owned()),
    })
}
