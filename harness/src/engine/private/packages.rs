//! The programs of the private engine: those that are installed, and for what is missing the distribution's packages, unpacked
//! into the cache folder by apt and dpkg with a state of their own.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use super::system::system;
use super::{PrivateError, folder};
use crate::host::{trust, unpacked};

/// What the engine and the making of distributions take. Their dependencies come along.
const PACKAGES: [&str; 6] = ["docker.io", "containerd", "runc", "iptables", "mmdebstrap", "tini"];
/// What an engine takes.
pub(in crate::engine) const ENGINE_PROGRAMS: [&str; 5] =
    ["dockerd", "containerd", "containerd-shim-runc-v2", "runc", "iptables"];
/// What making a distribution takes.
pub(in crate::engine) const DISTRIBUTION_PROGRAMS: [&str; 1] = ["mmdebstrap"];
/// What makes the sandboxes of the contract tier.
const SANDBOX_PACKAGES: [&str; 1] = ["bubblewrap"];
/// What programs keep of the environment. It can hold secrets, which neither an engine nor what it starts is to have.
const ENVIRONMENT: [&str; 8] =
    ["DOCKER_RAMDISK", "DOCKER_TMPDIR", "HOME", "LANG", "LC_ALL", "LOGNAME", "TMPDIR", "USER"];
/// How apt is to do its work: with a state of its own, without the hooks of the system's configuration (they clean the
/// system's caches), and without losing much time on a source that is out of order.
const APT_CONFIGURATION: &str = r#"#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
Debug::NoLocking "true";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "20";
Acquire::https::Timeout "20";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
"#;

/// The programs of a cache folder, beside the installed ones.
#[derive(Debug, Clone)]
pub(crate) struct Toolbox {
    cache: PathBuf,
    own: PathBuf,
    tree: PathBuf,
    packages: &'static [&'static str],
}

impl Toolbox {
    /// The engine's, of this cache folder.
    pub(crate) fn of(cache: &Path) -> Self {
        Self::new(cache, folder(cache), &PACKAGES)
    }

    /// That of sandboxes, which need much less.
    pub(crate) fn of_sandbox(cache: &Path) -> Self {
        Self::new(cache, cache.join("sandbox"), &SANDBOX_PACKAGES)
    }

