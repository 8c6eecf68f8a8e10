//! Functions: those of JSONata's that flows call most, and Node-RED's.

use super::eval::{boolean, number, truth};
use super::{Answer, Item, Node, Run, Stop, text, undefined};
use crate::CtxScope;
use crate::jsonata::errors::{self, Fill};
use std::borrow::Cow;
use vgdc_value::{Array, Str, Value, date};

macro_rules! functions {
    ($($name:literal $variant:ident $min:literal $max:literal,)*) => {
        /// A function.
        #[derive(Debug, Clone, Copy, PartialEq)]
        #[repr(u32)]
        #[allow(missing_docs)] // the names say it
        pub enum Function { $($variant,)* }

        impl Function {
            /// All, by number.
            pub(super) const ALL: &[Function] = &[$(Function::$variant,)*];

            /// Its number, as code calls it.
            pub fn number(self) -> u32 {
                self as u32
            }

            /// The function of a name, if it is called with as many arguments as are done here.
            pub(super) fn named(name: &str, args: usize) -> Option<Function> {
                match name {
                    $($name if ($min..=$max).contains(&args) => Some(Function::$variant),)*
                    _ => None,
                }
            }

            /// As it is written, without the `$`.
            pub fn name(self) -> &'static str {
                match self { $(Function::$variant => $name,)* }
            }
        }
    };
}

functions! {
    "string" String 1 1,
    "number" Number 1 1,
    "boolean" Boolean 1 1,
    "not" Not 1 1,
    "exists" Exists 1 1,
    "type" Type 1 1,
    "length" Length 1 1,
    "uppercase" Uppercase 1 1,
    "lowercase" Lowercase 1 1,
    "trim" Trim 1 1,
    "substring" Substring 2 3,
    "substringBefore" SubstringBefore 2 2,
    "substringAfter" SubstringAfter 2 2,
    "contains" Contains 2 2,
    "split" Split 2 2,
    "join" Join 1 2,
    "abs" Abs 1 1,
    "floor" Floor 1 1,
    "ceil" Ceil 1 1,
    "round" Round 1 2,
    "sqrt" Sqrt 1 1,
    "power" Power 2 2,
    "sum" Sum 1 1,
    "max" Max 1 1,
    "min" Min 1 1,
    "average" Average 1 1,
    "count" Count 1 1,
    "append" Append 2 2,
    "now" Now 0 0,
    "millis" Millis 0 0,
    "flowContext" FlowContext 1 2,
    "globalContext" GlobalContext 1 2,
    "env" Env 1 1,
}

fn owned<'v>(value: impl Into<Value>) -> Item<'v> {
    Cow::Owned(value.into())
}

const NONE: Item<'static> = Cow::Owned(Value::Undefined);

/// Arguments that were evaluated, and whose they are.
struct Args<'a, 'v> {
    function: Function,
    items: &'a [Item<'v>],
}

impl<'v> Args<'_, 'v> {
    fn get(&self, n: usize) -> &Value {
        self.items.get(n).map_or(&Value::Undefined, |item| item)
    }

    fn mismatch<T>(&self, n: usize) -> Answer<T> {
        let index = Value::from(n + 1);
        let fills = [
            ("index", Fill::Json(&index)),
            ("token", Fill::Text(self.function.name())),
        ];
        Err(Stop::Raise(errors::made("T0410", &fills)))
    }

    /// A text; `None` for undefined.
    fn text(&self, n: usize) -> Answer<Option<&Str>> {
        match self.get(n) {
            Value::Undefined => Ok(None),
            Value::Str(text) => Ok(Some(text)),
            _ => self.mismatch(n),
        }
    }

    /// A number; `None` for undefined.
    fn number(&self, n: usize) -> Answer<Option<f64>> {
        match self.get(n) {
            Value::Undefined => Ok(None),
            Value::Number(number) if number.is_finite() => Ok(Some(*number)),
            Value::Number(_) => Err(Stop::Leave),
            _ => self.mismatch(n),
        }
    }

    /// Numbers, or a single one; `None` for undefined.
    fn numbers(&self) -> Answer<Option<Vec<f64>>> {
        let wrong = || {
            let index = Value::from(1);
            let fills = [
                ("index", Fill::Json(&index)),
                ("token", Fill::Text(self.function.name())),
                ("type", Fill::Text("numbers")),
            ];
            Stop::Raise(errors::made("T0412", &fills))
        };
        match self.get(0) {
            Value::Undefined => Ok(None),
            Value::Number(n) => Ok(Some(vec![*n])),
            Value::Array(items) => items
                .iter()
                .map(|item| item.as_f64().ok_or_else(wrong))
                .collect::<Answer<_>>()
                .map(Some),
            _ => Err(wrong()),
        }
    }
}

