//! How much the logs of a run may have in its reports, all together: each is bounded, and there may be thousands.

use crate::outcome::Log;

/// What they may have, in bytes as JSON escapes them.
const MOST: usize = 64 << 20;
/// What a control character becomes: `\\u001b`.
const ESCAPED: usize = 6;

/// The logs so far.
#[derive(Debug, Default)]
pub(super) struct Logs {
    bytes: usize,
}

impl Logs {
    /// Leaves out the lines of logs for which there is no room any more, and says so in their place.
    pub(super) fn bound(&mut self, logs: &mut [Log]) {
        for log in logs {
            let bytes = log.lines.iter().map(|line| size(line)).sum::<usize>();
            if self.bytes.saturating_add(bytes) > MOST {
                let left_out = log.lines.len();
                log.lines =
                    vec![format!("({left_out} lines are left out: the logs of the run have more than {MOST} bytes)")];
            } else {
                self.bytes += bytes;
            }
        }
    }
}

fn size(line: &str) -> usize {
    line.chars().map(|character| if character.is_control() { ESCAPED } else { character.len_utf8() }).sum::<usize>() + 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_too_much_is_left_out_and_told() {
        let log = |lines: Vec<String>| Log { title: "build log".to_owned(), lines };
        let mut logs = Logs::default();
        let large = "\u{1}".repeat(MOST / ESCAPED - 100);
        let mut first = [log(vec![large.clone()]), log(vec!["small".to_owned()]), log(vec![large.clone(), large])];
        logs.bound(&mut first);
        assert_eq!((first[0].lines.len(), first[1].lines[0].as_str()), (1, "small"));
        assert_eq!(first[2].lines, ["(2 lines are left out: the logs of the run have more than 67108864 bytes)"]);
    }
}
