//! **range** — maps a numeric value to another range.
//!
//! `action` says what happens outside of the input range: `scale` (nothing), `clamp` (limited to it), `roll` (wrapped into
//! it), `drop` (the message is dropped). With `round` the result is a whole number. What is no number is logged and dropped.
//!
//! `minin` to `maxin` is mapped to `minout` to `maxout`; where the first is the greater, both ranges are turned around.
//! A message without the property is passed on as it is.

use super::property::Property;
use vgdc_core::spec::Typing;
use vgdc_core::value::{Msg, Value};
use vgdc_core::{Cx, Level, Node, NodeError, Process};
use vgdc_macros_node::{Config, node};

/// The form's properties.
#[derive(Config)]
pub struct RangeConfig {
    #[field(default = "payload", kind = MsgPath, filled = true, label = "Property")]
    property: String,
    #[field(default = "scale", label = "Action", choices = [("scale", "Scale"), ("clamp", "Scale and limit to the target range"), ("roll", "Scale and wrap within the target range"), ("drop", "Scale, but drop what is outside")])]
    action: String,
    #[field(json = "null", begin = "", kind = Number, required = true, label = "Input from")]
    minin: Value,
    #[field(json = "null", begin = "", kind = Number, required = true, label = "to")]
    maxin: Value,
    #[field(json = "null", begin = "", kind = Number, required = true, label = "Target from")]
    minout: Value,
    #[field(json = "null", begin = "", kind = Number, required = true, label = "to")]
    maxout: Value,
    #[field(default = false, label = "Round to integers")]
    round: bool,
}

/// The behaviour.
pub struct Range {
    action: String,
    property: Property,
    round: bool,
    input: (f64, f64),
    output: (f64, f64),
}

#[node(type = "range", category = "function", inputs = 1, outputs = 1, effect = Pure, types = types, color = "#e2d96e", icon = "range.svg")]
impl Node for Range {
    type Config = RangeConfig;

    fn new(config: RangeConfig, _: &mut Cx<'_>) -> Result<Self, NodeError> {
        Ok(Range::of(config))
    }
}

/// A number in the place of another; what is not there is left alone.
fn types(t: &mut dyn Typing) {
    let path = match t.text("property") {
        path if path.is_empty() => "payload".to_owned(),
        path => path,
    };
    let (before, none, number) = (t.message(), t.ty("undefined"), t.ty("number"));
    t.except(&path, none);
    t.set(&path, number);
    t.send(0);
    t.set_message(before);
    t.only(&path, none);
    t.send(0);
}

impl Range {
    fn of(config: RangeConfig) -> Range {
        let property = Property::parse(&config.property, "payload");
        // (what is missing is no number, and nothing comes of it)
        let number = |bound: Value| match bound {
            Value::Null => f64::NAN,
            bound => bound.to_number(),
        };
        let mut input = (number(config.minin), number(config.maxin));
        let mut output = (number(config.minout), number(config.maxout));
        if input.0 > input.1 {
            input = (input.1, input.0);
            output = (output.1, output.0);
        }
        if config.round {
            output = (output.0.ceil(), output.1.floor());
        }
        Range {
            action: config.action,
            property,
            round: config.round,
            input,
            output,
        }
    }

    /// The mapped number; `None` drops the message.
    fn map(&self, mut n: f64) -> Option<f64> {
        let (min, max) = self.input;
        match self.action.as_str() {
            "drop" if n < min || n > max => return None,
            "clamp" if n < min => n = min,
            "clamp" if n > max => n = max,
            "roll" => {
                let divisor = max - min;
                n = ((n - min) % divisor + divisor) % divisor + min;
            }
            _ => {}
        }
        let mapped = (n - min) / (max - min) * (self.output.1 - self.output.0) + self.output.0;
        Some(if self.round { rounded(mapped) } else { mapped })
    }
}

/// JavaScript's `Math.round`: halves go up, and the sign of a zero stays.
fn rounded(n: f64) -> f64 {
    let below = n.floor();
    let whole = if n - below >= 0.5 { below + 1.0 } else { below };
    whole.copysign(n)
}

impl Process for Range {
    fn input(&mut self, cx: &mut Cx<'_>, mut msg: Msg) {
        let value = match self.property.get(&msg) {
            Ok(value) => value,
            Err(error) => return cx.error(error, Some(&msg)),
        };
        if value.is_undefined() {
            return cx.send_done(msg);
        }
        let n = value.to_number();
        if n.is_nan() {
            cx.log(
                Level::Info,
                format!("Not a number: {}", value.to_js_string()),
            );
            return cx.done_with(&msg);
        }
        match self.map(n) {
            None => cx.done_with(&msg),
            Some(mapped) => match self.property.set(&mut msg, Value::Number(mapped)) {
                Ok(_) => cx.send_done(msg),
                Err(error) => cx.error(error, Some(&msg)),
            },
        }
    }
}

