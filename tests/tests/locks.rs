//! The lock files agree with each other.

#![allow(clippy::unwrap_used)]

use wsgi_proof_tests::root;

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
    let text = std::fs::read_to_string(root().join("images/variants.toml")).unwrap();
    let names: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("[\"")?.strip_suffix("\"]")).collect();
    assert!(names.contains(&"python-3.11"));
    for name in names {
        let variant = wsgi_proof::variant::Variant::load(&root().join("images"), name).unwrap();
        assert!(root().join("images").join(&variant.lock).is_file(), "{name}: {}", variant.lock.display());
    }
}
