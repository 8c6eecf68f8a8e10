//! What stands in front of documents and nodes of a YAML text: directives, tags, anchors; and aliases.

use super::yaml_reader::{Fault, Reader, is, is_break, is_flow_indicator, is_gap, is_space};
use super::yaml_types::YAML;
use vgdc_core::value::Value;

impl Reader {
    pub(super) fn directive(&mut self) -> Result<(), Fault> {
        let word = |c: u16| c != 0 && !is_gap(c);
        self.position += 1;
        let start = self.position;
        self.step_while(word);
        let name = self.since(start);
        if name.is_empty() {
            return Err(self.fault("directive name must not be less than one character in length"));
        }
        let mut arguments = Vec::new();
        while self.here() != 0 {
            let c = self.step_while(is_space);
            if is(c, '#') {
                self.step_while(|c| c != 0 && !is_break(c));
                break;
            }
            if is_break(c) {
                break;
            }
            let start = self.position;
            self.step_while(word);
            arguments.push(self.since(start));
        }
        if self.here() != 0 {
            self.line_break()?;
        }
        // (those that are not known are passed over)
        match name.as_str() {
            "YAML" => self.version_directive(&arguments),
            "TAG" => self.tag_directive(&arguments),
            _ => Ok(()),
        }
    }

    fn version_directive(&mut self, arguments: &[String]) -> Result<(), Fault> {
        if std::mem::replace(&mut self.version, true) {
            return Err(self.fault("duplication of %YAML directive"));
        }
        let [version] = arguments else {
            return Err(self.fault("YAML directive accepts exactly one argument"));
        };
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        match version.split_once('.') {
            Some((major, minor)) if digits(major) && digits(minor) => {
                if major.trim_start_matches('0') != "1" {
                    return Err(self.fault("unacceptable YAML version of the document"));
                }
                Ok(())
            }
            _ => Err(self.fault("ill-formed argument of the YAML directive")),
        }
    }

    fn tag_directive(&mut self, arguments: &[String]) -> Result<(), Fault> {
        let [handle, prefix] = arguments else {
            return Err(self.fault("TAG directive accepts exactly two arguments"));
        };
        if !is_handle(handle) {
            return Err(self.fault("ill-formed tag handle (first argument) of the TAG directive"));
        }
        if self.handles.contains_key(handle) {
            return Err(self.fault(&format!(
                "there is a previously declared suffix for \"{handle}\" tag handle"
            )));
        }
        if !is_tag_uri(prefix) {
            return Err(self.fault("ill-formed tag prefix (second argument) of the TAG directive"));
        }
        let decoded = percent_decoded(prefix)
            .ok_or_else(|| self.fault(&format!("tag prefix is malformed: {prefix}")))?;
        self.handles.insert(handle.clone(), decoded);
        Ok(())
    }

    pub(super) fn tag_property(&mut self) -> Result<bool, Fault> {
        if !is(self.here(), '!') {
            return Ok(false);
        }
        if self.tag.is_some() {
            return Err(self.fault("duplication of a tag property"));
        }
        let mut handle = "!".to_owned();
        let (verbatim, mut named) = (is(self.next(), '<'), is(self.next(), '!'));
        self.position += 1 + usize::from(verbatim || named);
        let mut start = self.position;
        let name;
        if verbatim {
            self.position += 1;
            self.step_while(|c| c != 0 && !is(c, '>'));
            if self.position + 1 >= self.text.len() {
                return Err(self.fault("unexpected end of the stream within a verbatim tag"));
            }
            name = self.since(start);
            self.position += 1;
        } else {
            if named {
                handle = "!!".to_owned();
            }
            while self.here() != 0 && !is_gap(self.here()) {
                if is(self.here(), '!') {
                    if named {
                        return Err(self.fault("tag suffix cannot contain exclamation marks"));
                    }
                    handle = format!("{}!", self.since(start - 1));
                    if !is_handle(&handle) {
                        return Err(self.fault("named tag handle cannot contain such characters"));
                    }
                    named = true;
                    start = self.position + 1;
                }
                self.position += 1;
            }
            name = self.since(start);
            if name.contains([',', '[', ']', '{', '}']) {
                return Err(self.fault("tag suffix cannot contain flow indicator characters"));
            }
        }
        if !name.is_empty() && !is_tag_uri(&name) {
            return Err(self.fault(&format!("tag name cannot contain such characters: {name}")));
        }
        let name = percent_decoded(&name)
            .ok_or_else(|| self.fault(&format!("tag name is malformed: {name}")))?;
        let tag = if verbatim {
            name
        } else if let Some(prefix) = self.handles.get(&handle) {
            format!("{prefix}{name}")
        } else if handle == "!" {
            format!("!{name}")
        } else if handle == "!!" {
            format!("{YAML}{name}")
        } else {
            return Err(self.fault(&format!("undeclared tag handle \"{handle}\"")));
        };
        self.tag = Some(tag);
        Ok(true)
    }

