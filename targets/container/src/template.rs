//! Templates, and how texts are written in the languages of the files.
//!
//! Nothing is escaped by itself: a template says how a text is written. `{{x}}` alone is for numbers and for names that
//! `names` has checked.
//!
//! | in a template | writes | for |
//! | --- | --- | --- |
//! | `yaml` | a text in double quotes | YAML (1.2.2, section 7.3.1) |
//! | `compose` | likewise, with `$` doubled | values in compose.yaml, which puts variables in |
//! | `docker` | a text in double quotes, with `$` escaped | arguments in a Dockerfile |
//!
//! In systemd units there are only checked names.

use crate::Error;
use handlebars::{
    Context, Handlebars, Helper, HelperResult, Output, RenderContext, RenderErrorReason,
};
use serde::Serialize;
use serde_json::Value as Json;

/// Fills in a template.
///
/// # Errors
/// The template asks for what it is not given: a fault of vgdc's.
pub fn fill(template: &str, data: &impl Serialize) -> Result<String, Error> {
    let mut templates = Handlebars::new();
    templates.set_strict_mode(true);
    templates.register_escape_fn(handlebars::no_escape);
    for (name, write) in [
        ("yaml", yaml as fn(&str) -> String),
        ("compose", compose),
        ("docker", docker),
    ] {
        let called = move |h: &Helper<'_>,
                           _: &Handlebars<'_>,
                           _: &Context,
                           _: &mut RenderContext<'_, '_>,
                           out: &mut dyn Output|
              -> HelperResult {
            let param = h.param(0).map(|param| param.value());
            let text = match param {
                Some(Json::String(text)) => write(text),
                _ => {
                    return Err(RenderErrorReason::ParamTypeMismatchForName(
                        name,
                        "0".to_owned(),
                        "string".to_owned(),
                    )
                    .into());
                }
            };
            out.write(&text)?;
            Ok(())
        };
        templates.register_helper(name, Box::new(called));
    }
    let text = templates.render_template(template, data);
    text.map_err(|e| {
        Error::new(format!(
            "internal error: a template cannot be filled in: {e}"
        ))
    })
}

/// A scalar in double quotes. All that is neither a letter of ASCII nor one that YAML prints is written as an escape.
pub fn yaml(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            ' '..='~' => out.push(c),
            // (line breaks of Unicode and what is no character to print are not among these)
            '\u{a0}'..='\u{2027}' | '\u{202a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' => {
                out.push(c)
            }
            c if (c as u32) < 0x100 => out.push_str(&format!("\\x{:02x}", c as u32)),
            c if (c as u32) < 0x1_0000 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push_str(&format!("\\U{:08x}", c as u32)),
        }
    }
    out.push('"');
    out
}

fn compose(text: &str) -> String {
    yaml(&text.replace('$', "$$"))
}

/// An argument of LABEL: quotes, `\` and `$` have a meaning in it. Control characters were refused.
fn docker(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        if ['"', '\\', '$'].contains(&c) {
            out.push('\\');
        }
        out.push(c);
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use saphyr::{LoadableYamlNode, Yaml};
    use serde_json::json;

    /// What a YAML reader takes a text for.
    fn read(text: &str) -> Option<String> {
        let all = Yaml::load_from_str(text).ok()?;
        let text = all.first()?.as_str().map(str::to_owned);
        text.filter(|_| all.len() == 1)
    }

    #[test]
    fn odd_texts_are_texts_in_yaml() {
        for odd in [
            "", " ", "no", "null", "~", "1", "1e3", "0x1F", "- a", "a: b", "a #b", "# a", "{a}",
            "[a", "*a", "&a", "!a", "|", ">", "%a", "@a", "`a`", "'", "\"", "\\", "a\nb", "a\r\nb",
            "\t", "\0", "\u{85}", "\u{2028}", "\u{feff}", "äöü", "日本", "😀", "$A", "${A}",
            "{{a}}", "---", "...", "a\u{7f}b", "\u{fffe}",
        ] {
            assert_eq!(read(&yaml(odd)).as_deref(), Some(odd), "{}", yaml(odd));
        }
    }

    proptest! {
        #[test]
        fn any_text_is_the_same_after_yaml(text in any::<String>()) {
            let written = yaml(&text);
            prop_assert!(!written.contains('\n'));
            prop_assert_eq!(read(&written), Some(text));
        }

        #[test]
        fn a_quoted_text_ends_where_it_should(text in "\\PC*") {
            let written = docker(&text);
            let mut letters = written[1..written.len() - 1].chars();
            let mut read = String::new();
            while let Some(c) = letters.next() {
                prop_assert!(c != '"' && c != '$');
                read.extend(if c == '\\' { letters.next() } else { Some(c) });
            }
            prop_assert_eq!(read, text);
        }
    }

    #[test]
    fn each_language_has_its_own_escapes() {
        assert_eq!(compose("a${B}"), "\"a$${B}\"");
        assert_eq!(docker("a$B\"\\"), "\"a\\$B\\\"\\\\\"");
    }

    #[test]
    fn a_template_that_asks_for_too_much_is_a_fault() {
        assert_eq!(
            fill("{{yaml a}}{{b}}", &json!({ "a": "<&>", "b": 1 })),
            Ok("\"<&>\"1".to_owned())
        );
        for bad in ["{{gone}}", "{{yaml gone}}", "{{yaml n}}", "{{"] {
            assert!(fill(bad, &json!({ "n": 1 })).is_err(), "{bad}");
        }
    }
}
