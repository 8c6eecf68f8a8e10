//! Dates and numbers as people write them: what `runtime/engine/js/intl.js` does, for what is asked of it usually. `None` is a
//! bail-out.

use vgdc_plan::native::Method;
use vgdc_value::{Object, Value, date, number};

/// How a language writes numbers and dates.
struct Shape {
    group: &'static str,
    decimal: &'static str,
    date: Order,
    comma: &'static str,
    hour12: bool,
}

/// The order of a date in numbers, and what stands between them.
enum Order {
    MonthDayYear,
    /// Both with two digits.
    DayMonthYear2,
    DayMonthYear(char),
    /// Both with two digits.
    YearMonthDay2,
}

const fn shape(
    group: &'static str,
    decimal: &'static str,
    date: Order,
    comma: &'static str,
    hour12: bool,
) -> Shape {
    Shape {
        group,
        decimal,
        date,
        comma,
        hour12,
    }
}

const ENGLISH: Shape = shape(",", ".", Order::MonthDayYear, ", ", true);

fn shape_of(tag: &str) -> Shape {
    let known = |tag: &str| {
        Some(match tag {
            "en" => ENGLISH,
            "en-GB" => shape(",", ".", Order::DayMonthYear2, ", ", false),
            "de" => shape(".", ",", Order::DayMonthYear('.'), ", ", false),
            "fr" => shape("\u{202f}", ",", Order::DayMonthYear2, " ", false),
            "nl" => shape(".", ",", Order::DayMonthYear('-'), ", ", false),
            "sv" => shape("\u{a0}", ",", Order::YearMonthDay2, " ", false),
            _ => return None,
        })
    };
    let language = tag.split('-').next().unwrap_or_default();
    known(tag).or_else(|| known(language)).unwrap_or(ENGLISH)
}

/// Whether a language is left to the engine, which knows more of them.
fn is_left(tag: &str) -> bool {
    let language = tag.split('-').next().unwrap_or_default();
    let known = matches!(language, "en" | "de" | "fr" | "nl" | "sv");
    !known
        || tag.contains('-')
            && !matches!(
                tag,
                "en-US" | "en-GB" | "de-DE" | "fr-FR" | "nl-NL" | "sv-SE"
            )
}

/// Language and options among arguments.
fn asked(args: &[Value]) -> Option<(Shape, Object)> {
    let shape = match args.first() {
        None | Some(Value::Undefined | Value::Null) => ENGLISH,
        Some(Value::Str(tag)) if !is_left(tag) => shape_of(tag),
        Some(_) => return None,
    };
    let options = match args.get(1) {
        None | Some(Value::Undefined) => Object::new(),
        Some(Value::Object(options)) => options.clone(),
        Some(_) => return None,
    };
    Some((shape, options))
}

/// `toLocaleString` of a number.
pub(crate) fn number(n: f64, args: &[Value]) -> Option<Value> {
    let (shape, options) = asked(args)?;
    let digits = |key: &str| match options.get(key) {
        None | Some(Value::Undefined) => Some(None),
        Some(Value::Number(n)) if (0.0..=20.0).contains(n) && n.trunc() == *n => {
            Some(Some(*n as usize))
        }
        Some(_) => None,
    };
    let plain = options.keys().all(|key| {
        matches!(
            key.as_str(),
            "minimumFractionDigits" | "maximumFractionDigits"
        )
    });
    let (least, most) = (
        digits("minimumFractionDigits")?,
        digits("maximumFractionDigits")?,
    );
    if !plain || n.is_infinite() {
        return None;
    }
    if n.is_nan() {
        return Some(Value::from("NaN"));
    }
    let least = least.unwrap_or(0);
    let most = most.unwrap_or(least.max(3));
    let text = number::to_js_string(n.abs());
    if text.contains('e') {
        return None;
    }
    let rounded = round(&text, most)?;
    let (whole, fraction) = rounded.split_once('.').unwrap_or((&rounded, ""));
    let mut fraction = fraction.trim_end_matches('0').to_owned();
    while fraction.len() < least {
        fraction.push('0');
    }
    let mut made = String::new();
    if n.is_sign_negative() {
        made.push('-');
    }
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            made.push_str(shape.group);
        }
        made.push(digit);
    }
    if !fraction.is_empty() {
        made.push_str(shape.decimal);
        made.push_str(&fraction);
    }
    Some(Value::from(made))
}

