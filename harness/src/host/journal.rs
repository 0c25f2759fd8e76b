//! The journal: what the runs of a cache folder have made on an engine, by id, written down as it is made. A sweep removes what stands
//! here, and what has a name that only a run of this journal can have chosen.
//!
//! An image says nothing reliable of whose it is: images, and containers, inherit the labels of what they are built on. So labels count
//! only as far as they name something in the journal that is on no image which is kept: a run, or the secret of this cache folder.

use std::fs::{self, File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};

use crate::outcome::RunId;

/// The folder in the cache folder.
const FOLDER: &str = "journal";
/// The file with the secret of the cache folder.
const OWNER: &str = "owner";
/// The file of an engine with the images that are kept.
const KEPT: &str = "kept";

/// The beginning of the line which says when a run began.
const BEGUN: &str = "begun ";
/// The line which says that what a run left has been taken away.
const SWEPT: &str = "swept";

/// The journal of a cache folder, of one engine.
#[derive(Debug, Clone)]
pub(crate) struct Journal {
    folder: PathBuf,
    owner: String,
    /// The present run, and its file.
    run: Option<(String, Arc<File>)>,
}

/// What stands in the journal of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Past {
    pub run: String,
    /// When it began, in seconds since 1970. What is older is none of its images, whatever a build has printed.
    pub begun: i64,
    /// The ids of images, or their beginnings.
    pub images: Vec<String>,
    /// How many builds it began and did not see the end of.
    pub open_builds: usize,
    /// Whether what it left has been taken away. It is remembered for a while, as an engine may still be ending one of its builds.
    pub swept: bool,
    /// How long ago it wrote for the last time.
    pub age: Duration,
}

/// An image that is kept, or was: under a name only the last one is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub name: String,
    pub id: String,
    pub is_current: bool,
}

impl Journal {
    /// Opens the journal of the engine with this id; the folder and the secret are made.
    ///
    /// # Errors
    /// When they cannot be.
    pub(crate) fn open(cache: &Path, engine: &str) -> io::Result<Self> {
        let all = cache.join(FOLDER);
        let folder = all.join(&hex::encode(Sha256::digest(engine))[..16]);
        fs::create_dir_all(&folder)?;
        Ok(Self { owner: owner(&all)?, folder, run: None })
    }

    /// The secret of the cache folder.
    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// The same, into which this run writes. It stands there from now on, before it makes anything.
    ///
    /// # Errors
    /// When the file cannot be made.
    pub(crate) fn begin(&self, run: &RunId) -> io::Result<Self> {
        let file = append(&self.folder.join(run.as_str()))?;
        let own = Self { run: Some((run.to_string(), Arc::new(file.try_clone()?))), ..self.clone() };
        own.write(&format!("{BEGUN}{}", now()));
        file.sync_all()?;
        Ok(own)
    }

    /// The present run, if one has begun.
    pub(crate) fn run(&self) -> Option<&str> {
        self.run.as_ref().map(|(run, _)| run.as_str())
    }

    /// Writes down an image that the present run has made.
    pub(crate) fn image(&self, id: &str) {
        self.write(&format!("image {id}"));
    }

    /// Writes down that a build begins.
    pub(crate) fn build_begins(&self) {
        self.write("build begins");
    }

    /// Writes down that a build has ended.
    pub(crate) fn build_ends(&self) {
        self.write("build ends");
    }

    fn write(&self, line: &str) {
        let Some((_, file)) = &self.run else { return };
        // At once, so that lines of several tasks do not mix.
        if let Err(error) = (&**file).write_all(format!("{line}\n").as_bytes()) {
            tracing::warn!(%error, line, "cannot write to the journal");
        }
    }

    /// Writes down that an image is kept under a name, under which another may have been kept until now.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn keep(&self, name: &str, id: &str) -> io::Result<()> {
        if self.kept(name)?.as_deref() == Some(id) {
            return Ok(());
        }
        append(&self.folder.join(KEPT))?.write_all(format!("{name} {id}\n").as_bytes())
    }

    /// The image that is kept under a name.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn kept(&self, name: &str) -> io::Result<Option<String>> {
        Ok(self.all_kept()?.into_iter().find(|kept| kept.is_current && kept.name == name).map(|kept| kept.id))
    }

    /// All images that are kept, or were.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn all_kept(&self) -> io::Result<Vec<Kept>> {
        let text = match fs::read_to_string(self.folder.join(KEPT)) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let mut all: Vec<Kept> = Vec::new();
        for (name, id) in text.lines().filter_map(|line| line.split_once(' ')) {
            for before in all.iter_mut().filter(|before| before.name == name) {
                before.is_current = false;
            }
            all.push(Kept { name: name.to_owned(), id: id.to_owned(), is_current: true });
        }
        // One that is kept under another name, or again, is kept.
        let current: Vec<String> = all.iter().filter(|kept| kept.is_current).map(|kept| kept.id.clone()).collect();
        all.retain(|kept| kept.is_current || !current.contains(&kept.id));
        Ok(all)
    }

    /// What all runs have written down, alive or not.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(crate) fn runs(&self) -> io::Result<Vec<Past>> {
        let mut runs = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            let run = entry.file_name().to_string_lossy().into_owned();
            if run == KEPT {
                continue;
            }
            match fs::read_to_string(entry.path()) {
                Ok(text) => runs.push(past(run, &text, age(&entry.path()))),
                // Its run has ended in this moment.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
        Ok(runs)
    }

    /// Writes down that what a run left has been taken away.
    ///
    /// # Errors
    /// When its file cannot be written.
    pub(crate) fn swept(&self, run: &str) -> io::Result<()> {
        append(&self.folder.join(run))?.write_all(format!("{SWEPT}\n").as_bytes())
    }

    /// Forgets a run of which nothing is left.
    ///
    /// # Errors
    /// When its file cannot be removed.
    pub(crate) fn forget(&self, run: &str) -> io::Result<()> {
        match fs::remove_file(self.folder.join(run)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        }
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).mode(0o600).open(path)
}

