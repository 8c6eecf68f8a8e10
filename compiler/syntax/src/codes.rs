//! The one table of diagnostic codes: number, name, title. Each code has a page in `codes/VGnnnn.md`, which
//! `vgdc explain VGnnnn` prints.
//!
//! The numbers are shared out by the room that finds the fault: 1–99 this crate (50–59 for the text language), 100–199 resolving and the middle,
//! 200–299 scripts and expressions, 300–399 building and targets, 400–499 the start of a program. To add one: a line in the
//! table below, and its page. A number is never used again for something else.

// The numbers are written as people see them.
#![allow(clippy::zero_prefixed_literal)]

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A diagnostic code, shown as `VG0042`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Code(u16);

/// What the table says of a code.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// The code.
    pub code: Code,
    /// What kind of problem it is, in a few words.
    pub title: &'static str,
    /// The page of explanation, in Markdown; its first line is a heading with code and title.
    pub page: &'static str,
}

impl Code {
    /// The number, `42` for `VG0042`.
    pub fn number(self) -> u16 {
        self.0
    }

    /// The title of the code.
    pub fn title(self) -> &'static str {
        entry(self).map_or("", |found| found.title)
    }

    /// The page of explanation, in Markdown.
    pub fn page(self) -> &'static str {
        entry(self).map_or("", |found| found.page)
    }
}

/// What the table says of a code.
pub fn entry(code: Code) -> Option<&'static Entry> {
    TABLE
        .binary_search_by_key(&code, |row| row.code)
        .ok()
        .and_then(|at| TABLE.get(at))
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VG{:04}", self.0)
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A text that is not a code of the table.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UnknownCode(pub String);

impl fmt::Display for UnknownCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a diagnostic code; codes look like VG0042",
            self.0
        )
    }
}

impl std::error::Error for UnknownCode {}

impl FromStr for Code {
    type Err = UnknownCode;

    /// Reads `VG0042`; small letters and missing zeros do no harm.
    fn from_str(text: &str) -> Result<Code, UnknownCode> {
        let unknown = || UnknownCode(text.to_owned());
        let digits = text
            .trim()
            .trim_start_matches(['V', 'v'])
            .trim_start_matches(['G', 'g']);
        let code = Code(digits.parse().map_err(|_| unknown())?);
        entry(code).map(|found| found.code).ok_or_else(unknown)
    }
}

impl From<Code> for String {
    fn from(code: Code) -> String {
        code.to_string()
    }
}

impl TryFrom<String> for Code {
    type Error = UnknownCode;
    fn try_from(text: String) -> Result<Code, UnknownCode> {
        text.parse()
    }
}

macro_rules! codes {
    ($($number:literal $name:ident $title:literal)*) => {
        $(
            #[doc = $title]
            pub const $name: Code = Code($number);
        )*

        /// Every code, by number.
        pub static TABLE: &[Entry] = &[$(Entry {
            code: $name,
            title: $title,
            page: include_str!(concat!("../codes/VG", stringify!($number), ".md")),
        }),*];
    };
}

