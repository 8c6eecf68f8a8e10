//! Reads XML as a stream of tags and texts, the way the reader behind xml2js (sax 1.6) does: what it takes, and its words for
//! the first thing that is wrong.
//!
//! The XML readers of Rust tell other faults, and take other texts for well-formed; flows see both.

pub use super::xml_names::Name;
use super::xml_names::{begins_name, in_name, is_quote, is_space, known, parted};

/// Buffers that are longer at the end of a chunk are an error.
const LONGEST: usize = 64 * 1024;

/// How a text is read.
#[derive(Clone, Copy)]
pub struct Options {
    /// What is not well-formed is an error; otherwise it is taken for text, and names are upper case.
    pub strict: bool,
    /// Names have namespaces.
    pub namespaces: bool,
    /// How many characters are looked at before the length of buffers is.
    pub chunk: usize,
}

/// What begins an element.
#[derive(Default)]
pub struct Tag {
    /// Its name.
    pub name: Name,
    /// Its attributes in their order.
    pub attributes: Vec<(Name, String)>,
    /// How many namespaces were bound around it.
    bound: usize,
}

/// Who is told what is found.
pub trait Events {
    /// An element begins.
    fn open(&mut self, tag: &Tag);
    /// An element ends; true when nothing more is wanted.
    fn close(&mut self) -> bool;
    /// Text, or a CDATA section.
    fn text(&mut self, text: &str, cdata: bool);
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Begin,
    Text,
    /// Behind `<`.
    Open,
    Declaration,
    DeclarationQuoted,
    Doctype,
    DoctypeQuoted,
    Dtd,
    DtdQuoted,
    Comment,
    CommentEnding,
    CommentEnded,
    Cdata,
    CdataEnding,
    CdataEnded,
    Instruction,
    InstructionBody,
    InstructionEnding,
    TagName,
    TagSlash,
    Attribute,
    AttributeName,
    AttributeNamed,
    Value,
    ValueQuoted,
    ValueClosed,
    ValueUnquoted,
    CloseName,
    CloseNamed,
    Script,
    ScriptEnding,
    /// Behind `&`, in a text or a value; where it goes on afterwards.
    TextEntity,
    QuotedEntity,
    UnquotedEntity,
}

/// What has gone wrong; nothing where the reader goes on.
type Step = Result<(), String>;

/// Reads a text.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn read(text: &str, options: Options, events: &mut dyn Events) -> Result<(), String> {
    let mut reader = Reader {
        options,
        events,
        state: State::Begin,
        line: 0,
        column: 0,
        position: 0,
        opened_at: 0,
        c: None,
        saw_root: false,
        closed_root: false,
        enough: false,
        tags: Vec::new(),
        tag: Tag::default(),
        bindings: ["xml", "xmlns"]
            .map(str::to_owned)
            .into_iter()
            .zip([XML, XMLNS].map(str::to_owned))
            .collect(),
        text: String::new(),
        word: String::new(),
        doctype: String::new(),
        saw_doctype: false,
        comment: String::new(),
        cdata: String::new(),
        instruction: String::new(),
        name: String::new(),
        attribute: String::new(),
        value: String::new(),
        entity: String::new(),
        script: String::new(),
        quote: None,
    };
    reader.run(text)
}

const XML: &str = "http://www.w3.org/XML/1998/namespace";
const XMLNS: &str = "http://www.w3.org/2000/xmlns/";

struct Reader<'a> {
    options: Options,
    events: &'a mut dyn Events,
    state: State,
    /// Where it is, counted in UTF-16 units.
    line: usize,
    column: usize,
    position: usize,
    /// Where the last `<` was.
    opened_at: usize,
    c: Option<char>,
    saw_root: bool,
    closed_root: bool,
    enough: bool,
    tags: Vec<Tag>,
    tag: Tag,
    bindings: Vec<(String, String)>,
    text: String,
    /// What stands behind `<!`.
    word: String,
    doctype: String,
    saw_doctype: bool,
    comment: String,
    cdata: String,
    /// The body of a processing instruction.
    instruction: String,
    name: String,
    attribute: String,
    value: String,
    entity: String,
    script: String,
    quote: Option<char>,
}

