//! Containers for a look: paths of an image, and commands in a fresh container.

use std::collections::HashMap;
use std::io::Read;
use std::time::Duration;

use bollard::container::LogOutput;
use bollard::models::{ContainerCreateBody, HostConfig};
use bollard::query_parameters::{
    DownloadFromContainerOptions, LogsOptions, RemoveContainerOptions, StartContainerOptions, WaitContainerOptions,
};
use futures_util::StreamExt;

use super::stream::Lines;
use super::{Engine, EngineError, LABEL_RUN, Network, RunId};
use crate::check::evidence::{CommandEvidence, FileEvidence, MAX_FILE_CONTENT};

/// How long a command may run.
const COMMAND_LIMIT: Duration = Duration::from_secs(120);
/// How often a removal that the engine is already doing is asked for again.
const REMOVE_TRIES: u32 = 5;

impl Engine {
    /// What is at these paths of an image, in their order.
    ///
    /// # Errors
    /// When the engine cannot say.
    pub async fn read_paths(
        &self,
        image: &str,
        paths: &[String],
        run: &RunId,
    ) -> Result<Vec<FileEvidence>, EngineError> {
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint: Some(vec!["true".to_owned()]),
            labels: Some(HashMap::from([(LABEL_RUN.to_owned(), run.to_string())])),
            ..Default::default()
        };
        let container = self.create(body).await?;
        let mut found = Vec::new();
        let mut failed = None;
        for path in paths {
            match self.read_path(&container, path).await {
                Ok(evidence) => found.push(evidence),
                Err(error) => {
                    failed = Some(error);
                    break;
                }
            }
        }
        self.remove_container(&container).await?;
        failed.map_or(Ok(found), Err)
    }

    async fn read_path(&self, container: &str, path: &str) -> Result<FileEvidence, EngineError> {
        const OPERATION: &str = "reading a path of an image";
        let options = DownloadFromContainerOptions { path: path.to_owned() };
        let mut stream = std::pin::pin!(self.docker.download_from_container(container, Some(options)));
        let mut archive = Vec::new();
        while let Some(chunk) = stream.next().await {
            match chunk.map_err(|error| self.error(OPERATION, error)) {
                Ok(chunk) => archive.extend_from_slice(&chunk),
                Err(error) if error.is_not_found() => return Ok(FileEvidence::Absent),
                Err(error) => return Err(error),
            }
        }
        file_evidence(&archive)
            .map_err(|error| EngineError::Unexpected { operation: OPERATION.to_owned(), what: error.to_string() })
    }

    /// Runs a command in a fresh container of an image, in the place of its entry point.
    ///
    /// # Errors
    /// When the engine cannot. A program that is not there is evidence: exit code 127.
    pub async fn run_command(
        &self,
        image: &str,
        argv: &[String],
        network: &Network,
        run: &RunId,
    ) -> Result<CommandEvidence, EngineError> {
        const OPERATION: &str = "running a command in a container";
        let (program, arguments) = argv.split_first().ok_or_else(|| EngineError::Unexpected {
            operation: OPERATION.to_owned(),
            what: "there is no program to run".to_owned(),
        })?;
        let body = ContainerCreateBody {
            image: Some(image.to_owned()),
            entrypoint: Some(vec![program.clone()]),
            cmd: Some(arguments.to_vec()),
            labels: Some(HashMap::from([(LABEL_RUN.to_owned(), run.to_string())])),
            host_config: Some(HostConfig {
                network_mode: Some(network.name.clone()),
                extra_hosts: Some(vec![network.host_entry()]),
                ..Default::default()
            }),
            ..Default::default()
        };
        let container = self.create(body).await?;
        let result = self.run_to_end(&container).await;
        self.remove_container(&container).await?;
        result
    }

    async fn run_to_end(&self, container: &str) -> Result<CommandEvidence, EngineError> {
        const OPERATION: &str = "running a command in a container";
        let started = self.docker.start_container(container, None::<StartContainerOptions>).await;
        match started.map_err(|error| self.error(OPERATION, error)) {
            Ok(()) => {}
            Err(EngineError::Refused { message, .. }) if is_no_program(&message) => {
                return Ok(CommandEvidence { exit_code: 127, output: message });
            }
            Err(error) => return Err(error),
        }
        let exit_code = tokio::time::timeout(COMMAND_LIMIT, self.wait(container))
            .await
            .map_err(|_| EngineError::Idle { operation: OPERATION.to_owned(), after: COMMAND_LIMIT })??;
        let output = self.log(container).await?.join("\n");
        Ok(CommandEvidence { exit_code, output })
    }

    /// Waits until a container has ended; its exit code.
    pub(super) async fn wait(&self, container: &str) -> Result<i64, EngineError> {
        let mut stream = std::pin::pin!(self.docker.wait_container(container, None::<WaitContainerOptions>));
        match stream.next().await {
            Some(Ok(end)) => Ok(end.status_code),
            Some(Err(bollard::errors::Error::DockerContainerWaitError { code, .. })) => Ok(code),
            Some(Err(error)) => Err(self.error("waiting for a container", error)),
            None => Err(EngineError::Unreachable {
                engine: self.docker_host.clone(),
                operation: "waiting for a container".to_owned(),
                cause: "the answer ended without an exit code".to_owned(),
            }),
        }
    }

    /// A container's log so far. It is read without following: that would lose an unterminated last line.
    pub(super) async fn log(&self, container: &str) -> Result<Vec<String>, EngineError> {
        let options = LogsOptions { stdout: true, stderr: true, ..Default::default() };
        let mut stream = std::pin::pin!(self.docker.logs(container, Some(options)));
        let (mut out, mut err) = (Lines::default(), Lines::default());
        let order = std::cell::RefCell::new(Vec::new());
        while let Some(chunk) = stream.next().await {
            match chunk.map_err(|error| self.error("reading a container's log", error))? {
                LogOutput::StdErr { message } => err.push(&message, |line| order.borrow_mut().push(line.to_owned())),
                LogOutput::StdOut { message } | LogOutput::Console { message } | LogOutput::StdIn { message } => {
                    out.push(&message, |line| order.borrow_mut().push(line.to_owned()));
                }
            }
        }
        let mut lines = order.into_inner();
        lines.extend([out, err].into_iter().filter_map(Lines::unterminated));
        Ok(lines)
    }

    /// Removes a container, running or not. One that is gone is removed.
    pub(super) async fn remove_container(&self, container: &str) -> Result<(), EngineError> {
        let options = RemoveContainerOptions { force: true, v: true, ..Default::default() };
        for _ in 0..REMOVE_TRIES {
            let removed = self.docker.remove_container(container, Some(options.clone())).await;
            match removed.map_err(|error| self.error("removing a container", error)) {
                Ok(()) => return Ok(()),
                Err(error) if error.is_not_found() => return Ok(()),
                // Somebody is removing it at this moment: wait until it is gone, then see.
                Err(EngineError::Refused { status: 409, .. }) => drop(self.wait(container).await),
                Err(error) => return Err(error),
            }
        }
        Err(EngineError::Unexpected {
            operation: "removing a container".to_owned(),
            what: format!("{container} is still being removed by somebody else"),
        })
    }
}