codes! {
    // 1–99: this crate; 50–59: flows as text.
    0001 NOT_JSON "the file is not JSON"
    0002 TRUNCATED "the file ends too early"
    0003 TOO_LARGE "the file is too large"
    0004 TOO_DEEP "the file is nested too deeply"
    0005 NOT_UTF8 "the file is not UTF-8"
    0006 DUPLICATE_KEY "an object has the same key twice"
    0007 LONE_SURROGATE "half of a surrogate pair"
    0008 UNREADABLE "a file cannot be read"
    0010 NO_FLOWS "no flow array found"
    0011 NOT_AN_OBJECT "an element of the flow array is not an object"
    0012 NO_ID "an object has no id"
    0013 NO_TYPE "an object has no type"
    0014 DUPLICATE_ID "two objects have the same id"
    0015 DANGLING_WIRE "a wire leads to nowhere"
    0016 DANGLING_Z "a node is on a tab that does not exist"
    0017 DANGLING_GROUP "a node is in a group that does not exist"
    0018 BAD_FIELD "a structural property has a value of the wrong form"
    0030 BAD_CREDENTIALS "the credentials file cannot be read"
    0031 WRONG_SECRET "the credentials cannot be decrypted"
    0032 NO_SECRET "the credentials are encrypted and there is no secret"
    0040 BAD_CONFIG "vgdc.toml cannot be read"
    0041 UNKNOWN_SETTING "an unknown setting in vgdc.toml"
    0042 BAD_MESH "mesh.toml cannot be used"
    0050 TEXT_SYNTAX "a text that is no flow"
    0051 TEXT_UNKNOWN_OPTION "an option that a node has not"
    0052 TEXT_OPTION_TWICE "an option is given twice"
    0053 TEXT_UNKNOWN_NAME "an unknown name"
    0054 TEXT_NAME_TWICE "a name is given twice"
    0055 TEXT_NO_PORT "an input or output that a node has not"
    0056 TEXT_WRONG_VALUE "a value of the wrong kind"
    0057 TEXT_MISPLACED "something that cannot stand here"
    0058 TEXT_CYCLE "a circle of wires in which nothing waits"
    0059 TEXT_MISSING_OPTION "a node without something that it needs"

    // 100–199: resolving and the middle.
    0100 UNKNOWN_TYPE "an unknown node type"
    0101 MISSING_CONFIG_NODE "a config node is missing"
    0102 UNKNOWN_SUBFLOW "an instance of an unknown subflow"
    0103 SUBFLOW_CYCLE "a subflow contains itself"
    0104 LINK_TARGET_MISSING "a link leads to nowhere"
    0105 LINK_NAME_AMBIGUOUS "a link call finds two targets of the same name"
    0106 BAD_ENV "an environment value cannot be evaluated"
    0107 BAD_PROPERTY "a node's property has a value of the wrong form"
    0108 UNKNOWN_SCOPE "a scope names a node that does not exist"
    0109 WRONG_CONFIG_TYPE "a config node is of another type than expected"
    0110 NOT_SUPPORTED "something Node-RED does and vgdc does not"
    0111 BAD_CONTEXT_STORE "an unknown context store"
    0112 EMPTY_FLOW "there is nothing to run"
    0120 NEED_NEVER_MET "a node needs what no message has"
    0121 READS_NOTHING "a value is taken from a property that no message has"

    // 200–299: scripts and expressions.
    0200 BAD_JAVASCRIPT "a syntax error in JavaScript"
    0201 BAD_JSONATA "a syntax error in JSONata"
    0202 BAD_REGEX "a bad regular expression"
    0203 BAD_PROPERTY_PATH "a bad property path"
    0204 BAD_TEMPLATE "a syntax error in a template"
    0205 BAD_JSON_VALUE "a typed input is not JSON"
    0206 BAD_TYPED_INPUT "a typed input's value does not fit its type"
    0207 UNKNOWN_MODULE "a JavaScript module that is not there"
    0210 ALWAYS_THROWS "code that fails with every message"
    0211 ALWAYS_NAN "a calculation that never gives a number"

    // 300–399: building and targets.
    0300 BUILD_FAILED "the build failed"
    0301 CANNOT_WRITE "an output file cannot be written"
    0302 RUST_ERROR "the generated Rust does not compile"
    0303 TOOL_MISSING "a tool that the target needs is missing"
    0304 VERIFIER "the compiler made a graph that breaks its own rules"
    0310 PROFILE_UNUSABLE "a profile cannot be used"
    0311 PROFILE_FOREIGN "a profile is of another flow"
    0312 PROFILE_STALE "the flow has changed since its profile was taken"
    0320 NODE_CRATE "a crate with nodes cannot be used"
    0321 NODE_NOT_LINKED "a node of one's own crate is in release builds only"
    0330 HOSTED "nodes of a package run in Node.js"
    0331 PACKAGE_UNREADABLE "a package cannot be read"
    0332 TYPE_TWICE "two packages have one node type"
    0340 NOWHERE "a node can run nowhere in the mesh"
    0341 PLACE_OF_NOTHING "a rule of mesh.toml fits no node"
    0342 UNKNOWN_PLACE "a place that the mesh does not have"
    0343 NO_ADDRESS "a machine of the mesh has no address"

    // 400–499: the start of a program.
    0400 PORT_IN_USE "a port is in use"
    0401 MISSING_SECRET "a secret that the program needs is missing"
    0402 START_FAILED "a node did not start"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_order_and_every_code_has_its_page() {
        assert!(
            TABLE.is_sorted_by(|a, b| a.code < b.code),
            "no number twice, none out of order"
        );
        for row in TABLE {
            let heading = format!("# {}: {}\n\n", row.code, row.title);
            let body = row
                .page
                .strip_prefix(&heading)
                .unwrap_or_else(|| panic!("the page of {} must begin with {heading:?}", row.code));
            let (meaning, fix) = body
                .split_once("\n\n## What to do\n\n")
                .unwrap_or_else(|| panic!("{} does not say what to do", row.code));
            assert!(
                meaning.len() > 60 && fix.len() > 20,
                "the page of {} says too little",
                row.code
            );
        }
    }

    #[test]
    fn codes_are_written_and_read() {
        assert_eq!(BAD_JAVASCRIPT.to_string(), "VG0200");
        assert_eq!("VG0200".parse(), Ok(BAD_JAVASCRIPT));
        assert_eq!("vg14".parse(), Ok(DUPLICATE_ID));
        assert_eq!("14".parse(), Ok(DUPLICATE_ID));
        for wrong in ["", "VG", "VG9999", "VG99999999", "hello", "-1"] {
            assert_eq!(
                wrong.parse::<Code>(),
                Err(UnknownCode(wrong.to_owned())),
                "{wrong}"
            );
        }
        assert_eq!(serde_json::to_string(&NOT_JSON).unwrap(), "\"VG0001\"");
        assert_eq!(
            serde_json::from_str::<Code>("\"VG0001\"").unwrap(),
            NOT_JSON
        );
    }
}