impl Reader<'_> {
    fn run(&mut self, text: &str) -> Step {
        for c in text.chars() {
            self.position += 1;
            self.c = Some(c);
            if c == '\n' {
                self.line += 1;
                self.column = 0;
            } else {
                self.column += 1;
            }
            self.take(c)?;
            if self.enough {
                return Ok(());
            }
            if c.len_utf16() == 2 {
                self.position += 1;
                self.column += 1;
            }
            if self.position.is_multiple_of(self.options.chunk) {
                self.look_at_buffers()?;
            }
        }
        self.c = None;
        self.look_at_buffers()?;
        if self.saw_root && !self.closed_root {
            self.wrong("Unclosed root tag")?;
        }
        if !matches!(self.state, State::Begin | State::Text) {
            return Err(self.error("Unexpected end"));
        }
        Ok(())
    }

    fn error(&self, what: &str) -> String {
        // (it looks at halves of surrogate pairs)
        let c = match self.c {
            Some(c) if c.len_utf16() == 2 => "\u{fffd}".to_owned(),
            c => c.map(String::from).unwrap_or_default(),
        };
        format!(
            "{what}\nLine: {}\nColumn: {}\nChar: {c}",
            self.line, self.column
        )
    }

    /// Something is not well-formed.
    fn wrong(&self, what: &str) -> Step {
        match self.options.strict {
            true => Err(self.error(what)),
            false => Ok(()),
        }
    }

    fn look_at_buffers(&mut self) -> Step {
        let buffers = [
            ("comment", &self.comment),
            ("sgmlDecl", &self.word),
            ("tagName", &self.name),
            ("doctype", &self.doctype),
            ("procInstBody", &self.instruction),
            ("entity", &self.entity),
            ("attribName", &self.attribute),
            ("attribValue", &self.value),
        ];
        let too_long = buffers
            .into_iter()
            .find(|(_, text)| text.len() > LONGEST && text.encode_utf16().count() > LONGEST);
        if let Some((name, _)) = too_long {
            let c = self.c.take();
            let error = self.error(&format!("Max buffer length exceeded: {name}"));
            self.c = c;
            return Err(error);
        }
        Ok(())
    }

    fn cased(&self, name: &str) -> String {
        match self.options.strict {
            true => name.to_owned(),
            false => name.to_uppercase(),
        }
    }

    fn end_text(&mut self) {
        if !self.text.is_empty() {
            let text = std::mem::take(&mut self.text);
            self.events.text(&text, false);
        }
    }

    fn in_dtd(&self) -> bool {
        !self.saw_doctype && !self.doctype.is_empty()
    }

    fn take(&mut self, c: char) -> Step {
        match self.state {
            State::Begin => self.begin(c),
            State::Text => self.in_text(c),
            State::Open => self.behind_open(c),
            State::Declaration
            | State::DeclarationQuoted
            | State::Doctype
            | State::DoctypeQuoted
            | State::Dtd
            | State::DtdQuoted => self.in_declaration(c),
            State::Comment | State::CommentEnding | State::CommentEnded => self.in_comment(c),
            State::Cdata | State::CdataEnding | State::CdataEnded => {
                self.in_cdata(c);
                Ok(())
            }
            State::Instruction | State::InstructionBody | State::InstructionEnding => {
                self.in_instruction(c);
                Ok(())
            }
            State::TagName | State::TagSlash => self.in_tag_name(c),
            State::Attribute | State::AttributeName | State::AttributeNamed => self.in_attribute(c),
            State::Value | State::ValueQuoted | State::ValueClosed | State::ValueUnquoted => {
                self.in_value(c)
            }
            State::CloseName | State::CloseNamed => self.in_close(c),
            State::Script => {
                match c {
                    '<' => self.state = State::ScriptEnding,
                    c => self.script.push(c),
                }
                Ok(())
            }
            State::ScriptEnding => {
                if c == '/' {
                    self.state = State::CloseName;
                } else {
                    self.script.extend(['<', c]);
                    self.state = State::Script;
                }
                Ok(())
            }
            State::TextEntity | State::QuotedEntity | State::UnquotedEntity => self.in_entity(c),
        }
    }

    fn begin(&mut self, c: char) -> Step {
        if self.position == 1 && c == '\u{feff}' || is_space(c) {
            return Ok(());
        }
        if c == '<' {
            self.state = State::Open;
            self.opened_at = self.position;
            return Ok(());
        }
        self.wrong("Non-whitespace before first tag.")?;
        self.text = c.to_string();
        self.state = State::Text;
        Ok(())
    }

    fn in_text(&mut self, c: char) -> Step {
        let loose_end = self.saw_root && self.closed_root && !self.options.strict;
        if c == '<' && !loose_end {
            self.state = State::Open;
            self.opened_at = self.position;
            return Ok(());
        }
        if !is_space(c) && (!self.saw_root || self.closed_root) {
            self.wrong("Text data outside of root node.")?;
        }
        if c == '&' {
            self.state = State::TextEntity;
        } else {
            self.text.push(c);
        }
        Ok(())
    }

    fn behind_open(&mut self, c: char) -> Step {
        match c {
            '!' => {
                self.state = State::Declaration;
                self.word.clear();
            }
            c if is_space(c) => {}
            c if begins_name(c) => {
                self.state = State::TagName;
                self.name = c.to_string();
            }
            '/' => {
                self.state = State::CloseName;
                self.name.clear();
            }
            '?' => {
                self.state = State::Instruction;
                self.instruction.clear();
            }
            c => {
                self.wrong("Unencoded <")?;
                self.text.push('<');
                let spaces = self.position - self.opened_at - 1;
                self.text.extend(std::iter::repeat_n(' ', spaces));
                self.text.push(c);
                self.state = State::Text;
            }
        }
        Ok(())
    }

    fn in_declaration(&mut self, c: char) -> Step {
        match self.state {
            State::Declaration => return self.declaration(c),
            // (nothing ends it: no quote is remembered here)
            State::DeclarationQuoted => self.word.push(c),
            State::Doctype if c == '>' => {
                self.state = State::Text;
                self.end_text();
                self.doctype.clear();
                self.saw_doctype = true;
            }
            State::Doctype => {
                self.doctype.push(c);
                if c == '[' {
                    self.state = State::Dtd;
                } else if is_quote(c) {
                    self.state = State::DoctypeQuoted;
                    self.quote = Some(c);
                }
            }
            State::Dtd if c == '<' => {
                self.state = State::Open;
                self.opened_at = self.position;
            }
            State::Dtd => {
                self.doctype.push(c);
                if c == ']' {
                    self.state = State::Doctype;
                } else if is_quote(c) {
                    self.state = State::DtdQuoted;
                    self.quote = Some(c);
                }
            }
            state => {
                self.doctype.push(c);
                if Some(c) == self.quote {
                    self.quote = None;
                    self.state = match state {
                        State::DtdQuoted => State::Dtd,
                        _ => State::Doctype,
                    };
                }
            }
        }
        Ok(())
    }

    fn declaration(&mut self, c: char) -> Step {
        let mut word = std::mem::take(&mut self.word);
        word.push(c);
        if word == "--" {
            self.state = State::Comment;
            self.comment.clear();
        } else if self.in_dtd() && word.len() > c.len_utf8() {
            self.state = State::Dtd;
            self.doctype.push_str("<!");
            self.doctype.push_str(&word);
        } else if word.eq_ignore_ascii_case("[CDATA[") {
            self.end_text();
            self.state = State::Cdata;
            self.cdata.clear();
        } else if word.eq_ignore_ascii_case("DOCTYPE") {
            self.state = State::Doctype;
            if self.saw_doctype || !self.doctype.is_empty() || self.saw_root {
                self.wrong("Inappropriately located doctype declaration")?;
            }
            self.doctype.clear();
            self.saw_doctype = false;
        } else if c == '>' {
            self.end_text();
            self.state = State::Text;
        } else {
            if is_quote(c) {
                self.state = State::DeclarationQuoted;
            }
            self.word = word;
        }
        Ok(())
    }

    fn in_comment(&mut self, c: char) -> Step {
        match self.state {
            State::Comment if c == '-' => self.state = State::CommentEnding,
            State::Comment => self.comment.push(c),
            State::CommentEnding if c == '-' => {
                self.state = State::CommentEnded;
                if !self.comment.is_empty() {
                    self.end_text();
                }
                self.comment.clear();
            }
            State::CommentEnding => {
                self.comment.extend(['-', c]);
                self.state = State::Comment;
            }
            _ if c != '>' => {
                self.wrong("Malformed comment")?;
                self.comment.extend(['-', '-', c]);
                self.state = State::Comment;
            }
            _ => {
                self.state = if self.in_dtd() {
                    State::Dtd
                } else {
                    State::Text
                }
            }
        }
        Ok(())
    }

    fn in_cdata(&mut self, c: char) {
        match self.state {
            State::Cdata if c == ']' => self.state = State::CdataEnding,
            State::Cdata => self.cdata.push(c),
            State::CdataEnding if c == ']' => self.state = State::CdataEnded,
            State::CdataEnding => {
                self.cdata.extend([']', c]);
                self.state = State::Cdata;
            }
            _ if c == '>' => {
                let cdata = std::mem::take(&mut self.cdata);
                self.end_text();
                if !cdata.is_empty() {
                    self.events.text(&cdata, true);
                }
                self.state = State::Text;
            }
            _ if c == ']' => self.cdata.push(']'),
            _ => {
                self.cdata.extend([']', ']', c]);
                self.state = State::Cdata;
            }
        }
    }

    fn in_instruction(&mut self, c: char) {
        match self.state {
            State::Instruction if is_space(c) => self.state = State::InstructionBody,
            State::Instruction | State::InstructionBody if c == '?' => {
                self.state = State::InstructionEnding;
            }
            State::Instruction => {}
            State::InstructionBody => {
                if !self.instruction.is_empty() || !is_space(c) {
                    self.instruction.push(c);
                }
            }
            _ if c == '>' => {
                self.end_text();
                self.instruction.clear();
                self.state = State::Text;
            }
            _ => {
                self.instruction.extend(['?', c]);
                self.state = State::InstructionBody;
            }
        }
    }

    // ------------------------------------------------------------------------------------------------- tags

    fn in_tag_name(&mut self, c: char) -> Step {
        if self.state == State::TagSlash {
            if c == '>' {
                self.open(true)?;
                return self.close();
            }
            self.wrong("Forward-slash in opening tag not followed by >")?;
            self.state = State::Attribute;
            return Ok(());
        }
        if in_name(c) {
            self.name.push(c);
            return Ok(());
        }
        self.name = self.cased(&self.name);
        self.tag = Tag {
            name: Name {
                whole: self.name.clone(),
                ..Name::default()
            },
            attributes: Vec::new(),
            bound: self.bindings.len(),
        };
        self.end_text();
        if c == '>' {
            return self.open(false);
        }
        if c == '/' {
            self.state = State::TagSlash;
            return Ok(());
        }
        if !is_space(c) {
            self.wrong("Invalid character in tag name")?;
        }
        self.state = State::Attribute;
        Ok(())
    }

    fn in_attribute(&mut self, c: char) -> Step {
        match self.state {
            State::Attribute => match c {
                c if is_space(c) => {}
                '>' => return self.open(false),
                '/' => self.state = State::TagSlash,
                c if begins_name(c) => self.begin_attribute(c),
                _ => self.wrong("Invalid attribute name")?,
            },
            State::AttributeName => match c {
                '=' => self.state = State::Value,
                '>' => {
                    self.wrong("Attribute without value")?;
                    self.value = self.attribute.clone();
                    self.end_attribute()?;
                    return self.open(false);
                }
                c if is_space(c) => self.state = State::AttributeNamed,
                c if in_name(c) => self.attribute.push(c),
                _ => self.wrong("Invalid attribute name")?,
            },
            _ if c == '=' => self.state = State::Value,
            _ if is_space(c) => {}
            _ => {
                self.wrong("Attribute without value")?;
                let name = Name {
                    whole: std::mem::take(&mut self.attribute),
                    ..Name::default()
                };
                self.put(name, String::new());
                self.value.clear();
                if c == '>' {
                    return self.open(false);
                } else if begins_name(c) {
                    self.begin_attribute(c);
                } else {
                    self.state = State::Attribute;
                }
            }
        }
        Ok(())
    }

    fn begin_attribute(&mut self, c: char) {
        self.attribute = c.to_string();
        self.value.clear();
        self.state = State::AttributeName;
    }

    fn in_value(&mut self, c: char) -> Step {
        match self.state {
            State::Value if is_space(c) => {}
            State::Value if is_quote(c) => {
                self.quote = Some(c);
                self.state = State::ValueQuoted;
            }
            State::Value => {
                self.wrong("Unquoted attribute value")?;
                self.state = State::ValueUnquoted;
                self.value = c.to_string();
            }
            State::ValueQuoted if Some(c) == self.quote => {
                self.end_attribute()?;
                self.quote = None;
                self.state = State::ValueClosed;
            }
            State::ValueQuoted if c == '&' => self.state = State::QuotedEntity,
            State::ValueQuoted => self.value.push(c),
            State::ValueClosed => match c {
                c if is_space(c) => self.state = State::Attribute,
                '>' => return self.open(false),
                '/' => self.state = State::TagSlash,
                c if begins_name(c) => {
                    self.wrong("No whitespace between attributes")?;
                    self.begin_attribute(c);
                }
                _ => self.wrong("Invalid attribute name")?,
            },
            _ if c == '&' => self.state = State::UnquotedEntity,
            _ if c == '>' => {
                self.end_attribute()?;
                return self.open(false);
            }
            _ if is_space(c) => {
                self.end_attribute()?;
                self.state = State::Attribute;
            }
            _ => self.value.push(c),
        }
        Ok(())
    }

    fn put(&mut self, name: Name, value: String) {
        let known = self
            .tag
            .attributes
            .iter_mut()
            .find(|(other, _)| other.whole == name.whole);
        match known {
            Some(known) => *known = (name, value),
            None => self.tag.attributes.push((name, value)),
        }
    }

    fn end_attribute(&mut self) -> Step {
        let name = std::mem::take(&mut self.attribute);
        let name = self.cased(&name);
        let value = std::mem::take(&mut self.value);
        if !self.options.namespaces {
            // (of several with the same name, the first counts)
            if !self
                .tag
                .attributes
                .iter()
                .any(|(known, _)| known.whole == name)
            {
                let name = Name {
                    whole: name,
                    ..Name::default()
                };
                self.tag.attributes.push((name, value));
            }
            self.end_text();
            return Ok(());
        }
        let name = parted(&name, true);
        if name.prefix == "xmlns" {
            let must = |prefix: &str, uri: &str| {
                format!("{prefix}: prefix must be bound to {uri}\nActual: {value}")
            };
            if name.local == "xml" && value != XML {
                self.wrong(&must("xml", XML))?;
            } else if name.local == "xmlns" && value != XMLNS {
                self.wrong(&must("xmlns", XMLNS))?;
            } else {
                self.bindings.push((name.local.clone(), value.clone()));
            }
        }
        self.tag.attributes.push((name, value));
        Ok(())
    }

    fn bound(&self, prefix: &str) -> String {
        let found = self
            .bindings
            .iter()
            .rev()
            .find(|(known, _)| known == prefix);
        found.map(|(_, uri)| uri.clone()).unwrap_or_default()
    }

    fn name_spaces(&mut self) -> Step {
        let mut name = parted(&self.name, false);
        name.uri = self.bound(&name.prefix);
        if !name.prefix.is_empty() && name.uri.is_empty() {
            self.wrong(&format!("Unbound namespace prefix: {:?}", self.name))?;
            name.uri = name.prefix.clone();
        }
        self.tag.name = name;
        for (mut name, value) in std::mem::take(&mut self.tag.attributes) {
            if !name.prefix.is_empty() {
                name.uri = self.bound(&name.prefix);
                if name.uri.is_empty() && name.prefix != "xmlns" {
                    self.wrong(&format!("Unbound namespace prefix: {:?}", name.prefix))?;
                    name.uri = name.prefix.clone();
                }
            }
            self.put(name, value);
        }
        Ok(())
    }

    fn open(&mut self, closes_itself: bool) -> Step {
        if self.options.namespaces {
            self.name_spaces()?;
        }
        self.saw_root = true;
        self.end_text();
        self.events.open(&self.tag);
        self.tags.push(std::mem::take(&mut self.tag));
        if !closes_itself {
            let script = !self.options.strict && self.name.eq_ignore_ascii_case("script");
            self.state = if script { State::Script } else { State::Text };
            self.name.clear();
        }
        self.attribute.clear();
        self.value.clear();
        Ok(())
    }

    fn in_close(&mut self, c: char) -> Step {
        if self.state == State::CloseNamed {
            match c {
                c if is_space(c) => {}
                '>' => return self.close(),
                _ => self.wrong("Invalid characters in closing tag")?,
            }
            return Ok(());
        }
        if self.name.is_empty() {
            if is_space(c) {
                return Ok(());
            }
            if begins_name(c) {
                self.name.push(c);
            } else if self.script.is_empty() {
                self.wrong("Invalid tagname in closing tag.")?;
            } else {
                self.script.push_str("</");
                self.script.push(c);
                self.state = State::Script;
            }
        } else if c == '>' {
            return self.close();
        } else if in_name(c) {
            self.name.push(c);
        } else if !self.script.is_empty() {
            self.script.push_str("</");
            self.script.push_str(&std::mem::take(&mut self.name));
            self.script.push(c);
            self.state = State::Script;
        } else {
            if !is_space(c) {
                self.wrong("Invalid tagname in closing tag")?;
            }
            self.state = State::CloseNamed;
        }
        Ok(())
    }

    fn close(&mut self) -> Step {
        if self.name.is_empty() {
            self.wrong("Weird empty close tag.")?;
            self.text.push_str("</>");
            self.state = State::Text;
            return Ok(());
        }
        if !self.script.is_empty() {
            if self.name != "script" {
                let name = std::mem::take(&mut self.name);
                self.script.push_str(&format!("</{name}>"));
                self.state = State::Script;
                return Ok(());
            }
            self.end_text();
            self.script.clear();
        }
        let name = self.cased(&self.name);
        let at = self.tags.iter().rposition(|tag| tag.name.whole == name);
        if !self.tags.is_empty() && at != Some(self.tags.len() - 1) {
            self.wrong("Unexpected close tag")?;
        }
        let Some(at) = at else {
            self.wrong(&format!("Unmatched closing tag: {}", self.name))?;
            self.text.push_str(&format!("</{}>", self.name));
            self.state = State::Text;
            return Ok(());
        };
        self.end_text();
        while self.tags.len() > at {
            if let Some(tag) = self.tags.pop() {
                self.bindings.truncate(tag.bound);
            }
            self.enough = self.events.close();
        }
        self.closed_root = self.closed_root || at == 0;
        self.name.clear();
        self.attribute.clear();
        self.value.clear();
        self.state = State::Text;
        Ok(())
    }

    // ------------------------------------------------------------------------------------------------- entities

    fn in_entity(&mut self, c: char) -> Step {
        let begins = self.entity.is_empty();
        let fits = c == '#' || if begins { begins_name(c) } else { in_name(c) };
        if c != ';' && fits {
            self.entity.push(c);
            return Ok(());
        }
        let entity = std::mem::take(&mut self.entity);
        let text = if c == ';' {
            match known(&entity) {
                Some(c) => c.to_string(),
                None => {
                    self.wrong("Invalid character entity")?;
                    format!("&{entity};")
                }
            }
        } else {
            self.wrong("Invalid character in entity name")?;
            format!("&{entity}{c}")
        };
        let (state, into) = match self.state {
            State::TextEntity => (State::Text, &mut self.text),
            State::QuotedEntity => (State::ValueQuoted, &mut self.value),
            _ => (State::ValueUnquoted, &mut self.value),
        };
        into.push_str(&text);
        self.state = state;
        Ok(())
    }
}
