//! The distribution that the base image is built on: from a registry by digest where one answers, else made by mmdebstrap.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use bollard::query_parameters::CreateImageOptions;
use futures_util::StreamExt;
use tokio_util::io::ReaderStream;

use super::private::Toolbox;
use super::{Engine, EngineError, LABEL_CACHE};

/// How long a registry may take for its first answer.
const REGISTRY_LIMIT: Duration = Duration::from_secs(20);
/// The time that files of the distribution get, in seconds since 1970: made twice, it is the same twice.
const EPOCH: &str = "1700000000";

/// The distribution's image, made or fetched if the engine does not have it.
///
/// `registry_image` is a reference by digest; `proxy` is a recording HTTP proxy for the archive.
///
/// # Errors
/// When it cannot be had, or the engine cannot take it.
pub async fn ensure_distribution(
    engine: &Engine,
    suite: &str,
    registry_image: Option<&str>,
    proxy: &str,
    cache: &Path,
    offline: bool,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<String, EngineError> {
    if let Some(reference) = registry_image {
        if let Some(image) = engine.inspect_image(reference).await? {
            return Ok(image.id);
        }
        if !offline {
            progress(&format!("asking a registry for {reference}"));
            match engine.pull(reference).await {
                Ok(()) => return Ok(reference.to_owned()),
                Err(error) if error.is_final() => return Err(error),
                Err(error) => progress(&format!("no registry answered: {error}")),
            }
        }
    }
    let key = format!("distribution-{suite}");
    if let Some(image) = engine.kept(&key).await? {
        return Ok(image.id);
    }
    let folder = cache.join("distributions");
    let archive = folder.join(format!("{suite}-{}.tar", engine.describe().architecture));
    if !archive.exists() {
        make(&folder, &archive, suite, proxy, cache, offline, progress).await?;
    }
    progress("importing it into the engine");
    engine.import(&archive, &key).await
}

/// Makes the distribution's archive, whole or not at all.
async fn make(
    folder: &Path,
    archive: &Path,
    suite: &str,
    proxy: &str,
    cache: &Path,
    offline: bool,
    progress: &(dyn Fn(&str) + Send + Sync),
) -> Result<(), EngineError> {
    let none = |why: String| EngineError::NoDistribution { suite: suite.to_owned(), why };
    let in_cache = |source| EngineError::Cache { path: folder.display().to_string(), source };
    let toolbox = Toolbox::fill(cache, offline, progress).await.map_err(|error| none(error.to_string()))?;
    let program = toolbox.program("mmdebstrap").ok_or_else(|| none("there is no mmdebstrap".to_owned()))?;
    std::fs::create_dir_all(folder).map_err(in_cache)?;
    let work = tempfile::Builder::new().prefix("making-").tempdir_in(folder).map_err(in_cache)?;
    let made: PathBuf = work.path().join("made.tar");
    progress(&format!("making a minimal {suite} with mmdebstrap"));
    let mut command = toolbox.command(&program);
    command
        .args(["--variant=minbase", "--format=tar", "--mode=root"])
        .arg(format!("--aptopt=Acquire::http::Proxy \"{proxy}\""))
        .arg("--aptopt=Acquire::Check-Valid-Until \"false\"")
        // The proxy is this run's; it is not to stay in the image.
        .arg("--customize-hook=rm -f \"$1\"/etc/apt/apt.conf.d/99mmdebstrap")
        .arg(suite)
        .arg(&made)
        .args([
            format!("deb http://deb.debian.org/debian {suite} main"),
            format!("deb http://deb.debian.org/debian {suite}-updates main"),
            format!("deb http://deb.debian.org/debian-security {suite}-security main"),
        ])
        .env("SOURCE_DATE_EPOCH", EPOCH)
        .env("TMPDIR", work.path())
        .stdin(Stdio::null())
        .kill_on_drop(true);
    let output = command.output().await.map_err(|error| none(format!("mmdebstrap could not be started: {error}")))?;
    if !output.status.success() {
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let lines: Vec<&str> = text.lines().rev().take(8).collect();
        let tail = lines.into_iter().rev().collect::<Vec<_>>().join("\n  ");
        return Err(none(format!("mmdebstrap ended with {}:\n  {tail}", output.status)));
    }
    std::fs::rename(&made, archive).map_err(in_cache)
}

impl Engine {
    async fn pull(&self, reference: &str) -> Result<(), EngineError> {
        const OPERATION: &str = "pulling an image";
        let options = CreateImageOptions { from_image: Some(reference.to_owned()), ..Default::default() };
        let mut stream = std::pin::pin!(self.docker.create_image(Some(options), None, None));
        let mut limit = REGISTRY_LIMIT;
        loop {
            match tokio::time::timeout(limit, stream.next()).await {
                Ok(Some(Ok(_))) => limit = Duration::from_secs(super::ANSWER_SECONDS),
                Ok(Some(Err(error))) => return Err(self.error(OPERATION, error)),
                Ok(None) => return Ok(()),
                Err(_) => return Err(EngineError::Idle { operation: OPERATION.to_owned(), after: limit }),
            }
        }
    }

    /// Makes an image of an archive of a whole file system.
    async fn import(&self, archive: &Path, key: &str) -> Result<String, EngineError> {
        const OPERATION: &str = "importing a distribution";
        let file = tokio::fs::File::open(archive)
            .await
            .map_err(|source| EngineError::Cache { path: archive.display().to_string(), source })?;
        let options = CreateImageOptions {
            from_src: Some("-".to_owned()),
            changes: vec![format!("LABEL {LABEL_CACHE}=image"), "CMD [\"bash\"]".to_owned()],
            ..Default::default()
        };
        let body = bollard::body_try_stream(ReaderStream::new(file));
        let mut stream = std::pin::pin!(self.docker.create_image(Some(options), Some(body), None));
        let mut image = None;
        while let Some(info) = stream.next().await {
            // The one line of status is the image's id.
            image = info.map_err(|error| self.error(OPERATION, error))?.status.or(image);
        }
        let image = image.ok_or_else(|| EngineError::Unexpected {
            operation: OPERATION.to_owned(),
            what: "its answer names no image".to_owned(),
        })?;
        self.keep(&image, key).await?;
        Ok(image)
    }
}
