//! What pip's own modules read from requirement files, for a build step that has pip read them (`pip._internal.req`): the stub's modules
//! ask for it here.

use std::collections::BTreeMap;
use std::path::Path;

use crate::contract_tier::requirements::{Disk, Pip, Reader, Source, resolved};
use crate::contract_tier::stub::{complain, say};

/// Prints a line for each requirement: the scheme of its address, which begins with the name of the tool that fetches it, or
/// nothing for what needs none. The exit code is pip's for a file that it refuses.
pub(in crate::contract_tier::stub) fn read(
    file: &str,
    environment: &BTreeMap<String, String>,
    folder: &Path,
    pip: Pip,
) -> i32 {
    let folder = folder.to_string_lossy();
    let reader = Reader { pip, folder: &folder, environment, files: &Disk };
    match reader.file(file, false).and_then(|asked| resolved(asked, pip)) {
        Ok(requirements) => {
            for requirement in requirements {
                say(&match requirement.source {
                    Source::Repository { vcs, .. } => format!("{}https", vcs.prefix()),
                    Source::Foreign { program } => format!("{program}+https"),
                    Source::Index { .. } | Source::Path(_) | Source::Archive { .. } => String::new(),
                });
            }
            0
        }
        Err(refused) => {
            complain(&refused.message);
            refused.exit_code
        }
    }
}
