//! How a mustache template becomes code: texts and values are written one after the other, a section is a loop.
#![cfg(feature = "lower")]

use super::lower::{Code, Refusal};
use vgdc_expr::CtxScope;
use vgdc_expr::mustache::{Name, Other, Part, Steps};
use vgdc_mir::{
    Addr, Arg, Arith, BlockId, Compare, Form, Helper, Host, Inst, MSG, Slot, Terminator,
};

/// Renders a template into a new slot. `json`: texts of the message are escaped for use within JSON texts.
///
/// # Errors
/// What is in the way.
pub fn lower(code: &mut Code, parts: &[Part], json: bool) -> Result<Slot, Refusal> {
    let mut render = Render {
        code,
        about: Vec::new(),
        json,
    };
    render.parts(parts)?;
    let dst = code.b.slot();
    code.b.call(Helper::Written, [dst.into()]);
    Ok(dst)
}

struct Render<'c> {
    code: &'c mut Code,
    /// What the sections around are about, outermost first.
    about: Vec<Slot>,
    json: bool,
}

/// Where a value was found.
#[derive(Clone, Copy, PartialEq)]
enum Found {
    Message(Arg),
    Elsewhere(Slot),
    Nowhere,
}

impl Render<'_> {
    fn parts(&mut self, parts: &[Part]) -> Result<(), Refusal> {
        parts.iter().try_for_each(|part| self.part(part))
    }

    fn part(&mut self, part: &Part) -> Result<(), Refusal> {
        match part {
            Part::Text(text) => {
                let text = self.code.b.text(text);
                self.code.b.call(Helper::WriteText, [text.into()]);
                Ok(())
            }
            Part::Value { name, raw } => {
                // (within sections Node-RED does not escape for JSON)
                let json = self.json && self.about.is_empty();
                let form = |json| match (raw, json) {
                    (false, false) => Form::Html,
                    (true, false) => Form::Raw,
                    (false, true) => Form::JsonHtml,
                    (true, true) => Form::Json,
                };
                self.find(name, &mut |code, found| {
                    let (value, form) = match found {
                        Found::Message(value) => (value, form(json)),
                        Found::Elsewhere(slot) => (slot.into(), form(false)),
                        Found::Nowhere => return,
                    };
                    code.b
                        .call(Helper::WriteValue, [value, (form as u32).into()]);
                })
            }
            Part::Section {
                name,
                inverted,
                parts,
            } => self.section(name, *inverted, parts),
        }
    }

    fn section(&mut self, name: &Name, inverted: bool, parts: &[Part]) -> Result<(), Refusal> {
        let value = self.code.b.slot();
        self.find(name, &mut |code, found| {
            let src = match found {
                Found::Message(src) => src,
                Found::Elsewhere(slot) => slot.into(),
                Found::Nowhere => return code.b.push(Inst::Undefined { dst: value }),
            };
            code.b.push(Inst::Copy { dst: value, src });
        })?;
        let rounds = self.code.b.num();
        self.code.b.push(Inst::Calc {
            helper: Helper::Rounds,
            dst: rounds,
            args: vec![value.into()],
        });
        let zero = self.code.b.constant(0.0);
        let end = self.code.b.block();
        if inverted {
            let body = self.code.b.block();
            let never = self.code.compare(Compare::Eq, rounds, zero);
            self.code.b.branch(never, body, end);
            self.code.b.switch_to(body);
            self.parts(parts)?;
            self.code.b.jump(end);
        } else {
            self.rounds(value, rounds, parts, end)?;
        }
        self.code.b.switch_to(end);
        // (what is still held of the message would be copied when it is changed)
        self.code.b.call(Helper::Clear, [value.into()]);
        Ok(())
    }

    /// Shows a section as often as it is to be shown.
    fn rounds(
        &mut self,
        value: Slot,
        rounds: vgdc_mir::Num,
        parts: &[Part],
        end: BlockId,
    ) -> Result<(), Refusal> {
        let [zero, one, of_true] = [0.0, 1.0, -1.0].map(|n| self.code.b.constant(n));
        // (`true` opens no context: `.` would be what the section around is about, and texts are still escaped)
        if self.json || parts.iter().any(names_here) {
            let is_true = self.code.compare(Compare::Eq, rounds, of_true);
            self.code.when(is_true, Terminator::Bail);
        }
        let once = self.code.compare(Compare::Lt, rounds, zero);
        let (count, at) = (self.code.b.num(), self.code.b.num());
        let [single, many, head, body, whole, element, show] =
            std::array::from_fn(|_| self.code.b.block());
        self.code.b.push(Inst::Num {
            dst: at,
            value: 0.0,
        });
        self.code.b.branch(once, single, many);
        for (block, src) in [(single, one), (many, rounds)] {
            self.code.b.switch_to(block);
            self.code.b.push(Inst::MoveNum { dst: count, src });
            self.code.b.jump(head);
        }
        self.code.b.switch_to(head);
        let more = self.code.compare(Compare::Lt, at, count);
        self.code.b.branch(more, body, end);
        self.code.b.switch_to(body);
        let item = self.code.b.slot();
        self.code.b.branch(once, whole, element);
        self.code.b.switch_to(whole);
        self.code.b.push(Inst::Copy {
            dst: item,
            src: value.into(),
        });
        self.code.b.jump(show);
        self.code.b.switch_to(element);
        let (found, scratch) = (self.code.b.addr(), self.code.b.slot());
        self.code.b.push(Inst::Find {
            helper: Helper::GetIndex,
            dst: found,
            args: vec![value.into(), scratch.into(), at.into()],
        });
        self.code.b.push(Inst::Copy {
            dst: item,
            src: found.into(),
        });
        self.code.b.jump(show);
        self.code.b.switch_to(show);
        self.about.push(item);
        self.parts(parts)?;
        self.about.pop();
        self.code.b.call(Helper::Clear, [item.into()]);
        self.code.b.push(Inst::Arith {
            op: Arith::Add,
            dst: at,
            a: at,
            b: one,
        });
        self.code.b.jump(head);
        Ok(())
    }

    /// Does something with what a name means, wherever that is found.
    fn find(&mut self, name: &Name, each: &mut dyn FnMut(&mut Code, Found)) -> Result<(), Refusal> {
        let keys = match &name.steps {
            Steps::Here => {
                let here = self.about.last().ok_or("the message as a whole")?;
                each(self.code, Found::Message((*here).into()));
                return Ok(());
            }
            Steps::Single(key) => std::slice::from_ref(key),
            Steps::Several(keys) => keys.as_slice(),
        };
        let Some((last, first)) = keys.split_last() else {
            return Err(format!("the name `{}`", name.text));
        };
        let several = matches!(name.steps, Steps::Several(_));
        let end = self.code.b.block();
        for slot in self.about.iter().rev() {
            let outside = self.code.b.block();
            let mut base = Arg::Slot(*slot);
            for key in first {
                let found = field(self.code, base, key.as_str(), several);
                self.code.unless_nullish(found, outside);
                base = found.into();
            }
            let found = field(self.code, base, last.as_str(), several);
            self.code.unless_undefined(found, outside);
            each(self.code, Found::Message(found.into()));
            self.code.b.jump(end);
            self.code.b.switch_to(outside);
        }
        let nowhere = self.code.b.block();
        let mut base = Arg::Slot(MSG);
        for key in first {
            let scratch = self.code.b.slot();
            let found = self.code.b.get(base, key.as_str(), scratch);
            self.code.unless_nullish(found, nowhere);
            base = found.into();
        }
        let scratch = self.code.b.slot();
        let found = self.code.b.get(base, last.as_str(), scratch);
        if name.other != Other::Nothing {
            self.code.unless_undefined(found, nowhere);
        }
        each(self.code, Found::Message(found.into()));
        self.code.b.jump(end);
        self.code.b.switch_to(nowhere);
        let other = self.other(&name.other)?;
        each(self.code, other);
        self.code.b.jump(end);
        self.code.b.switch_to(end);
        Ok(())
    }

    /// What a name means that the message does not have.
    fn other(&mut self, other: &Other) -> Result<Found, Refusal> {
        let dst = self.code.b.slot();
        match other {
            Other::Nothing => return Ok(Found::Nowhere),
            Other::Env(name) if name.contains('$') => {
                return Err("an environment variable within a text".to_owned());
            }
            // (one that is not there is an empty text, which shows as little as undefined)
            Other::Env(name) => self.code.environment(dst, name),
            Other::Context { scope, store, key } => {
                let host = match scope {
                    CtxScope::Flow => Host::FlowGet,
                    CtxScope::Global => Host::GlobalGet,
                };
                self.code.stored(dst, host, key, store.as_deref(), None);
            }
        }
        Ok(Found::Elsewhere(dst))
    }
}

