//! `pip uninstall`: projects are taken away again.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;

use super::install::{self, asked};
use super::options::Wanted;
use crate::contract_tier::requirements::{Disk, Reader};
use crate::contract_tier::stub::record::{Effect, Orders};
use crate::contract_tier::stub::{Done, agreed, complain, disappear, say};
use crate::contract_tier::ways::project;

/// What pip ends with when it cannot ask.
const NOBODY: i32 = 2;

pub(super) fn uninstall(
    wanted: &Wanted,
    environment: &BTreeMap<String, String>,
    folder: &Path,
    orders: &Orders,
) -> io::Result<Done> {
    let folder_name = folder.to_string_lossy();
    let reader = Reader { pip: orders.pip, folder: &folder_name, environment, files: &Disk };
    let asked = match asked(&reader, wanted) {
        Ok(asked) => asked,
        Err(refused) => return Ok(install::failed(refused.exit_code, &refused.message)),
    };
    let names: Vec<String> = asked.iter().filter_map(project).map(str::to_owned).collect();
    if names.is_empty() {
        complain("ERROR: You must give at least one requirement to uninstall (see \"pip help uninstall\")");
        return Ok(Done::nothing(1));
    }
    if !wanted.agreed {
        match agreed("Proceed (Y/n)?", true)? {
            Some(true) => {}
            Some(false) => return Ok(Done::nothing(0)),
            None => return Ok(Done::nothing(NOBODY)),
        }
    }
    for name in &names {
        match fs::remove_file(install::module_file(name)) {
            Err(error) if ![ErrorKind::NotFound, ErrorKind::InvalidFilename].contains(&error.kind()) => {
                return Err(error);
            }
            _ => {}
        }
        if name == "mercurial" {
            disappear("hg")?;
        }
        say(&format!("Successfully uninstalled {name}"));
    }
    Ok(Done::with(Effect::Uninstalled(names)))
}
