//! What a scenario mounts: a volume of the engine, filled and compared through the engine's API. So the engine need not see a folder of
//! this machine.

use bollard::models::{ContainerCreateBody, HostConfig, Mount, MountType, MountVolumeOptions, VolumeCreateRequest};
use bollard::query_parameters::{RemoveVolumeOptions, UploadToContainerOptions};

use super::container::{container_name, run_labels};
use super::start::limit;
use super::{Engine, EngineError, packed};
use crate::beneath::{BeneathError, Bound};
use crate::check::evidence::{CommandEnd, CommandEvidence};
use crate::host::snapshot::Snapshot;
use crate::outcome::{RunId, with_causes};
use crate::suite::limits::Limits;

/// Where the container that holds a volume has it.
const PLACE: &str = "/wsgi-proof-volume";
/// What is being done when it is read.
const OPERATION: &str = "reading a volume";
/// The command which names the sockets in it. Every Debian has it.
const SOCKETS: [&str; 6] = ["find", PLACE, "-type", "s", "-printf", "%P\\n"];

/// A volume of a run. It is to be removed; a clean-up by name finds one that was not.
pub(crate) struct Volume {
    engine: Engine,
    name: String,
    /// The container through which it is filled and read.
    holder: String,
    /// Whether it is mounted for writing.
    writable: bool,
}

/// A volume, mounted in a container.
#[derive(Debug, Clone)]
pub(crate) struct Mounted {
    /// The volume's name.
    pub volume: String,
    /// The path in the container.
    pub target: String,
    /// Whether the container may write there.
    pub writable: bool,
}

impl Mounted {
    /// The mount as the engine takes it. What an image has at its place stays out of the volume.
    pub(super) fn mount(&self) -> Mount {
        Mount {
            typ: Some(MountType::VOLUME),
            source: Some(self.volume.clone()),
            target: Some(self.target.clone()),
            read_only: Some(!self.writable),
            volume_options: Some(MountVolumeOptions { no_copy: Some(true), ..Default::default() }),
            ..Default::default()
        }
    }
}

impl Engine {
    /// Makes a volume with an archive's files, as they are in it. The image is that of the container which holds it, and not one that
    /// is under test: it could have a link in the volume's place.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn create_volume(
        &self,
        image: &str,
        archive: &[u8],
        writable: bool,
        run: &RunId,
    ) -> Result<Volume, EngineError> {
        let name = container_name(run, "volume");
        let request =
            VolumeCreateRequest { name: Some(name.clone()), labels: Some(run_labels(run)), ..Default::default() };
        let created = self.docker.create_volume(request).await;
        created.map_err(|error| self.error("creating a volume", error))?;
        let mounted = Mounted { volume: name.clone(), target: PLACE.to_owned(), writable: true };
        let mut config = HostConfig {
            network_mode: Some("none".to_owned()),
            mounts: Some(vec![mounted.mount()]),
            ..Default::default()
        };
        limit(&mut config, Limits::default());
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint: Some(SOCKETS.map(str::to_owned).to_vec()),
            cmd: Some(Vec::new()),
            labels: Some(run_labels(run)),
            host_config: Some(config),
            ..Default::default()
        };
        let holder = self.create(&container_name(run, "holder"), body).await?;
        let options = UploadToContainerOptions { path: PLACE.to_owned(), ..Default::default() };
        let whole = [root().as_bytes().as_slice(), archive].concat();
        let filled = self.docker.upload_to_container(&holder, Some(options), bollard::body_full(whole.into())).await;
        filled.map_err(|error| self.error("filling a volume", error))?;
        Ok(Volume { engine: self.clone(), name, holder, writable })
    }

    /// Removes a volume; whether it has gone. One that is gone is removed, and one that a container still has stays.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(super) async fn remove_volume(&self, name: &str) -> Result<bool, EngineError> {
        let removed = self.docker.remove_volume(name, None::<RemoveVolumeOptions>).await;
        match removed.map_err(|error| self.error("removing a volume", error)) {
            Ok(()) => Ok(true),
            Err(error) if error.is_not_found() => Ok(true),
            Err(EngineError::Refused { status: 409, .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl Volume {
    /// It, mounted at this path of a container.
    pub(crate) fn at(&self, target: &str) -> Mounted {
        Mounted { volume: self.name.clone(), target: target.to_owned(), writable: self.writable }
    }

    /// What is in it before anybody has had it, or that there is more than is read. Reading it holds up no other task.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(crate) async fn snapshot(&self) -> Result<Result<Snapshot, Bound>, EngineError> {
        match self.engine.read_archive(&self.holder, PLACE, OPERATION, packed::snapshot).await? {
            Some(Ok(Ok(snapshot))) => Ok(Ok(snapshot)),
            Some(Err(bound) | Ok(Err(BeneathError::Bound(bound)))) => Ok(Err(bound)),
            Some(Ok(Err(BeneathError::Io { source, .. }))) => Err(unexpected(with_causes(&source))),
            Some(Ok(Err(error))) => Err(unexpected(with_causes(&error))),
            None => Err(unexpected("it is not there".to_owned())),
        }
    }

    /// What a container that has ended has left in it. Engines leave sockets out of archives, and say nothing of that.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub(crate) async fn left(&self) -> Result<Result<Snapshot, Bound>, EngineError> {
        match self.snapshot().await? {
            Ok(snapshot) if self.writable => Ok(self.sockets().await?.map(|sockets| snapshot.with_sockets(sockets))),
            result => Ok(result),
        }
    }

    async fn sockets(&self) -> Result<Result<Vec<String>, Bound>, EngineError> {
        let CommandEvidence { end, output } =
            self.engine.run_to_end(&self.holder, Limits::default(), OPERATION).await?;
        match (end, output.all()) {
            (CommandEnd::Exited(0), Ok(sockets)) => Ok(Ok(sockets.to_vec())),
            (CommandEnd::TimedOut(_), _) | (_, Err(_)) => Ok(Err(Bound::Many)),
            (_, Ok(said)) => Err(unexpected(said.join("; "))),
        }
    }

    /// Leaves it to whoever has it mounted, until `prune`.
    ///
    /// # Errors
    /// When the engine cannot remove the container that holds it.
    pub(crate) async fn keep(self) -> Result<(), EngineError> {
        self.engine.remove_container(&self.holder).await
    }

    /// Removes it. One that a container still has goes with the run.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn remove(self) -> Result<(), EngineError> {
        self.engine.remove_container(&self.holder).await?;
        self.engine.remove_volume(&self.name).await.map(drop)
    }
}

fn unexpected(what: String) -> EngineError {
    EngineError::Unexpected { operation: OPERATION.to_owned(), what }
}

/// The header of the volume's own folder: it is as engines make it, and some would give it to whom the image says.
fn root() -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(tar::EntryType::Directory);
    // A path that cannot be too long.
    drop(header.set_path("./"));
    header.set_mode(0o755);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(0);
    header.set_cksum();
    header
}
