//! What pip's own modules read from requirement files, for a build step that has pip read them (`pip._internal.req`): the stub's modules
//! ask for it here.

use std::collections::BTreeMap;
use std::path::Path;

use crate::contract_tier::requirements::{Disk, Pip, Reader, Requirement, Source};
use crate::contract_tier::stub::{complain, say};

/// Prints a line for each requirement, up to what pip refuses: the scheme of its address, which begins with the name of the tool that
/// fetches it, or nothing for what needs none. The exit code is pip's for a file that it refuses.
pub(in crate::contract_tier::stub) fn read(
    file: &str,
    environment: &BTreeMap<String, String>,
    folder: &Path,
    pip: Pip,
) -> i32 {
    let folder = folder.to_string_lossy();
    let reader = Reader { pip, folder: &folder, environment, files: &Disk };
    let mut asked = Vec::new();
    let read = reader.read(file, false, &mut asked);
    let until = asked.iter().take_while(|asked| !asked.has_undefined_marker());
    for requirement in until.filter_map(|asked| Requirement::of(asked, pip)) {
        say(&match requirement.source {
            Source::Repository { vcs, .. } => format!("{}https", vcs.prefix()),
            Source::Foreign { program } => format!("{program}+https"),
            Source::Index { .. } | Source::Path(_) | Source::Archive { .. } => String::new(),
        });
    }
    match read {
        Ok(()) => 0,
        Err(refused) => {
            complain(&refused.message);
            refused.exit_code
        }
    }
}
