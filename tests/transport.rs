//! The ways to an engine: by TCP, by TLS, by ssh, by a docker context of these. A real engine stands behind each.

use std::path::Path;

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::support::front::{Authority, Front};
use crate::support::ssh_server::SshServer;
use crate::support::{PrivateEngine, text};

/// Calls of the program on the way to an engine: only what a test sets names one, and what is left of the way is seen.
struct Caller {
    engine: PrivateEngine,
    temporary: TempDir,
}

impl Caller {
    fn new() -> Self {
        Self { engine: PrivateEngine::start(), temporary: TempDir::new().unwrap() }
    }

    fn call(&self, variables: &[(&str, &str)], arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = self.engine.command(arguments);
        for name in ["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "DOCKER_TLS_VERIFY", "DOCKER_CERT_PATH"] {
            command.env_remove(name);
        }
        command.env_remove("CONTAINER_HOST").env("TMPDIR", self.temporary.path());
        let output = command.envs(variables.iter().copied()).output().unwrap();
        let left: Vec<_> = self.temporary.path().read_dir().unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(left.is_empty(), "{arguments:?} leaves {left:?}: {}", text(&output));
        (output.status.code(), text(&output))
    }

    /// A scenario passes on this way, and `doctor` names it.
    fn passes(&self, variables: &[(&str, &str)], option: &[&str], named: &str) {
        let (code, told) = self.call(variables, &[&["doctor"], option].concat());
        assert!(code == Some(0) && told.contains("answers") && told.contains(named), "{told}");
        let (code, told) = self.call(variables, &[&["run", "=hello-wsgi"], option].concat());
        assert!(code == Some(0) && told.contains(named), "{told}");
    }

    /// The engine is refused for this reason, in a run, too, and no other is used.
    fn fails(&self, variables: &[(&str, &str)], option: &[&str], why: &str) {
        let (code, told) = self.call(variables, &[&["doctor"], option].concat());
        assert!(code == Some(3) && told.contains(why) && told.contains("no other engine"), "{why}: {told}");
        assert!(!told.contains("PRIVATE KEY"), "{told}");
        let (code, told) = self.call(variables, &[&["run", "=hello-wsgi"], option].concat());
        assert!(code == Some(3) && told.contains(why) && !told.contains("verdict"), "{why}: {told}");
    }

    fn ends(self) {
        assert!(self.engine.leftovers().is_empty(), "{:?}", self.engine.leftovers());
    }
}

/// A docker client's folder with a context called `remote`.
fn context(host: &str, skip: bool) -> (TempDir, std::path::PathBuf) {
    let folder = TempDir::new().unwrap();
    let id = hex::encode(Sha256::digest("remote"));
    let meta = folder.path().join("contexts/meta").join(&id);
    std::fs::create_dir_all(&meta).unwrap();
    let text = serde_json::json!({
        "Name": "remote", "Metadata": {}, "Endpoints": { "docker": { "Host": host, "SkipTLSVerify": skip } },
    });
    std::fs::write(meta.join("meta.json"), text.to_string()).unwrap();
    let certificates = folder.path().join("contexts/tls").join(id).join("docker");
    (folder, certificates)
}

/// The variables that name an engine by TLS.
fn by<'a>(host: &'a str, folder: &'a TempDir) -> [(&'a str, &'a str); 3] {
    [("DOCKER_HOST", host), ("DOCKER_TLS_VERIFY", "1"), ("DOCKER_CERT_PATH", place(folder.path()))]
}

fn place(folder: &Path) -> &str {
    folder.to_str().unwrap()
}

