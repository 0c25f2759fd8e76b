//! ssh to an engine: the program `ssh` forwards a socket of this machine to that of the engine.
//!
//! It is one connection for all that is asked, and what is configured for `ssh` counts here, too: keys, agents, jump hosts, known
//! hosts. It never asks anything.

use std::fmt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::net::UnixStream;
use tokio::process::{Child, ChildStdin, Command};
use url::Url;

use super::address::bracketed;
use super::{CONNECT_LIMIT, Last, Place, TransportError};

/// The engine's socket where nobody says which.
const SOCKET: &str = "/var/run/docker.sock";
/// Asks the other machine's docker client, or else podman, which socket it uses. Every shell reads these quotes alike.
const WHICH_SOCKET: &str = "docker context inspect --format '{{.Endpoints.docker.Host}}' || podman info --format '{{.Host.RemoteSocket.Path}}'";
/// Runs as long as its input is open, so that ssh ends with this process, however that ends.
const HOLD: &str = "cat";
/// How long ssh may take from its start to a forwarded socket: the host, a jump host, and their shells.
const LIMIT: Duration = CONNECT_LIMIT.saturating_mul(2);
/// How often it is tried whether the socket is there.
const AGAIN_AFTER: Duration = Duration::from_millis(20);
/// The most of a line of ssh's messages that is kept, and of what the other machine answers.
const LINE_LIMIT: usize = 500;

/// An engine by ssh.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Ssh {
    pub user: Option<String>,
    pub host: String,
    pub port: Option<u16>,
    /// The engine's socket on that machine.
    pub socket: Option<String>,
    /// The file with the user's key, where it is not ssh's own choice.
    pub key: Option<PathBuf>,
}

impl Ssh {
    /// Reads what a URL says beside its host.
    pub(super) fn of(url: &Url, host: String) -> Result<Self, &'static str> {
        if url.password().is_some() {
            return Err("a password cannot be in it: use a key");
        }
        let user = percent_decode_str(url.username()).decode_utf8().map_err(|_| "the user's name is not UTF-8")?;
        let socket = Some(url.path()).filter(|path| !matches!(*path, "" | "/")).map(str::to_owned);
        if socket.as_deref().is_some_and(|path| !forwardable(path)) || url.query().is_some() || url.fragment().is_some()
        {
            return Err("its path is not the plain path of a socket");
        }
        Ok(Self {
            user: Some(user.into_owned()).filter(|user| !user.is_empty()),
            host,
            port: url.port(),
            socket,
            key: None,
        })
    }

    /// A call of ssh, with a command for the other machine.
    fn call(&self, options: &[&str], command: &str) -> Command {
        let mut ssh = Command::new("ssh");
        ssh.arg("-T");
        let connect = format!("ConnectTimeout={}", CONNECT_LIMIT.as_secs());
        for option in [
            // No question, whatever it is about.
            "BatchMode=yes",
            &connect,
            "ServerAliveInterval=15",
            "ServerAliveCountMax=4",
            // A connection of its own: a shared one would keep the socket when this program has ended.
            "ControlMaster=no",
            "ControlPath=none",
            // Forwards of the user's own configuration may be taken already.
            "ExitOnForwardFailure=no",
            "ForwardAgent=no",
            "ForwardX11=no",
            "LogLevel=INFO",
        ] {
            ssh.args(["-o", option]);
        }
        ssh.args(options);
        if let Some(user) = &self.user {
            ssh.args(["-l", user]);
        }
        if let Some(port) = self.port {
            ssh.args(["-p", &port.to_string()]);
        }
        if let Some(key) = &self.key {
            ssh.arg("-i").arg(key);
        }
        ssh.args(["--", &self.host, command]);
        // Ctrl-C is for this program, which still has to clean up on the engine.
        ssh.process_group(0).kill_on_drop(true);
        ssh
    }

    fn error(&self, why: impl Into<String>) -> TransportError {
        TransportError::Ssh { host: self.host.clone(), why: why.into() }
    }

    fn start_error(&self, error: &std::io::Error) -> TransportError {
        if error.kind() == std::io::ErrorKind::NotFound {
            TransportError::NoSsh
        } else {
            self.error(format!("cannot start ssh: {error}"))
        }
    }

    /// The engine's socket on the other machine: the one named, or the one that its client uses.
    async fn remote_socket(&self) -> Result<String, TransportError> {
        if let Some(socket) = &self.socket {
            return Ok(socket.clone());
        }
        let output = self.call(&[], WHICH_SOCKET).stdin(Stdio::null()).output();
        let Output { status, stdout, stderr } = tokio::time::timeout(LIMIT, output)
            .await
            .map_err(|_| self.error(format!("no connection within {} s", LIMIT.as_secs())))?
            .map_err(|error| self.start_error(&error))?;
        // Its own exit code; any other is that of the command, which may not exist there.
        if status.code() == Some(255) {
            return Err(self.error(last_line(&String::from_utf8_lossy(&stderr))));
        }
        let told = last_line(&String::from_utf8_lossy(&stdout));
        if !status.success() || told.is_empty() {
            return Ok(SOCKET.to_owned());
        }
        let socket = told.strip_prefix("unix://").unwrap_or(&told);
        if forwardable(socket) {
            Ok(socket.to_owned())
        } else {
            Err(self.error(format!("the client there uses {told}, which is no socket: open failed")))
        }
    }
}

