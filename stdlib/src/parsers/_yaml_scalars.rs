//! Scalars of a YAML text: plain ones, quoted ones, and blocks.

use super::yaml_reader::{Fault, Reader, is_break, is_flow_indicator, is_gap, is_space};
use super::yaml_types::Kind;
use vgdc_core::value::Value;

fn unit(c: char) -> u16 {
    c as u16
}

/// What of the line breaks at the end of a block is kept.
#[derive(Clone, Copy, PartialEq)]
enum Chomping {
    Clip,
    Strip,
    Keep,
}

/// Which characters may stand in a piece of text.
#[derive(Clone, Copy, PartialEq)]
enum Allowed {
    /// Those that JSON allows between quotes.
    Json,
    /// Those that can be printed.
    Printable,
}

/// A scalar as it grows.
#[derive(Default)]
struct Text(Vec<u16>);

impl Text {
    fn breaks(&mut self, count: usize) {
        self.0.extend(std::iter::repeat_n(unit('\n'), count));
    }

    /// One line break is a space, more are one less.
    fn fold(&mut self, count: usize) {
        match count {
            0 => {}
            1 => self.0.push(unit(' ')),
            more => self.breaks(more - 1),
        }
    }
}

impl Reader {
    fn capture(
        &self,
        into: &mut Text,
        start: usize,
        end: usize,
        allowed: Allowed,
    ) -> Result<(), Fault> {
        if start >= end {
            return Ok(());
        }
        let piece = &self.text[start..end];
        let ok = |c: &u16| match allowed {
            Allowed::Json => *c == 9 || *c >= 0x20,
            // (halves of surrogate pairs are never alone in a text)
            Allowed::Printable => {
                !matches!(*c, 0..=8 | 0xb | 0xc | 0xe..=0x1f | 0x7f..=0x84 | 0x86..=0x9f | 0xfffe | 0xffff)
            }
        };
        if !piece.iter().all(ok) {
            return Err(self.fault(match allowed {
                Allowed::Json => "expected valid JSON character",
                Allowed::Printable => "the stream contains non-printable characters",
            }));
        }
        into.0.extend_from_slice(piece);
        Ok(())
    }

    fn scalar(&mut self, text: Text) -> bool {
        self.kind = Some(Kind::Scalar);
        self.result = Value::from(String::from_utf16_lossy(&text.0));
        true
    }

    /// A scalar without quotes; false when there is none here.
    pub(super) fn plain(&mut self, indent: i64, in_flow: bool) -> Result<bool, Fault> {
        let mut c = self.here();
        let begins_otherwise = "#&*!|>'\"%@`".encode_utf16().any(|other| other == c);
        if is_gap(c) || is_flow_indicator(c) || begins_otherwise {
            return Ok(false);
        }
        let ends = |following: u16| is_gap(following) || in_flow && is_flow_indicator(following);
        if (c == unit('?') || c == unit('-')) && ends(self.next()) {
            return Ok(false);
        }
        let mut text = Text::default();
        let (mut start, mut end) = (self.position, self.position);
        let mut broken_at = None;
        while c != 0 {
            if c == unit(':') {
                if ends(self.next()) {
                    break;
                }
            } else if c == unit('#') {
                if is_gap(self.before()) {
                    break;
                }
            } else if self.at_separator() || in_flow && is_flow_indicator(c) {
                break;
            } else if is_break(c) {
                let (line, line_start, line_indent) =
                    (self.line, self.line_start, self.line_indent);
                self.skip(false)?;
                if self.line_indent >= indent {
                    broken_at = Some(line);
                    c = self.here();
                    continue;
                }
                self.position = end;
                (self.line, self.line_start, self.line_indent) = (line, line_start, line_indent);
                break;
            }
            if let Some(line) = broken_at.take() {
                self.capture(&mut text, start, end, Allowed::Printable)?;
                text.fold(self.line - line);
                (start, end) = (self.position, self.position);
            }
            if !is_space(c) {
                end = self.position + 1;
            }
            c = self.step();
        }
        self.capture(&mut text, start, end, Allowed::Printable)?;
        Ok(!text.0.is_empty() && self.scalar(text))
    }

    /// A scalar in quotes of one of both kinds; false when there is none here.
    pub(super) fn quoted(&mut self, quote: char) -> Result<bool, Fault> {
        if self.here() != unit(quote) {
            return Ok(false);
        }
        let what = if quote == '"' { "double" } else { "single" };
        self.position += 1;
        let mut text = Text::default();
        let (mut start, mut end) = (self.position, self.position);
        loop {
            let c = self.here();
            if c == 0 {
                return Err(self.fault(&format!(
                    "unexpected end of the stream within a {what} quoted scalar"
                )));
            } else if c == unit(quote) {
                self.capture(&mut text, start, self.position, Allowed::Json)?;
                self.position += 1;
                if quote == '"' || self.here() != unit('\'') {
                    return Ok(self.scalar(text));
                }
                // (a quote that is written twice)
                start = self.position;
                self.position += 1;
                end = self.position;
            } else if c == unit('\\') && quote == '"' {
                self.capture(&mut text, start, self.position, Allowed::Json)?;
                self.escape(&mut text)?;
                (start, end) = (self.position, self.position);
            } else if is_break(c) {
                self.capture(&mut text, start, end, Allowed::Json)?;
                text.fold(self.skip(false)?);
                (start, end) = (self.position, self.position);
            } else if self.at_separator() {
                return Err(self.fault(&format!(
                    "unexpected end of the document within a {what} quoted scalar"
                )));
            } else {
                self.position += 1;
                if !is_space(c) {
                    end = self.position;
                }
            }
        }
    }

