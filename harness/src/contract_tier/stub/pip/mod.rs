//! pip: `install` of what requirement files and the command line ask for, as the variant's pip has it.

mod configuration;
mod install;
pub(super) mod modules;
mod options;
mod uninstall;
mod wheels;

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use super::record::Orders;
use super::{Done, complain, say};
use install::How;
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
    let command = arguments[index].as_str();
    let words = [&arguments[..index], &arguments[index + 1..]].concat();
    if !["install", "uninstall", "wheel", "download"].contains(&command) {
        let in_json = words.iter().any(|word| word == "--format=json" || word == "json");
        say(&if in_json { "[]".to_owned() } else { format!("pip {pip} (a stub)") });
        return Ok(Done::nothing(0));
    }
    let settings = configuration::with_files(command, environment);
    match Wanted::of(command, words, &settings, pip) {
        Ok(wanted) if wanted.help => {
            say(&format!("Usage: pip {command} [options] <requirement specifier> ..."));
            Ok(Done::nothing(0))
        }
        Ok(wanted) if command == "uninstall" => uninstall::uninstall(&wanted, environment, folder, orders),
        Ok(wanted) => {
            let how = if command == "install" { How::Install } else { How::Wheels };
            install::install(&wanted, how, environment, folder, orders)
        }
        Err(why) => {
            complain(&format!("\nUsage: pip {command} [options] <requirement specifier> ...\n\n{why}"));
            Ok(Done::nothing(USAGE))
        }
    }
}
