//! The pieces of a source that a diagnostic shows. A short line is shown whole; of a long one, as flow files have, a window around
//! the place, with the line and column that the place really has.

use std::ops::Range;

use codespan_reporting::files::{Error, Files};

use crate::source::{LineCol, SourceId, SourceMap, Span};

/// Lines longer than this many bytes are shown in part.
const LONG_LINE: usize = 300;
/// How many bytes of a long line are shown before a place, and twice as many after its beginning.
const AROUND: usize = 50;
/// Places that are fewer lines apart than this are shown in one piece.
const NEAR_LINES: u32 = 6;
/// Stands for what is left out of a line.
const ELLIPSIS: &str = "… ";

/// A piece of a source.
pub(crate) struct Excerpt {
    source: SourceId,
    name: String,
    /// The bytes of the source that are shown.
    range: Range<usize>,
    /// Where the first of them is.
    at: LineCol,
    /// What is shown.
    text: String,
    /// How many bytes, and characters, of `text` stand before the range.
    lead: (usize, usize),
    /// Where each line of `text` begins.
    lines: Vec<usize>,
}

impl Excerpt {
    /// The piece around a place, with up to so many lines before and after; its text is not there yet.
    pub(crate) fn around(sources: &SourceMap, span: Span, before: u32, after: u32) -> Excerpt {
        let line = sources.line_col(span.source, span.start).line;
        let from = line.saturating_sub(before).max(1);
        let range = lines_or_window(sources, span, from, line + after);
        Excerpt {
            source: span.source,
            name: sources.name(span.source).to_owned(),
            at: sources.line_col(span.source, range.start as u32),
            range,
            text: String::new(),
            lead: (0, 0),
            lines: Vec::new(),
        }
    }

    /// Whether a place is in this piece, or near enough for it to grow over the place.
    fn takes(&mut self, sources: &SourceMap, span: Span) -> bool {
        if span.source != self.source {
            return false;
        }
        let place = on_first_line(sources, span);
        if self.range.start <= place.start && place.end <= self.range.end {
            return true;
        }
        let line = sources.line_col(self.source, place.start as u32).line;
        let last = sources.line_col(self.source, self.range.end as u32).line;
        if line + NEAR_LINES < self.at.line || line > last + NEAR_LINES {
            return false;
        }
        let grown = lines_or_window(sources, span, line.min(self.at.line), line.max(last));
        let fits = grown.start <= self.range.start && self.range.end <= grown.end;
        if fits {
            self.at = sources.line_col(self.source, grown.start as u32);
            self.range = grown;
        }
        fits
    }

    /// Takes the text from the source. After this, the piece does not grow any more.
    pub(crate) fn fill(&mut self, sources: &SourceMap) {
        let line_of = |at: usize| {
            sources.line_range(self.source, sources.line_col(self.source, at as u32).line)
        };
        let cut_before =
            line_of(self.range.start).is_some_and(|line| line.start < self.range.start);
        let cut_after = line_of(self.range.end).is_some_and(|line| self.range.end < line.end);
        let lead = if cut_before { ELLIPSIS } else { "" };
        self.lead = (lead.len(), lead.chars().count());
        self.text = format!(
            "{lead}{}{}",
            sources.masked(self.source, self.range.clone()),
            if cut_after { " …" } else { "" }
        );
        self.lines = std::iter::once(0)
            .chain(self.text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
    }

    /// Where a place of the source is in the text of this piece.
    pub(crate) fn place(&self, sources: &SourceMap, span: Span) -> Range<usize> {
        let place = on_first_line(sources, span);
        let shift =
            |at: usize| at.clamp(self.range.start, self.range.end) - self.range.start + self.lead.0;
        shift(place.start)..shift(place.end)
    }
}

/// Whole lines around a place, or where one of them is long, a window of the place's own line.
fn lines_or_window(sources: &SourceMap, span: Span, from: u32, to: u32) -> Range<usize> {
    let place = on_first_line(sources, span);
    let lines: Vec<Range<usize>> = (from..=to)
        .map_while(|line| sources.line_range(span.source, line))
        .collect();
    let whole = lines.first().map_or(place.start, |line| line.start)
        ..lines.last().map_or(place.end, |line| line.end);
    if lines.iter().all(|line| line.len() <= LONG_LINE) {
        return whole;
    }
    let line = sources
        .line_range(span.source, sources.line_col(span.source, span.start).line)
        .unwrap_or(whole);
    let start = place.start.saturating_sub(AROUND).max(line.start);
    let end = (place.start + 2 * AROUND).min(line.end).max(start);
    on_characters(sources.text(span.source), start..end)
}

/// The part of a place that is on its first line, cutting no character: a mark over a thousand lines shows nothing.
fn on_first_line(sources: &SourceMap, span: Span) -> Range<usize> {
    let range = on_characters(sources.text(span.source), span.range());
    let line = sources.line_col(span.source, range.start as u32).line;
    match sources.line_range(span.source, line) {
        Some(line) if line.end >= range.start => range.start..range.end.min(line.end),
        // On the line break itself.
        _ => range.start..range.start,
    }
}

/// The nearest range that lies in the text and cuts no character.
fn on_characters(text: &str, range: Range<usize>) -> Range<usize> {
    let start = text.floor_char_boundary(range.start);
    start..text.ceil_char_boundary(range.end.max(start))
}

/// The pieces that one diagnostic shows.
#[derive(Default)]
pub(crate) struct Excerpts {
    pieces: Vec<Excerpt>,
}

impl Excerpts {
    /// Adds a piece and gives its number.
    pub(crate) fn push(&mut self, piece: Excerpt) -> usize {
        self.pieces.push(piece);
        self.pieces.len() - 1
    }

