//! Machine code in a plan, and the contract between who makes it and who runs it.
//!
//! A function is called as `extern "C" fn(context: *mut Context, frame: *mut Value) -> u32`. The frame holds the values that
//! the function works on, all of them valid at any time; the message is in slot 0. The result is [`OK`], with the slot of
//! the returned value in the context, or [`BAIL`]: the code met something that it was not made for. Nothing has happened
//! then that anybody could have seen, and whoever called it runs the same text in the engine.
//!
//! A function may be the code of several operators, its stages, of which each goes on where the one before sends the message.
//! The context says in which stage it ended. When that is a bail-out, the stages before it have done what they do, and the
//! message as it came to this one is in the slot that the function names for it.
//!
//! The code has no relocations. It reaches the runtime through a table of helpers (the context's first word), and its keys
//! and constants by their numbers.

use serde::{Deserialize, Serialize};

/// Version of this contract: code of another one is not run.
pub const ABI: u32 = 5;

/// In the place of an architecture: the functions are linked into the program that has the plan, and there are no bytes.
pub const LINKED: &str = "linked";

/// The call has ended well.
pub const OK: u32 = 0;
/// The call has to be made again, in the engine.
pub const BAIL: u32 = 1;

/// In the place of an output: the returned value says by which outputs which messages leave.
pub const BY_VALUE: u32 = u32::MAX;

/// Where things are in memory. The runtime asserts that they are there.
#[allow(missing_docs)] // the names say it
pub mod layout {
    /// In the context: the address of the table of helpers.
    pub const HELPERS: i32 = 0;
    /// The address of the caches.
    pub const CACHES: i32 = 8;
    /// The number that [`super::Helper::TryNumber`] found.
    pub const NUMBER: i32 = 16;
    /// The slot of the returned value.
    pub const RESULT: i32 = 24;
    /// How many times a loop may go around before it looks at the clock.
    pub const FUEL: i32 = 28;
    /// The stage that runs.
    pub const STAGE: i32 = 32;
    /// The output by which the message leaves, or [`super::BY_VALUE`].
    pub const PORT: i32 = 36;
    /// The address of the table of thunks, by the numbers of helpers: code that calls a helper and keeps all registers.
    pub const THUNKS: i32 = 40;
    /// What the helper that a thunk called has answered.
    pub const ANSWER: i32 = 48;

    /// A value: its kind in the first byte, the rest from here.
    pub const VALUE: i32 = 16;
    pub const PAYLOAD: i32 = 8;
    pub const UNDEFINED: u8 = 0;
    pub const NULL: u8 = 1;
    pub const BOOL: u8 = 2;
    pub const NUMBER_KIND: u8 = 3;
    pub const ARRAY: u8 = 7;
    pub const OBJECT: u8 = 8;
    /// The kinds that own memory, as bits.
    pub const OWNING: u32 = 1 << 4 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 9 | 1 << 10;

    /// In the memory of an object, which begins with how often it is referred to: the address that says which names it has.
    pub const SHAPE: i32 = 16;
    /// How many values it has, and how many it has room for, as 32-bit integers; and the values.
    pub const OBJECT_LEN: i32 = 24;
    pub const OBJECT_ROOM: i32 = 28;
    pub const OBJECT_VALUES: i32 = 32;

    /// In the memory of an array, which begins with how often it is referred to: where its elements are, how many, and for
    /// how many there is room.
    pub const ARRAY_ROOM: i32 = 16;
    pub const ARRAY_FIRST: i32 = 24;
    pub const ARRAY_LEN: i32 = 32;

    /// A cache: such an address, and behind it how far from the object's memory the value is.
    pub const CACHE: i32 = 16;
    pub const CACHE_DISTANCE: i32 = 8;
}

