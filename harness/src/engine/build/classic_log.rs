//! What the classic builder's log says: which containers its commands run in, which images it has made, and that it is done.

use std::collections::HashSet;

/// The container that a line of the builder's says an instruction is run in.
fn container_of(line: &str) -> Option<&str> {
    line.trim().strip_prefix("---> Running in ").filter(|id| is_beginning(id))
}

/// Whether a word is the beginning of an id, as the builder shortens them.
fn is_beginning(word: &str) -> bool {
    word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The containers that a build's log names, by the beginnings of their ids: those of its instructions, and what a command printed.
pub(crate) fn named_containers(log: &[String]) -> HashSet<&str> {
    log.iter().filter_map(|line| container_of(line)).collect()
}

/// Whether this is the builder's last word on a build of this image, but for the names that it gives it.
pub(super) fn is_last_word(text: &str, image: &str) -> bool {
    let built = text.trim().strip_prefix("Successfully built ").filter(|id| is_beginning(id));
    built.is_some_and(|id| image.strip_prefix("sha256:").unwrap_or(image).starts_with(id))
}

/// Tells from the lines of a builder's log which images it has made, by the beginnings of their ids.
#[derive(Debug, Default)]
pub(super) struct MadeImages {
    /// Whether the next image that is named was there before: the one that a stage begins with, or one of an earlier build.
    was_there: bool,
}

impl MadeImages {
    /// The image that a line says was made.
    pub(super) fn read(&mut self, line: &str) -> Option<String> {
        let line = line.trim();
        if let Some((_, instruction)) = line.strip_prefix("Step ").and_then(|rest| rest.split_once(" : ")) {
            self.was_there = instruction.to_uppercase().starts_with("FROM");
        } else if line == "---> Using cache" {
            self.was_there = true;
        } else if container_of(line).is_some() {
            // Something is made, also by the triggers of what a stage begins with.
            self.was_there = false;
        } else if let Some(id) = line.strip_prefix("---> ")
            && is_beginning(id)
        {
            return (!std::mem::take(&mut self.was_there)).then(|| id.to_owned());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_named_by_their_ids() {
        let log = [
            "Step 1/2 : FROM ${IMAGE}",
            "# Executing 1 build trigger",
            " ---> Running in aaaaaaaaaaaa",
            "Step 2/2 : COPY x y",
            " ---> Running in bbbbbbbbbbbb",
            " ---> Running in circles",
        ];
        let log = log.map(str::to_owned);
        assert_eq!(named_containers(&log), HashSet::from(["aaaaaaaaaaaa", "bbbbbbbbbbbb"]));
    }

    #[test]
    fn images_that_were_there_are_not_the_builds() {
        let log = "Step 1/4 : FROM x\n ---> 111111111111\nStep 2/4 : COPY . /x\n ---> 222222222222\n\
            Step 3/4 : RUN true\n ---> Using cache\n ---> 333333333333\nStep 4/4 : CMD x\n ---> Running in 444444444444\n\
            Removing intermediate container 444444444444\n ---> 555555555555\nSuccessfully built 555555555555";
        let made = |log: &str| {
            let mut made = MadeImages::default();
            log.lines().filter_map(|line| made.read(line)).collect::<Vec<_>>()
        };
        assert_eq!(made(log), ["222222222222", "555555555555"]);
        let triggers =
            "Step 1/1 : FROM x\n# Executing 1 build trigger\n ---> Running in 444444444444\n ---> 666666666666";
        assert_eq!(made(triggers), ["666666666666"]);
    }

    #[test]
    fn the_last_word_names_the_image() {
        let image = "sha256:abcdefabcdefabcdef";
        assert!(is_last_word("Successfully built abcdefabcdef\n", image));
        for other in
            ["Successfully built 111111111111\n", "Successfully built \n", "Successfully tagged abcdefabcdef\n"]
        {
            assert!(!is_last_word(other, image), "{other}");
        }
    }
}
