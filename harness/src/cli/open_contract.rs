//! Opening the contract tier: sandboxes, and the candidate's files in them. No engine.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::candidates::Candidate;
use super::run::{Job, cores};
use super::{Failure, host, output};
use crate::cli::arguments::{BuilderArgs, RunArgs};
use crate::contract_tier::sandbox::{self, IN_CONTAINER, SandboxError, Sandboxes};
use crate::contract_tier::tier::{ContractTier, Examiner};
use crate::engine::{Engine, OwnProgram};
use crate::host::folders::Folders;
use crate::outcome::RunId;
use crate::run::lease::Lease;
use crate::run::signals::Signals;
use crate::run::tally::ExitCode;
use crate::suite::limits::Limits;

/// The variables that this program reads, or that say where it finds things.
const PASSED: [&str; 10] = [
    "DOCKER_HOST",
    "GITHUB_ACTIONS",
    "GITHUB_STEP_SUMMARY",
    "HOME",
    "LANG",
    "NO_COLOR",
    "PATH",
    "TERM",
    "TMPDIR",
    "USER",
];
/// How the names of further ones begin.
const PASSED_KINDS: [&str; 4] = ["LC_", "SUDO_", "WSGI_PROOF_", "XDG_"];

/// How long the container of this program may take to end after the signal to stop.
const STOP_LIMIT: Duration = Duration::from_secs(30);

/// Refuses the options that only images and containers can honour.
pub(super) fn refuse(arguments: &RunArgs) -> Result<(), Failure> {
    let tested = &arguments.candidate;
    let options = [
        ("--keep", arguments.keep),
        ("--builder", arguments.builders != BuilderArgs::default()),
        ("--bundle", arguments.bundle.is_some()),
        ("--base-image", tested.base_image.is_some()),
        ("--onbuild-image", tested.onbuild_image.is_some()),
        ("--dockerfile", tested.dockerfile.is_some()),
        ("--structure-test", !arguments.structure.files.is_empty()),
    ];
    match options.into_iter().find(|(_, given)| *given) {
        Some((option, _)) => Err(Failure::usage(
            format!("{option} requires the image tier"),
            Some(&format!("leave out {option}, or leave out --tier contract")),
        )),
        None => Ok(()),
    }
}

/// Refuses a candidate that changes what sandboxes do not have.
pub(super) fn refuse_images(candidate: &Candidate) -> Result<(), Failure> {
    match &candidate.control {
        Some(control) if !candidate.is_of_steps() => Err(Failure::usage(
            format!("the control {} changes the images, and so requires the image tier", control.name),
            Some("leave out --tier contract"),
        )),
        Some(_) | None => Ok(()),
    }
}

/// How many candidates or scenarios are tried at once, unless it is said: one more than there are cores, since each waits for the kernel
/// at times.
pub(super) fn usual_jobs() -> usize {
    cores() + 1
}

/// Opens the tier for a run, in these sandboxes.
pub(super) fn open(job: &Job, sandboxes: Arc<Sandboxes>) -> Result<ContractTier, Failure> {
    let candidate = sandbox::Candidate::new(&sandboxes, &job.folders.images(), &job.candidate.base)?;
    let jobs = job.arguments.jobs.map_or_else(usual_jobs, usize::from);
    let limits = Limits::default().with(&job.arguments.limits);
    let examiner = Examiner { sandboxes, criteria: job.criteria(), limits, jobs };
    Ok(ContractTier { examiner: Arc::new(examiner), candidate: Arc::new(candidate) })
}