    fn new(cache: &Path, own: PathBuf, packages: &'static [&'static str]) -> Self {
        Self { cache: cache.to_owned(), tree: own.join("tree"), own, packages }
    }

    /// Whether packages have been unpacked, and it is known what was in them. Of a tree without a record nothing is used.
    pub(crate) fn is_unpacked(&self) -> bool {
        self.tree.is_dir() && self.record().is_file()
    }

    /// The record of what was unpacked.
    fn record(&self) -> PathBuf {
        self.own.join("tree.json")
    }

    /// Whether all programs of an engine are there, unpacked or installed.
    pub(crate) fn has_engine(&self) -> bool {
        self.missing(&ENGINE_PROGRAMS).is_empty()
    }

    fn missing<'a>(&self, programs: &[&'a str]) -> Vec<&'a str> {
        programs.iter().copied().filter(|name| self.program(name).is_none()).collect()
    }

    /// Whether a program is of the tree, or would start some that are. The system's own never load libraries from there.
    fn needs_tree(&self, program: &Path) -> bool {
        let in_tree = |path: &Path| path.starts_with(&self.tree);
        let starts = |name: &&str| self.program(name).is_some_and(|path| in_tree(&path));
        in_tree(program) || (!program.is_absolute() && ENGINE_PROGRAMS.iter().chain(&DISTRIBUTION_PROGRAMS).any(starts))
    }

    /// Where a program is: the system's own, where it has one.
    pub(crate) fn program(&self, name: &str) -> Option<PathBuf> {
        std::env::split_paths(&self.path()).map(|folder| folder.join(name)).find(|path| path.is_file())
    }

    /// A command of the toolbox. Of this program's environment it has what programs need, and nothing secret; where a program is
    /// of the tree, it finds its libraries there.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        let kept = ENVIRONMENT.iter().filter_map(|name| Some((name, std::env::var_os(name)?)));
        command.env_clear().envs(kept).env("PATH", self.path());
        if self.needs_tree(program) {
            let libraries = self.libraries();
            if let Ok(path) = std::env::join_paths(&libraries) {
                command.env("LD_LIBRARY_PATH", path);
            }
            if let Ok(path) = std::env::join_paths(self.perl_modules(&libraries)) {
                command.env("PERL5LIB", path);
            }
            if let Some(extensions) = libraries.iter().map(|path| path.join("xtables")).find(|path| path.is_dir()) {
                command.env("XTABLES_LIBDIR", extensions);
            }
        }
        command
    }

    /// Where Debian's keys are when the system has none of its own (Ubuntu has not).
    pub(crate) fn keyrings(&self) -> Option<PathBuf> {
        const KEYRING: &str = "debian-archive-keyring.gpg";
        let own = self.tree.join("usr/share/keyrings");
        let is_needed = !Path::new("/usr/share/keyrings").join(KEYRING).exists();
        (is_needed && self.is_unpacked() && own.join(KEYRING).exists()).then_some(own)
    }

    /// The tree's folders of shared libraries, such as `usr/lib/x86_64-linux-gnu`.
    pub(crate) fn libraries(&self) -> Vec<PathBuf> {
        ["usr/lib", "lib"]
            .iter()
            .flat_map(|folder| folders(&self.tree.join(folder)))
            .filter(|path| path.to_string_lossy().contains("-linux-gnu"))
            .collect()
    }

    /// The tree's folders of Perl modules: `usr/share/perl5`, `usr/share/perl/5.36`, and those with compiled parts.
    fn perl_modules(&self, libraries: &[PathBuf]) -> Vec<PathBuf> {
        let mut found = vec![self.tree.join("usr/share/perl5")];
        found.extend(folders(&self.tree.join("usr/share/perl")));
        for library in libraries {
            found.extend(folders(&library.join("perl5")));
            found.extend(folders(&library.join("perl")));
        }
        found.into_iter().filter(|path| path.is_dir()).collect()
    }

    fn path(&self) -> OsString {
        let own = ["usr/bin", "usr/sbin", "bin", "sbin"].map(|folder| self.tree.join(folder));
        let own = own.into_iter().filter(|_| self.is_unpacked());
        let system = std::env::var_os("PATH").unwrap_or_default();
        // Some environments leave out the folders of the administrator's programs.
        let usual = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"].map(PathBuf::from);
        // One that is relative would be looked for in a folder that the user happens to be in.
        let all = std::env::split_paths(&system).filter(|folder| folder.is_absolute()).chain(usual).chain(own);
        std::env::join_paths(all).unwrap_or(system)
    }

    /// Fetches and unpacks the packages when one of these programs is neither installed nor unpacked.
    ///
    /// # Errors
    /// When this is not Debian or Ubuntu, or the packages are not available.
    pub(crate) async fn fill(
        self,
        programs: &[&str],
        offline: bool,
        progress: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<Self, PrivateError> {
        if self.is_unpacked() {
            self.check().await?;
        }
        if self.missing(programs).is_empty() {
            return Ok(self);
        }
        let _lock = lock(&self.cache, "packages.lock").await?;
        if self.missing(programs).is_empty() {
            return Ok(self);
        }
        let system = system()?;
        if offline {
            return Err(PrivateError::Offline);
        }
        self.unpack(&system, progress).await?;
        let missing = self.missing(programs);
        if missing.is_empty() {
            return Ok(self);
        }
        Err(PrivateError::Packages { why: format!("they lack {}", missing.join(", ")) })
    }

    /// Checks that the tree is as it was unpacked, and that nobody else could have changed it.
    async fn check(&self) -> Result<(), PrivateError> {
        let (tree, record) = (self.tree.clone(), self.record());
        let check = move || {
            trust::check_below(&tree).map_err(|source| PrivateError::Planted { source })?;
            unpacked::compare(&tree, &record).map_err(|source| PrivateError::Changed { source })
        };
        let checked = tokio::task::spawn_blocking(check).await;
        checked.map_err(io::Error::other).map_err(PrivateError::io("checking the unpacked programs"))?
    }

    async fn unpack(&self, system: &str, progress: &(dyn Fn(&str) + Send + Sync)) -> Result<(), PrivateError> {
        let own = &self.own;
        std::fs::create_dir_all(own).map_err(PrivateError::io(format!("{}", own.display())))?;
        let work = tempfile::Builder::new()
            .prefix("unpacking-")
            .tempdir_in(own)
            .map_err(PrivateError::io(format!("cannot create a folder in {}", own.display())))?;
        let (lists, archives, tree) =
            (work.path().join("lists"), work.path().join("archives"), work.path().join("tree"));
        for path in [lists.join("partial"), archives.join("partial"), tree.clone()] {
            std::fs::create_dir_all(&path).map_err(PrivateError::io(format!("{}", path.display())))?;
        }
        let configuration = work.path().join("apt.conf");
        std::fs::write(&configuration, APT_CONFIGURATION)
            .map_err(PrivateError::io(format!("{}", configuration.display())))?;
        let apt = || {
            let mut command = Command::new("apt-get");
            command.arg("-q").arg("-c").arg(&configuration);
            command.arg("-o").arg(format!("Dir::State::lists={}", lists.display()));
            command.arg("-o").arg(format!("Dir::Cache::archives={}", archives.display()));
            command
        };
        progress("updating the package lists with apt");
        // One of the system's sources may be out of order; what matters is whether the packages are then found.
        let updated = output(apt().arg("update")).await;
        progress(&format!("downloading {}", self.packages.join(", ")));
        let mut install = apt();
        install.args(["-y", "--download-only", "--no-install-recommends", "install"]).args(self.packages);
        if system != "debian" {
            install.arg("debian-archive-keyring");
        }
        if let Err(why) = output(&mut install).await {
            let update = updated.err().map(|why| format!("; apt-get update: {why}")).unwrap_or_default();
            return Err(PrivateError::Packages { why: format!("{why}{update}") });
        }
        let mut packages: Vec<PathBuf> = std::fs::read_dir(&archives)
            .map_err(PrivateError::io("cannot list the packages"))?
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "deb"))
            .collect();
        packages.sort();
        progress(&format!("unpacking {} packages", packages.len()));
        for package in &packages {
            output(Command::new("dpkg-deb").arg("-x").arg(package).arg(&tree))
                .await
                .map_err(|why| PrivateError::Packages { why })?;
        }
        link_iptables(&tree).map_err(PrivateError::io("cannot link iptables"))?;
        let record = work.path().join("tree.json");
        unpacked::record(&tree, &record).map_err(|source| PrivateError::Changed { source })?;
        // A tree that lacks something, from another version of this program, gives way; its record first, since one without is not used.
        drop(std::fs::remove_file(self.record()));
        if self.tree.is_dir() {
            std::fs::rename(&self.tree, work.path().join("former"))
                .map_err(PrivateError::io(format!("{}", self.tree.display())))?;
        }
        std::fs::rename(&tree, &self.tree).map_err(PrivateError::io(format!("{}", self.tree.display())))?;
        std::fs::rename(&record, self.record()).map_err(PrivateError::io(format!("{}", self.record().display())))
    }
}

