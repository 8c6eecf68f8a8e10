//! Regular expressions that stand in a text, and functions that say what stands in place of what they find.

use oxc_ast::ast::*;
use vgdc_mir::{Arg, Arith, Builtin, Helper, Num};

use super::callback::Inner;
use super::expr::{Key, Opd};
use super::{Lower, Res, refuse};

impl<'a, 'w> Lower<'a, 'w> {
    /// A regular expression that stands in the text.
    pub(super) fn regex(&mut self, literal: &'w RegExpLiteral<'a>) -> Res<Opd> {
        let source = literal.regex.pattern.text.as_str();
        let flags = literal.regex.flags.to_string();
        let row = self.b.row(2);
        for (slot, text) in row.iter().zip([source, &flags]) {
            let number = self.b.text(text);
            self.b
                .call(Helper::Text, [(*slot).into(), Arg::Const(number)]);
        }
        Ok(Opd::Temp(self.call_row(
            Helper::Builtin,
            None,
            Builtin::RegExp as u32,
            &row,
        )))
    }

    /// `text.replace(/…/g, (match, group) => …)`
    pub(super) fn replace(
        &mut self,
        text: &'w Expression<'a>,
        literal: &'w RegExpLiteral<'a>,
        inner: Inner<'a, 'w>,
        all: bool,
    ) -> Res<Opd> {
        let at = literal.span.start;
        let count = inner.params().len();
        if all && !literal.regex.flags.contains(RegExpFlags::G) {
            return refuse("`replaceAll` of the first", at);
        }
        if count > 1 + groups(literal.regex.pattern.text.as_str()) {
            return refuse("a function that is told where a match is", at);
        }
        let (row, list, whole, value) = (self.b.row(2), self.b.slot(), self.temp(), self.temp());
        let opd = self.opd(text)?;
        self.store(opd, row[0]);
        let regex = self.regex(literal)?;
        self.store(regex, row[1]);
        let which = Builtin::RegExpSteps as u32;
        let steps = self.call_row(Helper::Builtin, None, which, &row);
        self.store(Opd::Temp(steps), list);
        let nothing = self.b.text("");
        self.b
            .call(Helper::Text, [whole.into(), Arg::Const(nothing)]);
        let length = self.get(Opd::Slot(list), "length")?;
        let (length, one) = (self.unbox(length), self.b.constant(1.0));
        let last = self.arith(Arith::Sub, length, one);
        let part = |lower: &mut Self, step: Num, number: usize| {
            let step = lower.read(Opd::Slot(list), &Key::Index(step))?;
            let step = Opd::Slot(lower.own(step));
            let number = lower.b.constant(number as f64);
            lower.read(step, &Key::Index(number))
        };
        let append = |lower: &mut Self, opd: Opd| {
            let (src, text) = (lower.arg(opd), lower.temp());
            lower.b.call(Helper::ToText, [text.into(), src]);
            lower
                .b
                .call(Helper::Add, [whole.into(), whole.into(), text.into()]);
        };
        self.counted(last, |lower, index| {
            lower.whole(|lower| {
                let before = part(lower, index, 0)?;
                append(lower, before);
                for number in 0..count {
                    let group = part(lower, index, number + 1)?;
                    lower.set_param(inner, number, group)?;
                }
                Ok(())
            })?;
            lower.whole(|lower| lower.put_in(inner, value))?;
            lower.whole(|lower| {
                append(lower, Opd::Slot(value));
                Ok(())
            })
        })?;
        self.whole(|lower| {
            let rest = part(lower, last, 0)?;
            append(lower, rest);
            Ok(())
        })?;
        self.b.call(Helper::Clear, [list.into()]);
        Ok(Opd::Temp(whole))
    }
}

/// How many groups a regular expression has.
fn groups(source: &str) -> usize {
    let (mut count, mut in_class, mut escaped) = (0, false, false);
    let bytes = source.as_bytes();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'[' => in_class = true,
            b']' => in_class = false,
            b'(' if !in_class => {
                let named = bytes.get(at + 1..at + 3) == Some(b"?<")
                    && !matches!(bytes.get(at + 3), Some(b'=' | b'!'));
                count += usize::from(named || bytes.get(at + 1) != Some(&b'?'));
            }
            _ => {}
        }
    }
    count
}
