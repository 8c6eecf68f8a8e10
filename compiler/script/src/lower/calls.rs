//! Calls: functions of the language, methods, and what code asks of its node.

use oxc_ast::ast::*;
use oxc_semantic::Scoping;
use oxc_span::GetSpan;
use vgdc_mir::{Arg, Builtin, Helper, Host, Inst, Math, Method, Mutation, Slot, Unary};

use super::expr::Opd;
use super::types::{Ty, result_of};
use super::{Lower, Name, Res, name_of, refuse};

/// `a.b.c` as a text, where `a` is a name of the world around (or `node`).
pub(super) fn dotted(scoping: &Scoping, head: u32, e: &Expression<'_>) -> Option<String> {
    match e {
        Expression::Identifier(name) => match name_of(scoping, head, name) {
            Name::World(name) => Some(name.to_owned()),
            Name::Node => Some("node".to_owned()),
            Name::Local(_) | Name::Msg => None,
        },
        Expression::StaticMemberExpression(member) if !member.optional => {
            let object = dotted(scoping, head, &member.object)?;
            Some(format!("{object}.{}", member.property.name))
        }
        _ => None,
    }
}

impl<'a, 'w> Lower<'a, 'w> {
    /// A constant of the language or of the node.
    pub(super) fn constant_member(&mut self, object: &str, name: &str, at: u32) -> Res<Opd> {
        let value = match (object, name) {
            ("Math", "PI") => std::f64::consts::PI,
            ("Math", "E") => std::f64::consts::E,
            ("Math", "LN2") => std::f64::consts::LN_2,
            ("Math", "LN10") => std::f64::consts::LN_10,
            ("Math", "LOG2E") => std::f64::consts::LOG2_E,
            ("Math", "LOG10E") => std::f64::consts::LOG10_E,
            ("Math", "SQRT2") => std::f64::consts::SQRT_2,
            ("Math", "SQRT1_2") => std::f64::consts::FRAC_1_SQRT_2,
            ("Number", "MAX_SAFE_INTEGER") => 9_007_199_254_740_991.0,
            ("Number", "MIN_SAFE_INTEGER") => -9_007_199_254_740_991.0,
            ("Number", "EPSILON") => f64::EPSILON,
            ("Number", "MAX_VALUE") => f64::MAX,
            ("node", "id" | "name") => {
                let host = if name == "id" {
                    Host::NodeId
                } else {
                    Host::NodeName
                };
                return Ok(Opd::Temp(self.call_row(
                    Helper::Host,
                    None,
                    host as u32,
                    &[],
                )));
            }
            _ => return refuse(format!("`{object}.{name}`"), at),
        };
        Ok(Opd::Num(self.b.constant(value)))
    }