/// Rounds the text of a number, halves away from zero.
fn round(text: &str, digits: usize) -> Option<String> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() <= digits {
        return Some(text.to_owned());
    }
    let kept: u128 = format!("{whole}{}", &fraction[..digits]).parse().ok()?;
    let kept = kept + u128::from(fraction.as_bytes()[digits] >= b'5');
    let padded = format!("{kept:0>width$}", width = digits + 1);
    let (whole, fraction) = padded.split_at(padded.len() - digits);
    Some(match digits {
        0 => whole.to_owned(),
        _ => format!("{whole}.{fraction}"),
    })
}

/// What is to be shown of a date, and how.
#[derive(Default)]
struct Options {
    weekday: String,
    year: String,
    month: String,
    day: String,
    hour: String,
    minute: String,
    second: String,
    hour12: Option<bool>,
    utc: bool,
}

impl Options {
    /// As they are given; rare ones are left to the engine.
    fn of(object: &Object) -> Option<Options> {
        let mut options = Options::default();
        for (key, value) in object {
            let place = match key.as_str() {
                _ if value.is_undefined() => continue,
                "weekday" => &mut options.weekday,
                "year" => &mut options.year,
                "month" => &mut options.month,
                "day" => &mut options.day,
                "hour" => &mut options.hour,
                "minute" => &mut options.minute,
                "second" => &mut options.second,
                "hour12" => {
                    options.hour12 = Some(value.as_bool()?);
                    continue;
                }
                "timeZone" => {
                    let zone = value.as_str()?.to_ascii_lowercase();
                    let utc = matches!(zone.as_str(), "utc" | "gmt" | "etc/utc" | "etc/gmt");
                    utc.then_some(())?;
                    options.utc = true;
                    continue;
                }
                _ => return None,
            };
            *place = value.as_str()?.to_owned();
        }
        Some(options)
    }

    fn has_day(&self) -> bool {
        [&self.weekday, &self.year, &self.month, &self.day]
            .iter()
            .any(|option| !option.is_empty())
    }

    fn has_time(&self) -> bool {
        [&self.hour, &self.minute, &self.second]
            .iter()
            .any(|option| !option.is_empty())
    }

    fn fill(&mut self, day: bool, time: bool) {
        let fields = [
            (day, &mut self.year, "numeric"),
            (day, &mut self.month, "numeric"),
            (day, &mut self.day, "numeric"),
            (time, &mut self.hour, "numeric"),
            (time, &mut self.minute, "2-digit"),
            (time, &mut self.second, "2-digit"),
        ];
        for (wanted, field, how) in fields {
            if wanted && field.is_empty() {
                how.clone_into(field);
            }
        }
    }
}

/// `toLocaleString`, `toLocaleDateString` and `toLocaleTimeString` of a date.
pub(crate) fn date(which: Method, ms: f64, args: &[Value]) -> Option<Value> {
    let (shape, options) = asked(args)?;
    if ms.is_nan() {
        return Some(Value::from("Invalid Date"));
    }
    let mut options = Options::of(&options)?;
    let (day, time) = match which {
        Method::ToLocaleString => (true, true),
        Method::ToLocaleDateString => (true, false),
        Method::ToLocaleTimeString => (false, true),
        _ => return None,
    };
    if !(day && options.has_day() || time && options.has_time()) {
        options.fill(day, time);
    }
    let is_named = matches!(options.month.as_str(), "long" | "short" | "narrow");
    if is_named && !shape.hour12 {
        return None;
    }
    let fields = date::fields(ms, !options.utc)?.map(|field| field as i64);
    if fields[0] < 0 {
        return None;
    }
    let day = options
        .has_day()
        .then(|| day_text(&fields, &shape, &options));
    let time = options.has_time().then(|| clock(&fields, &shape, &options));
    Some(Value::from(match (day, time) {
        (Some(day), Some(time)) if !day.is_empty() && !time.is_empty() => {
            format!("{day}{}{time}", shape.comma)
        }
        (Some(day), _) if !day.is_empty() => day,
        (_, time) => time.unwrap_or_default(),
    }))
}

