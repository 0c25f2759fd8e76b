//! This very program in one container that has this machine's folders: for the contract tier where the machine does
//! not let it make namespaces of its own.

use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{AttachContainerOptions, KillContainerOptions, StartContainerOptions};
use futures_util::StreamExt;
use tokio_util::sync::CancellationToken;

use super::container::{container_name, print, run_labels};
use super::{Engine, EngineError};
use crate::outcome::RunId;

/// Folders of the root that a container has of its own.
const OWN: [&str; 4] = ["dev", "proc", "run", "sys"];
/// What a program needs that makes namespaces and mounts without being a user namespace's root, and that sees which program the
/// processes of other users in them run.
const CAPABILITIES: [&str; 3] = ["NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE"];
/// How `/dev/shm` is mounted: sandboxes have their files there, and execute some.
const MEMORY: &str = "rw,exec,nosuid,nodev,size=1g";
/// The name of the image that has nothing but links.
const IMAGE: &str = "own-program";

/// A program of this machine to be run in a container.
#[derive(Debug, Clone)]
pub(crate) struct OwnProgram {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Its whole environment, `NAME=value`.
    pub environment: Vec<String>,
    pub folder: PathBuf,
    /// Folders that it may write to; the others it can only read.
    pub writable: Vec<PathBuf>,
}

impl Engine {
    /// Runs a program of this machine in a container with this machine's folders, network and processes; its exit code. What it
    /// prints is printed. When it is cancelled it gets SIGINT.
    ///
    /// # Errors
    /// When the engine cannot.
    pub(crate) async fn run_own_program(
        &self,
        program: &OwnProgram,
        cache: &Path,
        run: &RunId,
        cancel: &CancellationToken,
    ) -> Result<i64, EngineError> {
        let unusable = |source| EngineError::Cache { path: "/".to_owned(), source };
        let (archive, binds) = root(program).map_err(unusable)?;
        let image = self.import_root(&archive, cache).await?;
        let body = ContainerCreateBody {
            image: Some(image),
            entrypoint: Some(program.command.clone()),
            env: Some(program.environment.clone()),
            working_dir: Some(program.folder.display().to_string()),
            labels: Some(run_labels(run)),
            host_config: Some(HostConfig {
                // What making namespaces takes, and no more: a privileged container would ask for what the engine itself may not have.
                cap_add: Some(CAPABILITIES.map(str::to_owned).to_vec()),
                security_opt: Some(vec!["seccomp=unconfined".to_owned(), "apparmor=unconfined".to_owned()]),
                masked_paths: Some(Vec::new()),
                readonly_paths: Some(Vec::new()),
                network_mode: Some("host".to_owned()),
                pid_mode: Some("host".to_owned()),
                tmpfs: Some(HashMap::from([("/dev/shm".to_owned(), MEMORY.to_owned())])),
                binds: Some(binds),
                ..Default::default()
            }),
            ..Default::default()
        };
        let container = self.create(&container_name(run, IMAGE), body).await?;
        let result = self.attend(&container, cancel).await;
        let removed = self.remove_container(&container).await;
        result.and_then(|code| removed.map(|()| code))
    }

    /// Starts a container, passes on what it prints, and waits for its end.
    async fn attend(&self, container: &str, cancel: &CancellationToken) -> Result<i64, EngineError> {
        const OPERATION: &str = "running this program in a container";
        let options =
            AttachContainerOptions { stream: true, stdout: true, stderr: true, logs: true, ..Default::default() };
        let attached = self.docker.attach_container(container, Some(options)).await;
        let mut output = attached.map_err(|error| self.error(OPERATION, error))?.output;
        let started = self.docker.start_container(container, None::<StartContainerOptions>).await;
        started.map_err(|error| self.error(OPERATION, error))?;
        let pass_on = async {
            while let Some(Ok(chunk)) = output.next().await {
                // A reader that has gone is no fault of the container's.
                drop(print(&chunk));
            }
            self.wait(container).await
        };
        tokio::pin!(pass_on);
        tokio::select! {
            code = &mut pass_on => return code,
            () = cancel.cancelled() => {}
        }
        let options = KillContainerOptions { signal: "SIGINT".to_owned() };
        drop(self.docker.kill_container(container, Some(options)).await);
        pass_on.await
    }

    async fn import_root(&self, archive: &[u8], cache: &Path) -> Result<String, EngineError> {
        let key = hex::encode(<sha2::Sha256 as sha2::Digest>::digest(archive));
        if let Some(made) = self.made_before(IMAGE, &key).await? {
            return Ok(made);
        }
        let unwritable = |source| EngineError::Cache { path: cache.display().to_string(), source };
        let file = tempfile::NamedTempFile::new_in(cache).map_err(unwritable)?;
        fs::write(file.path(), archive).map_err(unwritable)?;
        self.import(file.path(), IMAGE, &key).await
    }
}

/// The links of this machine's root as an archive, and its folders as mounts.
fn root(program: &OwnProgram) -> io::Result<(Vec<u8>, Vec<String>)> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut binds = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir("/")?.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if let Ok(target) = fs::read_link(&path) {
            let mut header = tar::Header::new_gnu();
            header.set_entry_type(tar::EntryType::Symlink);
            header.set_size(0);
            header.set_mode(0o777);
            archive.append_link(&mut header, &name, target)?;
        } else if path.is_dir() && !OWN.contains(&name.as_str()) {
            binds.push(format!("/{name}:/{name}:ro"));
        }
    }
    for path in &program.writable {
        // What is not there, such as a folder for temporary files that nobody has made, is not written to either.
        let Ok(path) = path.canonicalize() else { continue };
        // A folder of the root itself is mounted once.
        binds.retain(|bind| !bind.starts_with(&format!("{}:", path.display())));
        binds.push(format!("{0}:{0}:rw", path.display()));
    }
    binds.sort();
    binds.dedup();
    Ok((archive.into_inner()?, binds))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_folders_are_mounted_once_each() {
        let folder = tempfile::tempdir().unwrap();
        let writable = vec![folder.path().to_owned(), folder.path().to_owned(), PathBuf::from("/tmp")];
        let program = OwnProgram { command: Vec::new(), environment: Vec::new(), folder: PathBuf::from("/"), writable };
        let (_, binds) = root(&program).unwrap();
        assert!(binds.contains(&"/usr:/usr:ro".to_owned()), "{binds:?}");
        assert!(!binds.iter().any(|bind| bind.starts_with("/proc")), "{binds:?}");
        assert!(binds.contains(&"/tmp:/tmp:rw".to_owned()) && !binds.contains(&"/tmp:/tmp:ro".to_owned()), "{binds:?}");
        assert_eq!(binds.iter().filter(|bind| bind.starts_with(folder.path().to_str().unwrap())).count(), 1);
    }
}
