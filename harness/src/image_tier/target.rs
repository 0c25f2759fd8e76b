//! What a request asks for, as a scenario has it: no part of the path is taken out, and no character becomes another.

use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};

/// What no request line can carry, or a client's library refuses (RFC 3986, section 2). Other than ASCII is always encoded.
const NOT_CARRIED: &AsciiSet = &CONTROLS.add(b' ').add(b'"').add(b'#').add(b'<').add(b'>').add(b'`');

/// The target of a request for this path.
pub(super) fn target(path: &str) -> String {
    utf8_percent_encode(path, NOT_CARRIED).to_string()
}

#[cfg(test)]
mod tests {
    use super::target;

    #[test]
    fn a_path_is_sent_as_it_is() {
        for path in ["/static/../../etc/passwd", "/a/%2e%2e/b", "/a\\b", "//x//", "/{a}|^[b]?c=d?e&f=%zz"] {
            assert_eq!(target(path), path);
            let uri: Result<hyper::Uri, _> = path.parse();
            assert!(uri.is_ok_and(|uri| uri == *path), "{path}");
        }
        assert_eq!(target("/a b\t\u{e4}#<c>`\""), "/a%20b%09%C3%A4%23%3Cc%3E%60%22");
    }

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config { failure_persistence: None, ..Default::default() })]

        #[test]
        fn any_path_can_be_sent(path in r"/[ -~\u{e4}\u{0}]{0,30}(\?[ -~\u{e4}]{0,20})?") {
            proptest::prop_assert!(target(&path).parse::<hyper::Uri>().is_ok(), "{}", path);
        }
    }
}
