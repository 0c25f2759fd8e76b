//! Requirement files from public reports, each with what today's pip and the one before 10 make of it.

use super::Case;
use super::generate::around;

/// A case by hand: its name, its files, and what comes of it.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    files: &'static [(&'static str, &'static [u8])],
    /// What is asked for, a word each; or `refused` with the exit code. For pip before 10, and since.
    #[cfg_attr(not(test), expect(dead_code, reason = "the real pip says it there"))]
    pub(crate) expected: [&'static str; 2],
}

const GIT: &[u8] = b"git+http://fixtures/git/greeting.git\n";
const MORE: (&str, &[u8]) = ("more.txt", GIT);
const GREETING: [&str; 2] = ["git:greeting"; 2];

pub(crate) const KNOWN: [Known; 38] = [
    Known {
        name: "a relative address in a file at an address",
        files: &[
            ("requirements.txt", b"-r file:///app/more.txt\n"),
            ("more.txt", b"-r file:deep.txt\n"),
            ("deep.txt", GIT),
        ],
        expected: GREETING,
    },
    Known {
        name: "a way through a folder that is not there",
        files: &[("requirements.txt", b"-e nowhere/../vendor/local\n")],
        expected: ["refused 1"; 2],
    },
    Known {
        name: "a mark of UTF-8",
        files: &[("requirements.txt", b"\xef\xbb\xbfgit+http://fixtures/git/greeting.git\n")],
        expected: GREETING,
    },
    Known {
        name: "a mark before an include",
        files: &[("requirements.txt", b"\xef\xbb\xbf-r more.txt\n"), MORE],
        expected: GREETING,
    },
    Known {
        name: "UTF-16, as PowerShell writes it",
        files: &[("requirements.txt", b"\xff\xfeg\0i\0t\0+\0h\0t\0t\0p\0:\0/\0/\0x\0/\0y\0.\0g\0i\0t\0\r\0\n\0")],
        expected: ["git:y"; 2],
    },
    Known {
        name: "an address in constraints",
        files: &[
            ("requirements.txt", b"-c cons.txt\ngreeting\n"),
            ("cons.txt", b"greeting @ git+http://fixtures/git/greeting.git\n"),
        ],
        expected: ["greeting", "git:greeting"],
    },
    Known {
        name: "constraints that are not there",
        files: &[("requirements.txt", b"-c nowhere.txt\nsix\n")],
        expected: ["refused 1"; 2],
    },
    Known {
        name: "an include that goes on in the next line",
        files: &[("requirements.txt", b"-r \\\n  more.txt\n"), MORE],
        expected: GREETING,
    },
    Known {
        name: "a comment that ends in a backslash",
        files: &[("requirements.txt", b"# pinned for now \\\ngit+http://fixtures/git/greeting.git\n")],
        expected: GREETING,
    },
    Known {
        name: "carriage returns alone",
        files: &[("requirements.txt", b"# deps\rgit+http://fixtures/git/greeting.git\r")],
        expected: GREETING,
    },
    Known {
        name: "a no-break space before a comment",
        files: &[("requirements.txt", b"six\xc2\xa0# was git+http://fixtures/git/greeting.git\n")],
        expected: ["refused 1", "six"],
    },
    Known {
        name: "an include in quotes",
        files: &[("requirements.txt", b"-r \"more.txt\"\n"), MORE],
        expected: GREETING,
    },
    Known {
        name: "an include with a space",
        files: &[("requirements.txt", b"-r \"more things.txt\"\n"), ("more things.txt", GIT)],
        expected: GREETING,
    },
    Known {
        name: "an include with a variable",
        files: &[("requirements.txt", b"-r ${PWD}/more.txt\n"), MORE],
        expected: ["refused 1", "git:greeting"],
    },
    Known {
        name: "an option after an include",
        files: &[("requirements.txt", b"-r more.txt --pre\n"), MORE],
        expected: GREETING,
    },
    Known {
        name: "an option before an include",
        files: &[("requirements.txt", b"--pre -r more.txt\n"), MORE],
        expected: GREETING,
    },
    Known {
        name: "two includes in a line",
        files: &[("requirements.txt", b"-r more.txt -r last.txt\n"), ("more.txt", b"six\n"), ("last.txt", GIT)],
        expected: ["six"; 2],
    },
    Known {
        name: "git:// in an editable one",
        files: &[("requirements.txt", b"-e git://fixtures/git/greeting.git#egg=greeting\n")],
        expected: ["-e git:greeting"; 2],
    },
    Known {
        name: "a path with git+ in it",
        files: &[("requirements.txt", b"./vendor/legit+local\n")],
        expected: ["/app/vendor/legit+local"; 2],
    },
    Known {
        name: "a path with a space",
        files: &[("requirements.txt", b"./vendor/my local\n")],
        expected: ["/app/vendor/my local"; 2],
    },
    Known {
        name: "an editable file: address",
        files: &[("requirements.txt", b"-e file:///app/vendor/local#egg=local\n")],
        expected: ["-e /app/vendor/local"; 2],
    },
    Known {
        name: "a wheel by its address",
        files: &[("requirements.txt", b"http://x/six-1.17.0-py2.py3-none-any.whl\n")],
        expected: ["http://x/six-1.17.0-py2.py3-none-any.whl"; 2],
    },
    Known {
        name: "an editable folder with extras, without setup.py",
        files: &[("requirements.txt", b"-e .[test]\n")],
        expected: ["refused 1", "-e /app"],
    },
    // The index does not have such a version; pip before 10 finds that later.
    Known {
        name: "a line of conda's",
        files: &[("requirements.txt", b"six==1.17.0=py_0\n")],
        expected: ["six", "refused 1"],
    },
    Known {
        name: "a merge that was not resolved",
        files: &[("requirements.txt", b"<<<<<<< HEAD\nsix\n=======\nsix\n>>>>>>> x\n")],
        expected: ["refused 1"; 2],
    },
    Known {
        name: "an option that does not exist",
        files: &[("requirements.txt", b"--no-such-option\nsix\n")],
        expected: ["refused 1"; 2],
    },
    Known {
        name: "an editable one of the index",
        files: &[("requirements.txt", b"-e six\n")],
        expected: ["refused 1"; 2],
    },
    Known {
        name: "a byte that is no UTF-8",
        files: &[("requirements.txt", b"# caf\xe9\nsix\n")],
        expected: ["refused 2"; 2],
    },
    Known {
        name: "the same byte, with its encoding",
        files: &[("requirements.txt", b"# coding: latin-1, caf\xe9\nsix\n")],
        expected: ["six"; 2],
    },
    Known {
        name: "a repository behind ssh",
        files: &[("requirements.txt", b"git+ssh://git@fixtures/org/greeting.git\n")],
        expected: GREETING,
    },
    Known {
        name: "another tool of version control",
        files: &[("requirements.txt", b"svn+svn://x/y\n")],
        expected: ["svn"; 2],
    },
    Known {
        name: "NAME @ ADDRESS",
        files: &[("requirements.txt", b"name @ hg+http://x/y\n")],
        expected: ["name", "hg:name"],
    },
    Known {
        name: "a file that includes itself",
        files: &[("requirements.txt", b"-r requirements.txt\n")],
        expected: ["refused 2", "refused 1"],
    },
    Known {
        name: "an extra that is none",
        files: &[("requirements.txt", b"six[a b]\n")],
        expected: ["refused 1", "refused 2"],
    },
    Known {
        name: "a quotation that is not closed",
        files: &[("requirements.txt", b"-r 'more.txt\n"), MORE],
        expected: ["refused 2", "refused 1"],
    },
    Known {
        name: "a marker that does not apply",
        files: &[("requirements.txt", b"six; os_name == 'nt'\n")],
        expected: [""; 2],
    },
    Known {
        name: "a marker that is none",
        files: &[("requirements.txt", b"six; os_name\n")],
        expected: ["refused 2", "refused 1"],
    },
    Known {
        name: "a constraint before and a pin",
        files: &[("requirements.txt", b"-c cons.txt\nsix\n"), ("cons.txt", b"six==1.16.0\n")],
        expected: ["six"; 2],
    },
];

impl Known {
    pub(crate) fn case(&self) -> Case {
        let mut files = around();
        files.extend(self.files.iter().map(|(name, text)| ((*name).to_owned(), text.to_vec())));
        Case { name: self.name.to_owned(), files }
    }
}

pub(super) fn cases() -> Vec<Case> {
    KNOWN.iter().map(Known::case).collect()
}
