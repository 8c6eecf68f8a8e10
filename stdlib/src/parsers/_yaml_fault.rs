//! Where a YAML text is wrong: the message, the place, and the lines around it, laid out as js-yaml does it.

/// A place in a text of UTF-16 units.
#[derive(Clone, Copy)]
pub struct Mark {
    /// From the front of the text.
    pub position: usize,
    /// Counted from 0.
    pub line: usize,
    /// Where the line begins.
    pub line_start: usize,
}

/// The width of the lines that are shown.
const WIDTH: usize = 79;
const BEFORE: usize = 3;
const AFTER: usize = 2;

/// What is said of a fault at a place of a text.
pub fn fault(reason: &str, text: &[u16], mark: Mark) -> String {
    // (after the key of a pair that comes twice, the place may be before the line that was being read)
    let column = mark.position as i64 - mark.line_start as i64 + 1;
    let mut message = format!("{reason} ({}:{column})", mark.line + 1);
    if !text.is_empty() {
        message.push_str("\n\n");
        message.push_str(&snippet(text, mark));
    }
    message
}

struct Lines {
    starts: Vec<usize>,
    ends: Vec<usize>,
}

impl Lines {
    fn of(text: &[u16]) -> Lines {
        let (mut starts, mut ends) = (vec![0], Vec::new());
        let mut at = 0;
        while at < text.len() {
            let length = match text[at] {
                0x0d if text.get(at + 1) == Some(&0x0a) => 2,
                0x0a | 0x0d | 0 => 1,
                _ => 0,
            };
            if length > 0 {
                ends.push(at);
                starts.push(at + length);
            }
            at += length.max(1);
        }
        Lines { starts, ends }
    }
}

fn snippet(text: &[u16], mark: Mark) -> String {
    let lines = Lines::of(text);
    let found = lines.ends.iter().position(|end| mark.position <= *end);
    let found = found.unwrap_or(lines.starts.len() - 1);
    let digits = (mark.line + AFTER).min(lines.ends.len()).to_string().len();
    let width = WIDTH - (1 + digits + 3).min(WIDTH / 2);
    let show = |index: usize| {
        let moved = lines.starts[found] as i64 - lines.starts[index] as i64;
        let place = mark.position as i64 - moved;
        line(
            text,
            lines.starts[index],
            lines.ends.get(index).copied(),
            place,
            width,
        )
    };
    let row = |number: i64, shown: &str| format!(" {number:>digits$} | {shown}");
    let number = mark.line as i64 + 1;
    let mut rows = Vec::new();
    for i in (1..=BEFORE.min(found)).rev() {
        rows.push(row(number - i as i64, &show(found - i).0));
    }
    let (shown, column) = show(found);
    rows.push(row(number, &shown));
    let dashes = (1 + digits as i64 + 3 + column).max(0);
    rows.push(format!("{}^", "-".repeat(dashes as usize)));
    for i in 1..=AFTER {
        if found + i >= lines.ends.len() {
            break;
        }
        rows.push(row(number + i as i64, &show(found + i).0));
    }
    rows.join("\n")
}

/// A line, cut where it is too long, and where in it the place is.
fn line(text: &[u16], start: usize, end: Option<usize>, place: i64, width: usize) -> (String, i64) {
    let half = (width / 2) as i64 - 1;
    let (mut start, mut head, mut tail) = (start as i64, "", "");
    let mut last = end.unwrap_or(text.len()) as i64;
    if place - start > half {
        head = " ... ";
        start = place - half + head.len() as i64;
    }
    if end.is_some() && last - place > half {
        tail = " ...";
        last = place + half - tail.len() as i64;
    }
    let bound = |at: i64| at.clamp(0, text.len() as i64) as usize;
    let (from, to) = (bound(start), bound(last));
    let cut = String::from_utf16_lossy(&text[from..to.max(from)]).replace('\t', "→");
    (
        format!("{head}{cut}{tail}"),
        place - start + head.len() as i64,
    )
}
