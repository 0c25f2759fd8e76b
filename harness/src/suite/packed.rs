//! A suite in one piece: what a program carries with it, and the digest that reports name a suite by.

use std::io::{self, Write};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::scenario::{ContextError, folder_context, write_folder_context};

/// What a suite consists of, in the order in which it is packed.
pub(crate) const FOLDERS: [&str; 2] = ["scenarios", "images"];
/// The end of a piece: the length of each folder's archive, the digest, and what it is known by.
pub(crate) const END: usize = 8 * FOLDERS.len() + DIGEST + MARK.len();
/// The length of a SHA-256, in bytes.
const DIGEST: usize = 32;
/// The last bytes of a piece.
const MARK: &[u8; 16] = b"wsgi-proof suite";

/// Why a folder is no suite that can be packed.
#[derive(Debug, thiserror::Error)]
#[error("cannot read the suite's folder `{folder}`")]
pub(crate) struct PackError {
    folder: &'static str,
    source: ContextError,
}

/// A suite, as the archives of its folders. The same suite is the same from every clone.
#[derive(PartialEq, Eq)]
pub(crate) struct Packed {
    archives: [Vec<u8>; FOLDERS.len()],
}

/// The end of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct End {
    lengths: [u64; FOLDERS.len()],
    digest: [u8; DIGEST],
}

impl Packed {
    /// Packs the suite in a folder.
    ///
    /// # Errors
    /// When one of its folders is not there, or has what no archive of ours may hold.
    pub(crate) fn of(suite: &Path) -> Result<Self, PackError> {
        let [scenarios, images] = FOLDERS
            .map(|folder| folder_context(&suite.join(folder), &[]).map_err(|source| PackError { folder, source }));
        Ok(Self { archives: [scenarios?, images?] })
    }

    /// The suite's name in reports: `sha256:` and the digest in hexadecimal.
    pub(crate) fn digest(&self) -> String {
        self.end().name()
    }

    /// The piece, with its end.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let end = self.end();
        let mut bytes = self.archives.concat();
        for length in end.lengths {
            bytes.extend(length.to_le_bytes());
        }
        bytes.extend(end.digest);
        bytes.extend(MARK);
        bytes
    }

    /// Reads what stands before an end; none if it is not what was packed.
    pub(crate) fn before(end: &End, content: &[u8]) -> Option<Self> {
        let (scenarios, images) = content.split_at_checked(usize::try_from(end.lengths[0]).ok()?)?;
        let packed = Self { archives: [scenarios.to_vec(), images.to_vec()] };
        (packed.end() == *end).then_some(packed)
    }

    /// Writes the suite's folders into a folder.
    ///
    /// # Errors
    /// When they cannot be written.
    pub(crate) fn unpack(&self, into: &Path) -> io::Result<()> {
        for (folder, archive) in FOLDERS.iter().zip(&self.archives) {
            let folder = into.join(folder);
            std::fs::create_dir(&folder)?;
            tar::Archive::new(archive.as_slice()).unpack(folder)?;
        }
        Ok(())
    }

    fn end(&self) -> End {
        let mut digested = Digested::default();
        for archive in &self.archives {
            digested.take(archive);
            digested.end_archive();
        }
        digested.end()
    }
}

/// The name of the suite in a folder, as [`Packed::digest`]; its archives are not kept.
///
/// # Errors
/// As [`Packed::of`].
pub(crate) fn digest(suite: &Path) -> Result<String, PackError> {
    let mut digested = Digested::default();
    for folder in FOLDERS {
        write_folder_context(&suite.join(folder), &[], &mut digested)
            .map_err(|source| PackError { folder, source })?
            .end_archive();
    }
    Ok(digested.end().name())
}

/// Archives as they come: the digest is of each one's content and length.
#[derive(Default)]
struct Digested {
    hash: Sha256,
    lengths: [u64; FOLDERS.len()],
    complete: usize,
}

impl Digested {
    fn take(&mut self, content: &[u8]) {
        self.hash.update(content);
        self.lengths[self.complete] += content.len() as u64;
    }

    fn end_archive(&mut self) {
        self.hash.update(self.lengths[self.complete].to_le_bytes());
        self.complete += 1;
    }

