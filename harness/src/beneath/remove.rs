//! A tree, taken away whatever it is: as deep as it may be, closed to its own user, or not to be removed at all.

use std::ffi::CString;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, FileType, Mode, OFlags, RenameFlags, ResolveFlags, openat, openat2, renameat_with, statat, unlinkat,
};
use rustix::io::Errno;

use super::folder::listed;
use super::walk::set_mode;

/// The folder beside others that has those which cannot be removed.
pub(crate) const ASIDE: &str = "aside";

/// Removes a folder with all that is in it. Folders of folders are moved up and then emptied, so that neither the stack nor the length of
/// a path nor the number of handles limits the depth. Links are removed, and never followed; nothing is removed beyond a mount point.
///
/// # Errors
/// The first thing that cannot be removed; everything else is.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let above = openat(CWD, parent, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    let top = opened(&above, &c_string(name.to_owned())?)?;
    let mut removal = Removal { top: &top, waiting: Vec::new(), moved: 0, gone: 0, fault: None };
    loop {
        let before = removal.gone;
        // What cannot be removed is tried again after each round that removed something.
        removal.fault = None;
        removal.empty(&top, true);
        while let Some(name) = removal.waiting.pop() {
            match opened(&top, &name) {
                Ok(folder) => removal.empty(&folder, false),
                Err(error) => removal.fault(error),
            }
            removal.unlink(&top, &name, AtFlags::REMOVEDIR);
        }
        if removal.gone == before {
            break;
        }
    }
    match removal.fault {
        Some(fault) => Err(fault.into()),
        None => match unlinkat(&above, name, AtFlags::REMOVEDIR) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(error.into()),
        },
    }
}

/// Moves what cannot be removed out of the way of later runs, to [`ASIDE`] beside it; its path from then on.
///
/// # Errors
/// When it cannot even be moved.
pub(crate) fn put_aside(path: &Path) -> io::Result<PathBuf> {
    let parent = path.parent().ok_or(io::ErrorKind::InvalidInput)?;
    let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
    let aside = parent.join(ASIDE);
    match std::fs::create_dir(&aside) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => {}
    }
    let to = aside.join(name);
    std::fs::rename(path, &to)?;
    Ok(to)
}

/// Puts aside what could not be removed, and says what has become of it.
pub(crate) fn not_removed(path: &Path, why: &io::Error) -> String {
    let shown = path.display();
    if path.parent().and_then(Path::file_name).is_some_and(|name| name == ASIDE) {
        return format!("{shown} cannot be removed: {why}");
    }
    match put_aside(path) {
        Ok(to) => format!("{shown} cannot be removed ({why}), and was put aside: {}", to.display()),
        Err(error) => format!("{shown} cannot be removed ({why}), and stays where it is: {error}"),
    }
}

/// A removal under way.
struct Removal<'a> {
    top: &'a OwnedFd,
    /// Folders directly in the top that are to be emptied and removed.
    waiting: Vec<CString>,
    /// How many folders were moved up.
    moved: usize,
    /// How many things have gone.
    gone: usize,
    fault: Option<Errno>,
}

impl Removal<'_> {
    fn fault(&mut self, error: Errno) {
        if error != Errno::NOENT {
            self.fault.get_or_insert(error);
        }
    }

    fn unlink(&mut self, folder: &OwnedFd, name: &CString, flags: AtFlags) {
        match unlinkat(folder, name, flags) {
            Ok(()) => self.gone += 1,
            Err(error) => self.fault(error),
        }
    }

    /// Removes all that is in a folder but its folders, which wait in the top to be emptied themselves.
    fn empty(&mut self, folder: &OwnedFd, is_top: bool) {
        let names = match listed(folder) {
            Ok(names) => names,
            Err(error) => return self.fault(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
        };
        for name in names {
            match name.and_then(c_string) {
                Ok(name) => self.take(folder, name, is_top),
                Err(error) => self.fault(Errno::from_io_error(&error).unwrap_or(Errno::IO)),
            }
        }
    }

    fn take(&mut self, folder: &OwnedFd, name: CString, is_top: bool) {
        match statat(folder, &name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(status) if FileType::from_raw_mode(status.st_mode) == FileType::Directory => {}
            Ok(_) => return self.unlink(folder, &name, AtFlags::empty()),
            Err(error) => return self.fault(error),
        }
        if unlinkat(folder, &name, AtFlags::REMOVEDIR).is_ok() {
            self.gone += 1;
            return;
        }
        if is_top {
            self.waiting.push(name);
            return;
        }
        // Only a folder that its user may write to can be moved to another one.
        if let Err(error) = opened(folder, &name) {
            return self.fault(error);
        }
        loop {
            self.moved += 1;
            let Ok(new) = CString::new(format!(".moved-{}", self.moved)) else { return };
            // Never in the place of what is there.
            match renameat_with(folder, &name, self.top, &new, RenameFlags::NOREPLACE) {
                Ok(()) => return self.waiting.push(new),
                Err(Errno::EXIST) => {}
                Err(error) => return self.fault(error),
            }
        }
    }
}

/// Opens a folder, which is on the same mount and no link, to be listed and emptied.
fn opened(parent: &OwnedFd, name: &CString) -> rustix::io::Result<OwnedFd> {
    let how = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
    let open = |flags| {
        openat2(parent, name, flags | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC, Mode::empty(), how)
    };
    let handle = open(OFlags::PATH)?;
    let mode = Mode::from_raw_mode(rustix::fs::fstat(&handle)?.st_mode);
    if !mode.contains(Mode::RWXU) {
        // Root needs no permission; another user may set that of his own.
        let _ = set_mode(&handle, mode | Mode::RWXU);
    }
    open(OFlags::RDONLY)
}

fn c_string(name: std::ffi::OsString) -> io::Result<CString> {
    Ok(CString::new(name.into_vec())?)
}
