//! The folder that is `/usr/bin` in a sandbox: links to the host's programs, but for those that have stubs.

use std::io;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::PROGRAM;
use crate::contract_tier::stub::record::PROGRAMS;

/// Programs of the host that a sandbox does not have: those with stubs, and what goes with them.
const HIDDEN: [&str; 5] = ["apache2ctl", "apt", "apt-get", "git", "hg"];

/// Makes the links. `host` is where the sandbox has the host's `/usr`.
pub(super) fn link(links: &Path, programs: &Path, host: &Path) -> io::Result<()> {
    std::fs::create_dir(links)?;
    for entry in std::fs::read_dir(programs)? {
        let name = entry?.file_name();
        let text = name.to_string_lossy();
        if !HIDDEN.contains(&&*text) && !text.starts_with("pip") && !text.starts_with("mod_wsgi") {
            symlink(host.join("bin").join(&name), links.join(&name))?;
        }
    }
    for name in ["apt", "apt-get"] {
        symlink(PROGRAM, links.join(name))?;
    }
    // These are links to nothing, and so not there, until they are installed.
    for name in ["git", "hg"] {
        symlink(Path::new(PROGRAMS).join(name), links.join(name))?;
    }
    Ok(())
}