    fn end(self) -> End {
        End { lengths: self.lengths, digest: self.hash.finalize().into() }
    }
}

impl Write for &mut Digested {
    fn write(&mut self, content: &[u8]) -> io::Result<usize> {
        self.take(content);
        Ok(content.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl End {
    /// Reads an end; none if nothing was packed.
    pub(crate) fn read(bytes: &[u8; END]) -> Option<Self> {
        let (lengths, rest) = bytes.split_at(8 * FOLDERS.len());
        let (digest, mark) = rest.split_at(DIGEST);
        let length = |bytes: &[u8]| bytes.try_into().map(u64::from_le_bytes).ok();
        let (scenarios, images) = lengths.split_at(8);
        let lengths = [length(scenarios)?, length(images)?];
        (mark == MARK).then_some(Self { lengths, digest: digest.try_into().ok()? })
    }

    /// The length of what stands before it, in bytes.
    pub(crate) fn length(&self) -> u64 {
        self.lengths.iter().fold(0, |sum, length| sum.saturating_add(*length))
    }

    /// The suite's name in reports.
    pub(crate) fn name(&self) -> String {
        format!("sha256:{}", hex::encode(self.digest))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn suite() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("scenarios/one/app/empty")).unwrap();
        fs::write(folder.path().join("scenarios/one/scenario.toml"), "summary").unwrap();
        symlink("nowhere", folder.path().join("scenarios/one/app/link")).unwrap();
        fs::create_dir(folder.path().join("images")).unwrap();
        fs::write(folder.path().join("images/step"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(folder.path().join("images/step"), fs::Permissions::from_mode(0o755)).unwrap();
        folder
    }

    fn read(bytes: &[u8]) -> Option<Packed> {
        let (content, end) = bytes.split_last_chunk::<END>().unwrap();
        let end = End::read(end)?;
        assert_eq!(end.length(), content.len() as u64);
        Packed::before(&end, content)
    }

    #[test]
    fn what_was_packed_comes_out_again() {
        let packed = Packed::of(suite().path()).unwrap();
        let again = read(&packed.to_bytes()).unwrap();
        assert_eq!(again.digest(), packed.digest());
        assert_eq!(digest(suite().path()).unwrap(), packed.digest());
        let out = tempfile::tempdir().unwrap();
        again.unpack(out.path()).unwrap();
        assert!(Packed::of(out.path()).unwrap() == packed);
        assert_eq!(out.path().join("scenarios/one/app/link").read_link().unwrap(), Path::new("nowhere"));
        assert!(out.path().join("scenarios/one/app/empty").is_dir());
    }

    #[test]
    fn any_change_is_another_digest() {
        let changes: [fn(&Path); 4] = [
            |suite| fs::write(suite.join("scenarios/one/scenario.toml"), "Summary").unwrap(),
            |suite| fs::write(suite.join("scenarios/one/app/more"), "").unwrap(),
            |suite| fs::rename(suite.join("images/step"), suite.join("images/other")).unwrap(),
            |suite| fs::set_permissions(suite.join("images/step"), fs::Permissions::from_mode(0o644)).unwrap(),
        ];
        let folder = suite();
        let digest = Packed::of(folder.path()).unwrap().digest();
        assert_eq!(Packed::of(suite().path()).unwrap().digest(), digest);
        for change in changes {
            let folder = suite();
            change(folder.path());
            assert_ne!(Packed::of(folder.path()).unwrap().digest(), digest);
        }
    }

    #[test]
    fn what_was_damaged_is_not_read() {
        let whole = Packed::of(suite().path()).unwrap().to_bytes();
        assert!(read(&whole).is_some());
        for place in [0, 600, whole.len() - END - 1, whole.len() - MARK.len() - 1, whole.len() - 1] {
            let mut bytes = whole.clone();
            bytes[place] ^= 1;
            assert!(read(&bytes).is_none(), "{place}");
        }
    }

    #[test]
    fn what_is_no_suite_cannot_be_packed() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("scenarios")).unwrap();
        let told = Packed::of(folder.path()).err().unwrap().to_string();
        assert_eq!(told, "cannot read the suite's folder `images`");
    }
}
