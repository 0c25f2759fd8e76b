//! A candidate's files, as a sandbox has them in `/usr/local`.

use std::fs::{self, Permissions};
use std::io;
use std::ops::RangeInclusive;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{PROGRAM, SandboxError, Sandboxes};
use crate::beneath::Folder;
use crate::contract_tier::requirements::Pip;
use crate::contract_tier::stub::PIP_READER;
use crate::contract_tier::stub::record::{MODULES as INSTALLED, PROGRAMS};
use crate::suite::control::Replacements;
use crate::suite::scenario::MAX_CONTEXT;
use crate::suite::variant::Variant;

/// How the names of the images' own programs begin.
const STEPS: &str = "mod_wsgi-docker-";
/// Those that are sourced or read by the others.
const LIBRARIES: [&str; 4] =
    ["mod_wsgi-docker-check", "mod_wsgi-docker-environment", "mod_wsgi-docker-folder", "mod_wsgi-docker-requirements"];
/// The releases of Python 3 that a machine may have.
const MINORS: RangeInclusive<u32> = 6..=30;
/// Modules that Python finds in the sandbox: those of pip where the variant's pip has them.
const MODULES: [(&str, &str); 22] = [
    ("pip/__init__.py", include_str!("site/pip/__init__.py")),
    ("pip/__main__.py", include_str!("site/pip/__main__.py")),
    ("pip/of_9.py", include_str!("site/pip/of_9.py")),
    ("pip/reading.py", include_str!("site/pip/reading.py")),
    ("pip/_internal/__init__.py", include_str!("site/pip/_internal/__init__.py")),
    ("pip/_internal/cli/__init__.py", ""),
    ("pip/_internal/cli/main.py", "from pip import main  # noqa: F401\n"),
    ("pip/_internal/main.py", "from pip import main  # noqa: F401\n"),
    ("pip/_internal/exceptions.py", "from pip.reading import PipError  # noqa: F401\n"),
    ("pip/_internal/network/__init__.py", ""),
    ("pip/_internal/network/session.py", "from pip.reading import PipSession  # noqa: F401\n"),
    ("pip/_internal/req/__init__.py", "from pip.reading import parse_requirements  # noqa: F401\n"),
    ("pip/_internal/req/req_file.py", "from pip.reading import parse_requirements  # noqa: F401\n"),
    ("pip/_internal/req/constructors.py", include_str!("site/pip/_internal/constructors.py")),
    ("pip/download.py", "import pip.of_9  # noqa: F401\nfrom pip.reading import PipSession  # noqa: F401\n"),
    ("pip/exceptions.py", "import pip.of_9  # noqa: F401\nfrom pip.reading import PipError  # noqa: F401\n"),
    (
        "pip/req/__init__.py",
        "import pip.of_9  # noqa: F401\nfrom pip.reading import parse_requirements  # noqa: F401\n",
    ),
    ("pip/req/req_file.py", "from pip.reading import parse_requirements  # noqa: F401\n"),
    ("mod_wsgi/__init__.py", ""),
    ("mod_wsgi/server/__init__.py", "from mod_wsgi.express.options import option_list  # noqa: F401\n"),
    ("mod_wsgi/express/__init__.py", ""),
    ("mod_wsgi/express/options.py", include_str!("site/mod_wsgi/express/options.py")),
];

#[derive(Debug)]
pub(crate) struct Candidate {
    folder: TempDir,
    /// The repository's `images/`, which has the variants' locks.
    images: PathBuf,
}

impl Candidate {
    /// Lays out the files of `images/base`, but for those that have a replacement.
    ///
    /// # Errors
    /// When they cannot be read or written.
    pub(crate) fn new(sandboxes: &Sandboxes, images: &Path, replacements: &Replacements) -> Result<Self, SandboxError> {
        let folder = tempfile::Builder::new()
            .prefix("candidate-")
            .tempdir_in(sandboxes.folder())
            .map_err(SandboxError::io(sandboxes.folder()))?;
        let candidate = Self { folder, images: images.to_owned() };
        candidate.lay_out(&images.join("base"), replacements).map_err(SandboxError::io(candidate.folder.path()))?;
        Ok(candidate)
    }

    /// The pip of a variant, which its lock pins.
    ///
    /// # Errors
    /// When the lock cannot be read or does not pin one.
    pub(crate) fn pip(&self, variant: &Variant) -> Result<Pip, SandboxError> {
        let path = self.images.join(&variant.lock);
        let lock = fs::read_to_string(&path).map_err(SandboxError::io(&path))?;
        Ok(Pip::of(variant, &lock)?)
    }

    /// What the sandbox has as `/usr/local`.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn lay_out(&self, base: &Path, replacements: &Replacements) -> io::Result<()> {
        for name in ["bin", "etc/alternatives", "lib", "sbin", "wsgi/bin", "wsgi/site"] {
            fs::create_dir_all(self.folder.path().join(name))?;
        }
        self.link_alternatives()?;
        let own = Folder::open(base)?;
        for name in own.names(Path::new(""))? {
            let name = name.to_string_lossy().into_owned();
            if name.starts_with(STEPS) {
                let replacement = replacements.iter().find(|(path, _)| *path == Path::new(&name));
                match replacement {
                    Some((_, content)) => self.put(&name, content)?,
                    None => self.put(&name, &own.read(Path::new(&name), MAX_CONTEXT)?)?,
                }
            }
        }
        let wsgi = self.folder.path().join("wsgi");
        for name in ["pip", "pip3", "mod_wsgi-express"] {
            symlink(PROGRAM, wsgi.join("bin").join(name))?;
        }
        symlink(Path::new(PROGRAMS).join("hg"), wsgi.join("bin/hg"))?;
        self.put_python()?;
        for (name, text) in MODULES {
            let path = wsgi.join("site").join(name);
            fs::create_dir_all(path.parent().unwrap_or(&wsgi))?;
            fs::write(path, text)?;
        }
        symlink(PROGRAM, wsgi.join("site/pip/_internal/req").join(PIP_READER))?;
        Ok(())
    }

    /// Python as in the images, where it is an environment of its own (PEP 405): it finds the modules whatever its variables and options
    /// are. Which release this machine has need not be known.
    fn put_python(&self) -> io::Result<()> {
        let wsgi = self.folder.path().join("wsgi");
        for name in ["python", "python3"] {
            symlink("/usr/bin/python3", wsgi.join("bin").join(name))?;
        }
        fs::write(wsgi.join("pyvenv.cfg"), "home = /usr/bin\ninclude-system-site-packages = false\n")?;
        for minor in MINORS {
            let lib = wsgi.join(format!("lib/python3.{minor}"));
            fs::create_dir_all(&lib)?;
            symlink("/usr/local/wsgi/site", lib.join("site-packages"))?;
        }
        fs::write(wsgi.join("site/installed.pth"), format!("{INSTALLED}\n"))
    }

    /// The host's choices among programs that do the same, such as its awk.
    fn link_alternatives(&self) -> io::Result<()> {
        let own = self.folder.path().join("etc/alternatives");
        let entries = match fs::read_dir("/etc/alternatives") {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            if let Ok(target) = fs::read_link(entry.path()) {
                symlink(target, own.join(entry.file_name()))?;
            }
        }
        Ok(())
    }

    fn put(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let library = LIBRARIES.contains(&name);
        let path: PathBuf = self.folder.path().join(if library { "lib" } else { "bin" }).join(name);
        fs::write(&path, content)?;
        fs::set_permissions(&path, Permissions::from_mode(if library { 0o644 } else { 0o755 }))
    }
}
