//! Comma-separated values (RFC 4180), as spreadsheets write them: `;` or a tab between, CRLF, a mark at the start.

/// A table: its head, and rows with the number of the line where each starts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<(usize, Vec<String>)>,
}

/// Reads a whole file. What stands between the cells is what the first line has most of.
pub(super) fn read(text: &str) -> Result<Table, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let first = text.lines().next().unwrap_or_default();
    let count = |separator: &char| first.matches(*separator).count();
    let separator = [',', ';', '\t'].into_iter().rev().max_by_key(count);
    let mut reader = Reader {
        separator: separator.unwrap_or(','),
        line: 1,
        start: 1,
        cell: String::new(),
        row: Vec::new(),
        rows: Vec::new(),
    };
    reader.all(text)?;
    let mut rows = reader.rows.into_iter();
    let Some((_, head)) = rows.next() else {
        return Err("the file is empty".to_owned());
    };
    let rows: Vec<_> = rows.collect();
    if let Some((line, row)) = rows.iter().find(|(_, row)| row.len() > head.len()) {
        let (cells, columns) = (row.len(), head.len());
        return Err(format!(
            "line {line}: {cells} cells, and only {columns} columns in the first line"
        ));
    }
    Ok(Table { head, rows })
}

struct Reader {
    separator: char,
    line: usize,
    start: usize,
    cell: String,
    row: Vec<String>,
    rows: Vec<(usize, Vec<String>)>,
}

impl Reader {
    fn all(&mut self, text: &str) -> Result<(), String> {
        let mut letters = text.chars().peekable();
        let mut quoted = false;
        while let Some(letter) = letters.next() {
            if letter == '\n' {
                self.line = self.line.saturating_add(1);
            }
            match letter {
                '"' if quoted && letters.next_if_eq(&'"').is_some() => self.cell.push('"'),
                '"' if quoted => quoted = false,
                '"' if self.cell.is_empty() => quoted = true,
                _ if quoted => self.cell.push(letter),
                '\r' if letters.peek() == Some(&'\n') => {}
                '\n' => self.end_row(),
                _ if letter == self.separator => self.end_cell(),
                _ => self.cell.push(letter),
            }
        }
        if quoted {
            return Err(format!("line {}: a quote does not end", self.start));
        }
        if !self.cell.is_empty() || !self.row.is_empty() {
            self.end_row();
        }
        Ok(())
    }

    fn end_cell(&mut self) {
        let cell = std::mem::take(&mut self.cell);
        self.row.push(cell.trim().to_owned());
    }

    fn end_row(&mut self) {
        self.end_cell();
        let row = std::mem::take(&mut self.row);
        // An empty line is no row.
        if row.iter().any(|cell| !cell.is_empty()) {
            self.rows.push((self.start, row));
        }
        self.start = self.line;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_read_as_spreadsheets_write_them() {
        let table = |head: &[&str], rows: &[(usize, &[&str])]| {
            let texts = |row: &[&str]| row.iter().map(|&cell| cell.to_owned()).collect();
            Ok(Table {
                head: texts(head),
                rows: rows.iter().map(|(line, row)| (*line, texts(row))).collect(),
            })
        };
        for (text, want) in [
            ("a,b\n1,2\n", table(&["a", "b"], &[(2, &["1", "2"])])),
            (
                "\u{feff}a;b\r\n1,5;2\r\n\r\n3;4",
                table(&["a", "b"], &[(2, &["1,5", "2"]), (4, &["3", "4"])]),
            ),
            ("a\tb\n 1 \t", table(&["a", "b"], &[(2, &["1", ""])])),
            (
                "a,b\n\"x, \"\"y\"\"\nz\",2\n3,4",
                table(&["a", "b"], &[(2, &["x, \"y\"\nz", "2"]), (4, &["3", "4"])]),
            ),
            ("a,b\n1\n", table(&["a", "b"], &[(2, &["1"])])),
            (
                "a\n1,2",
                Err("line 2: 2 cells, and only 1 columns in the first line".to_owned()),
            ),
            (
                "a\n\n\"1\n2",
                Err("line 3: a quote does not end".to_owned()),
            ),
            ("", Err("the file is empty".to_owned())),
        ] {
            assert_eq!(read(text), want, "{text:?}");
        }
    }
}