/// Sandboxes, with progress on standard error. Where this machine does not permit any, the program does all of its work in one
/// container, and ends with its exit code.
pub(super) async fn sandboxes(
    folders: &Folders,
    offline: bool,
    named: Option<&str>,
    signals: &Signals,
) -> Result<Sandboxes, Failure> {
    let probed = async {
        let sandboxes =
            Sandboxes::new(&folders.cache, offline, &|line| output::complain(format_args!("sandbox: {line}"))).await?;
        sandboxes.probe().await.map(|()| sandboxes)
    };
    match signals.unless_stopped(probed).await.ok_or_else(|| Failure::stopped(signals))? {
        Ok(sandboxes) => Ok(sandboxes),
        Err(refused @ (SandboxError::Refused { .. } | SandboxError::NoLimits))
            if std::env::var_os(IN_CONTAINER).is_none() =>
        {
            // An error of the engine comes with the reason why an engine is required.
            let code = in_one_container(folders, offline, named, signals).await.map_err(|failure| Failure {
                text: format!("{}\n{}", Failure::from(refused).text, failure.text),
                ..failure
            })?;
            host::close();
            std::process::exit(code)
        }
        Err(error) => Err(error.into()),
    }
}

/// This very command in a container that has this machine's folders, network and processes; its exit code.
async fn in_one_container(
    folders: &Folders,
    offline: bool,
    named: Option<&str>,
    signals: &Signals,
) -> Result<i32, Failure> {
    let endpoint = host::endpoint(&folders.cache, offline, named).await?;
    if endpoint.address.may_be_elsewhere() {
        return Err(Failure::infrastructure(
            format!(
                "the engine at {} may be on another machine, which has none of this one's folders",
                endpoint.address
            ),
            Some("use an engine of this machine, or one that permits sandboxes"),
        ));
    }
    let engine = Engine::connect(&endpoint).await?.with_journal(&folders.cache)?;
    output::complain(format_args!(
        "sandbox: this machine permits none of its own (user namespaces, limits); running everything in one container"
    ));
    let own =
        |error: std::io::Error| Failure::infrastructure(format!("cannot find the running program: {error}"), None);
    let program = std::env::current_exe().map_err(own)?;
    let folder = std::env::current_dir().map_err(own)?;
    let text = |word: &std::ffi::OsStr| word.to_string_lossy().into_owned();
    let command =
        std::iter::once(text(program.as_os_str())).chain(std::env::args_os().skip(1).map(|word| text(&word))).collect();
    // Whoever may ask the engine sees a container's environment.
    let passed = |name: &str| PASSED.contains(&name) || PASSED_KINDS.iter().any(|kind| name.starts_with(kind));
    let variables = std::env::vars_os().map(|(name, value)| (text(&name), text(&value)));
    let mut environment: Vec<String> =
        variables.filter(|(name, _)| passed(name)).map(|(name, value)| format!("{name}={value}")).collect();
    environment.push(format!("{IN_CONTAINER}=1"));
    // The container's root works for this user, whose cache folder it is and who reads its reports.
    let (user, group) = (rustix::process::getuid(), rustix::process::getgid());
    if !user.is_root() {
        environment.extend([format!("SUDO_UID={}", user.as_raw()), format!("SUDO_GID={}", group.as_raw())]);
    }
    let mut writable = vec![folders.cache.clone(), folders.suite.clone(), folder.clone(), std::env::temp_dir()];
    let socket = endpoint.docker_host().strip_prefix("unix://").map(Path::new).and_then(Path::parent);
    writable.extend(socket.map(Path::to_owned));
    let run = RunId::new();
    let alive = Lease::begin(&folders.cache, &run)
        .map_err(|error| Failure::infrastructure(format!("{}: {error}", folders.cache.display()), None))?;
    let program = OwnProgram { command, environment, folder, writable };
    let engine = engine.of_run(&run)?;
    let work = async {
        let ended = engine.run_own_program(&program, &folders.cache, &run, &signals.cancel).await;
        drop(engine.sweep_run(&run, || false).await);
        ended
    };
    // Neither the program nor an engine that does not answer is waited for any longer.
    let given_up = async {
        signals.cancel.cancelled().await;
        tokio::time::sleep(STOP_LIMIT).await;
    };
    let code = tokio::select! {
        code = work => code?,
        () = given_up => {
            let what = "stopping the container of this program took too long";
            return Err(Failure::infrastructure(what, Some("`wsgi-proof prune` removes what is left")));
        }
    };
    drop(alive);
    Ok(i32::try_from(code).unwrap_or(ExitCode::Infrastructure as i32))
}
