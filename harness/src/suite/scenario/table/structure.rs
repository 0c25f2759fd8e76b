//! `structure_tests`: files of container-structure-test beside the scenario file.

use std::path::{Component, Path};

use crate::beneath::Folder;
use crate::suite::diagnostic::Diagnostic;
use crate::suite::scenario::resolver::Resolver;
use crate::suite::scenario::typed::Typed;
use crate::suite::structure::{self, MAX_FILE, StructureTest};

/// Reads the files; findings name them by their paths below the folder of the scenarios.
pub(super) fn resolve(resolver: &mut Resolver<'_>, folder: &Path, names: &[Typed<String>]) -> Vec<StructureTest> {
    let mut tests = Vec::new();
    for (index, typed) in names.iter().enumerate() {
        let path = Path::new(typed.get());
        if names[..index].iter().any(|earlier| earlier.get() == typed.get()) {
            resolver.fault(typed.span(), format!("`{}` is named twice", typed.get().escape_debug()));
            continue;
        }
        let mut parts = path.components();
        if !matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None)) {
            resolver
                .fault(typed.span(), "the file is not in the scenario's folder")
                .advice("write its name alone, such as \"structure.yaml\"");
            continue;
        }
        let text = Folder::open(folder).and_then(|folder| folder.text(path, MAX_FILE));
        match text {
            Ok(text) => {
                let shown = Path::new(folder.file_name().unwrap_or_default()).join(path);
                match structure::load(&shown, text) {
                    Ok(read) => tests.push(StructureTest { speaks_for_clauses: true, ..read }),
                    Err(faults) => faults.all().iter().cloned().for_each(|fault: Diagnostic| resolver.report(fault)),
                }
            }
            Err(error) => {
                let why = std::io::Error::from(error);
                resolver.fault(typed.span(), format!("`{}` cannot be read: {why}", typed.get().escape_debug()));
            }
        }
    }
    tests
}