/// Whether ssh takes this path as it is: it expands some characters, and parts paths at colons.
fn forwardable(path: &str) -> bool {
    let plain = |character: char| character.is_alphanumeric() || "/._-+@,=~".contains(character);
    path.starts_with('/') && path.chars().all(plain)
}

/// The last line that says something.
fn last_line(text: &str) -> String {
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    line.chars().take(LINE_LIMIT).collect()
}

impl fmt::Display for Ssh {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ssh://")?;
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        f.write_str(&bracketed(&self.host))?;
        if let Some(port) = self.port {
            write!(f, ":{port}")?;
        }
        f.write_str(self.socket.as_deref().unwrap_or_default())
    }
}

/// A running ssh, which ends when this is dropped.
#[derive(Debug)]
pub(super) struct Forward {
    _child: Child,
    /// Its end is ssh's.
    _input: Option<ChildStdin>,
    pub(super) place: Place,
}

impl Forward {
    /// Starts ssh, and waits until the socket is there.
    pub(super) async fn start(ssh: &Ssh, place: Place, last: Last) -> Result<Self, TransportError> {
        let local = place.socket();
        let Some(from) = local.to_str().filter(|path| forwardable(path)) else {
            let source = std::io::Error::other("ssh does not take this path as it is");
            return Err(TransportError::Place { path: local, source });
        };
        let forward = format!("{from}:{}", ssh.remote_socket().await?);
        let mut child = ssh
            .call(&["-L", &forward], HOLD)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| ssh.start_error(&error))?;
        let messages = child.stderr.take().map(|stderr| tokio::spawn(listen(stderr, last.clone())));
        let begun = Instant::now();
        while !listens(&local).await {
            if let Some(status) = child.try_wait().map_err(|error| ssh.start_error(&error))? {
                if let Some(messages) = messages {
                    // What it said last may still be in the pipe; a process that it left may hold that open.
                    drop(tokio::time::timeout(Duration::from_secs(1), messages).await);
                }
                return Err(ssh.error(last.lately().unwrap_or_else(|| format!("it ended with {status}"))));
            }
            if begun.elapsed() > LIMIT {
                return Err(ssh.error(format!("no connection within {} s", LIMIT.as_secs())));
            }
            tokio::time::sleep(AGAIN_AFTER).await;
        }
        let input = child.stdin.take();
        Ok(Self { _child: child, _input: input, place })
    }
}

async fn listens(socket: &Path) -> bool {
    UnixStream::connect(socket).await.is_ok()
}

/// Notes what ssh says, until it ends.
async fn listen(stderr: tokio::process::ChildStderr, last: Last) {
    let mut messages = BufReader::new(stderr);
    loop {
        let mut line = Vec::new();
        // A line without an end must not fill the memory.
        match (&mut messages).take(LINE_LIMIT as u64).read_until(b'\n', &mut line).await {
            Ok(1..) => {
                let said = last_line(&String::from_utf8_lossy(&line));
                if !said.is_empty() {
                    last.note(said);
                }
            }
            Ok(0) | Err(_) => return,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn ssh() -> Ssh {
        let (user, host) = (Some("me".to_owned()), "h".to_owned());
        Ssh { user, host, port: Some(2222), socket: Some("/s.sock".to_owned()), key: Some(PathBuf::from("/k")) }
    }

    #[test]
    fn ssh_never_asks_and_its_host_is_no_option() {
        let call = ssh().call(&["-L", "/a:/b"], HOLD);
        let words: Vec<&str> = call.as_std().get_args().map(|word| word.to_str().unwrap()).collect();
        assert!(words.contains(&"BatchMode=yes"));
        assert!(words.ends_with(&["-L", "/a:/b", "-l", "me", "-p", "2222", "-i", "/k", "--", "h", "cat"]), "{words:?}");
    }

    #[test]
    fn what_ssh_would_expand_is_not_given_to_it() {
        assert!(forwardable("/run/user/1000/docker.sock") && forwardable("/home/a-b_c/.docker/run/docker.sock"));
        for path in ["relative", "/a:b", "/a%h", "/a${HOME}", "/a b", "/a\\b", "/a\nb", ""] {
            assert!(!forwardable(path), "{path}");
        }
    }

    #[test]
    fn the_last_line_says_why() {
        assert_eq!(last_line("@@@@\nHost key verification failed.\r\n\n"), "Host key verification failed.");
        assert_eq!(last_line(""), "");
        assert_eq!(last_line(&"x".repeat(10_000)).len(), LINE_LIMIT);
    }

    #[test]
    fn it_is_told_as_it_was_named() {
        assert_eq!(ssh().to_string(), "ssh://me@h:2222/s.sock");
    }
}
