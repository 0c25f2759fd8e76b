//! Control groups: what all the processes of a sandbox may have of memory, and how many they may be. Both versions of Linux, where this
//! program may make them; elsewhere the limits of single processes stand in.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use procfs::process::Process;
use rustix::process::Pid;

use super::running::end;

/// The controllers that sandboxes take.
const CONTROLLERS: [&str; 2] = ["memory", "pids"];

/// Where the file systems of control groups are.
const MOUNT: &str = "/sys/fs/cgroup";

/// Where a program makes the groups of its sandboxes.
#[derive(Debug)]
pub(super) struct Groups {
    /// Folders for the groups of this program: one in version 2, one for each controller in version 1.
    parents: Vec<PathBuf>,
    /// Files that lead back to where the threads of this program are, in version 1: there a thread can go into a group and come back.
    home: Vec<File>,
    made: AtomicU32,
}

/// The control group of one sandbox; dropping it removes it.
#[derive(Debug)]
pub(super) struct Group<'a> {
    folders: Vec<PathBuf>,
    home: &'a [File],
}

/// How a thread goes into a group, and back home: what is started meanwhile is in the group from its beginning. A file of a group says
/// who opened it, and so may be written to by another user than the one who may move threads.
pub(super) struct ByThread<'a> {
    pub there: Vec<File>,
    pub home: &'a [File],
}

impl Groups {
    /// A folder for groups, named after the program's; `None` where the machine has no such groups or this user may not make any.
    pub(super) fn new(name: &str) -> Option<Self> {
        let (hierarchies, by_thread) = hierarchies()?;
        let mut parents = Vec::new();
        for hierarchy in &hierarchies {
            let parent = hierarchy.join(name);
            if fs::create_dir(&parent).is_err() {
                break;
            }
            parents.push(parent);
        }
        let hierarchies = if by_thread { hierarchies } else { Vec::new() };
        let home =
            hierarchies.iter().map(|hierarchy| threads(hierarchy)).collect::<io::Result<_>>().unwrap_or_default();
        let mut made = Self { parents, home, made: AtomicU32::new(0) };
        // In version 2 a group has the controllers that its parent passes on.
        for parent in &made.parents {
            let passed_on = parent.join("cgroup.subtree_control");
            if passed_on.exists() && fs::write(passed_on, "+memory +pids").is_err() {
                return None;
            }
        }
        // One that is tried first says whether limits can be set at all.
        let goes_in = made.group(64 << 20, 64).ok()?.start(|| Ok(())).is_ok();
        if !goes_in {
            made.home.clear();
        }
        Some(made)
    }

    /// A group with a limit of memory, in bytes, and of processes.
    ///
    /// # Errors
    /// When it cannot be made or limited.
    pub(super) fn group(&self, memory: u64, processes: u32) -> io::Result<Group<'_>> {
        let name = self.made.fetch_add(1, Ordering::Relaxed).to_string();
        let mut group = Group { folders: Vec::new(), home: &self.home };
        for parent in &self.parents {
            let folder = parent.join(&name);
            fs::create_dir(&folder)?;
            group.folders.push(folder);
        }
        group.limit(&["memory.max", "memory.limit_in_bytes"], &memory.to_string())?;
        // bubblewrap, which waits outside for the program's end, is counted where it starts in the group.
        let waiting = u32::from(!self.home.is_empty());
        group.limit(&["pids.max"], &processes.saturating_add(waiting).to_string())?;
        // Not everywhere is there an account of swap space.
        drop(group.limit(&["memory.swap.max"], "0"));
        Ok(group)
    }
}

impl Drop for Groups {
    fn drop(&mut self) {
        // What stays is removed by the next program, which finds the folder of scratch files that says where it is.
        self.parents.iter().for_each(|parent| drop(remove_all(parent)));
    }
}

