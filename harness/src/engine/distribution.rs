//! The distribution that the base image is built on: from a registry by digest where one answers, else made by mmdebstrap.

use std::collections::HashMap;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bollard::query_parameters::CreateImageOptions;
use futures_util::StreamExt;
use tempfile::TempDir;
use tokio_util::io::ReaderStream;

use super::digest;
use super::image::KEPT;
use super::private::{DISTRIBUTION_PROGRAMS, Toolbox, lock};
use super::stream::has_rest;
use super::{Engine, EngineError, LABEL_KEY};
use crate::outcome::{RunId, with_causes};

/// The beginning of the names of folders in which one is being made.
const MAKING: &str = "making-";
/// How long a registry may take for its first answer.
const REGISTRY_LIMIT: Duration = Duration::from_secs(20);
/// How long a registry or an import may say nothing afterwards.
const IDLE_LIMIT: Duration = Duration::from_secs(120);
/// The latest time that files of the distribution get, in seconds since 1970: made twice, it is the same twice.
const EPOCH: &str = "1700000000";
/// The configuration that images of Debian have in registries; an archive of files has none.
const CONFIGURATION: [&str; 2] =
    ["ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "CMD [\"bash\"]"];

/// A distribution: what it is made of, and where it may be had.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Distribution<'a> {
    /// The Debian suite, such as `bookworm`.
    pub suite: &'a str,
    /// Whether Debian's archive has security updates for it.
    pub security: bool,
    /// A reference by digest to an image of it in a registry.
    pub registry_image: Option<&'a str>,
}

impl Distribution<'_> {
    /// What tells it from others in names.
    fn name(&self) -> String {
        if self.security { self.suite.to_owned() } else { format!("{}-without-security", self.suite) }
    }

    /// Where its packages come from.
    fn sources(&self) -> Vec<String> {
        let suite = self.suite;
        let mut sources = vec![
            format!("deb http://deb.debian.org/debian {suite} main"),
            format!("deb http://deb.debian.org/debian {suite}-updates main"),
        ];
        if self.security {
            sources.push(format!("deb http://deb.debian.org/debian-security {suite}-security main"));
        }
        sources
    }
}

