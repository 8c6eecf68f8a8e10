//! Functions of the language, and what code asks of its node. `None` is a bail-out.

use crate::call::{Context, Level, Scope};
use crate::{buffers, dates, ops, regex, texts};
use std::cell::Cell;
use std::hash::{BuildHasher as _, RandomState};
use vgdc_plan::native::{Builtin, Host, Math};
use vgdc_value::{Array, Key, Object, Value, date, json, number};

/// The longest array that is made at once.
const LONGEST: f64 = 1_000_000.0;

/// Calls a function of the language. The arguments are used up.
pub(crate) fn call(context: &mut Context, which: Builtin, args: &mut [Value]) -> Option<Value> {
    let none = Value::Undefined;
    let first = args.first().unwrap_or(&none);
    Some(match which {
        Builtin::Number if args.is_empty() => Value::Number(0.0),
        Builtin::Number => Value::Number(ops::to_number(first)?),
        Builtin::String if args.is_empty() => Value::from(""),
        Builtin::String => ops::to_text(first)?,
        Builtin::Boolean => Value::Bool(first.truthy()),
        Builtin::ParseInt | Builtin::NumberParseInt => {
            let radix = match args.get(1) {
                Some(radix) => number::to_int32(ops::to_number(radix)?),
                None => 0,
            };
            Value::Number(parse_int(ops::to_text(first)?.as_str()?, radix)?)
        }
        Builtin::ParseFloat | Builtin::NumberParseFloat => {
            Value::Number(number::parse_float(ops::to_text(first)?.as_str()?))
        }
        Builtin::IsNaN => Value::Bool(ops::to_number(first)?.is_nan()),
        Builtin::IsFinite => Value::Bool(ops::to_number(first)?.is_finite()),
        Builtin::NumberIsNaN => Value::Bool(first.as_f64().is_some_and(f64::is_nan)),
        Builtin::NumberIsFinite => Value::Bool(first.as_f64().is_some_and(f64::is_finite)),
        Builtin::NumberIsInteger => Value::Bool(
            first
                .as_f64()
                .is_some_and(|n| n.is_finite() && n.trunc() == n),
        ),
        Builtin::JsonParse if args.len() == 1 => {
            json::parse(ops::to_text(first)?.as_str()?).ok()?
        }
        Builtin::JsonParse => return None,
        Builtin::JsonStringify => stringify(args)?,
        Builtin::ObjectKeys => list(first, |key, _| Value::from(key))?,
        Builtin::ObjectValues => list(first, |_, value| value.clone())?,
        Builtin::ObjectEntries => list(first, |key, value| {
            Value::from(vec![Value::from(key), value.clone()])
        })?,
        Builtin::IsArray => Value::Bool(matches!(first, Value::Array(_))),
        Builtin::IsBuffer => Value::Bool(matches!(first, Value::Buffer(_))),
        Builtin::DateNow => Value::Number(context.host().now_ms().floor()),
        Builtin::CloneMessage => match first {
            Value::Object(_) if args.len() == 1 => first.clone(),
            _ => return None,
        },
        Builtin::Random => Value::Number(random()),
        Builtin::NewDate => match args.first() {
            None => Value::Date(context.host().now_ms().floor()),
            Some(_) if args.len() > 1 => Value::Date(dates::of_parts(args, true)?),
            Some(Value::Number(ms) | Value::Date(ms)) => Value::Date(date::clip(*ms)),
            Some(Value::Str(text)) => Value::Date(dates::parse(text)?),
            Some(Value::Null) => Value::Date(0.0),
            Some(Value::Undefined) => Value::Date(f64::NAN),
            Some(_) => return None,
        },
        Builtin::DateParse => match args {
            [Value::Str(text)] => Value::Number(dates::parse(text)?),
            _ => return None,
        },
        Builtin::DateUtc if args.is_empty() => Value::Number(f64::NAN),
        Builtin::DateUtc => Value::Number(dates::of_parts(args, false)?),
        Builtin::DateText => Value::from(dates::text(context.host().now_ms().floor())?),
        Builtin::RegExp => match args {
            [Value::Str(source)] => regex::value(source, "")?,
            [Value::Str(source), Value::Str(flags)] => regex::value(source, flags)?,
            _ => return None,
        },
        Builtin::RegExpSteps => match args {
            [Value::Str(text), pattern] => regex::steps(text, pattern)?,
            _ => return None,
        },
        Builtin::FromCharCode => texts::of_units(args)?,
        Builtin::EncodeUriComponent => texts::encode(first, false)?,
        Builtin::DecodeUriComponent => texts::decode(first, false)?,
        Builtin::EncodeUri => texts::encode(first, true)?,
        Builtin::DecodeUri => texts::decode(first, true)?,
        Builtin::ConsoleText => texts::console(args)?,
        Builtin::FilledArray => match args {
            [Value::Number(n), value] if (0.0..=LONGEST).contains(n) && n.trunc() == *n => {
                Value::Array(Array::from(vec![value.clone(); *n as usize]))
            }
            _ => return None,
        },
        // (they change what they are given: `shared.rs`, `collections.rs`)
        Builtin::ObjectAssign
        | Builtin::SetMessageProperty
        | Builtin::NewSet
        | Builtin::NewMap
        | Builtin::SetAdd
        | Builtin::SetHas
        | Builtin::SetDelete
        | Builtin::SetClear
        | Builtin::SetSize
        | Builtin::SetKeys
        | Builtin::SetValues
        | Builtin::SetEntries
        | Builtin::MapGet
        | Builtin::MapSet => return None,
        // (an object may be of another realm, where the class of that name is another one)
        Builtin::Instance => match first {
            Value::Undefined | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Str(_) => {
                Value::Bool(false)
            }
            _ => return None,
        },
        Builtin::ObjectFromEntries => match args {
            [Value::Array(entries)] => from_entries(entries, |entry| Some(entry.clone()))?,
            _ => return None,
        },
        Builtin::IsSafeInteger => Value::Bool(first.as_f64().is_some_and(|n| {
            n.is_finite() && n.trunc() == n && n.abs() <= 9_007_199_254_740_991.0
        })),
        Builtin::BufferFrom => buffers::from(args)?,
        Builtin::BufferAlloc => buffers::alloc(args)?,
        Builtin::BufferConcat => buffers::concat(args)?,
        Builtin::BufferByteLength => buffers::length(args)?,
        Builtin::ArrayFrom => match args {
            [Value::Array(items)] => Value::Array(Array::from(items.to_vec())),
            _ => return None,
        },
    })
}

