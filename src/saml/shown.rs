//! What somebody else wrote, for the operator's eyes: one line, of bounded length, that is no command to a terminal.

/// Longest piece that goes to a log, bytes.
pub(super) const MAX: usize = 600;

/// Escaped, and cut to `most` bytes.
pub(super) fn shown(text: &str, most: usize) -> String {
    let mut line = String::with_capacity(text.len().min(most));
    for letter in text.chars() {
        if line.len() >= most {
            line.push('…');
            break;
        }
        if letter.is_control() {
            line.extend(letter.escape_default());
        } else if is_misleading(letter) {
            line.extend(letter.escape_unicode());
        } else {
            line.push(letter);
        }
    }
    line
}

/// Turns the order of what follows around, ends a line in some programs, or cannot be seen (UAX #9; Unicode 23.2).
const fn is_misleading(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{61c}'
            | '\u{200b}'
            | '\u{200e}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r41_a_line_stays_one_line_and_no_command() {
        for (came, want) in [
            (
                "them\n2026 INFO all is well",
                "them\\n2026 INFO all is well",
            ),
            ("\u{1b}[2J\u{9b}31m\u{7}\r", "\\u{1b}[2J\\u{9b}31m\\u{7}\\r"),
            (
                "\u{202e}nimda\u{2028}\u{200b}",
                "\\u{202e}nimda\\u{2028}\\u{200b}",
            ),
            ("zoë.o’neil@例え.jp", "zoë.o’neil@例え.jp"),
            ("", ""),
        ] {
            assert_eq!(shown(came, MAX), want);
        }
    }

    #[test]
    fn a_line_has_an_end() {
        assert_eq!(shown("xxxx", 4), "xxxx");
        assert_eq!(shown("xxxxx", 4), "xxxx…");
        let most = shown(&"\u{1b}".repeat(4000), MAX).len();
        assert!(most < MAX + 16, "{most}");
    }
}