impl<'v> Run<'v> {
    pub(super) fn call(
        &mut self,
        function: Function,
        nodes: &'v [Node],
        here: &Item<'v>,
    ) -> Answer<Item<'v>> {
        let mut items: [Item<'v>; 3] = [NONE; 3];
        for (place, node) in items.iter_mut().zip(nodes) {
            *place = self.eval(node, here)?;
        }
        let args = Args {
            function,
            items: items.get(..nodes.len()).unwrap_or_default(),
        };
        use Function as F;
        match function {
            F::Now => match date::iso(self.millis()) {
                Some(text) => Ok(owned(text)),
                None => Err(Stop::Leave),
            },
            F::Millis => Ok(number(self.millis())),
            F::FlowContext => self.context(CtxScope::Flow, &args),
            F::GlobalContext => self.context(CtxScope::Global, &args),
            F::Env => match args.get(0) {
                Value::Str(name) => Ok(match self.env.env_get(name) {
                    Value::Undefined => owned(""),
                    value => Cow::Owned(value),
                }),
                _ => Err(Stop::Leave),
            },
            _ => pure(&args),
        }
    }

    fn millis(&mut self) -> f64 {
        let env = self.env;
        *self.now.get_or_insert_with(|| env.now_ms().floor())
    }

    fn context(&self, scope: CtxScope, args: &Args<'_, 'v>) -> Answer<Item<'v>> {
        let store = match args.get(1) {
            Value::Undefined => None,
            Value::Str(store) => Some(&**store),
            _ => return Err(Stop::Leave),
        };
        match args.get(0) {
            Value::Str(key) => self
                .env
                .context_get(scope, key, store)
                .map(Cow::Owned)
                .map_err(Stop::Raise),
            _ => Err(Stop::Leave),
        }
    }
}

/// A function that needs no more than its arguments.
fn pure<'v>(args: &Args<'_, 'v>) -> Answer<Item<'v>> {
    use Function as F;
    let (function, items) = (args.function, args.items);
    let first = items.first().unwrap_or(&NONE);
    match function {
        F::String | F::Number | F::Boolean | F::Not | F::Exists | F::Type => {
            of_any(function, args, first)
        }
        F::Length | F::Uppercase | F::Lowercase | F::Trim => of_text(function, args),
        F::Substring => substring(args),
        F::SubstringBefore | F::SubstringAfter | F::Contains | F::Split => {
            of_two_texts(function, args)
        }
        F::Join => join(args),
        F::Abs | F::Floor | F::Ceil | F::Round | F::Sqrt | F::Power => of_number(function, args),
        F::Sum | F::Max | F::Min | F::Average => of_numbers(function, args),
        F::Count => Ok(number(match args.get(0) {
            Value::Undefined => 0.0,
            Value::Array(items) => items.len() as f64,
            _ => 1.0,
        })),
        F::Append => append(args, items),
        F::Now | F::Millis | F::FlowContext | F::GlobalContext | F::Env => Err(Stop::Leave),
    }
}

