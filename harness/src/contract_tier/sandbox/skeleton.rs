//! What is in a sandbox's root before anything is mounted on it.

mod image;

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use rustix::fs::FileType;

use super::host_folders::HostFolders;
use super::{Start, Workspace};
use crate::beneath::Folder;

/// Folders of the root that things are mounted on.
const MOUNTS: [&str; 7] = ["dev", "proc", "run/host/usr", "run/stubs", "run/wsgi-proof", "tmp", "usr"];
/// What of this machine's `/etc` belongs to its `/usr`: copied, since each thing mounted costs each sandbox more than a small file.
const ETC: [&str; 2] = ["ld.so.cache", "localtime"];
/// Where the candidate's folder has the links of `/etc/alternatives`.
const ALTERNATIVES: &str = "/usr/local/etc/alternatives";
/// The name of the file that this program is mounted on, and which is empty.
pub(super) const PROGRAM: &str = "program";

/// Lays out a root.
///
/// # Errors
/// When a file cannot be made.
pub(super) fn lay_out(workspace: &Workspace, host: &HostFolders) -> io::Result<()> {
    let base = workspace.root();
    image::lay_out(&base)?;
    for (name, target) in &host.links {
        symlink(target, base.join(name))?;
    }
    for name in ETC {
        let (host, own) = (Path::new("/etc").join(name), base.join("etc").join(name));
        if host.exists() {
            fs::copy(host, own)?;
        }
    }
    symlink(ALTERNATIVES, base.join("etc/alternatives"))?;
    workspace.give_root()?;
    // What something is mounted on.
    fs::write(workspace.given().join(PROGRAM), "")
}

/// Makes sure of the folders that things are mounted on.
///
/// # Errors
/// When one cannot be made.
pub(super) fn mount_points(workspace: &Workspace, start: &Start<'_>, host: &HostFolders) -> io::Result<()> {
    workspace.open_root()?;
    let own = host.mounts.iter().copied();
    let volume = start.volume.map(|_| "app");
    let given = start.tmpfs.iter().map(String::as_str);
    MOUNTS.into_iter().chain(own).chain(volume).chain(given).try_for_each(|path| workspace.mount_point(path))?;
    // Where there is no folder to work in, an engine makes one.
    let root = Folder::open(&workspace.root()).map_err(io::Error::other)?.into_root();
    let app = root.followed(Path::new("/app")).ok().flatten();
    if app.is_some_and(|app| FileType::from_raw_mode(app.st_mode) == FileType::Directory) {
        return Ok(());
    }
    workspace.mount_point("app")
}