/// The distribution's image, made or fetched if the engine does not have it: from this engine, from the archive in the
/// cache, from a registry, or by mmdebstrap.
///
/// `proxy` is a recording HTTP proxy for Debian's archive, without which it is
/// asked directly.
///
/// # Errors
/// When it is not available, or the engine cannot import it.
pub(crate) async fn ensure_distribution(
    engine: &Engine,
    distribution: Distribution<'_>,
    proxy: Option<&str>,
    cache: &Path,
    offline: bool,
    run: &RunId,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<String, EngineError> {
    let Distribution { suite, registry_image, .. } = distribution;
    let name = format!("distribution-{}", distribution.name());
    let key = format!("{name}-{}", registry_image.unwrap_or("mmdebstrap"));
    if let Some(image) = engine.made_before(&name, &key).await? {
        return Ok(image);
    }
    let folder = std::path::absolute(cache.join("distributions")).unwrap_or_else(|_| cache.join("distributions"));
    let archive = folder.join(format!("{}-{}.tar", distribution.name(), engine.describe().architecture));
    let mut tried = Vec::new();
    if !archive.exists() {
        match registry_image {
            Some(reference) if offline => tried.push(format!("{reference}: --offline forbids pulling it")),
            Some(reference) => {
                progress(&format!("pulling {reference}"));
                match engine.pull(reference, &name, &key, run).await {
                    Ok(image) => return Ok(image),
                    Err(error @ (EngineError::Unreachable { .. } | EngineError::NoSpace { .. })) => return Err(error),
                    Err(error) => tried.push(format!("{reference}: {error}")),
                }
            }
            None => {}
        }
        make(&folder, &archive, distribution, proxy, cache, offline, progress).await.map_err(|why| {
            tried.push(format!("mmdebstrap: {why}"));
            EngineError::NoDistribution { suite: suite.to_owned(), why: tried.join("; ") }
        })?;
    }
    let is_whole = digest::holds(&archive)
        .await
        .map_err(|source| EngineError::Cache { path: archive.display().to_string(), source })?;
    if !is_whole {
        return Err(EngineError::Altered { path: archive });
    }
    progress(&format!("importing {suite} into the engine"));
    engine.import(&archive, &name, &key).await
}

/// Makes the distribution's archive, whole or not at all.
async fn make(
    folder: &Path,
    archive: &Path,
    distribution: Distribution<'_>,
    proxy: Option<&str>,
    cache: &Path,
    offline: bool,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<(), String> {
    let in_cache = |error: std::io::Error| format!("{}: {error}", folder.display());
    if offline && proxy.is_none() {
        return Err("--offline forbids building one".to_owned());
    }
    // One at a time, and what one that was killed has left goes first.
    let _lock = lock(cache, "distribution.lock").await.map_err(|error| with_causes(&error))?;
    if archive.exists() {
        return Ok(());
    }
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().starts_with(MAKING) {
            std::fs::remove_dir_all(entry.path()).map_err(in_cache)?;
        }
    }
    let toolbox = Toolbox::of(cache)
        .fill(&DISTRIBUTION_PROGRAMS, offline, progress)
        .await
        .map_err(|error| with_causes(&error))?;
    let program = toolbox.program("mmdebstrap").ok_or("mmdebstrap not found")?;
    std::fs::create_dir_all(folder).map_err(in_cache)?;
    let work = tempfile::Builder::new().prefix(MAKING).tempdir_in(folder).map_err(in_cache)?;
    let made: PathBuf = work.path().join("made.tar");
    progress(&format!("building a minimal {} with mmdebstrap", distribution.suite));
    let is_root = rustix::process::geteuid().is_root();
    // An ordinary user's mmdebstrap works as users who cannot even look into the cache folder.
    let elsewhere = if is_root { None } else { Some(open_to_all().map_err(|error| error.to_string())?) };
    let place = elsewhere.as_ref().map_or(work.path(), TempDir::path);
    let mut command = if is_root {
        // As root it mounts the host's /dev and /sys into what it makes. In namespaces of its own nothing of that is seen
        // from outside (and nothing removed with a folder), and all of it ends when it is killed.
        let mut command = toolbox.command(Path::new("unshare"));
        command.args(["--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]).arg(&program);
        command
    } else {
        toolbox.command(&program)
    };
    command.args(["--variant=minbase", "--format=tar"]);
    if let Some(proxy) = proxy {
        command
            .arg(format!("--aptopt=Acquire::http::Proxy \"{proxy}\""))
            .arg("--aptopt=Acquire::Check-Valid-Until \"false\"")
            // The proxy is this run's; it is not to stay in the image.
            .arg("--customize-hook=rm -f \"$1\"/etc/apt/apt.conf.d/99mmdebstrap");
    }
    if let Some(keyrings) = toolbox.keyrings() {
        let keyrings = if is_root { keyrings } else { copied(&keyrings, place).map_err(in_cache)? };
        command.arg(format!("--keyring={}", keyrings.display()));
    }
    command
        .arg(distribution.suite)
        .arg(&made)
        .args(distribution.sources())
        .env("SOURCE_DATE_EPOCH", EPOCH)
        .env("TMPDIR", place)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.map_err(|error| format!("cannot start it: {error}"))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).rev().take(8).collect();
        let tail = lines.into_iter().rev().collect::<Vec<_>>().join("\n  ");
        return Err(format!("it failed ({}):\n  {tail}", output.status));
    }
    digest::record(&made, archive).await.map_err(in_cache)?;
    std::fs::rename(&made, archive).map_err(in_cache)
}

/// A temporary folder that every user can look into.
fn open_to_all() -> std::io::Result<TempDir> {
    let permissions = std::fs::Permissions::from_mode(0o755);
    tempfile::Builder::new().prefix("wsgi-proof-").permissions(permissions).tempdir()
}

/// A copy of a folder's files in a folder within another one.
fn copied(folder: &Path, into: &Path) -> std::io::Result<PathBuf> {
    let copy = into.join("keyrings");
    std::fs::create_dir(&copy)?;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.path().is_file() {
            std::fs::copy(entry.path(), copy.join(entry.file_name()))?;
        }
    }
    Ok(copy)
}