/// A function of values that are there.
pub(super) fn of_values(function: Function, args: &[Value]) -> Answer<Value> {
    let mut items: [Item<'_>; 3] = [NONE; 3];
    for (place, value) in items.iter_mut().zip(args) {
        *place = Cow::Borrowed(value);
    }
    let args = Args {
        function,
        items: items.get(..args.len()).unwrap_or_default(),
    };
    pure(&args).map(Cow::into_owned)
}

fn of_any<'v>(function: Function, args: &Args<'_, 'v>, item: &Item<'v>) -> Answer<Item<'v>> {
    let value = args.get(0);
    Ok(match (function, value) {
        (Function::Exists, value) => boolean(!value.is_undefined()),
        (_, Value::Undefined) => undefined(),
        (Function::String, Value::Str(_)) => item.clone(),
        (Function::String, value) => {
            let mut out = String::new();
            text::append(&mut out, value)?;
            owned(out)
        }
        (Function::Number, value) => match value {
            Value::Number(_) => item.clone(),
            Value::Bool(b) => number(f64::from(u8::from(*b))),
            Value::Str(text) => number(decimal(text).ok_or(Stop::Leave)?),
            _ => return args.mismatch(0),
        },
        (Function::Not, value) => boolean(truth(value)? != Some(true)),
        (Function::Boolean, value) => boolean(truth(value)? == Some(true)),
        (_, value) => owned(Str::from_static(match value {
            Value::Null => "null",
            Value::Bool(_) => "boolean",
            Value::Number(_) => "number",
            Value::Str(_) => "string",
            Value::Array(_) => "array",
            Value::Object(_) | Value::Buffer(_) | Value::Date(_) => "object",
            _ => return Err(Stop::Leave),
        })),
    })
}

/// A text of JSON's form of numbers. (Others, hexadecimal ones among them, are told by the long way.)
fn decimal(text: &str) -> Option<f64> {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let unsigned = mantissa.strip_prefix('-').unwrap_or(mantissa);
    let good = match unsigned.split_once('.') {
        Some((whole, part)) => digits(whole) && digits(part),
        None => digits(unsigned),
    };
    let good = good
        && exponent
            .is_none_or(|exponent| digits(exponent.strip_prefix(['+', '-']).unwrap_or(exponent)));
    text.parse::<f64>().ok().filter(|n| good && n.is_finite())
}

fn of_text<'v>(function: Function, args: &Args<'_, 'v>) -> Answer<Item<'v>> {
    let Some(text) = args.text(0)? else {
        return Ok(undefined());
    };
    Ok(match function {
        Function::Length => number(text.chars().count() as f64),
        Function::Uppercase => owned(text.to_uppercase()),
        Function::Lowercase => owned(text.to_lowercase()),
        _ => {
            let words = text
                .split([' ', '\t', '\n', '\r'])
                .filter(|word| !word.is_empty());
            owned(words.collect::<Vec<_>>().join(" "))
        }
    })
}

fn substring<'v>(args: &Args<'_, 'v>) -> Answer<Item<'v>> {
    let text = args.text(0)?;
    let (start, length) = (args.number(1)?, args.number(2)?);
    let Some(text) = text else {
        return Ok(undefined());
    };
    let Some(start) = start else {
        return Err(Stop::Leave);
    };
    let count = text.chars().count() as f64;
    let start = if count + start < 0.0 { 0.0 } else { start };
    let from = slice_place(start, count);
    let to = match length {
        Some(length) if length <= 0.0 => return Ok(owned("")),
        Some(length) => slice_place(
            if start >= 0.0 {
                start + length
            } else {
                count + start + length
            },
            count,
        ),
        None => count as usize,
    };
    Ok(owned(
        text.chars()
            .skip(from)
            .take(to.saturating_sub(from))
            .collect::<String>(),
    ))
}

/// A place as JavaScript's `slice` takes it.
fn slice_place(place: f64, count: f64) -> usize {
    let place = place.trunc();
    (if place < 0.0 {
        (count + place).max(0.0)
    } else {
        place.min(count)
    }) as usize
}

fn of_two_texts<'v>(function: Function, args: &Args<'_, 'v>) -> Answer<Item<'v>> {
    let text = args.text(0)?;
    let Value::Str(part) = args.get(1) else {
        return Err(Stop::Leave);
    };
    let Some(text) = text else {
        return Ok(undefined());
    };
    Ok(match function {
        Function::Contains => boolean(text.contains(&**part)),
        Function::SubstringBefore => owned(
            text.split_once(&**part)
                .map_or(&**text, |(before, _)| before),
        ),
        Function::SubstringAfter => {
            owned(text.split_once(&**part).map_or(&**text, |(_, after)| after))
        }
        _ if part.is_empty() => return Err(Stop::Leave),
        _ => owned(text.split(&**part).map(Value::from).collect::<Vec<_>>()),
    })
}

