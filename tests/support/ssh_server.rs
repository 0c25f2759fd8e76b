//! A server of ssh on loopback: Debian's, which need not be installed.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

use super::cache::cache;

/// A server that takes root's connections by a key of the test, until it is dropped. It has a mount namespace of its own: the user that
/// it wants is seen by it alone.
pub(crate) struct SshServer {
    folder: TempDir,
    port: u16,
    child: Child,
}

impl SshServer {
    pub(crate) fn start() -> Self {
        let tree = server_tree();
        let folder = TempDir::new().expect("a temporary folder");
        let at = |name: &str| folder.path().join(name);
        for name in ["host", "user", "stranger"] {
            let key = at(name);
            let mut keygen = Command::new("ssh-keygen");
            succeeds(keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(&key));
        }
        fs::copy(at("user.pub"), at("authorized")).expect("a copy");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
        let place = folder.path().display();
        let configuration = format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {place}/host\nPidFile none\nStrictModes no\nPasswordAuthentication no\nAuthorizedKeysFile {place}/authorized\n"
        );
        fs::write(at("sshd_config"), configuration).expect("a file");
        fs::write(at("passwd"), users("sshd:x:65000:65534::/run/sshd:/usr/sbin/nologin\n")).expect("a file");
        fs::write(at("shadow"), "root:*:1::::::\n").expect("a file");
        let script = r#"mount --bind "$1/passwd" /etc/passwd && mount --bind "$1/shadow" /etc/shadow \
            && mkdir -p /run/sshd \
            && exec "$2/usr/sbin/sshd" -D -e -f "$1/sshd_config""#;
        let libraries = tree.join("usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH));
        let mut child = Command::new("unshare")
            .args(["--mount", "sh", "-c", script, "sh"])
            .args([folder.path(), &tree])
            .env("LD_LIBRARY_PATH", libraries)
            .stderr(Stdio::piped())
            .spawn()
            .expect("unshare");
        let mut said = String::new();
        let mut messages = BufReader::new(child.stderr.take().expect("a pipe"));
        while !said.contains("listening") {
            assert_ne!(messages.read_line(&mut said).expect("text"), 0, "sshd ended: {said}");
        }
        // The pipe must not fill.
        std::thread::spawn(move || drop(std::io::copy(&mut messages, &mut std::io::sink())));
        let server = Self { folder, port, child };
        server.write_client("client", "user", "host");
        server.write_client("refused", "stranger", "host");
        server.write_client("doubtful", "user", "stranger");
        server
    }

    /// A folder with a program `ssh` that has this key, and knows this key as the server's.
    fn write_client(&self, name: &str, key: &str, host: &str) {
        let folder = self.folder.path().join(name);
        fs::create_dir(&folder).expect("a folder");
        let (all, own) = (self.folder.path().display(), folder.display());
        let host = fs::read_to_string(self.folder.path().join(format!("{host}.pub"))).expect("a key");
        fs::write(folder.join("known"), format!("[127.0.0.1]:{} {host}", self.port)).expect("a file");
        let configuration = format!("IdentityFile {all}/{key}\nIdentitiesOnly yes\nUserKnownHostsFile {own}/known\n");
        fs::write(folder.join("config"), configuration).expect("a file");
        // The home folder of ssh is that of the system's list of users, which no variable changes.
        let script = format!("#!/bin/sh\nexec /usr/bin/ssh -F {own}/config \"$@\"\n");
        fs::write(folder.join("ssh"), script).expect("a file");
        fs::set_permissions(folder.join("ssh"), fs::Permissions::from_mode(0o755)).expect("a mode");
    }

    /// A search path that begins with a client: `client`, `refused` (whose key the server does not know), or `doubtful` (which knows
    /// another key for the server).
    pub(crate) fn path(&self, client: &str) -> String {
        let usual = std::env::var("PATH").unwrap_or_default();
        format!("{}:{usual}", self.folder.path().join(client).display())
    }

    /// The address of an engine behind it.
    pub(crate) fn docker_host(&self, socket: &str) -> String {
        format!("ssh://root@127.0.0.1:{}{socket}", self.port)
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn succeeds(command: &mut Command) {
    assert!(command.status().expect("the program starts").success(), "{command:?}");
}

/// The system's users, and one more.
fn users(more: &str) -> String {
    let users = fs::read_to_string("/etc/passwd").expect("a file");
    let others: Vec<&str> = users.lines().filter(|line| !line.starts_with("sshd:")).collect();
    others.join("\n") + "\n" + more
}

/// The packages of the server, unpacked once.
fn server_tree() -> PathBuf {
    let tree = cache().join("tests/sshd");
    let program = Path::new("usr/sbin/sshd");
    if !tree.join(program).exists() {
        let folder = TempDir::new_in(cache().join("tests")).expect("a temporary folder");
        let unpacked = folder.path().join("tree");
        succeeds(Command::new("apt-get").args(["-qq", "update"]));
        let packages = ["openssh-server", "libwrap0"];
        succeeds(Command::new("apt-get").args(["-qq", "download"]).args(packages).current_dir(folder.path()));
        for entry in fs::read_dir(folder.path()).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.extension().is_some_and(|extension| extension == "deb") {
                succeeds(Command::new("dpkg-deb").arg("-x").args([&path, &unpacked]));
            }
        }
        // Another process may have been quicker.
        if fs::rename(&unpacked, &tree).is_err() {
            assert!(tree.join(program).exists(), "sshd cannot be unpacked");
        }
    }
    tree
}