/// A property of what a section is about.
fn field(code: &mut Code, base: Arg, key: &str, several: bool) -> Addr {
    let (dst, scratch, key) = (code.b.addr(), code.b.slot(), code.b.key(key));
    code.b.push(Inst::Find {
        helper: Helper::Field,
        dst,
        args: vec![base, scratch.into(), key.into(), u32::from(several).into()],
    });
    dst
}

/// Whether a part asks for what the section that it is in is about.
fn names_here(part: &Part) -> bool {
    match part {
        Part::Text(_) => false,
        Part::Value { name, .. } => name.steps == Steps::Here,
        Part::Section {
            name,
            inverted,
            parts,
        } => name.steps == Steps::Here || *inverted && parts.iter().any(names_here),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use vgdc_expr::Template;

    fn mir(template: &str, json: bool) -> Result<String, Refusal> {
        let template = Template::parse(template).map_err(|e| e.message.to_string())?;
        let mut code = Code::default();
        lower(&mut code, template.parts().unwrap_or_default(), json)?;
        code.b.end(Terminator::Send(0));
        Ok(code.b.finish().to_string())
    }

    #[test]
    fn texts_and_values_are_written_one_after_the_other() {
        let text = "b0:\n  WriteText \"a \"\n  &0 = v0.payload\n  WriteValue &0, #0\n  jump b1\n\
                    b1:\n  WriteText \" b\"\n  Written v3\n  send 0\nb2:\n  jump b1\n";
        assert_eq!(mir("a {{payload}} b", false).as_deref(), Ok(text));
    }

    #[test]
    fn how_a_value_is_written_is_known() {
        for (template, json, form) in [
            ("{{a}}", false, Form::Html),
            ("{{{a}}}", false, Form::Raw),
            ("{{&a}}", true, Form::Json),
            ("{{a}}", true, Form::JsonHtml),
            ("{{#s}}{{a}}{{/s}}", true, Form::Html),
        ] {
            let text = mir(template, json).expect(template);
            let write = format!(", #{}\n", form as u32);
            let written = text.lines().filter(|line| line.contains("WriteValue &"));
            for line in written {
                assert!(format!("{line}\n").ends_with(&write), "{template}: {line}");
            }
        }
    }

    #[test]
    fn within_a_section_names_are_looked_for_from_inside_to_outside() {
        let text = mir("{{#list}}{{x}}{{/list}}", false).expect("code");
        let (field, get) = (text.find("Field v"), text.find("= v0.x"));
        assert!(field.is_some() && field < get, "{text}");
        assert!(
            text.contains("GetIndex") && text.contains("Rounds"),
            "{text}"
        );
        let inverted = mir("{{^list}}{{x}}{{/list}}", false).expect("code");
        assert!(!inverted.contains("Field") && !inverted.contains("GetIndex"));
    }

    #[test]
    fn what_is_in_the_way_is_said() {
        for (template, why) in [
            ("{{.}}", "the message as a whole"),
            ("{{env.a$b}}", "an environment variable within a text"),
        ] {
            assert_eq!(mir(template, false), Err(why.to_owned()));
        }
    }
}
