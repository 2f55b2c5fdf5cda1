//! What commands print: lines, tables, JSON. A reader that went away (`| head`) ends the output, not the command.

use std::io::Write;

use serde::Serialize;

/// Where lines go.
pub(super) struct Output {
    to: Box<dyn Write>,
    closed: bool,
}

impl Output {
    pub(super) fn stdout() -> Self {
        Self {
            to: Box::new(std::io::stdout()),
            closed: false,
        }
    }

    pub(super) fn stderr() -> Self {
        Self {
            to: Box::new(std::io::stderr()),
            closed: false,
        }
    }

    /// One line, or several.
    pub(super) fn line(&mut self, text: &str) {
        if !self.closed {
            let written = writeln!(self.to, "{text}").and_then(|()| self.to.flush());
            self.closed = written.is_err();
        }
    }

    /// One JSON document.
    pub(super) fn json(&mut self, value: &impl Serialize) -> anyhow::Result<()> {
        self.line(&serde_json::to_string_pretty(value)?);
        Ok(())
    }

    /// A table with its head; columns as wide as their widest cell.
    pub(super) fn table(&mut self, head: &[&str], rows: &[Vec<String>]) {
        let clean: Vec<Vec<String>> = rows
            .iter()
            .map(|row| row.iter().map(|cell| plain(cell)).collect())
            .collect();
        let head: Vec<String> = head.iter().map(|&title| title.to_owned()).collect();
        let all = || std::iter::once(&head).chain(&clean);
        let widths: Vec<usize> = (0..head.len())
            .map(|column| {
                let cells = all().filter_map(|row| row.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
            })
            .collect();
        for row in all() {
            let cells: Vec<String> = row
                .iter()
                .zip(&widths)
                .map(|(cell, &width)| format!("{cell:width$}"))
                .collect();
            self.line(cells.join("  ").trim_end());
        }
    }

    /// Names and values below each other.
    pub(super) fn facts(&mut self, facts: &[(&str, String)]) {
        let width = facts.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, value) in facts {
            self.line(format!("{name:width$}  {}", plain(value)).trim_end());
        }
    }
}

/// Names come from idps and browsers: no control character of theirs reaches the terminal.
pub(super) fn plain(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for letter in text.chars() {
        if letter.is_control() && letter != '\n' {
            clean.extend(letter.escape_default());
        } else {
            clean.push(letter);
        }
    }
    clean
}

/// `yes` or `no`.
pub(super) const fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// The text, or a dash.
pub(super) fn or_dash(text: Option<&str>) -> String {
    text.filter(|text| !text.is_empty())
        .unwrap_or("-")
        .to_owned()
}

/// Output that a test reads.
#[cfg(test)]
pub(super) fn paper() -> (Output, impl Fn() -> String) {
    let paper = tests::Paper::default();
    let output = Output {
        to: Box::new(paper.clone()),
        closed: false,
    };
    (output, move || paper.text())
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    #[derive(Clone, Default)]
    pub(super) struct Paper(Rc<RefCell<Vec<u8>>>);

    impl Paper {
        pub(super) fn text(&self) -> String {
            String::from_utf8(self.0.borrow().clone()).unwrap()
        }
    }

    impl Write for Paper {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.borrow_mut().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    struct Gone;

    impl Write for Gone {
        fn write(&mut self, _bytes: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn tables_align_and_show_no_control_characters() {
        let (mut output, text) = paper();
        let rows = [
            vec!["zoë".to_owned(), "yes".to_owned()],
            vec!["\u{1b}[2Jbob".to_owned(), "no".to_owned()],
        ];
        output.table(&["NAME", "ACTIVE"], &rows);
        output.facts(&[("name", "a\rb".to_owned()), ("e-mail", "-".to_owned())]);
        insta::assert_snapshot!(text(), @r"
        NAME          ACTIVE
        zoë           yes
        \u{1b}[2Jbob  no
        name    a\rb
        e-mail  -
        ");
    }

    #[test]
    fn a_reader_that_went_away_is_no_panic() {
        let mut output = Output {
            to: Box::new(Gone),
            closed: false,
        };
        output.line("one");
        output.line("two");
        assert!(output.closed);
    }
}