impl Engine {
    /// Pulls an image, and makes one of it that carries our labels and name.
    async fn pull(&self, reference: &str, name: &str, key: &str, run: &RunId) -> Result<String, EngineError> {
        const OPERATION: &str = "pulling an image";
        let was_there = self.inspect_image(reference).await?.is_some();
        if !was_there {
            let options = CreateImageOptions { from_image: Some(reference.to_owned()), ..Default::default() };
            let mut stream = std::pin::pin!(self.docker.create_image(Some(options), None, None));
            let mut limit = REGISTRY_LIMIT;
            loop {
                match tokio::time::timeout(limit, stream.next()).await {
                    Ok(Some(Ok(_))) => limit = IDLE_LIMIT,
                    Ok(Some(Err(error))) if has_rest(&error) => break,
                    Ok(Some(Err(error))) => return Err(self.error(OPERATION, error)),
                    Ok(None) => break,
                    Err(_) => return Err(EngineError::Idle { operation: OPERATION.to_owned(), after: limit }),
                }
            }
        }
        let making = self.making_tag()?;
        let own = HashMap::from([(LABEL_KEY.to_owned(), key.to_owned())]);
        let image = self.copy_with(reference, &[], own, Some(&making), run).await?;
        if !was_there {
            // Ours is built on it, and it goes with that. Only its name by digest goes now.
            if let Some(pulled) = self.inspect_image(reference).await? {
                self.journal()?.keep(&format!("pulled-{name}"), &pulled.id).map_err(EngineError::journal)?;
            }
            self.remove_image(reference).await?;
        }
        self.keep(&image, name, &making).await?;
        Ok(image)
    }

    /// Makes an image of an archive of a whole file system.
    pub(super) async fn import(&self, archive: &Path, name: &str, key: &str) -> Result<String, EngineError> {
        const OPERATION: &str = "importing an image";
        let file = tokio::fs::File::open(archive)
            .await
            .map_err(|source| EngineError::Cache { path: archive.display().to_string(), source })?;
        let making = self.making_tag()?;
        let mut changes = vec![format!("LABEL {LABEL_KEY}={key}")];
        changes.extend(CONFIGURATION.map(str::to_owned));
        let options = CreateImageOptions {
            from_src: Some("-".to_owned()),
            repo: Some(KEPT.to_owned()),
            tag: Some(making.clone()),
            changes,
            ..Default::default()
        };
        let body = bollard::body_try_stream(ReaderStream::with_capacity(file, 1 << 20));
        let mut stream = std::pin::pin!(self.docker.create_image(Some(options), Some(body), None));
        while let Some(info) = tokio::time::timeout(IDLE_LIMIT, stream.next())
            .await
            .map_err(|_| EngineError::Idle { operation: OPERATION.to_owned(), after: IDLE_LIMIT })?
        {
            match info {
                // Whether the image is there is looked up below.
                Err(error) if has_rest(&error) => break,
                other => other.map_err(|error| self.error(OPERATION, error))?,
            };
        }
        let image = self.inspect_image(&format!("{KEPT}:{making}")).await?;
        let image = image.ok_or_else(|| EngineError::Unexpected {
            operation: OPERATION.to_owned(),
            what: "the imported image does not exist".to_owned(),
        })?;
        self.keep(&image.id, name, &making).await?;
        Ok(image.id)
    }
}