impl Group<'_> {
    /// Starts a program, in the group from its beginning where the calling thread can go into it; elsewhere it is to be
    /// [added](Self::add).
    ///
    /// # Errors
    /// Those of `start`, and when the thread cannot go into the group or come back.
    fn start<T>(&self, start: impl FnOnce() -> io::Result<T>) -> io::Result<T> {
        let Some(by_thread) = self.by_thread()? else { return start() };
        let (started, is_home) = by_thread.start(start);
        is_home.and(started)
    }

    /// How a thread goes into the group, where one can.
    ///
    /// # Errors
    /// When it may not.
    pub(super) fn by_thread(&self) -> io::Result<Option<ByThread<'_>>> {
        if self.home.is_empty() {
            return Ok(None);
        }
        let there = self.folders.iter().map(|folder| threads(folder)).collect::<io::Result<_>>()?;
        Ok(Some(ByThread { there, home: self.home }))
    }

    /// Puts a process into the group that was not started in it, and so whatever it starts from now on. The kernel takes up to ten
    /// milliseconds for that: it waits until no thread of the machine is at certain work.
    ///
    /// # Errors
    /// When it may not be put there.
    pub(super) fn add(&self, process: Pid) -> io::Result<()> {
        if !self.home.is_empty() {
            return Ok(());
        }
        let number = process.as_raw_nonzero().to_string();
        self.folders.iter().try_for_each(|folder| match fs::write(folder.join("cgroup.procs"), &number) {
            // It has ended.
            Err(error) if error.raw_os_error() == Some(libc::ESRCH) => Ok(()),
            added => added,
        })
    }

    /// What its processes have in memory of files, in bytes: those of temporary file systems, be they removed or beyond any path, and
    /// shared memory (`shmem` in cgroups(7)). Nothing where the kernel does not say it.
    pub(super) fn files_in_memory(&self) -> u64 {
        let stat = self.folders.iter().find_map(|folder| fs::read_to_string(folder.join("memory.stat")).ok());
        let stat = stat.unwrap_or_default();
        let line = stat.lines().find_map(|line| line.strip_prefix("shmem "));
        line.and_then(|bytes| bytes.trim().parse().ok()).unwrap_or(0)
    }

    /// Sets a limit in the folder that has one of these files.
    fn limit(&self, names: &[&str], value: &str) -> io::Result<()> {
        let files = self.folders.iter().flat_map(|folder| names.iter().map(|name| folder.join(name)));
        let file = files.into_iter().find(|file| file.exists()).ok_or(io::ErrorKind::NotFound)?;
        fs::write(file, value)
    }
}

impl ByThread<'_> {
    /// Starts a program in the group: the calling thread goes into it, and home from there. What came of both: the thread can fail to
    /// come home when something was started.
    pub(super) fn start<T>(&self, start: impl FnOnce() -> io::Result<T>) -> (io::Result<T>, io::Result<()>) {
        // "0" is the calling thread.
        let go = |mut threads: &File| threads.write_all(b"0");
        let started = self.there.iter().try_for_each(go).and_then(|()| start());
        // It goes home from all of them, whatever happened before.
        (started, self.home.iter().map(go).fold(Ok(()), io::Result::and))
    }
}

/// The file that moves threads into a group.
fn threads(folder: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(folder.join("tasks"))
}

impl Drop for Group<'_> {
    fn drop(&mut self) {
        for folder in &self.folders {
            // Its processes have ended, or are ending: the program's own folder is removed later, or by the next one.
            drop(fs::remove_dir(folder));
        }
    }
}

/// Where a program of this name makes its groups: that depends on the group that it is in itself.
pub(super) fn places(name: &str) -> Vec<PathBuf> {
    hierarchies().map(|(folders, _)| folders).unwrap_or_default().iter().map(|folder| folder.join(name)).collect()
}

