//! The records of a CSV text by RFC 4180, as Node-RED's own reader takes them.

use vgdc_core::NodeError;
use vgdc_core::value::{ErrorValue, Value, number};

/// A cell: nothing where nothing stood between separators; the empty text where quotes did.
pub(super) type Cell = Option<String>;

/// What is read, and where reading ended (in UTF-16 units, as JavaScript counts).
pub(super) struct Records {
    pub rows: Vec<Vec<Cell>>,
    pub end: usize,
}

const QUOTE: u16 = b'"' as u16;
const CR: u16 = b'\r' as u16;
const LF: u16 = b'\n' as u16;

/// How a text is read.
pub(super) struct Reading<'a> {
    pub separator: &'a str,
    /// A quote within an unquoted cell, text behind a closing quote and an open quote are errors.
    pub strict: bool,
    /// Only up to the first line break outside of quotes.
    pub one_line: bool,
}

#[derive(Default)]
struct Builder {
    rows: Vec<Vec<Cell>>,
    row: Vec<Cell>,
    cell: Vec<u16>,
    /// Nothing of the cell has been read yet, not even a quote.
    is_new: bool,
}

impl Builder {
    fn cell(&mut self) {
        let text = String::from_utf16_lossy(&std::mem::take(&mut self.cell));
        let nothing = text.is_empty() && self.is_new;
        self.row.push((!nothing).then_some(text));
    }

    /// (An empty cell at the end of a row is none.)
    fn row(&mut self) {
        if !self.cell.is_empty() {
            self.cell();
        }
        if !self.row.is_empty() {
            self.rows.push(std::mem::take(&mut self.row));
        }
    }
}

/// Reads the records of a text.
///
/// # Errors
/// What a strict reading does not take.
pub(super) fn records(text: &[u16], from: usize, how: &Reading<'_>) -> Result<Records, NodeError> {
    let separator: Vec<u16> = how.separator.encode_utf16().collect();
    let is_separator = |c: u16| separator == [c];
    let mut out = Builder {
        is_new: true,
        ..Default::default()
    };
    let (mut at, mut inside, mut closed) = (from, false, false);
    while let Some(&c) = text.get(at) {
        let next = text.get(at + 1).copied();
        if inside {
            out.is_new = false;
            closed = false;
            at += 1;
            match (c, next) {
                (QUOTE, Some(QUOTE)) => {
                    out.cell.push(QUOTE);
                    at += 1;
                }
                (QUOTE, _) => {
                    inside = false;
                    closed = true;
                }
                (c, _) => out.cell.push(c),
            }
        } else if is_separator(c) {
            out.cell();
            at += 1;
            out.is_new = true;
            closed = false;
        } else if c == QUOTE && out.is_new {
            inside = true;
            at += 1;
            out.is_new = false;
            closed = false;
        } else if c == QUOTE && how.strict {
            return Err(fault(
                "UnquotedQuoteError",
                "Quote found in the middle of an unquoted field",
                at,
            ));
        } else if c == QUOTE {
            at += 1;
            let ends = next.is_none_or(|next| next == LF || next == CR || is_separator(next));
            if !ends {
                out.cell.push(QUOTE);
                at += usize::from(next == Some(QUOTE));
            }
        } else if c == LF || c == CR {
            out.row();
            at += if next == Some(LF) { 2 } else { 1 };
            out.is_new = true;
            closed = false;
            if how.one_line {
                break;
            }
        } else if closed && how.strict {
            return Err(fault(
                "DataAfterCloseError",
                "Data found after closing quote",
                at,
            ));
        } else if closed {
            // (the quote before was none, then)
            at -= 1;
            closed = false;
        } else {
            out.cell.push(c);
            out.is_new = false;
            at += 1;
        }
    }
    if how.strict && inside {
        return Err(fault("ParseError", "Missing quote, unclosed cell", at));
    }
    out.row();
    Ok(Records {
        rows: out.rows,
        end: at,
    })
}

fn fault(name: &str, text: &str, at: usize) -> NodeError {
    let value = ErrorValue::new(name, text).with("cursor", at as f64);
    NodeError::from_value(value.into())
}

/// What a cell is when numbers are wanted: anything that JavaScript takes for a number, without leading zeros or a plus.
pub(super) fn number_of(text: &str) -> Option<f64> {
    let start = text.trim_start_matches(' ');
    let digits = start.strip_prefix('-').unwrap_or(start).as_bytes();
    let zeros = digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit();
    if start.starts_with('+') || zeros {
        return None;
    }
    let n = number::parse(text);
    (!n.is_nan()).then_some(n)
}

/// A cell as it is written.
pub(super) fn quoted(text: &str, separator: &str) -> String {
    if !text.contains(['"', '\r', '\n']) && !text.contains(separator) {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A value as a cell of a row is read.
pub(super) fn value_of(text: &str, numbers: bool) -> Value {
    match number_of(text).filter(|_| numbers && !text.is_empty()) {
        Some(n) => Value::Number(n),
        None => Value::from(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, strict: bool) -> Result<Vec<Vec<Cell>>, NodeError> {
        let text: Vec<u16> = text.encode_utf16().collect();
        let how = Reading {
            separator: ",",
            strict,
            one_line: false,
        };
        records(&text, 0, &how).map(|records| records.rows)
    }

    #[test]
    fn records_are_read_by_rfc_4180() {
        let cell = |text: &str| Some(text.to_owned());
        assert_eq!(
            read("a,\"b,\"\"c\nd\",\r\n1,,2", false).ok(),
            Some(vec![
                vec![cell("a"), cell("b,\"c\nd")],
                vec![cell("1"), None, cell("2")]
            ])
        );
        for wrong in ["a\"b", "\"a\"b", "\"a"] {
            assert!(read(wrong, true).is_err() && read(wrong, false).is_ok());
        }
    }

    #[test]
    fn numbers_are_told_from_texts() {
        for (text, n) in [
            ("0x1F", Some(31.0)),
            ("1.", Some(1.0)),
            ("01", None),
            ("+1", None),
        ] {
            assert_eq!(number_of(text), n, "{text}");
        }
    }
}
