//! The lock files agree with each other.

use crate::support::library::Variant;
use crate::support::root;

#[test]
fn the_index_serves_every_package_of_the_base_images() {
    let served = std::fs::read_to_string(root().join("scenarios/packages.lock")).unwrap();
    let mut pinned = 0;
    for entry in std::fs::read_dir(root().join("images/base/locks")).unwrap() {
        let path = entry.unwrap().path();
        for hash in std::fs::read_to_string(&path)
            .unwrap()
            .split_whitespace()
            .filter_map(|word| word.strip_prefix("--hash=sha256:"))
        {
            assert!(served.contains(hash), "{}: packages.lock lacks {hash}", path.display());
            pinned += 1;
        }
    }
    assert!(pinned > 0);
}

#[test]
fn every_lock_file_of_a_variant_is_there() {
    let variants = Variant::all(&root().join("images")).unwrap();
    assert!(variants.iter().any(|variant| variant.name == "python-3.11"));
    for variant in variants {
        assert!(root().join("images").join(&variant.lock).is_file(), "{}: {}", variant.name, variant.lock.display());
    }
}
