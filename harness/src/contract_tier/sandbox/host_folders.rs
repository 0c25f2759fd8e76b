//! Folders of the root that are this machine's own, or links into `/usr`, as this machine has them.

use std::fs;
use std::path::{Path, PathBuf};

const NAMES: [&str; 5] = ["bin", "lib", "lib32", "lib64", "sbin"];

/// How a sandbox gets these folders: looked up once, since each start needs them several times.
#[derive(Debug)]
pub(super) struct HostFolders {
    /// Links, by name, with what they lead to.
    pub links: Vec<(&'static str, PathBuf)>,
    /// Folders that are mounted, by name.
    pub mounts: Vec<&'static str>,
}

impl HostFolders {
    /// Those of this machine.
    pub(super) fn of_machine() -> Self {
        let mut folders = Self { links: Vec::new(), mounts: Vec::new() };
        for name in NAMES {
            let host = Path::new("/").join(name);
            if let Ok(target) = fs::read_link(&host) {
                folders.links.push((name, target));
            } else if host.is_dir() {
                folders.mounts.push(name);
            }
        }
        folders
    }
}