/// Machine code of a plan.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Code {
    /// Equal to [`ABI`].
    pub abi: u32,
    /// The architecture that it is for, as Rust names it (`x86_64`), or [`LINKED`].
    pub arch: String,
    /// The bytes, in base64.
    #[serde(with = "base64_text")]
    pub bytes: Vec<u8>,
    /// The functions in it.
    pub functions: Vec<Function>,
    /// The thunks that the code has.
    #[serde(default)]
    pub thunks: Vec<Thunk>,
}

/// Code that calls a helper and keeps all registers, which helpers do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Thunk {
    /// The number of the helper.
    pub helper: u32,
    /// Where it begins.
    pub offset: u32,
}

impl Code {
    /// What a plan has of functions that are linked into its program.
    pub fn linked(functions: Vec<Function>) -> Code {
        Code {
            abi: ABI,
            arch: LINKED.to_owned(),
            functions,
            ..Code::default()
        }
    }
}

/// A function in the code.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Function {
    /// Where it begins, in bytes.
    pub offset: u32,
    /// How many values its frame has.
    pub slots: u32,
    /// Whenever it bails out, the message in slot 0 is as it came; and it returns the message, undefined or null.
    #[serde(default)]
    pub pristine: bool,
    /// What it leaves in slot 0 may be another message: what it returns gets the id that the message came with.
    #[serde(default)]
    pub replaces: bool,
    /// How many places remember where a property was found.
    pub caches: u32,
    /// Names of properties, by number.
    pub keys: Vec<String>,
    /// Texts, by number.
    pub texts: Vec<String>,
    /// Constants of other kinds, as the control protocol writes values, by number.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
    /// Where a call leaves marks, in code that was made to take a profile.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub probes: Vec<Probe>,
}

/// A slot that is null after a call that came by a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Probe {
    /// The slot.
    pub slot: u32,
    /// The stage of a region to whose code the block belongs.
    pub stage: u32,
    /// The block, by its number in the code of that stage alone.
    pub block: u32,
}

mod base64_text {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(bytes))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        STANDARD.decode(text).map_err(D::Error::custom)
    }
}

/// What a parameter or a result of a helper is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The address of a value.
    Address,
    /// An unboxed number.
    Number,
    /// A constant of the call, such as which function is meant.
    Constant,
    /// The number of a property's name.
    Key,
    /// The number of a text.
    Text,
    /// The number of a constant value.
    Value,
    /// The number of a cache.
    Cache,
    /// As a result: [`OK`] or [`BAIL`].
    Status,
    /// As a result: 0 or 1; anything else is a bail-out.
    Flag,
    /// As a result: the address of a value, or null for a bail-out.
    Found,
    /// As a result: nothing.
    Nothing,
}

