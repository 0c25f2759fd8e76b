//! The umask: this program's own work, and what it starts, has the usual one; what it leaves for others to read has the caller's.

use std::io;
use std::os::fd::AsFd;
use std::sync::OnceLock;

use rustix::fs::{Mode, fchmod};

/// The umask that engines start containers and builds with.
const USUAL: Mode = Mode::WGRP.union(Mode::WOTH);

static CALLERS: OnceLock<Mode> = OnceLock::new();

/// Sets the caller's umask aside. To be called once, before there are threads.
pub(crate) fn set_aside() {
    let callers = rustix::process::umask(USUAL);
    CALLERS.get_or_init(|| callers);
}

/// Gives a file or folder that this program has just made the mode that the caller's umask permits.
///
/// # Errors
/// When the mode cannot be set.
pub(crate) fn permit(file: impl AsFd, mode: u32) -> io::Result<()> {
    match CALLERS.get() {
        Some(callers) => Ok(fchmod(file, Mode::from_raw_mode(mode).difference(*callers))?),
        None => Ok(()),
    }
}