/// Whether the engine refused to start a container because the program is not there, as a shell's 127 says.
pub(super) fn is_no_program(message: &str) -> bool {
    message.contains("executable file not found") || message.contains("no such file or directory")
}

/// Reads what the engine packs for one path: the path itself first, then what is below.
fn file_evidence(archive: &[u8]) -> std::io::Result<FileEvidence> {
    let mut archive = tar::Archive::new(archive);
    let mut found = None;
    for entry in archive.entries()? {
        let mut entry = entry?;
        match &mut found {
            None => {
                let header = entry.header();
                let mode = header.mode()? & 0o7777;
                let owner = format!("{}:{}", header.uid()?, header.gid()?);
                found = Some(if header.entry_type().is_dir() {
                    FileEvidence::Directory { mode, owner, entries: Vec::new() }
                } else {
                    let mut content = Vec::new();
                    let limit = u64::try_from(MAX_FILE_CONTENT).unwrap_or(u64::MAX);
                    entry.by_ref().take(limit).read_to_end(&mut content)?;
                    FileEvidence::File { mode, owner, content }
                });
            }
            Some(FileEvidence::Directory { entries, .. }) => {
                let path = entry.path()?;
                let mut parts = path.components().skip(1);
                if let (Some(name), None) = (parts.next(), parts.next()) {
                    entries.push(name.as_os_str().to_string_lossy().into_owned());
                }
            }
            Some(FileEvidence::File { .. } | FileEvidence::Absent) => {}
        }
    }
    let mut found = found.unwrap_or(FileEvidence::Absent);
    if let FileEvidence::Directory { entries, .. } = &mut found {
        entries.sort();
    }
    Ok(found)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn add(archive: &mut tar::Builder<Vec<u8>>, path: &str, kind: tar::EntryType, content: &[u8]) {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_mode(0o755);
        header.set_uid(0);
        header.set_gid(33);
        header.set_size(content.len().try_into().unwrap());
        archive.append_data(&mut header, path, content).unwrap();
    }

    #[test]
    fn a_file() {
        let mut archive = tar::Builder::new(Vec::new());
        add(&mut archive, "wsgi.py", tar::EntryType::Regular, b"x");
        let file = FileEvidence::File { mode: 0o755, owner: "0:33".into(), content: b"x".into() };
        assert_eq!(file_evidence(&archive.into_inner().unwrap()).unwrap(), file);
    }

    #[test]
    fn a_directory_has_its_direct_entries() {
        let mut archive = tar::Builder::new(Vec::new());
        add(&mut archive, "app/", tar::EntryType::Directory, b"");
        add(&mut archive, "app/b", tar::EntryType::Regular, b"x");
        add(&mut archive, "app/a/", tar::EntryType::Directory, b"");
        add(&mut archive, "app/a/c", tar::EntryType::Regular, b"x");
        let entries = vec!["a".into(), "b".into()];
        let directory = FileEvidence::Directory { mode: 0o755, owner: "0:33".into(), entries };
        assert_eq!(file_evidence(&archive.into_inner().unwrap()).unwrap(), directory);
    }
}