/// The node's code: the same calculation on an unboxed number.
///
/// # Errors
/// What is in the way.
#[cfg(feature = "lower")]
pub fn lower(config: RangeConfig) -> Result<vgdc_mir::NodeCode, String> {
    use vgdc_mir::{Arith, Compare, Helper, Inst, Math, NodeCode, Num, Terminator};
    let range = Range::of(config);
    let path = range.property.path.map_err(|error| error.message)?;
    let mut code = super::lower::Code::default();
    let found = code.get(&path)?;
    let nothing = code.b.block();
    code.unless_undefined(found, nothing);
    let n = code.b.num();
    code.b.push(Inst::ToNumber {
        dst: n,
        src: found.into(),
    });
    // (what is no number is told)
    let is_number = code.compare(Compare::Eq, n, n);
    let is_none = code.not(is_number);
    code.when(is_none, Terminator::Bail);
    let [min, max, low, high] =
        [range.input.0, range.input.1, range.output.0, range.output.1].map(|n| code.b.constant(n));
    let arith = |code: &mut super::lower::Code, op, a, b| {
        let dst = code.b.num();
        code.b.push(Inst::Arith { op, dst, a, b });
        dst
    };
    let remainder = |code: &mut super::lower::Code, a: Num, b: Num| {
        let dst = code.b.num();
        code.b.push(Inst::Calc {
            helper: Helper::Math2,
            dst,
            args: vec![a.into(), b.into(), (Math::Remainder as u32).into()],
        });
        dst
    };
    let inside = match range.action.as_str() {
        "drop" => {
            for (op, edge) in [(Compare::Lt, min), (Compare::Gt, max)] {
                let is_outside = code.compare(op, n, edge);
                let [drop, more] = std::array::from_fn(|_| code.b.block());
                code.b.branch(is_outside, drop, more);
                code.b.switch_to(drop);
                let dst = code.b.slot();
                code.b.push(Inst::Undefined { dst });
                code.b.end(Terminator::Return(dst));
                code.b.switch_to(more);
            }
            n
        }
        "clamp" => {
            let inside = code.b.num();
            code.b.push(Inst::MoveNum {
                dst: inside,
                src: n,
            });
            for (op, edge) in [(Compare::Lt, min), (Compare::Gt, max)] {
                let is_outside = code.compare(op, n, edge);
                let [limit, more] = std::array::from_fn(|_| code.b.block());
                code.b.branch(is_outside, limit, more);
                code.b.switch_to(limit);
                code.b.push(Inst::MoveNum {
                    dst: inside,
                    src: edge,
                });
                code.b.jump(more);
                code.b.switch_to(more);
            }
            inside
        }
        "roll" => {
            let divisor = arith(&mut code, Arith::Sub, max, min);
            let above = arith(&mut code, Arith::Sub, n, min);
            let above = remainder(&mut code, above, divisor);
            let above = arith(&mut code, Arith::Add, above, divisor);
            let above = remainder(&mut code, above, divisor);
            arith(&mut code, Arith::Add, above, min)
        }
        _ => n,
    };
    let above = arith(&mut code, Arith::Sub, inside, min);
    let width = arith(&mut code, Arith::Sub, max, min);
    let share = arith(&mut code, Arith::Div, above, width);
    let height = arith(&mut code, Arith::Sub, high, low);
    let risen = arith(&mut code, Arith::Mul, share, height);
    let mut mapped = arith(&mut code, Arith::Add, risen, low);
    if range.round {
        let dst = code.b.num();
        code.b.push(Inst::Calc {
            helper: Helper::Math1,
            dst,
            args: vec![mapped.into(), (Math::Round as u32).into()],
        });
        mapped = dst;
    }
    let value = code.b.slot();
    code.b.push(Inst::Box {
        dst: value,
        src: mapped,
    });
    code.set(&path, value, false)?;
    code.b.end(Terminator::Send(0));
    code.b.switch_to(nothing);
    code.b.end(Terminator::Send(0));
    Ok(NodeCode::Body(code.b.finish().into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_mapped() {
        let range = |action: &str, round| Range {
            action: action.to_owned(),
            property: Property::parse("", "payload"),
            round,
            input: (0.0, 10.0),
            output: (0.0, 100.0),
        };
        assert_eq!(range("scale", false).map(12.5), Some(125.0));
        assert_eq!(range("clamp", false).map(12.5), Some(100.0));
        assert_eq!(range("roll", false).map(-1.0), Some(90.0));
        assert_eq!(range("drop", false).map(-1.0), None);
        assert_eq!(range("scale", true).map(0.15), Some(2.0));
        assert_eq!(rounded(0.49999999999999994), 0.0);
        assert_eq!(
            (rounded(-2.5), rounded(2.5), rounded(-2.6)),
            (-2.0, 3.0, -3.0)
        );
        assert!(rounded(-0.2).is_sign_negative());
    }
}