/// The folders in a folder.
fn folders(path: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = std::fs::read_dir(path)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

/// The names that the package's own installation script would have given to its program.
fn link_iptables(tree: &Path) -> io::Result<()> {
    let folder = tree.join("usr/sbin");
    if !folder.join("xtables-nft-multi").exists() {
        return Ok(());
    }
    for name in ["iptables", "ip6tables", "iptables-save", "ip6tables-save", "iptables-restore", "ip6tables-restore"] {
        let link = folder.join(name);
        if !link.exists() {
            // A dangling link of the package points at the system's alternatives.
            drop(std::fs::remove_file(&link));
            std::os::unix::fs::symlink("xtables-nft-multi", link)?;
        }
    }
    Ok(())
}

/// Runs a command; its last lines when it fails.
async fn output(command: &mut Command) -> Result<(), String> {
    let program = command.as_std().get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .env("LC_ALL", "C.UTF-8")
        .env("DEBIAN_FRONTEND", "noninteractive")
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    let lines: Vec<&str> = text.lines().rev().take(6).collect();
    Err(format!("{program} failed ({}): {}", output.status, lines.into_iter().rev().collect::<Vec<_>>().join(" / ")))
}

/// A lock that two processes cannot hold at once; waited for without holding up the runtime.
pub(in crate::engine) async fn lock(cache: &Path, name: &str) -> Result<File, PrivateError> {
    let own = folder(cache);
    let path = own.join(name);
    let what = format!("cannot lock {}", path.display());
    tokio::task::spawn_blocking(move || {
        std::fs::create_dir_all(&own)?;
        let file = File::create(path)?;
        file.lock()?;
        Ok(file)
    })
    .await
    .map_err(io::Error::other)
    .flatten()
    .map_err(PrivateError::io(what))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A cache folder whose tree has these programs.
    fn tree(programs: &[&str]) -> tempfile::TempDir {
        let cache = tempfile::tempdir().unwrap();
        let folder = cache.path().join("sandbox/tree/usr/bin");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::create_dir_all(cache.path().join("sandbox/tree/usr/lib/x86_64-linux-gnu")).unwrap();
        for name in programs {
            std::fs::write(folder.join(name), "").unwrap();
        }
        let own = cache.path().join("sandbox");
        unpacked::record(&own.join("tree"), &own.join("tree.json")).unwrap();
        cache
    }

    /// However right its owner and its mode are.
    #[tokio::test]
    async fn what_was_not_unpacked_is_not_used() {
        let fill = |cache: &Path| Toolbox::of_sandbox(cache).fill(&["no-such-program"], true, &|_| {});
        let cache = tree(&["no-such-program"]);
        fill(cache.path()).await.unwrap();
        std::fs::write(cache.path().join("sandbox/tree/usr/bin/no-such-program"), "another one").unwrap();
        assert!(matches!(fill(cache.path()).await, Err(PrivateError::Changed { .. })));
        std::fs::remove_file(cache.path().join("sandbox/tree.json")).unwrap();
        assert!(Toolbox::of_sandbox(cache.path()).program("no-such-program").is_none());
        assert!(fill(cache.path()).await.is_err());
    }

    fn environment(command: &Command, name: &str) -> Option<OsString> {
        let mut all = command.as_std().get_envs();
        all.find_map(|(own, value)| (own == name).then_some(value)).flatten().map(ToOwned::to_owned)
    }

    #[test]
    fn the_systems_programs_come_before_unpacked_ones() {
        let cache = tree(&["env", "no-such-program"]);
        let toolbox = Toolbox::of_sandbox(cache.path());
        let of_system = toolbox.program("env").unwrap();
        assert!(!of_system.starts_with(cache.path()), "{}", of_system.display());
        let unpacked = toolbox.program("no-such-program").unwrap();
        assert!(unpacked.starts_with(cache.path()), "{}", unpacked.display());
        // Nor do they load libraries from there.
        assert_eq!(environment(&toolbox.command(&of_system), "LD_LIBRARY_PATH"), None);
        assert!(environment(&toolbox.command(&unpacked), "LD_LIBRARY_PATH").is_some());
    }

    #[tokio::test]
    async fn programs_have_little_of_the_environment() {
        let cache = tree(&[]);
        // What runs the tests has variables of its own.
        assert!(std::env::vars_os().count() > ENVIRONMENT.len() + 1);
        let output = Toolbox::of_sandbox(cache.path()).command(Path::new("/usr/bin/env")).output().await.unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let names: Vec<&str> = text.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        assert!(names.contains(&"PATH"), "{names:?}");
        assert!(names.iter().all(|name| *name == "PATH" || ENVIRONMENT.contains(name)), "{names:?}");
    }
}