    fn escape(&mut self, text: &mut Text) -> Result<(), Fault> {
        let c = self.step();
        if is_break(c) {
            self.skip(false)?;
            return Ok(());
        }
        let known = char::from_u32(u32::from(c)).unwrap_or('\0');
        let simple = match known {
            '0' => 0,
            'a' => 7,
            'b' => 8,
            't' | '\t' => 9,
            'n' => 0x0a,
            'v' => 0x0b,
            'f' => 0x0c,
            'r' => 0x0d,
            'e' => 0x1b,
            ' ' | '"' | '/' | '\\' => c,
            'N' => 0x85,
            '_' => 0xa0,
            'L' => 0x2028,
            'P' => 0x2029,
            'x' => return self.code(text, 2),
            'u' => return self.code(text, 4),
            'U' => return self.code(text, 8),
            _ => return Err(self.fault("unknown escape sequence")),
        };
        text.0.push(simple);
        self.position += 1;
        Ok(())
    }

    /// A character by its number; of one that is too large, what is left in 16 bits.
    fn code(&mut self, text: &mut Text, digits: usize) -> Result<(), Fault> {
        let mut number = 0i32;
        for _ in 0..digits {
            let digit = char::from_u32(u32::from(self.step())).and_then(|c| c.to_digit(16));
            let digit = digit.ok_or_else(|| self.fault("expected hexadecimal character"))?;
            number = (number << 4).wrapping_add(digit as i32);
        }
        if number <= 0xffff {
            text.0.push(number as u16);
        } else {
            let above = number - 0x1_0000;
            text.0.push(((above >> 10) + 0xd800) as u16);
            text.0.push(((above & 0x3ff) + 0xdc00) as u16);
        }
        self.position += 1;
        Ok(())
    }

    /// A literal or folded block; false when there is none here.
    pub(super) fn block(&mut self, indent: i64) -> Result<bool, Fault> {
        let folded = match self.here() {
            c if c == unit('|') => false,
            c if c == unit('>') => true,
            _ => return Ok(false),
        };
        let (chomping, explicit) = self.block_header()?;
        let mut indented = explicit.map_or(indent, |width| indent + width - 1);
        let mut known = explicit.is_some();
        let mut text = Text::default();
        let (mut any, mut empty, mut deeper) = (false, 0, false);
        while self.here() != 0 {
            self.line_break()?;
            self.line_indent = 0;
            while (!known || self.line_indent < indented) && self.here() == unit(' ') {
                self.line_indent += 1;
                self.position += 1;
            }
            if !known && self.line_indent > indented {
                indented = self.line_indent;
            }
            let c = self.here();
            if is_break(c) {
                empty += 1;
                continue;
            }
            if !known && indented == 0 {
                return Err(self.fault("missing indentation for block scalar"));
            }
            let since = if any { 1 + empty } else { empty };
            if self.line_indent < indented {
                match chomping {
                    Chomping::Keep => text.breaks(since),
                    Chomping::Clip => text.breaks(usize::from(any)),
                    Chomping::Strip => {}
                }
                break;
            }
            if !folded {
                text.breaks(since);
            } else if is_space(c) {
                // (lines that are indented more are not folded)
                deeper = true;
                text.breaks(since);
            } else if std::mem::take(&mut deeper) {
                text.breaks(empty + 1);
            } else if empty > 0 {
                text.breaks(empty);
            } else if any {
                text.0.push(unit(' '));
            }
            (any, known, empty) = (true, true, 0);
            let start = self.position;
            while !is_break(self.here()) && self.here() != 0 {
                self.position += 1;
            }
            self.capture(&mut text, start, self.position, Allowed::Printable)?;
        }
        Ok(self.scalar(text))
    }

    /// What stands behind `|` or `>`: what to keep of the end, and how far the block is indented.
    fn block_header(&mut self) -> Result<(Chomping, Option<i64>), Fault> {
        let (mut chomping, mut width) = (Chomping::Clip, None);
        let mut c = self.step();
        loop {
            if c == unit('+') || c == unit('-') {
                if chomping != Chomping::Clip {
                    return Err(self.fault("repeat of a chomping mode identifier"));
                }
                chomping = if c == unit('+') {
                    Chomping::Keep
                } else {
                    Chomping::Strip
                };
            } else if (unit('0')..=unit('9')).contains(&c) {
                if c == unit('0') {
                    return Err(self.fault(
                        "bad explicit indentation width of a block scalar; it cannot be less than one",
                    ));
                }
                if width.is_some() {
                    return Err(self.fault("repeat of an indentation width identifier"));
                }
                width = Some(i64::from(c - unit('0')));
            } else {
                break;
            }
            c = self.step();
        }
        if is_space(c) {
            while is_space(c) {
                c = self.step();
            }
            if c == unit('#') {
                while !is_break(c) && c != 0 {
                    c = self.step();
                }
            }
        }
        Ok((chomping, width))
    }
}