/// The secret of a cache folder. Of two programs that make it at the same time the first one's counts.
fn owner(folder: &Path) -> io::Result<String> {
    let path = folder.join(OWNER);
    if !path.exists() {
        let random = || RandomState::new().hash_one(SystemTime::now());
        let mut file = tempfile::Builder::new().prefix(".writing-").tempfile_in(folder)?;
        write!(file, "{:016x}{:016x}", random(), random())?;
        if let Err(error) = file.persist_noclobber(&path)
            && error.error.kind() != io::ErrorKind::AlreadyExists
        {
            return Err(error.error);
        }
    }
    let owner = fs::read_to_string(&path)?;
    if owner.len() == 32 { Ok(owner) } else { Err(io::Error::other(format!("{} is damaged", path.display()))) }
}

/// In seconds since 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

fn age(path: &Path) -> Duration {
    let modified = fs::metadata(path).and_then(|data| data.modified());
    modified.ok().and_then(|time| time.elapsed().ok()).unwrap_or_default()
}

fn past(run: String, text: &str, age: Duration) -> Past {
    let mut past = Past { run, begun: 0, images: Vec::new(), open_builds: 0, swept: false, age };
    for line in text.lines() {
        match line {
            "build begins" => past.open_builds += 1,
            "build ends" => past.open_builds = past.open_builds.saturating_sub(1),
            SWEPT => past.swept = true,
            line => {
                past.images.extend(line.strip_prefix("image ").map(str::to_owned));
                past.begun = line.strip_prefix(BEGUN).and_then(|time| time.parse().ok()).unwrap_or(past.begun);
            }
        }
    }
    past
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn what_a_run_made_is_known_until_it_is_forgotten() {
        let cache = tempfile::tempdir().unwrap();
        let journal = Journal::open(cache.path(), "engine").unwrap();
        let run = RunId::new();
        // Nothing is written down outside of a run.
        journal.image("sha256:0");
        let own = journal.begin(&run).unwrap();
        assert_eq!(journal.runs().unwrap()[0].images, Vec::<String>::new());
        own.build_begins();
        own.image("sha256:1");
        own.build_begins();
        own.build_ends();
        let runs = journal.runs().unwrap();
        assert_eq!((runs[0].run.as_str(), runs[0].open_builds), (run.as_str(), 1));
        assert_eq!(runs[0].images, ["sha256:1"]);
        assert!(runs[0].begun > 0 && runs[0].begun <= now());
        // What is on another engine is none of this one's.
        assert_eq!(Journal::open(cache.path(), "other").unwrap().runs().unwrap(), []);
        journal.swept(run.as_str()).unwrap();
        assert!(journal.runs().unwrap()[0].swept);
        journal.forget(run.as_str()).unwrap();
        journal.forget(run.as_str()).unwrap();
        assert_eq!(journal.runs().unwrap(), []);
    }

    #[test]
    fn under_a_name_the_last_image_is_kept() {
        let cache = tempfile::tempdir().unwrap();
        let journal = Journal::open(cache.path(), "engine").unwrap();
        for (name, id) in [("base", "1"), ("onbuild", "2"), ("base", "3"), ("base", "3")] {
            journal.keep(name, id).unwrap();
        }
        assert_eq!(journal.kept("base").unwrap().as_deref(), Some("3"));
        assert_eq!(journal.kept("other").unwrap(), None);
        let old = |kept: &Kept| (!kept.is_current).then(|| kept.id.clone());
        assert_eq!(journal.all_kept().unwrap().iter().filter_map(old).collect::<Vec<_>>(), ["1"]);
        // Kept again, it is not an old one.
        journal.keep("base", "1").unwrap();
        assert_eq!(journal.all_kept().unwrap().iter().filter_map(old).collect::<Vec<_>>(), ["3"]);
    }

    #[test]
    fn a_cache_folder_has_one_secret() {
        let (cache, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let owner = |cache: &Path, engine| Journal::open(cache, engine).unwrap().owner().to_owned();
        assert_eq!(owner(cache.path(), "a"), owner(cache.path(), "b"));
        assert_ne!(owner(cache.path(), "a"), owner(other.path(), "a"));
    }
}
