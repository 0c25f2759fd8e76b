//! pip: `install` of what requirement files and the command line ask for, as the variant's pip has it.

mod install;
pub(super) mod modules;
mod options;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::record::Orders;
use super::{Done, complain, say};
use options::Wanted;

/// What pip ends with where a command line is not one of its own.
const USAGE: i32 = 2;

pub(super) fn act(
    arguments: &[String],
    environment: &BTreeMap<String, String>,
    folder: &Path,
    orders: &Orders,
) -> io::Result<Done> {
    let pip = orders.pip;
    let Some(index) = options::command(arguments, pip) else {
        say(&format!("pip {pip} (a stub)"));
        return Ok(Done::nothing(0));
    };
    if arguments[index] != "install" {
        say(&format!("pip {pip} (a stub)"));
        return Ok(Done::nothing(0));
    }
    let words = [&arguments[..index], &arguments[index + 1..]].concat();
    match Wanted::of(words, environment, pip) {
        Ok(wanted) if wanted.help => {
            say("Usage: pip install [options] <requirement specifier> ...");
            Ok(Done::nothing(0))
        }
        Ok(wanted) => install::install(&wanted, environment, folder, orders),
        Err(why) => {
            complain(&format!("\nUsage: pip install [options] <requirement specifier> ...\n\n{why}"));
            Ok(Done::nothing(USAGE))
        }
    }
}