    /// The name behind `&` or `*`.
    fn name_here(&mut self, what: &str) -> Result<String, Fault> {
        self.position += 1;
        let start = self.position;
        self.step_while(|c| c != 0 && !is_gap(c) && !is_flow_indicator(c));
        if self.position == start {
            return Err(self.fault(&format!(
                "name of an {what} node must contain at least one character"
            )));
        }
        Ok(self.since(start))
    }

    pub(super) fn anchor_property(&mut self) -> Result<bool, Fault> {
        if !is(self.here(), '&') {
            return Ok(false);
        }
        if self.anchor.is_some() {
            return Err(self.fault("duplication of an anchor property"));
        }
        self.anchor = Some(self.name_here("anchor")?);
        Ok(true)
    }

    pub(super) fn alias(&mut self) -> Result<bool, Fault> {
        if !is(self.here(), '*') {
            return Ok(false);
        }
        let name = self.name_here("alias")?;
        match self.anchors.get(&name) {
            None => return Err(self.fault(&format!("unidentified alias \"{name}\""))),
            // (js-yaml makes a value that is inside itself, which messages here cannot hold)
            Some(Value::Undefined) => {
                return Err(self.fault(&format!("alias \"{name}\" is inside of what it names")));
            }
            Some(value) => self.result = value.clone(),
        }
        self.skip(true)?;
        Ok(true)
    }
}

fn is_handle(text: &str) -> bool {
    let word = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    match text.strip_prefix('!') {
        Some("" | "!") => true,
        Some(rest) => rest
            .strip_suffix('!')
            .is_some_and(|name| !name.is_empty() && word(name)),
        None => false,
    }
}

fn is_tag_uri(text: &str) -> bool {
    let mut bytes = text.bytes();
    let first = match bytes.next() {
        Some(first) => first,
        None => return false,
    };
    if matches!(first, b',' | b'[' | b']' | b'{' | b'}') {
        return false;
    }
    // (whatever the first character is, it may be the first of several bytes)
    let mut rest = text.chars();
    rest.next();
    let rest = rest.as_str().as_bytes();
    let mut at = 0;
    while at < rest.len() {
        let hex = |at: usize| rest.get(at).is_some_and(u8::is_ascii_hexdigit);
        if rest[at] == b'%' && hex(at + 1) && hex(at + 2) {
            at += 3;
        } else if rest[at].is_ascii_alphanumeric() || b"-#;/?:@&=+$,_.!~*'()[]".contains(&rest[at])
        {
            at += 1;
        } else {
            return false;
        }
    }
    true
}

/// As `decodeURIComponent` does it; `None` where it throws.
fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        if *first != b'%' {
            bytes.push(*first);
            rest = behind;
            continue;
        }
        let digit = |at: usize| char::from(*behind.get(at)?).to_digit(16);
        bytes.push((digit(0).zip(digit(1)).map(|(high, low)| high << 4 | low)?) as u8);
        rest = &behind[2..];
    }
    String::from_utf8(bytes).ok()
}