fn join<'v>(args: &Args<'_, 'v>) -> Answer<Item<'v>> {
    let separator = args.text(1)?.map_or("", |text| text);
    let wrong = || {
        let index = Value::from(1);
        let fills = [
            ("index", Fill::Json(&index)),
            ("token", Fill::Text("join")),
            ("type", Fill::Text("strings")),
        ];
        Stop::Raise(errors::made("T0412", &fills))
    };
    let texts = match args.get(0) {
        Value::Undefined => return Ok(undefined()),
        Value::Str(text) => return Ok(owned(text.clone())),
        Value::Array(items) => items
            .iter()
            .map(|item| item.as_str().ok_or_else(wrong))
            .collect::<Answer<Vec<_>>>()?,
        _ => return Err(wrong()),
    };
    Ok(owned(texts.join(separator)))
}

fn of_number<'v>(function: Function, args: &Args<'_, 'v>) -> Answer<Item<'v>> {
    let (n, second) = (args.number(0)?, args.number(1)?);
    let Some(n) = n else { return Ok(undefined()) };
    let result = match function {
        Function::Abs => n.abs(),
        Function::Floor => n.floor(),
        Function::Ceil => n.ceil(),
        Function::Sqrt if n < 0.0 => {
            return Err(Stop::Raise(errors::made(
                "D3060",
                &[("value", Fill::Json(&Value::Number(n)))],
            )));
        }
        Function::Sqrt => n.sqrt(),
        Function::Power => n.powf(second.ok_or(Stop::Leave)?),
        _ => round(n, second.unwrap_or(0.0)),
    };
    if result.is_finite() {
        Ok(number(result))
    } else {
        Err(Stop::Leave)
    }
}

/// To the nearest, halves to the even one; `places` after the point.
fn round(n: f64, places: f64) -> f64 {
    let shifted = if places == 0.0 { n } else { shift(n, places) };
    let mut result = (shifted + 0.5).floor();
    // (`x + 0.5` is not exact for what is just below a half)
    if shifted.fract().abs() != 0.5 {
        result = shifted.round();
    }
    if (result - shifted).abs() == 0.5 && (result % 2.0).abs() == 1.0 {
        result -= 1.0;
    }
    let result = if places == 0.0 {
        result
    } else {
        shift(result, -places)
    };
    if result == 0.0 { 0.0 } else { result }
}

/// Moves the decimal point in the number's text, so that no digit changes.
fn shift(n: f64, places: f64) -> f64 {
    let text = vgdc_value::number::to_js_string(n);
    let (digits, exponent) = match text.split_once('e') {
        Some((digits, exponent)) => (digits, exponent.parse().unwrap_or(0.0)),
        None => (text.as_str(), 0.0),
    };
    format!("{digits}e{}", exponent + places)
        .parse()
        .unwrap_or(f64::NAN)
}

fn of_numbers<'v>(function: Function, args: &Args<'_, 'v>) -> Answer<Item<'v>> {
    let Some(numbers) = args.numbers()? else {
        return Ok(undefined());
    };
    if numbers.iter().any(|n| n.is_nan()) {
        return Err(Stop::Leave);
    }
    let sum = || numbers.iter().fold(0.0, |sum, n| sum + n);
    Ok(match function {
        Function::Sum => number(sum()),
        _ if numbers.is_empty() => undefined(),
        Function::Average => number(sum() / numbers.len() as f64),
        Function::Max => number(numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max)),
        _ => number(numbers.iter().copied().fold(f64::INFINITY, f64::min)),
    })
}

fn append<'v>(args: &Args<'_, 'v>, items: &[Item<'v>]) -> Answer<Item<'v>> {
    let (first, second) = (args.get(0), args.get(1));
    if first.is_undefined() || second.is_undefined() {
        let other = if first.is_undefined() { 1 } else { 0 };
        return Ok(items.get(other).cloned().unwrap_or_else(undefined));
    }
    let list = |value: &Value| match value {
        Value::Array(items) => items.clone(),
        single => Array::from(vec![single.clone()]),
    };
    let mut all = list(first).into_vec();
    all.extend(list(second).iter().cloned());
    Ok(owned(all))
}
