//! Commands in a running container that somebody attends: connected with what is typed, and with a terminal if there is one.

use bollard::exec::{StartExecOptions, StartExecResults};
use bollard::models::ExecConfig;
use bollard::query_parameters::{ResizeExecOptions, StartContainerOptions};
use futures_util::StreamExt;
use tokio::io::AsyncWriteExt;
use tokio::sync::mpsc::Receiver;

use super::container::print;
use super::error::not_executable;
use super::{Engine, EngineError, Invocation, Network};
use crate::host::terminal::{Size, Sizes};
use crate::outcome::RunId;
use crate::suite::limits::Limits;

/// What is being done, in words.
const OPERATION: &str = "running a command that is attended";

/// A command that can be run in a container, and attended.
pub(crate) struct Attended {
    exec: String,
    has_terminal: bool,
}

/// What a shell shows for a command that nobody reads any more (SIGPIPE).
const READER_GONE: i64 = 141;
/// A command that does nothing until it is killed.
const IDLE: [&str; 2] = ["sleep", "infinity"];

impl Engine {
    /// Starts a container of an image that does nothing, in the place of its entry point; the container's id.
    ///
    /// # Errors
    /// When the engine cannot, or the image has no `sleep`.
    pub(crate) async fn start_idle(
        &self,
        image: &str,
        network: &Network,
        limits: Limits,
        run: &RunId,
    ) -> Result<String, EngineError> {
        let argv = IDLE.map(str::to_owned);
        let idle = Invocation { argv: &argv, environment: &[], user: None, network, limits, run };
        let container = self.create_for(image, idle).await?;
        let started = self.docker.start_container(&container, None::<StartContainerOptions>).await;
        started.map_err(|error| self.error("starting a container", error))?;
        Ok(container)
    }

    /// A command in a running container, not yet run; with a terminal of this kind, as `TERM` has it, or with its outputs apart.
    ///
    /// # Errors
    /// When the engine cannot. One that refuses it since the container has ended is [`EngineError::Refused`].
    pub(crate) async fn to_be_attended(
        &self,
        container: &str,
        command: &[String],
        terminal: Option<&str>,
    ) -> Result<Attended, EngineError> {
        let config = ExecConfig {
            cmd: Some(command.to_vec()),
            attach_stdin: Some(true),
            attach_stdout: Some(true),
            attach_stderr: Some(true),
            tty: Some(terminal.is_some()),
            env: terminal.map(|kind| vec![format!("TERM={kind}")]),
            ..Default::default()
        };
        let created = self.docker.create_exec(container, config).await;
        let exec = created.map_err(|error| self.error(OPERATION, error))?.id;
        Ok(Attended { exec, has_terminal: terminal.is_some() })
    }

    /// Runs a command that is attended: it gets what is typed, and its terminal these sizes. What it prints is printed, byte by byte.
    /// Its exit code, which is 141 where nobody reads that any more; it may go on then, until its container is removed.
    ///
    /// # Errors
    /// When the engine cannot. A program that cannot be started has ended with 126 or 127, as in a shell.
    pub(crate) async fn run_attended(
        &self,
        attended: Attended,
        mut typed: Receiver<Vec<u8>>,
        sizes: Option<Sizes>,
    ) -> Result<i64, EngineError> {
        let Attended { exec, has_terminal } = attended;
        let options = StartExecOptions { tty: has_terminal, ..Default::default() };
        let started = self.docker.start_exec(&exec, Some(options)).await;
        let (mut output, mut input) = match started.map_err(|error| self.error(OPERATION, error)) {
            Ok(StartExecResults::Attached { output, input }) => (output, input),
            Ok(StartExecResults::Detached) => return Err(self.broke_off(OPERATION)),
            Err(EngineError::Refused { operation, status, message }) => {
                return not_executable(&message).ok_or(EngineError::Refused { operation, status, message });
            }
            Err(error) => return Err(error),
        };
        let (first, changes) = sizes.map(|sizes| (sizes.first, sizes.changes)).unzip();
        // What is typed finds the terminal as it is to be.
        if let Some(size) = first.flatten() {
            self.resize(&exec, size).await;
        }
        let read = async {
            while let Some(chunk) = output.next().await {
                if print(&chunk.map_err(|error| self.error(OPERATION, error))?).is_err() {
                    return Ok(Some(READER_GONE));
                }
            }
            Ok::<Option<i64>, EngineError>(None)
        };
        let write = async {
            while let Some(bytes) = typed.recv().await {
                if input.write_all(&bytes).await.is_err() || input.flush().await.is_err() {
                    break;
                }
            }
            // A command that reads on finds the end.
            drop(input.shutdown().await);
            std::future::pending().await
        };
        let resize = async {
            if let Some(mut changes) = changes {
                while let Some(size) = changes.recv().await {
                    self.resize(&exec, size).await;
                }
            }
            std::future::pending().await
        };
        let code = tokio::select! {
            read = read => read?,
            never = write => never,
            never = resize => never,
        };
        if let Some(code) = code {
            return Ok(code);
        }
        let ended = self.docker.inspect_exec(&exec).await.map_err(|error| self.error(OPERATION, error))?;
        ended.exit_code.ok_or_else(|| self.broke_off(OPERATION))
    }
    /// Gives the command's terminal a size. One that has ended has none.
    async fn resize(&self, exec: &str, Size { rows, columns }: Size) {
        let size = ResizeExecOptions { h: rows.into(), w: columns.into() };
        drop(self.docker.resize_exec(exec, size).await);
    }
}