    /// Evaluates arguments into slots side by side.
    pub(super) fn arguments(&mut self, arguments: &'w [Argument<'a>]) -> Res<Vec<Slot>> {
        let row = self.b.row(arguments.len());
        for (argument, slot) in arguments.iter().zip(&row) {
            let Some(e) = argument.as_expression() else {
                return refuse("a spread argument", argument.span().start);
            };
            let opd = self.opd(e)?;
            self.store(opd, *slot);
        }
        Ok(row)
    }

    /// Calls a helper with arguments that are in slots side by side, which are emptied then.
    pub(super) fn call_row(
        &mut self,
        helper: Helper,
        receiver: Option<Arg>,
        which: u32,
        row: &[Slot],
    ) -> Slot {
        let dst = self.temp();
        let first = match row.first() {
            Some(slot) => *slot,
            None => self.temp(),
        };
        let args = [
            Some(dst.into()),
            receiver,
            Some(first.into()),
            Some(which.into()),
            Some((row.len() as u32).into()),
        ];
        self.b
            .call(helper, args.into_iter().flatten().collect::<Vec<_>>());
        for slot in row {
            self.b.call(Helper::Clear, [(*slot).into()]);
        }
        dst
    }

    pub(super) fn call(&mut self, call: &'w CallExpression<'a>) -> Res<Opd> {
        let at = call.span.start;
        if call.optional {
            return refuse("an optional call", at);
        }
        // (a method of a text, not of the node)
        let of_text =
            |name: &String| name.starts_with("node.id.") || name.starts_with("node.name.");
        let name = dotted(self.scoping, self.head, &call.callee);
        if let Some(name) = name.filter(|name| !of_text(name)) {
            return self.call_named(&name, call);
        }
        if let Some(value) = self.call_inner(call)? {
            return Ok(value);
        }
        if let Some(value) = self.call_collection(call)? {
            return Ok(value);
        }
        if let Some(value) = self.method_special(call)? {
            return Ok(value);
        }
        if let Some(value) = self.call_loop(call, None)? {
            return Ok(value);
        }
        let Expression::StaticMemberExpression(member) = &call.callee else {
            return refuse("a call of a rare kind", at);
        };
        if member.optional {
            return refuse("an optional chain", at);
        }
        let name = member.property.name.as_str();
        if let Some(mutation) = Mutation::named(name) {
            return self.mutation(mutation, &member.object, call);
        }
        let Some(method) = Method::named(name) else {
            return refuse(format!("the method `{name}`"), at);
        };
        let receiver = self.opd(&member.object)?;
        let acts = call
            .arguments
            .iter()
            .any(|a| a.as_expression().is_some_and(|e| self.acts(e)));
        // (an address may not outlive what its arguments change)
        let receiver = match receiver {
            Opd::Addr(_) | Opd::Slot(_) if acts => Arg::Slot(self.own(receiver)),
            other => self.arg(other),
        };
        let row = self.arguments(&call.arguments)?;
        Ok(Opd::Temp(self.call_row(
            Helper::Method,
            Some(receiver),
            method as u32,
            &row,
        )))
    }

    /// What a method is about to change, where it is a reference: it comes before the arguments. A place is found after them,
    /// so they may not change which place it is.
    pub(super) fn receiver(
        &mut self,
        object: &'w Expression<'a>,
        arguments: &'w [Argument<'a>],
    ) -> Res<Option<Arg>> {
        if self.shared {
            let value = self.opd(object)?;
            return Ok(Some(Arg::Slot(self.own(value))));
        }
        for argument in arguments {
            let e = match argument {
                Argument::SpreadElement(spread) => Some(&spread.argument),
                other => other.as_expression(),
            };
            if e.is_some_and(|e| self.changes_root(e, object)) {
                return refuse("an assignment inside another one", argument.span().start);
            }
        }
        Ok(None)
    }

    fn mutation(
        &mut self,
        mutation: Mutation,
        object: &'w Expression<'a>,
        call: &'w CallExpression<'a>,
    ) -> Res<Opd> {
        let first = self.receiver(object, &call.arguments)?;
        let row = self.arguments(&call.arguments)?;
        let receiver = match first {
            Some(receiver) => receiver,
            None => self.place(object)?,
        };
        Ok(Opd::Temp(self.call_row(
            Helper::Mutate,
            Some(receiver),
            mutation as u32,
            &row,
        )))
    }

    fn call_named(&mut self, name: &str, call: &'w CallExpression<'a>) -> Res<Opd> {
        let at = call.span.start;
        if let Some(value) = self.call_special(name, call)? {
            return Ok(value);
        }
        if let Some(math) = Math::named(name).filter(|math| *math != Math::Remainder) {
            return self.math(math, call);
        }
        if let Some(builtin) = Builtin::named(name) {
            return self.builtin(builtin, &call.arguments);
        }
        let Some(host) = Host::named(name) else {
            return refuse(format!("`{name}()`"), at);
        };
        let most = match host {
            Host::Send | Host::Status | Host::Env => 1,
            Host::NodeGet | Host::FlowGet | Host::GlobalGet | Host::Error => 2,
            Host::NodeSet | Host::FlowSet | Host::GlobalSet => 3,
            Host::Log | Host::Warn | Host::Debug | Host::Trace => 1,
            Host::NodeKeys | Host::FlowKeys | Host::GlobalKeys => 1,
            Host::NodeId | Host::NodeName => return refuse(format!("`{name}()`"), at),
        };
        let keys = matches!(host, Host::NodeKeys | Host::FlowKeys | Host::GlobalKeys);
        if call.arguments.len() > most || call.arguments.is_empty() && !keys {
            return refuse(
                format!("`{name}()` with {} arguments", call.arguments.len()),
                at,
            );
        }
        let row = self.arguments(&call.arguments)?;
        Ok(Opd::Temp(self.call_row(
            Helper::Host,
            None,
            host as u32,
            &row,
        )))
    }

    pub(super) fn builtin(&mut self, builtin: Builtin, arguments: &'w [Argument<'a>]) -> Res<Opd> {
        let row = self.arguments(arguments)?;
        let dst = self.call_row(Helper::Builtin, None, builtin as u32, &row);
        Ok(match result_of(builtin) {
            Ty::Num => Opd::Num(self.unbox(Opd::Temp(dst))),
            Ty::Flag => Opd::Flag(self.truth(Opd::Temp(dst))),
            Ty::Prim | Ty::Any => Opd::Temp(dst),
        })
    }

    fn math(&mut self, math: Math, call: &'w CallExpression<'a>) -> Res<Opd> {
        let mut numbers = Vec::new();
        for argument in &call.arguments {
            let Some(e) = argument.as_expression() else {
                return refuse("a spread argument", argument.span().start);
            };
            let num = self.num(e)?;
            // (a variable's register may be written by a later argument)
            let copy = self.b.num();
            self.b.push(Inst::MoveNum {
                dst: copy,
                src: num,
            });
            numbers.push(copy);
        }
        let missing = f64::NAN;
        if matches!(math, Math::Max | Math::Min) {
            let start = if math == Math::Max {
                f64::NEG_INFINITY
            } else {
                f64::INFINITY
            };
            let mut best = self.b.constant(start);
            for number in numbers {
                best = self.math2(math, best, number);
            }
            return Ok(Opd::Num(best));
        }
        let get = |lower: &mut Self, at: usize| match numbers.get(at) {
            Some(number) => *number,
            None => lower.b.constant(missing),
        };
        let first = get(self, 0);
        if matches!(math, Math::Pow | Math::Atan2) {
            let second = get(self, 1);
            return Ok(Opd::Num(self.math2(math, first, second)));
        }
        let dst = self.b.num();
        let op = match math {
            Math::Abs => Some(Unary::Abs),
            Math::Sqrt => Some(Unary::Sqrt),
            Math::Floor => Some(Unary::Floor),
            Math::Ceil => Some(Unary::Ceil),
            Math::Trunc => Some(Unary::Trunc),
            _ => None,
        };
        self.b.push(match op {
            Some(op) => Inst::Unary {
                op,
                dst,
                src: first,
            },
            None => Inst::Calc {
                helper: Helper::Math1,
                dst,
                args: vec![first.into(), Arg::Const(math as u32)],
            },
        });
        Ok(Opd::Num(dst))
    }
}