macro_rules! helpers {
    ($($(#[$doc:meta])* $name:ident($($parameter:ident),*) -> $result:ident;)*) => {
        /// What the runtime does for the code. The context is the first parameter of each.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u16)]
        pub enum Helper {
            $($(#[$doc])* $name,)*
        }

        impl Helper {
            /// All, by number.
            pub const ALL: &[Helper] = &[$(Helper::$name,)*];

            /// What its parameters are, the context left out.
            pub fn parameters(self) -> &'static [Kind] {
                match self {
                    $(Helper::$name => &[$(Kind::$parameter),*],)*
                }
            }

            /// What its result is.
            pub fn result(self) -> Kind {
                match self {
                    $(Helper::$name => Kind::$result,)*
                }
            }
        }
    };
}

helpers! {
    /// Makes a value undefined.
    Clear(Address) -> Nothing;
    /// Copies a value.
    Copy(Address, Address) -> Nothing;
    /// Moves a value; the source is undefined then.
    Move(Address, Address) -> Nothing;
    /// A constant text.
    Text(Address, Text) -> Nothing;
    /// A constant that is neither a number nor a text.
    Constant(Address, Value) -> Nothing;

    /// `ToNumber`: the number is in the context.
    TryNumber(Address) -> Status;
    /// `ToBoolean`.
    Truthy(Address) -> Flag;
    /// `ToString`, into the first.
    ToText(Address, Address) -> Status;
    /// `+`
    Add(Address, Address, Address) -> Status;
    /// `===`
    StrictEqual(Address, Address) -> Flag;
    /// `==`
    LooseEqual(Address, Address) -> Flag;
    /// `<`, `>`, `<=`, `>=` by the constant 0 to 3.
    Less(Address, Address, Constant) -> Flag;
    /// `typeof`
    TypeOf(Address, Address) -> Nothing;
    /// `key in object`: key, object.
    Has(Address, Address) -> Flag;
    /// A property by a constant key: base, scratch, key, cache.
    Get(Address, Address, Key, Cache) -> Found;
    /// A property by a computed key: base, key, scratch.
    GetValue(Address, Address, Address) -> Found;
    /// An element: base, scratch, index.
    GetIndex(Address, Address, Number) -> Found;
    /// A property's place, for changing what is in it: base, key.
    Place(Address, Key) -> Found;
    /// The same by a computed key.
    PlaceValue(Address, Address) -> Found;
    /// The same by an index.
    PlaceIndex(Address, Number) -> Found;
    /// Sets a property to a value, which is moved: base, value, key, and the first of two caches. The second has the address
    /// that says which names an object has before it gets this one, and that afterwards.
    Set(Address, Address, Key, Cache) -> Status;
    /// The same by a computed key: base, key, value.
    SetValue(Address, Address, Address) -> Status;
    /// The same by an index: base, value, index.
    SetIndex(Address, Address, Number) -> Status;
    /// Deletes a property.
    Delete(Address, Key) -> Status;
    /// The same by a computed key.
    DeleteValue(Address, Address) -> Status;
    /// An empty object, with room.
    Object(Address, Constant) -> Nothing;
    /// An empty array, with room.
    Array(Address, Constant) -> Nothing;
    /// Adds to an array a value, which is moved.
    Push(Address, Address) -> Nothing;
    /// Adds the properties of a value to an object (`...value`).
    SpreadObject(Address, Address) -> Status;
    /// Adds the elements of a value to an array (`...value`).
    SpreadArray(Address, Address) -> Status;
    /// A function of the language: result, first argument, which one, how many arguments.
    Builtin(Address, Address, Constant, Constant) -> Status;
    /// A method that changes nothing: result, receiver, first argument, which one, how many arguments.
    Method(Address, Address, Address, Constant, Constant) -> Status;
    /// A method that changes its receiver: the same.
    Mutate(Address, Address, Address, Constant, Constant) -> Status;
    /// Something outside of the code: result, first argument, which, how many arguments.
    Host(Address, Address, Constant, Constant) -> Status;
    /// A function of one number.
    Math1(Number, Constant) -> Number;
    /// A function of two numbers.
    Math2(Number, Number, Constant) -> Number;
    /// `ToInt32` of a number that is far from zero.
    ToInt32(Number) -> Number;
    /// Where a text stands in a constant array of texts, which are sorted by their bytes; -1 when it is none of them, -2 when
    /// the value is no text.
    Search(Address, Value) -> Number;
    /// Looks at the clock, in a loop.
    Tick() -> Status;
    /// Whether a value can be a message; if it is one, it gets the id of the second, the message that came, as it is now.
    Identify(Address, Address) -> Flag;
    /// From now on slots hold references to objects, as JavaScript's variables do: the message, which becomes one.
    Share(Address) -> Nothing;
    /// The references end: what is in two slots (the result, the message) becomes values again, and what has changed in
    /// contexts is stored.
    Unshare(Address, Address) -> Status;

    /// Appends a constant text to the text that is being made.
    WriteText(Text) -> Nothing;
    /// Appends a value to it, in the form that the constant says ([`Form`]).
    WriteValue(Address, Constant) -> Status;
    /// The text is made: it goes into a slot, and the next one is empty.
    Written(Address) -> Nothing;
    /// How many times a section of a template is shown for a value: an array as often as it has elements, what JavaScript takes
    /// for false never. Anything else once: that is -1 for true, and -2.
    Rounds(Address) -> Number;
    /// A property as a template finds it in what a section is about: base, scratch, key, and 1 where the name is a way of
    /// several steps. Undefined where there is none; a property that is undefined bails out.
    Field(Address, Address, Key, Constant) -> Found;
    /// An operator or a function of JSONata: result, first argument, which one, how many arguments.
    Expression(Address, Address, Constant, Constant) -> Status;
}

impl Helper {
    /// Which parameter is the slot for what the helper makes, among those that find values.
    pub fn scratch(self) -> Option<usize> {
        match self {
            Helper::Get | Helper::GetIndex | Helper::Field => Some(1),
            Helper::GetValue => Some(2),
            _ => None,
        }
    }
}

impl Helper {
    /// Which parameters are the first of several slots side by side, and how many there are.
    pub fn row(self) -> Option<(usize, usize)> {
        match self {
            Helper::Builtin | Helper::Host | Helper::Expression => Some((1, 3)),
            Helper::Method | Helper::Mutate => Some((2, 4)),
            _ => None,
        }
    }
}

macro_rules! numbered {
    ($(#[$doc:meta])* $enum:ident { $($name:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u16)]
        #[allow(missing_docs)] // the texts say it
        pub enum $enum {
            $($name,)*
        }

        impl $enum {
            /// All, by number.
            pub const ALL: &[$enum] = &[$($enum::$name,)*];

            /// As it is written.
            pub fn text(self) -> &'static str {
                match self {
                    $($enum::$name => $text,)*
                }
            }

            /// The one that is written so.
            pub fn named(text: &str) -> Option<$enum> {
                $enum::ALL.iter().copied().find(|one| one.text() == text)
            }
        }
    };
}

numbered! {
    /// How a value is written into a text.
    Form {
        Html = "HTML",
        Raw = "as it is",
        JsonHtml = "JSON in HTML",
        Json = "JSON",
        Jsonata = "$string",
    }
}

numbered! {
    /// Functions of the language that are called by name.
    Builtin {
        Number = "Number",
        String = "String",
        Boolean = "Boolean",
        ParseInt = "parseInt",
        ParseFloat = "parseFloat",
        IsNaN = "isNaN",
        IsFinite = "isFinite",
        NumberIsNaN = "Number.isNaN",
        NumberIsFinite = "Number.isFinite",
        NumberIsInteger = "Number.isInteger",
        NumberParseFloat = "Number.parseFloat",
        NumberParseInt = "Number.parseInt",
        JsonParse = "JSON.parse",
        JsonStringify = "JSON.stringify",
        ObjectKeys = "Object.keys",
        ObjectValues = "Object.values",
        ObjectEntries = "Object.entries",
        IsArray = "Array.isArray",
        IsBuffer = "Buffer.isBuffer",
        DateNow = "Date.now",
        CloneMessage = "RED.util.cloneMessage",
        Random = "Math.random",
        NewDate = "new Date",
        DateParse = "Date.parse",
        DateUtc = "Date.UTC",
        DateText = "Date",
        RegExp = "RegExp",
        RegExpSteps = "RegExp steps",
        FromCharCode = "String.fromCharCode",
        EncodeUriComponent = "encodeURIComponent",
        DecodeUriComponent = "decodeURIComponent",
        EncodeUri = "encodeURI",
        DecodeUri = "decodeURI",
        ConsoleText = "util.format",
        FilledArray = "Array fill",
        ObjectAssign = "Object.assign",
        SetMessageProperty = "RED.util.setMessageProperty",
        ObjectFromEntries = "Object.fromEntries",
        IsSafeInteger = "Number.isSafeInteger",
        BufferFrom = "Buffer.from",
        BufferAlloc = "Buffer.alloc",
        BufferConcat = "Buffer.concat",
        BufferByteLength = "Buffer.byteLength",
        ArrayFrom = "Array.from",
        NewSet = "new Set",
        NewMap = "new Map",
        SetAdd = "Set add",
        SetHas = "Set has",
        SetDelete = "Set delete",
        SetClear = "Set clear",
        SetSize = "Set size",
        SetKeys = "Set keys",
        SetValues = "Set values",
        SetEntries = "Set entries",
        MapGet = "Map get",
        MapSet = "Map set",
        Instance = "instanceof",
    }
}

numbered! {
    /// Functions of numbers.
    Math {
        Abs = "Math.abs",
        Floor = "Math.floor",
        Ceil = "Math.ceil",
        Round = "Math.round",
        Trunc = "Math.trunc",
        Sign = "Math.sign",
        Sqrt = "Math.sqrt",
        Cbrt = "Math.cbrt",
        Sin = "Math.sin",
        Cos = "Math.cos",
        Tan = "Math.tan",
        Asin = "Math.asin",
        Acos = "Math.acos",
        Atan = "Math.atan",
        Sinh = "Math.sinh",
        Cosh = "Math.cosh",
        Tanh = "Math.tanh",
        Log = "Math.log",
        Log2 = "Math.log2",
        Log10 = "Math.log10",
        Exp = "Math.exp",
        Pow = "Math.pow",
        Atan2 = "Math.atan2",
        Max = "Math.max",
        Min = "Math.min",
        Remainder = "%",
    }
}

numbered! {
    /// Methods that change nothing.
    Method {
        ToString = "toString",
        ToFixed = "toFixed",
        ToUpperCase = "toUpperCase",
        ToLowerCase = "toLowerCase",
        Trim = "trim",
        TrimStart = "trimStart",
        TrimEnd = "trimEnd",
        Split = "split",
        IndexOf = "indexOf",
        LastIndexOf = "lastIndexOf",
        Includes = "includes",
        StartsWith = "startsWith",
        EndsWith = "endsWith",
        Substring = "substring",
        Substr = "substr",
        Slice = "slice",
        CharAt = "charAt",
        CharCodeAt = "charCodeAt",
        Replace = "replace",
        ReplaceAll = "replaceAll",
        Repeat = "repeat",
        PadStart = "padStart",
        PadEnd = "padEnd",
        Concat = "concat",
        Join = "join",
        HasOwnProperty = "hasOwnProperty",
        GetTime = "getTime",
        ToIsoString = "toISOString",
        ValueOf = "valueOf",
        ToJson = "toJSON",
        ToDateString = "toDateString",
        ToTimeString = "toTimeString",
        ToLocaleString = "toLocaleString",
        ToLocaleDateString = "toLocaleDateString",
        ToLocaleTimeString = "toLocaleTimeString",
        GetTimezoneOffset = "getTimezoneOffset",
        GetFullYear = "getFullYear",
        GetMonth = "getMonth",
        GetDate = "getDate",
        GetHours = "getHours",
        GetMinutes = "getMinutes",
        GetSeconds = "getSeconds",
        GetMilliseconds = "getMilliseconds",
        GetDay = "getDay",
        GetUtcFullYear = "getUTCFullYear",
        GetUtcMonth = "getUTCMonth",
        GetUtcDate = "getUTCDate",
        GetUtcHours = "getUTCHours",
        GetUtcMinutes = "getUTCMinutes",
        GetUtcSeconds = "getUTCSeconds",
        GetUtcMilliseconds = "getUTCMilliseconds",
        GetUtcDay = "getUTCDay",
        Test = "test",
        Exec = "exec",
        Match = "match",
        Search = "search",
        LocaleCompare = "localeCompare",
        Flat = "flat",
        At = "at",
        ReadUInt8 = "readUInt8",
        ReadInt8 = "readInt8",
        ReadUInt16LE = "readUInt16LE",
        ReadUInt16BE = "readUInt16BE",
        ReadInt16LE = "readInt16LE",
        ReadInt16BE = "readInt16BE",
        ReadUInt32LE = "readUInt32LE",
        ReadUInt32BE = "readUInt32BE",
        ReadInt32LE = "readInt32LE",
        ReadInt32BE = "readInt32BE",
        ReadFloatLE = "readFloatLE",
        ReadFloatBE = "readFloatBE",
        ReadDoubleLE = "readDoubleLE",
        ReadDoubleBE = "readDoubleBE",
    }
}

numbered! {
    /// Methods that change their receiver.
    Mutation {
        Push = "push",
        Pop = "pop",
        Shift = "shift",
        Unshift = "unshift",
        Reverse = "reverse",
        Splice = "splice",
        Sort = "sort",
        SortBy = "sort by",
        Fill = "fill",
        SetTime = "setTime",
        SetFullYear = "setFullYear",
        SetMonth = "setMonth",
        SetDate = "setDate",
        SetHours = "setHours",
        SetMinutes = "setMinutes",
        SetSeconds = "setSeconds",
        SetMilliseconds = "setMilliseconds",
        SetUtcFullYear = "setUTCFullYear",
        SetUtcMonth = "setUTCMonth",
        SetUtcDate = "setUTCDate",
        SetUtcHours = "setUTCHours",
        SetUtcMinutes = "setUTCMinutes",
        SetUtcSeconds = "setUTCSeconds",
        SetUtcMilliseconds = "setUTCMilliseconds",
        WriteUInt8 = "writeUInt8",
        WriteInt8 = "writeInt8",
        WriteUInt16LE = "writeUInt16LE",
        WriteUInt16BE = "writeUInt16BE",
        WriteInt16LE = "writeInt16LE",
        WriteInt16BE = "writeInt16BE",
        WriteUInt32LE = "writeUInt32LE",
        WriteUInt32BE = "writeUInt32BE",
        WriteInt32LE = "writeInt32LE",
        WriteInt32BE = "writeInt32BE",
        WriteFloatLE = "writeFloatLE",
        WriteFloatBE = "writeFloatBE",
        WriteDoubleLE = "writeDoubleLE",
        WriteDoubleBE = "writeDoubleBE",
    }
}

numbered! {
    /// What code asks of the node that it is in.
    Host {
        Send = "node.send",
        Status = "node.status",
        Log = "node.log",
        Warn = "node.warn",
        Debug = "node.debug",
        Trace = "node.trace",
        Error = "node.error",
        NodeGet = "context.get",
        NodeSet = "context.set",
        FlowGet = "flow.get",
        FlowSet = "flow.set",
        GlobalGet = "global.get",
        GlobalSet = "global.set",
        Env = "env.get",
        NodeId = "node.id",
        NodeName = "node.name",
        NodeKeys = "context.keys",
        FlowKeys = "flow.keys",
        GlobalKeys = "global.keys",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_belong_together() {
        for (number, helper) in Helper::ALL.iter().enumerate() {
            assert_eq!(*helper as usize, number);
        }
        assert_eq!(Method::named("slice"), Some(Method::Slice));
        assert_eq!(Method::named("no such"), None);
        assert_eq!(Host::named(Host::Env.text()), Some(Host::Env));
    }

    #[test]
    fn code_is_written_and_read() {
        let code = Code {
            abi: ABI,
            arch: "x86_64".to_owned(),
            bytes: vec![0, 255, 7],
            functions: vec![Function {
                keys: vec!["payload".to_owned()],
                ..Function::default()
            }],
            thunks: vec![Thunk {
                helper: 3,
                offset: 16,
            }],
        };
        let json = serde_json::to_string(&code).expect("JSON");
        assert!(json.contains("AP8H"));
        assert_eq!(serde_json::from_str::<Code>(&json).ok(), Some(code));
    }
}
