//! The suite that a program carries: behind its own code, at the end of its file.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use super::written;
use crate::suite::packed::{END, End, PackError, Packed};

/// The folder of the cache that carried suites are unpacked into, each by its digest.
const SUITES: &str = "suites";
/// The lock of who unpacks, in it.
const LOCK: &str = "lock";
/// How the name of what is being unpacked begins.
const UNPACKING: &str = ".unpacking-";
/// This program's own file, also where its name is another's by now.
const OWN: &str = "/proc/self/exe";

/// Why a suite cannot be carried, or not be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CarriedError {
    #[error("cannot read this program's own file")]
    Program(#[source] io::Error),
    #[error("the suite in this program's file is damaged")]
    Damaged,
    #[error("cannot unpack this program's suite into {}", path.display())]
    Unpack { path: PathBuf, source: io::Error },
    #[error("the unpacked suite {} was changed", path.display())]
    Changed { path: PathBuf },
    #[error(transparent)]
    Pack(#[from] PackError),
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{} exists", path.display())]
    Exists { path: PathBuf },
}

impl CarriedError {
    /// What to do about it.
    pub(crate) fn hint(&self) -> &'static str {
        match self {
            Self::Program(_) => "name a suite with --suite",
            Self::Damaged => "download or pack the program again",
            Self::Unpack { .. } => "name another folder with --cache, or a suite with --suite",
            Self::Changed { .. } => {
                "remove that folder; to change a suite, write it out with `wsgi-proof eject DIR`, and name it with --suite"
            }
            Self::Pack(_) => "name another suite with --suite",
            Self::Write { .. } => "name another place",
            Self::Exists { .. } => "name a place where nothing is",
        }
    }
}

/// The digest of the suite that this program carries, as reports name it.
pub(crate) fn digest() -> Option<&'static str> {
    static DIGEST: LazyLock<Option<String>> =
        LazyLock::new(|| open().and_then(|mut program| end(&mut program)).ok().flatten().map(|end| end.name()));
    DIGEST.as_deref()
}

/// The suite that this program carries, if it does.
///
/// # Errors
/// When it cannot be read, or is not what was packed.
pub(crate) fn suite() -> Result<Option<Packed>, CarriedError> {
    read(&mut open().map_err(CarriedError::Program)?)
}

/// Where the carried suite is in a cache folder; unpacked if it is not there.
///
/// # Errors
/// When it cannot be unpacked, or somebody has changed it since.
pub(crate) fn unpacked(suite: &Packed, cache: &Path) -> Result<PathBuf, CarriedError> {
    let suites = cache.join(SUITES);
    let path = suites.join(suite.digest().replace(':', "-"));
    let failed = |source| CarriedError::Unpack { path: path.clone(), source };
    fs::create_dir_all(&suites).map_err(failed)?;
    let lock = File::create(suites.join(LOCK)).map_err(failed)?;
    lock.lock().map_err(failed)?;
    let made = make(suite, &suites, &path);
    // A child that was begun meanwhile has the file, too, and would go on holding it.
    let _ = lock.unlock();
    made.map_err(failed)?;
    if Packed::of(&path)? == *suite { Ok(path) } else { Err(CarriedError::Changed { path }) }
}

/// Unpacks a suite whole or not at all. To be called by one program at a time.
fn make(suite: &Packed, suites: &Path, path: &Path) -> io::Result<()> {
    // What programs that were killed have left.
    for entry in suites.read_dir()? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(UNPACKING.as_bytes()) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    if path.exists() {
        return Ok(());
    }
    let begun = tempfile::Builder::new().prefix(UNPACKING).tempdir_in(suites)?;
    suite.unpack(begun.path())?;
    fs::rename(begun.path(), path)?;
    // It has another name by now, and nothing is to be removed.
    drop(begun.keep());
    Ok(())
}

/// Writes a suite into a folder, which is made.
///
/// # Errors
/// When something is there already, or it cannot be written. What was begun is removed.
pub(crate) fn eject(suite: &Packed, folder: &Path) -> Result<(), CarriedError> {
    let failed = |source| CarriedError::Write { path: folder.to_owned(), source };
    match fs::create_dir(folder) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(CarriedError::Exists { path: folder.to_owned() });
        }
        Err(error) => return Err(failed(error)),
    }
    suite.unpack(folder).map_err(|error| {
        let _ = fs::remove_dir_all(folder);
        failed(error)
    })
}

/// Writes a copy of this program that carries a suite, in place of the one that this program may carry.
///
/// # Errors
/// When this program cannot be read, when something is at the path already, or when it cannot be written.
pub(crate) fn pack(suite: &Packed, path: &Path) -> Result<(), CarriedError> {
    if path.symlink_metadata().is_ok() {
        return Err(CarriedError::Exists { path: path.to_owned() });
    }
    let mut program = open().map_err(CarriedError::Program)?;
    let code = code(&mut program).map_err(CarriedError::Program)?;
    let failed = |source| CarriedError::Write { path: path.to_owned(), source };
    written::program(path, &[&code, &suite.to_bytes()]).map_err(failed)
}

/// The program without what it carries.
fn code(program: &mut File) -> io::Result<Vec<u8>> {
    let length = program.metadata()?.len();
    let carried = end(program)?.map_or(0, |end| end.length().saturating_add(END as u64));
    program.seek(SeekFrom::Start(0))?;
    let mut code = Vec::new();
    program.take(length.saturating_sub(carried)).read_to_end(&mut code)?;
    Ok(code)
}

fn open() -> io::Result<File> {
    File::open(OWN)
}

fn end(program: &mut File) -> io::Result<Option<End>> {
    let mut bytes = [0; END];
    let Some(begins) = program.metadata()?.len().checked_sub(END as u64) else { return Ok(None) };
    program.seek(SeekFrom::Start(begins))?;
    program.read_exact(&mut bytes)?;
    Ok(End::read(&bytes))
}

fn read(program: &mut File) -> Result<Option<Packed>, CarriedError> {
    let Some(end) = end(program).map_err(CarriedError::Program)? else { return Ok(None) };
    let length = program.metadata().map_err(CarriedError::Program)?.len();
    let begins = length.checked_sub(END as u64).and_then(|before| before.checked_sub(end.length()));
    program.seek(SeekFrom::Start(begins.ok_or(CarriedError::Damaged)?)).map_err(CarriedError::Program)?;
    let mut content = Vec::new();
    program.take(end.length()).read_to_end(&mut content).map_err(CarriedError::Program)?;
    Packed::before(&end, &content).map(Some).ok_or(CarriedError::Damaged)
}