    /// Makes sure that a place of a source is in some piece.
    pub(crate) fn cover(&mut self, sources: &SourceMap, span: Span) {
        if !self
            .pieces
            .iter_mut()
            .any(|piece| piece.text.is_empty() && piece.takes(sources, span))
        {
            self.pieces.push(Excerpt::around(sources, span, 0, 0));
        }
    }

    /// The piece that a covered place is in, and where in its text the place is. Takes the texts of the pieces.
    pub(crate) fn find(&mut self, sources: &SourceMap, span: Span) -> (usize, Range<usize>) {
        for piece in self
            .pieces
            .iter_mut()
            .filter(|piece| piece.lines.is_empty())
        {
            piece.fill(sources);
        }
        let place = on_first_line(sources, span);
        let holds = |piece: &Excerpt| {
            piece.source == span.source
                && piece.name == sources.name(span.source)
                && piece.range.start <= place.start
                && place.start <= piece.range.end
        };
        let number = self.pieces.iter().position(holds).unwrap_or(0);
        let range = self
            .pieces
            .get(number)
            .map_or(0..0, |piece| piece.place(sources, span));
        (number, range)
    }

    fn piece(&self, number: usize) -> Result<&Excerpt, Error> {
        self.pieces.get(number).ok_or(Error::FileMissing)
    }
}

impl<'a> Files<'a> for Excerpts {
    type FileId = usize;
    type Name = &'a str;
    type Source = &'a str;

    fn name(&'a self, piece: usize) -> Result<&'a str, Error> {
        Ok(&self.piece(piece)?.name)
    }

    fn source(&'a self, piece: usize) -> Result<&'a str, Error> {
        Ok(&self.piece(piece)?.text)
    }

    fn line_index(&'a self, piece: usize, at: usize) -> Result<usize, Error> {
        let lines = &self.piece(piece)?.lines;
        Ok(lines
            .partition_point(|&start| start <= at)
            .saturating_sub(1))
    }

    fn line_range(&'a self, piece: usize, line: usize) -> Result<Range<usize>, Error> {
        let piece = self.piece(piece)?;
        let missing = Error::LineTooLarge {
            given: line,
            max: piece.lines.len().saturating_sub(1),
        };
        let start = *piece.lines.get(line).ok_or(missing)?;
        Ok(start
            ..piece
                .lines
                .get(line + 1)
                .copied()
                .unwrap_or(piece.text.len()))
    }

    fn line_number(&'a self, piece: usize, line: usize) -> Result<usize, Error> {
        Ok(self.piece(piece)?.at.line as usize + line)
    }

    fn column_number(&'a self, piece: usize, line: usize, at: usize) -> Result<usize, Error> {
        let range = self.line_range(piece, line)?;
        let piece = self.piece(piece)?;
        let column = piece
            .text
            .get(range.start..at.max(range.start))
            .unwrap_or("")
            .chars()
            .count()
            + 1;
        // Of the first line, characters before the piece may be left out, and an ellipsis stands for them.
        let left_out = if line == 0 {
            piece.at.column as usize - 1
        } else {
            0
        };
        Ok(if line == 0 {
            (column + left_out).saturating_sub(piece.lead.1)
        } else {
            column
        })
    }
}