/// Removes the groups of a program of this name that has ended, at these places. What could not be removed, a line each.
pub(super) fn remove(name: &str, places: &[PathBuf]) -> Vec<String> {
    let is_ours = |place: &&PathBuf| place.starts_with(MOUNT) && place.file_name().is_some_and(|last| last == name);
    let not_removed =
        |place: &PathBuf| Some(format!("{} cannot be removed: {}", place.display(), remove_all(place).err()?));
    places.iter().filter(is_ours).filter_map(not_removed).collect()
}

/// Removes a folder of groups with those in it. Processes are killed that are left in them, as one is whose sandbox was being made when
/// its program was killed.
fn remove_all(parent: &Path) -> io::Result<()> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    for entry in entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir())) {
        let folder = entry.path();
        if remove_folder(&folder).is_err() {
            end_processes(&folder);
            drop(remove_folder(&folder));
        }
    }
    remove_folder(parent)
}

/// Removes the folder of a group that has no processes; it may have gone already.
fn remove_folder(folder: &Path) -> io::Result<()> {
    match fs::remove_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        removed => removed,
    }
}

/// Kills the processes in a group. None counts as being in it any more when its handle says that it has ended.
fn end_processes(folder: &Path) {
    let processes = || {
        let text = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
        text.lines().filter_map(|line| Pid::from_raw(line.parse().ok()?)).collect::<Vec<_>>()
    };
    for process in processes() {
        end(process, || processes().contains(&process));
    }
}

/// The folders in which a group with both controllers can be made, and whether they are those of version 1, which a single thread can
/// go into.
fn hierarchies() -> Option<(Vec<PathBuf>, bool)> {
    let own = Process::myself().ok()?;
    let (groups, mounts) = (own.cgroups().ok()?.0, own.mountinfo().ok()?.0);
    let by_controller: Option<Vec<PathBuf>> = CONTROLLERS
        .iter()
        .map(|controller| {
            let group = groups.iter().find(|group| group.controllers.iter().any(|name| name == controller))?;
            let mount = mounts
                .iter()
                .find(|mount| mount.fs_type == "cgroup" && mount.super_options.contains_key(*controller))?;
            Some(below(&mount.mount_point, &mount.root, &group.pathname))
        })
        .collect();
    if let Some(folders) = by_controller {
        return Some((folders, true));
    }
    let group = groups.iter().find(|group| group.hierarchy == 0)?;
    let mount = mounts.iter().find(|mount| mount.fs_type == "cgroup2")?;
    // A group with processes passes no controllers on: the nearest one above that does.
    let nearest = below(&mount.mount_point, &mount.root, &group.pathname);
    let passes_on = |folder: &Path| {
        let text = fs::read_to_string(folder.join("cgroup.subtree_control")).unwrap_or_default();
        CONTROLLERS.iter().all(|name| text.split_whitespace().any(|word| word == *name))
    };
    let above = nearest.ancestors().take_while(|folder| folder.starts_with(&mount.mount_point));
    above.into_iter().find(|folder| passes_on(folder)).map(|folder| (vec![folder.to_owned()], false))
}

/// Where a group is, whose path is told from the root of the hierarchy.
fn below(mount: &Path, root: &str, group: &str) -> PathBuf {
    let inner = Path::new(group).strip_prefix(root).unwrap_or(Path::new(""));
    mount.join(inner.strip_prefix("/").unwrap_or(inner))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn groups_go_with_what_was_left_in_them() {
        let name = format!("wsgi-proof-test-{}", std::process::id());
        let Some(groups) = Groups::new(&name) else {
            assert!(!rustix::process::geteuid().is_root(), "root can make control groups here");
            return;
        };
        let group = groups.group(64 << 20, 64).unwrap();
        let mut left = group.start(|| Command::new("sleep").arg("1000").spawn()).unwrap();
        group.add(Pid::from_child(&left)).unwrap();
        drop(group);
        assert!(places(&name).iter().all(|place| place.exists()));
        drop(groups);
        assert!(places(&name).iter().all(|place| !place.exists()));
        assert!(!left.wait().unwrap().success());
    }
}