#[test]
fn an_engine_by_tcp() {
    let caller = Caller::new();
    let front = Front::plain(caller.engine.docker_host());
    let host = front.docker_host();
    caller.passes(&[("DOCKER_HOST", &host)], &[], &host);
    // More than doctor's: the application's container was started there, too.
    assert!(front.carried() > 10, "{}", front.carried());
    let (folder, _) = context(&host, false);
    let context = [("DOCKER_CONFIG", place(folder.path())), ("DOCKER_CONTEXT", "remote")];
    let (code, told) = caller.call(&context, &["doctor"]);
    assert!(code == Some(0) && told.contains("the docker context `remote`"), "{told}");
    let (code, told) = caller.call(&[("CONTAINER_HOST", &host)], &["doctor"]);
    assert!(code == Some(0) && told.contains("named by CONTAINER_HOST"), "{told}");
    // The option goes before all variables.
    caller.fails(&context, &["--engine", "tcp://127.0.0.1:1"], "refused");
    caller.fails(&[("DOCKER_CONTEXT", "none"), context[0]], &[], "there is no docker context `none`");
    caller.ends();
}

#[test]
fn an_engine_by_tls() {
    let caller = Caller::new();
    let (authority, other) = (Authority::new(), Authority::new());
    let front = Front::tls(caller.engine.docker_host(), &authority);
    let host = front.docker_host();
    let named = format!("{host} by TLS");
    let files = authority.client();
    caller.passes(&by(&host, &files), &[], &named);
    assert!(front.carried() > 10, "{}", front.carried());

    let (folder, certificates) = context(&host, false);
    authority.write_client(&authority, &certificates);
    caller.passes(&[("DOCKER_CONFIG", place(folder.path()))], &["--engine", "remote"], &named);
    let carried = front.carried();

    // Whoever signed the engine's certificate is not known.
    let doubting = TempDir::new().unwrap();
    authority.write_client(&other, doubting.path());
    caller.fails(&by(&host, &doubting), &[], "ca.pem is not of who signed it");
    // The client has no certificate.
    std::fs::remove_file(files.path().join("cert.pem")).unwrap();
    caller.fails(&by(&host, &files), &[], "cannot read the client certificate");
    std::fs::remove_file(files.path().join("key.pem")).unwrap();
    caller.fails(&by(&host, &files), &[], "the engine wants a client certificate");
    // Its certificate is of somebody else.
    let stranger = TempDir::new().unwrap();
    other.write_client(&authority, stranger.path());
    caller.fails(&by(&host, &stranger), &[], "the engine refuses the client certificate");
    std::fs::remove_file(stranger.path().join("ca.pem")).unwrap();
    caller.fails(&by(&host, &stranger), &[], "cannot read the certificate of the authority");
    assert_eq!(front.carried(), carried);

    // Where nothing is to be verified, the certificate of the client still is.
    let (folder, certificates) = context(&host, true);
    authority.write_client(&other, &certificates);
    let (code, told) = caller.call(&[("DOCKER_CONFIG", place(folder.path()))], &["doctor", "--engine", "remote"]);
    assert!(code == Some(0) && told.contains("not verified"), "{told}");
    caller.ends();
}

#[test]
fn an_engine_by_ssh() {
    let caller = Caller::new();
    let server = SshServer::start();
    let socket = caller.engine.docker_host().strip_prefix("unix://").unwrap().to_owned();
    let host = server.docker_host(&socket);
    let path = server.path("client");
    // The user's name is left out of what is printed.
    let named = host.replace("root@", "***@");
    caller.passes(&[("DOCKER_HOST", &host), ("PATH", &path)], &[], &named);
    let (folder, _) = context(&host, false);
    let by_context = [("DOCKER_CONFIG", place(folder.path())), ("PATH", &path), ("DOCKER_CONTEXT", "remote")];
    let (code, told) = caller.call(&by_context, &["doctor"]);
    assert!(code == Some(0) && told.contains("the docker context `remote`"), "{told}");

    let refused = server.path("refused");
    caller.fails(&[("DOCKER_HOST", &host), ("PATH", &refused)], &[], "load the key into ssh-agent");
    let doubtful = server.path("doubtful");
    caller.fails(&[("DOCKER_HOST", &host), ("PATH", &doubtful)], &[], "check the host's key");
    caller.fails(&[("DOCKER_HOST", &host), ("PATH", place(folder.path()))], &[], "install the OpenSSH client");
    let nowhere = server.docker_host("/nowhere.sock");
    caller.fails(&[("DOCKER_HOST", &nowhere), ("PATH", &path)], &[], "open failed");
    caller.ends();
}
