//! What an image of Debian has beside `/usr`, and a step may use. Nothing of it is this machine's own: reports tell what a step prints,
//! and nobody's name belongs in them.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

/// Folders that are there from the beginning.
const FOLDERS: [&str; 21] = [
    "app",
    "boot",
    "etc/apt/apt.conf.d",
    "etc/apt/preferences.d",
    "etc/apt/sources.list.d",
    "etc/apt/trusted.gpg.d",
    "home",
    "media",
    "mnt",
    "opt",
    "root",
    "run/lock",
    "srv",
    "sys",
    "tmp",
    "var/cache/apt",
    "var/lib/apt/lists",
    "var/lib/dpkg/info",
    "var/lib/dpkg/updates",
    "var/log/apt",
    "var/tmp",
];
/// Those of them that every user may write to.
const SHARED: [&str; 3] = ["run/lock", "tmp", "var/tmp"];
/// The folder that nobody else may look into.
const PRIVATE: &str = "root";
/// Links, with what they lead to.
const LINKS: [(&str, &str); 3] =
    [("etc/os-release", "../usr/lib/os-release"), ("var/lock", "/run/lock"), ("var/run", "/run")];
/// Files, with what is in them.
const FILES: [(&str, &str); 10] = [
    ("etc/debian_version", "13.0\n"),
    ("etc/group", GROUPS),
    ("etc/host.conf", "multi on\n"),
    ("etc/hostname", "wsgi-proof\n"),
    ("etc/hosts", "127.0.0.1\tlocalhost wsgi-proof\n::1\tlocalhost ip6-localhost ip6-loopback\n"),
    ("etc/nsswitch.conf", "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n"),
    ("etc/passwd", USERS),
    ("etc/shells", "/bin/sh\n/bin/bash\n"),
    ("var/lib/dpkg/available", ""),
    ("var/lib/dpkg/status", PACKAGES),
];

const USERS: &str = "\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
bin:x:2:2:bin:/bin:/usr/sbin/nologin
sys:x:3:3:sys:/dev:/usr/sbin/nologin
sync:x:4:65534:sync:/bin:/bin/sync
games:x:5:60:games:/usr/games:/usr/sbin/nologin
man:x:6:12:man:/var/cache/man:/usr/sbin/nologin
lp:x:7:7:lp:/var/spool/lpd:/usr/sbin/nologin
mail:x:8:8:mail:/var/mail:/usr/sbin/nologin
news:x:9:9:news:/var/spool/news:/usr/sbin/nologin
uucp:x:10:10:uucp:/var/spool/uucp:/usr/sbin/nologin
proxy:x:13:13:proxy:/bin:/usr/sbin/nologin
www-data:x:33:33:www-data:/var/www:/usr/sbin/nologin
backup:x:34:34:backup:/var/backups:/usr/sbin/nologin
list:x:38:38:Mailing List Manager:/var/list:/usr/sbin/nologin
irc:x:39:39:ircd:/run/ircd:/usr/sbin/nologin
_apt:x:42:65534::/nonexistent:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
";

const GROUPS: &str = "\
root:x:0:
daemon:x:1:
bin:x:2:
sys:x:3:
adm:x:4:
tty:x:5:
disk:x:6:
lp:x:7:
mail:x:8:
news:x:9:
uucp:x:10:
man:x:12:
proxy:x:13:
kmem:x:15:
dialout:x:20:
fax:x:21:
voice:x:22:
cdrom:x:24:
floppy:x:25:
tape:x:26:
sudo:x:27:
audio:x:29:
dip:x:30:
www-data:x:33:
backup:x:34:
operator:x:37:
list:x:38:
irc:x:39:
src:x:40:
shadow:x:42:
utmp:x:43:
video:x:44:
sasl:x:45:
plugdev:x:46:
staff:x:50:
games:x:60:
users:x:100:
nogroup:x:65534:
";

/// Packages that `dpkg-query` knows of: a few that every image has.
const PACKAGES: &str = "\
Package: base-files
Status: install ok installed
Maintainer: nobody <nobody@localhost>
Architecture: all
Version: 13.0
Description: base system miscellaneous files

Package: bash
Status: install ok installed
Maintainer: nobody <nobody@localhost>
Architecture: all
Version: 5.2
Description: GNU Bourne Again SHell

Package: ca-certificates
Status: install ok installed
Maintainer: nobody <nobody@localhost>
Architecture: all
Version: 20250419
Description: common CA certificates

Package: coreutils
Status: install ok installed
Maintainer: nobody <nobody@localhost>
Architecture: all
Version: 9.7
Description: GNU core utilities

";

/// Lays out what an image has below a root.
///
/// # Errors
/// When a file cannot be made.
pub(super) fn lay_out(root: &Path) -> io::Result<()> {
    for name in FOLDERS {
        fs::create_dir_all(root.join(name))?;
    }
    for name in SHARED {
        fs::set_permissions(root.join(name), Permissions::from_mode(0o1777))?;
    }
    fs::set_permissions(root.join(PRIVATE), Permissions::from_mode(0o700))?;
    for (name, target) in LINKS {
        symlink(target, root.join(name))?;
    }
    FILES.into_iter().try_for_each(|(name, text)| fs::write(root.join(name), text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn users_and_groups_are_an_image_s_and_not_this_machine_s() {
        let root = tempfile::tempdir().unwrap();
        lay_out(root.path()).unwrap();
        let passwd = fs::read_to_string(root.path().join("etc/passwd")).unwrap();
        let known: Vec<Vec<&str>> = passwd.lines().map(|line| line.split(':').collect()).collect();
        assert!(known.iter().all(|fields| fields.len() == 7));
        for (name, user, group) in [("root", "0", "0"), ("www-data", "33", "33"), ("nobody", "65534", "65534")] {
            assert!(known.iter().any(|fields| fields[0] == name && fields[2] == user && fields[3] == group), "{name}");
        }
        let group = fs::read_to_string(root.path().join("etc/group")).unwrap();
        assert!(group.lines().all(|line| line.ends_with(':')), "a group has a member");
    }

    #[test]
    fn every_user_may_write_to_tmp_and_take_nobody_else_s_away() {
        let root = tempfile::tempdir().unwrap();
        lay_out(root.path()).unwrap();
        for name in SHARED {
            let mode = fs::metadata(root.path().join(name)).unwrap().permissions().mode();
            assert_eq!(mode & 0o7777, 0o1777, "{name}");
        }
        assert_eq!(fs::read_link(root.path().join("etc/os-release")).unwrap(), Path::new("../usr/lib/os-release"));
    }
}
