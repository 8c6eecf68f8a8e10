//! What is wrong with a text, at the tokens that are wrong: the same for a file and for a macro.

use proc_macro2::Span;
use vgdc_syntax::{Code, Diagnostic, Diagnostics, Level, SourceId};

/// Something wrong.
#[derive(Debug, Clone)]
pub struct Fault {
    /// The tokens.
    pub span: Span,
    /// What kind of fault.
    pub code: Code,
    /// Whether the text means nothing with it, or something that is hardly meant.
    pub level: Level,
    /// The same in a program: what a flow file may say, since Node-RED runs it, a programmer is not to write.
    pub level_in_programs: Level,
    /// One sentence, without a full stop.
    pub message: String,
    /// What to do about it.
    pub fix: Option<String>,
    /// Another place that has to do with it, with a remark.
    pub other: Option<(Span, String)>,
}

impl Fault {
    /// An error.
    pub fn error(span: Span, code: Code, message: impl Into<String>) -> Fault {
        Fault {
            span,
            code,
            level: Level::Error,
            level_in_programs: Level::Error,
            message: message.into(),
            fix: None,
            other: None,
        }
    }

    /// A warning in files; in programs as said.
    #[must_use]
    pub fn warning(mut self, level_in_programs: Level) -> Fault {
        self.level = Level::Warning;
        self.level_in_programs = level_in_programs;
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn with_fix(mut self, fix: impl Into<String>) -> Fault {
        self.fix = Some(fix.into());
        self
    }

    /// Says what to do, where something is known.
    #[must_use]
    pub fn with_fix_if(mut self, fix: Option<String>) -> Fault {
        self.fix = fix;
        self
    }

    /// Points at another place, too.
    #[must_use]
    pub fn with_other(mut self, span: Span, text: impl Into<String>) -> Fault {
        self.other = Some((span, text.into()));
        self
    }

    /// The fault as the other diagnostics of a file are.
    pub fn into_diagnostic(self, source: SourceId) -> Diagnostic {
        let place = |span: Span| {
            let range = span.byte_range();
            let offset = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
            vgdc_syntax::Span::new(source, offset(range.start)..offset(range.end))
        };
        let mut diagnostic =
            Diagnostic::new(self.level, self.code, self.message).with_label(place(self.span), "");
        if let Some((span, text)) = self.other {
            diagnostic = diagnostic.with_label(place(span), text);
        }
        diagnostic.fix = self.fix;
        diagnostic
    }
}

/// The faults of a file as diagnostics, in the order of the text.
pub fn into_diagnostics(faults: Vec<Fault>, source: SourceId) -> Diagnostics {
    let mut all: Diagnostics = faults
        .into_iter()
        .map(|fault| fault.into_diagnostic(source))
        .collect();
    all.sort();
    all
}

/// From the beginning of one place to the end of another.
pub(crate) fn join(first: Span, last: Span) -> Span {
    first.join(last).unwrap_or(first)
}

/// "did you mean" with the name that is most like it.
pub(crate) fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    let known: Vec<&str> = known.into_iter().collect();
    vgdc_syntax::nearest(name, &known).map(|near| format!("did you mean `{near}`?"))
}