fn clock(fields: &[i64; 8], shape: &Shape, options: &Options) -> String {
    let [hour, minute, second] = [fields[3], fields[4], fields[5]];
    let twelve = options.hour12.unwrap_or(shape.hour12);
    let mut shown = Vec::new();
    if !options.hour.is_empty() {
        let hour = match twelve {
            true if hour % 12 == 0 => 12,
            true => hour % 12,
            false => hour,
        };
        shown.push(match options.hour == "2-digit" || !twelve {
            true => format!("{hour:02}"),
            false => hour.to_string(),
        });
    }
    if !options.minute.is_empty() {
        shown.push(match !shown.is_empty() || !options.second.is_empty() {
            true => format!("{minute:02}"),
            false => minute.to_string(),
        });
    }
    if !options.second.is_empty() {
        shown.push(match shown.is_empty() {
            true => second.to_string(),
            false => format!("{second:02}"),
        });
    }
    let mut text = shown.join(":");
    if !options.hour.is_empty() && twelve {
        text.push_str(if hour < 12 { " AM" } else { " PM" });
    }
    text
}

fn day_text(fields: &[i64; 8], shape: &Shape, options: &Options) -> String {
    let number = |how: &str, n: i64| match how {
        "" => None,
        "2-digit" => Some(format!("{n:02}")),
        _ => Some(n.to_string()),
    };
    let name = |how: &str, name: &str| match how {
        "long" => name.to_owned(),
        "narrow" => name[..1].to_owned(),
        _ => name[..3].to_owned(),
    };
    let year = match options.year.as_str() {
        "2-digit" => Some(format!("{:02}", fields[0] % 100)),
        how => number(how, fields[0]),
    };
    let weekday = (!options.weekday.is_empty())
        .then(|| name(&options.weekday, date::DAY_NAMES[fields[7] as usize % 7]));
    let day = number(&options.day, fields[2]);
    if matches!(options.month.as_str(), "long" | "short" | "narrow") {
        let month = name(&options.month, date::MONTH_NAMES[fields[1] as usize % 12]);
        let text = match (&year, &day) {
            (Some(year), Some(day)) => format!("{month} {day}, {year}"),
            (Some(year), None) => format!("{month} {year}"),
            (None, Some(day)) => format!("{month} {day}"),
            (None, None) => month,
        };
        return match weekday {
            Some(weekday) => format!("{weekday}, {text}"),
            None => text,
        };
    }
    let month = number(&options.month, fields[1] + 1);
    let two = |text: &str| format!("{text:0>2}");
    let text = match (&year, &month, &day) {
        (Some(y), Some(m), Some(d)) => match shape.date {
            Order::MonthDayYear => format!("{m}/{d}/{y}"),
            Order::DayMonthYear2 => format!("{}/{}/{y}", two(d), two(m)),
            Order::DayMonthYear(by) => format!("{d}{by}{m}{by}{y}"),
            Order::YearMonthDay2 => format!("{y}-{}-{}", two(m), two(d)),
        },
        _ => {
            let parts = [month, day, year];
            parts.into_iter().flatten().collect::<Vec<_>>().join("/")
        }
    };
    match weekday {
        Some(weekday) if text.is_empty() => weekday,
        Some(weekday) => format!("{weekday}, {text}"),
        None => text,
    }
}

/// Whether a method of dates is one of these.
pub(crate) fn is_of_dates(which: Method) -> bool {
    matches!(
        which,
        Method::ToLocaleString | Method::ToLocaleDateString | Method::ToLocaleTimeString
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_rounded() {
        let shown = |n: f64, args: &[Value]| number(n, args).map(|text| text.to_js_string());
        assert_eq!(
            shown(1_234_567.891_5, &[]).as_deref(),
            Some("1,234,567.892")
        );
        assert_eq!(
            shown(-0.5, &[Value::from("de-DE")]).as_deref(),
            Some("-0,5")
        );
        assert_eq!(shown(1e30, &[]), None);
    }

    #[test]
    fn dates_are_written_in_the_order_of_the_language() {
        // (noon in UTC is the same day nearly everywhere)
        let options = Object::from_iter([("timeZone", Value::from("UTC"))]);
        let shown = |tag: &str| {
            let args = [Value::from(tag), Value::Object(options.clone())];
            date(Method::ToLocaleString, 1_700_049_600_000.0, &args).map(|text| text.to_js_string())
        };
        assert_eq!(shown("en-US").as_deref(), Some("11/15/2023, 12:00:00 PM"));
        assert_eq!(shown("sv-SE").as_deref(), Some("2023-11-15 12:00:00"));
    }
}