/// An object of names and values. `open` gives what an entry is.
pub(crate) fn from_entries(
    entries: &Array,
    open: impl Fn(&Value) -> Option<Value>,
) -> Option<Value> {
    let mut made = Object::with_capacity(entries.len());
    for entry in entries {
        let Value::Array(pair) = open(entry)? else {
            return None;
        };
        let key = match pair.first() {
            Some(key) => ops::to_text(key)?,
            None => Value::from("undefined"),
        };
        let key = key.as_str().filter(|key| *key != "__proto__")?;
        made.insert(Key::data(key), pair.get(1).cloned().unwrap_or_default());
    }
    Some(Value::Object(made))
}

fn stringify(args: &[Value]) -> Option<Value> {
    if args.get(1).is_some_and(|replacer| !replacer.is_nullish()) || args.len() > 3 {
        return None;
    }
    let indent = match args.get(2) {
        None | Some(Value::Undefined | Value::Null) => 0,
        Some(Value::Number(n)) if *n >= 0.0 => n.min(10.0) as usize,
        Some(_) => return None,
    };
    let text = json::stringify(args.first()?, indent).ok()?;
    Some(text.map_or(Value::Undefined, Value::from))
}

fn list(value: &Value, each: impl Fn(&str, &Value) -> Value) -> Option<Value> {
    let items: Vec<Value> = match value {
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| each(key.as_str(), value))
            .collect(),
        Value::Array(items) => {
            let numbered = items.iter().enumerate();
            numbered
                .map(|(at, value)| each(&at.to_string(), value))
                .collect()
        }
        _ => return None,
    };
    Some(Value::Array(Array::from(items)))
}

/// `parseInt`. Long numbers in rare bases are left to the engine, which rounds them as the language says.
fn parse_int(text: &str, radix: i32) -> Option<f64> {
    let text = text.trim_matches(number::is_js_space);
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let hex = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X"));
    let (radix, text) = match (radix, hex) {
        (0 | 16, Some(digits)) => (16, digits),
        (0, None) => (10, text),
        (2..=36, _) => (radix as u32, text),
        _ => return Some(f64::NAN),
    };
    let end = text
        .find(|c: char| !c.is_digit(radix))
        .unwrap_or(text.len());
    let digits = &text[..end];
    if digits.is_empty() {
        return Some(f64::NAN);
    }
    if radix == 10 {
        return digits.parse::<f64>().ok().map(|n| sign * n);
    }
    if digits.len() > 10 {
        return None;
    }
    u64::from_str_radix(digits, radix)
        .ok()
        .map(|n| sign * n as f64)
}

fn random() -> f64 {
    thread_local! {
        static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0) | 1);
    }
    // (xorshift64*: nobody's secrets hang on it)
    STATE.with(|state| {
        let mut x = state.get();
        x ^= x >> 12;
        x ^= x << 25;
        x ^= x >> 27;
        state.set(x);
        (x.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11) as f64 / (1_u64 << 53) as f64
    })
}

