//! An error with its causes, in one line.

use std::error::Error;

/// An error's text and those of its causes, each said once: many errors repeat their cause's text in their own.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("outer")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn each_cause_is_said_once() {
        let inner = std::io::Error::other("inner");
        assert_eq!(with_causes(&Outer(inner)), "outer: inner");
        assert_eq!(with_causes(&std::io::Error::other(Outer(std::io::Error::other("inner")))), "outer: inner");
    }
}
