//! Options, as Python's `optparse` takes them from words: abbreviated, in clusters, with values in any of their forms.

/// An option: its names, and whether it takes a value. It is known by the first of its names.
pub(crate) type Known = (&'static [&'static str], bool);

/// What was given: options with their values, in order, and the other words.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    pub options: Vec<(&'static str, Option<String>)>,
    pub words: Vec<String>,
}

impl Given {
    /// Takes options from words, those that stand between other words, too.
    ///
    /// # Errors
    /// When there is no such option, or its value is missing or too much; in `optparse`'s words.
    pub(crate) fn parse(words: impl IntoIterator<Item = String>, lists: &[&[Known]]) -> Result<Self, String> {
        let known = Table(lists.iter().flat_map(|list| list.iter()).copied().collect());
        let mut given = Self::default();
        let mut rest = words.into_iter();
        while let Some(word) = rest.next() {
            if word == "--" {
                given.words.extend(rest);
                break;
            } else if word.starts_with("--") {
                let (name, explicit) = match word.split_once('=') {
                    Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                    None => (word, None),
                };
                let (name, canonical, takes) = known.long(&name)?;
                let value = match (takes, explicit) {
                    (false, Some(_)) => return Err(format!("{name} option does not take a value")),
                    (false, None) => None,
                    (true, value) => Some(value.or_else(|| rest.next()).ok_or_else(|| missing(name))?),
                };
                given.options.push((canonical, value));
            } else if word.starts_with('-') && word.len() > 1 {
                given.short(&word, &known, &mut rest)?;
            } else {
                given.words.push(word);
            }
        }
        Ok(given)
    }

    /// A word of short options; the first that takes a value takes the rest of it, or the next word.
    fn short(&mut self, word: &str, known: &Table, rest: &mut dyn Iterator<Item = String>) -> Result<(), String> {
        for (index, letter) in word.char_indices().skip(1) {
            let (canonical, takes) = known.short(letter)?;
            if takes {
                let tail = &word[index + letter.len_utf8()..];
                let value = if tail.is_empty() { rest.next() } else { Some(tail.to_owned()) };
                self.options.push((canonical, Some(value.ok_or_else(|| missing(canonical))?)));
                return Ok(());
            }
            self.options.push((canonical, None));
        }
        Ok(())
    }

    /// The values of an option that may be given several times.
    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.options.iter().filter(move |(given, _)| *given == name).filter_map(|(_, value)| value.as_deref())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.options.iter().any(|(given, _)| *given == name)
    }
}

/// The options that are known.
struct Table(Vec<Known>);

impl Table {
    fn names(&self) -> impl Iterator<Item = (&'static str, &'static str, bool)> {
        let canonical = |names: &[&'static str]| names.first().copied().unwrap_or_default();
        self.0.iter().flat_map(move |(names, takes)| names.iter().map(move |name| (*name, canonical(names), *takes)))
    }

    fn short(&self, letter: char) -> Result<(&'static str, bool), String> {
        let is = |name: &str| name.len() == 2 && name.ends_with(letter) && letter != '-';
        let found = self.names().find(|(name, ..)| is(name));
        found.map(|(_, canonical, takes)| (canonical, takes)).ok_or_else(|| format!("no such option: -{letter}"))
    }

    /// A long option by its name, or by so much of it as no other begins with.
    fn long(&self, given: &str) -> Result<(&'static str, &'static str, bool), String> {
        if let Some(exact) = self.names().find(|(name, ..)| *name == given) {
            return Ok(exact);
        }
        let mut beginnings = self.names().filter(|(name, ..)| name.starts_with(given));
        match (beginnings.next(), beginnings.next()) {
            (Some(one), None) => Ok(one),
            (None, _) => Err(format!("no such option: {given}")),
            (Some(_), Some(_)) => Err(format!("ambiguous option: {given}")),
        }
    }
}

fn missing(name: &str) -> String {
    format!("{name} option requires 1 argument")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const KNOWN: &[Known] =
        &[(&["--requirement", "-r"], true), (&["--require-hashes"], false), (&["--quiet", "-q"], false)];

    fn parse(line: &str) -> Result<Given, String> {
        Given::parse(line.split(' ').map(str::to_owned), &[KNOWN])
    }

    #[test]
    fn options_stand_anywhere_in_any_form() {
        let given = parse("a -qra.txt --requirement=b.txt --requirem c.txt - -- -q").unwrap();
        assert_eq!(given.values("--requirement").collect::<Vec<_>>(), ["a.txt", "b.txt", "c.txt"]);
        assert_eq!((given.words, given.options.len()), (["a", "-", "-q"].map(str::to_owned).to_vec(), 4));
    }

    #[test]
    fn what_is_refused() {
        for (line, message) in [
            ("--no-such", "no such option: --no-such"),
            ("--require x", "ambiguous option: --require"),
            ("-x", "no such option: -x"),
            ("-r", "--requirement option requires 1 argument"),
            ("--quiet=1", "--quiet option does not take a value"),
        ] {
            assert_eq!(parse(line).unwrap_err(), message);
        }
    }
}