/// Functions of one number.
pub(crate) fn math1(which: Math, x: f64) -> f64 {
    match which {
        Math::Abs => x.abs(),
        Math::Floor => x.floor(),
        Math::Ceil => x.ceil(),
        Math::Trunc => x.trunc(),
        Math::Round => round(x),
        Math::Sign => sign(x),
        Math::Sqrt => x.sqrt(),
        Math::Cbrt => x.cbrt(),
        Math::Sin => x.sin(),
        Math::Cos => x.cos(),
        Math::Tan => x.tan(),
        Math::Asin => x.asin(),
        Math::Acos => x.acos(),
        Math::Atan => x.atan(),
        Math::Sinh => x.sinh(),
        Math::Cosh => x.cosh(),
        Math::Tanh => x.tanh(),
        Math::Log => x.ln(),
        Math::Log2 => x.log2(),
        Math::Log10 => x.log10(),
        Math::Exp => x.exp(),
        Math::Pow | Math::Atan2 | Math::Max | Math::Min | Math::Remainder => f64::NAN,
    }
}

/// `Math.round`: halves go up, and the sign of a zero stays.
#[inline]
pub(crate) fn round(x: f64) -> f64 {
    let below = x.floor();
    let whole = if x - below >= 0.5 { below + 1.0 } else { below };
    whole.copysign(x)
}

/// `Math.sign`
#[inline]
pub(crate) fn sign(x: f64) -> f64 {
    if x.is_nan() || x == 0.0 {
        x
    } else {
        x.signum()
    }
}

/// `Math.max` of two: of two zeros the positive one is larger.
#[inline]
pub(crate) fn max(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() {
        f64::NAN
    } else if x > y || x == y && x.is_sign_positive() {
        x
    } else {
        y
    }
}

/// `Math.min` of two.
#[inline]
pub(crate) fn min(x: f64, y: f64) -> f64 {
    if x.is_nan() || y.is_nan() {
        f64::NAN
    } else if x < y || x == y && x.is_sign_negative() {
        x
    } else {
        y
    }
}

/// Functions of two numbers.
pub(crate) fn math2(which: Math, x: f64, y: f64) -> f64 {
    match which {
        // (unlike C's: 1 ** NaN and 1 ** Infinity are NaN)
        Math::Pow if y.is_nan() || x.abs() == 1.0 && y.is_infinite() => f64::NAN,
        Math::Pow => x.powf(y),
        Math::Atan2 => x.atan2(y),
        Math::Remainder => x % y,
        Math::Max => max(x, y),
        Math::Min => min(x, y),
        _ => f64::NAN,
    }
}

/// Asks the node. The arguments are used up.
pub(crate) fn host(context: &mut Context, which: Host, args: &mut [Value]) -> Option<Value> {
    let host = context.host();
    let mut take = |at: usize| args.get_mut(at).map(std::mem::take);
    let done = match which {
        Host::Send => host.send(take(0)?),
        Host::Status => host.status(take(0)?),
        Host::Log => host.log(Level::Info, take(0)?),
        Host::Warn => host.log(Level::Warn, take(0)?),
        Host::Debug => host.log(Level::Debug, take(0)?),
        Host::Trace => host.log(Level::Trace, take(0)?),
        Host::Error => {
            let value = take(0)?;
            host.error(value, take(1))
        }
        Host::NodeGet | Host::FlowGet | Host::GlobalGet => {
            let (key, store) = (take(0)?, take(1));
            return host.context_get(scope(which), key.as_str()?, store_name(&store)?);
        }
        Host::NodeSet | Host::FlowSet | Host::GlobalSet => {
            let (key, value, store) = (take(0)?, take(1).unwrap_or_default(), take(2));
            host.context_set(scope(which), key.as_str()?, value, store_name(&store)?)
        }
        Host::NodeKeys | Host::FlowKeys | Host::GlobalKeys => {
            let store = take(0);
            let keys = host.context_keys(scope(which), store_name(&store)?)?;
            let keys = keys.iter().map(|key| Value::from(key.as_str()));
            return Some(Value::Array(keys.collect()));
        }
        Host::Env => return Some(host.env(take(0)?.as_str()?)),
        Host::NodeId => return Some(Value::from(host.id())),
        Host::NodeName => return Some(Value::from(host.name())),
    };
    done.then_some(Value::Undefined)
}

/// The name of a store; `None` where something else was given (a callback).
pub(crate) fn store_name(given: &Option<Value>) -> Option<Option<&str>> {
    match given {
        None | Some(Value::Undefined) => Some(None),
        Some(Value::Str(name)) => Some(Some(name)),
        Some(_) => None,
    }
}

pub(crate) fn scope(which: Host) -> Scope {
    match which {
        Host::FlowGet | Host::FlowSet | Host::FlowKeys => Scope::Flow,
        Host::GlobalGet | Host::GlobalSet | Host::GlobalKeys => Scope::Global,
        _ => Scope::Node,
    }
}
