/**
 * How the forms of Node-RED's core types are laid out: what a descriptor learned from a node's defaults cannot say
 * (labels, choices, the elements of lists, which fields belong together). A descriptor that a server gives may say the
 * same itself; what it says holds.
 */
import type { Choice, Condition, Field, NodeType } from "./types";

/** What is known of a field; `kind` is only named where it differs from the descriptor's. */
type Part = Partial<Omit<Field, "name">> & { readonly name: string };

const part = (name: string, label: string, more: Partial<Field> = {}): Part => ({ name, label, ...more });
const pick = (name: string, label: string, choices: string, more: Partial<Field> = {}): Part => part(name, label, { choices: choicesOf(choices), ...more });
const typed = (name: string, label: string, typeField: string, types: string, more: Partial<Field> = {}): Part => part(name, label, { kind: "typed", typeField, types: types.split(" "), ...more });
const prop = (name = "property", label = "Property", more: Partial<Field> = {}): Part => part(name, label, { kind: "path", ...more });
const gone = (...names: string[]): Part[] => names.map((name) => ({ name, hidden: true }));
const is = (field: string, ...values: readonly (string | boolean)[]): Condition => ({ field, is: values });
const not = (field: string, ...values: readonly (string | boolean)[]): Condition => ({ field, not: values });
/** A property of a list's elements, of which no descriptor says the rest. */
const item = (each: Part): Field => ({ kind: "text", default: "", label: each.name, required: false, ...each });
const NAME = part("name", "Name");

/** `value=Label|value=Label`; a value alone is its own label. */
function choicesOf(text: string): Choice[] {
  return text.split("|").map((each) => {
    const at = each.indexOf("=");
    return at < 0 ? { value: each, label: each } : { value: each.slice(0, at), label: each.slice(at + 1) };
  });
}

const VALUES = "str num bool json bin date jsonata env msg flow global";
const PLACES = "msg flow global";
const TIME = "milliseconds=Milliseconds|seconds=Seconds|minutes=Minutes|hours=Hours|days=Days";
const BYTES = "buffer=Buffer|utf8=Text|base64=Base64";
const TLS = part("tls", "TLS");

const NO_VALUE = ["true", "false", "null", "nnull", "empty", "nempty", "else", "istype", "jsonata_exp", "head", "tail", "index"];

const switchRule: readonly Field[] = [
  item(
    pick(
      "t",
      "Rule",
      "eq===|neq=≠|lt=<|lte=≤|gt=>|gte=≥|hask=has key|btwn=is between|cont=contains|regex=matches regex|true=is true|false=is false|null=is null|nnull=is not null|istype=is of type|empty=is empty|nempty=is not empty|head=head|index=index between|tail=tail|jsonata_exp=JSONata expression|else=otherwise",
      { default: "eq" },
    ),
  ),
  item(typed("v", "Value", "vt", "str num env msg flow global jsonata prev", { when: [not("t", ...NO_VALUE, "regex", "hask")], default: "", optional: true })),
  item(typed("v", "Key", "vt", "str msg flow global env", { when: [is("t", "hask")] })),
  item(part("v", "Pattern", { when: [is("t", "regex")], kind: "typed", typeField: "vt", types: ["str", "msg", "flow", "global", "env"] })),
  item(typed("v", "Count", "vt", "num env jsonata", { when: [is("t", "head", "tail", "index")] })),
  item(typed("v", "Expression", "vt", "jsonata", { when: [is("t", "jsonata_exp")], required: true })),
  item(pick("v", "Type", "string|number|boolean|array|buffer|object|json=JSON string|undefined|null", { when: [is("t", "istype")], also: "vt" })),
  item(typed("v2", "and", "v2t", "str num env msg flow global jsonata prev", { when: [is("t", "btwn", "index")] })),
  item(part("case", "Ignore case", { kind: "bool", default: false, when: [is("t", "regex")] })),
  { ...item(part("vt", "vt")), hidden: true, default: "str" },
];

const changeRule: readonly Field[] = [
  item(pick("t", "Rule", "set=Set|change=Change|delete=Delete|move=Move", { default: "set" })),
  item(typed("p", "Property", "pt", PLACES, { default: "payload", required: true })),
  item(typed("from", "Search for", "fromt", "str re num bool env msg flow global", { when: [is("t", "change")], default: "" })),
  item(typed("to", "to the value", "tot", VALUES, { when: [is("t", "set")] })),
  item(typed("to", "Replace with", "tot", "str num bool json bin env msg flow global", { when: [is("t", "change")] })),
  item(typed("to", "to", "tot", PLACES, { when: [is("t", "move")], required: true })),
  item(part("dc", "Deep copy", { kind: "bool", default: false, when: [is("t", "set"), is("tot", "msg", "flow", "global", "env")] })),
  { ...item(part("pt", "pt")), hidden: true, default: "msg" },
  { ...item(part("tot", "tot")), hidden: true, default: "str" },
];

const injectProp: readonly Field[] = [
  item(part("p", "msg.", { kind: "path", default: "", required: true })),
  item(typed("v", "Value", "vt", VALUES, { default: "" })),
  { ...item(part("vt", "vt")), hidden: true, default: "str" },
];

const header: readonly Field[] = [
  item(typed("keyValue", "Header", "keyType", "other msg", {})),
  item(typed("valueValue", "Value", "valueType", "other msg", {})),
];

const library: readonly Field[] = [item(part("module", "Module", { required: true })), item(part("var", "Variable", { required: true }))];

const environment: readonly Field[] = [
  item(part("name", "Name", { required: true })),
  item(typed("value", "Value", "type", "str num bool json bin jsonata env cred")),
  { ...item(part("type", "type")), hidden: true, default: "str" },
];

/** Properties that a subflow has; each can be set by its instances. */
const subflowProperty: readonly Field[] = [
  ...environment.slice(0, 1),
  item(typed("value", "Default value", "type", "str num bool json bin jsonata env cred")),
  item(part("ui", "Shown as", { kind: "json" })),
  ...environment.slice(2),
];

const HTTP = "get=GET|post=POST|put=PUT|delete=DELETE|patch=PATCH";
const LINK = (types: string[], more: Partial<Field> = {}): Part => part("links", "Links", { kind: "nodes", nodeTypes: types, ...more });

/** By type: fields in the order of the form. Those of the descriptor that are not named here follow. */
const FORMS: { readonly [type: string]: readonly Part[] } = {
  inject: [
    NAME,
    part("props", "Properties", { kind: "list", items: injectProp }),
    part("once", "Inject once after the start"),
    part("onceDelay", "after (seconds)", { when: [is("once", true)] }),
    part("repeat", "Repeat every (seconds)", { kind: "number", hint: "empty: not" }),
    part("crontab", "or at times (cron)", { hint: "minute hour day month weekday" }),
    ...gone("topic", "payload", "payloadType"),
  ],
  debug: [
    NAME,
    typed("complete", "Output", "targetType", "msg full jsonata", { required: false, optional: true }),
    part("tosidebar", "Show in the debug panel"),
    part("console", "Write to the system console"),
    part("tostatus", "Show as the node's status"),
    typed("statusVal", "Status", "statusType", "auto counter msg jsonata", { when: [is("tostatus", true)], optional: true }),
    part("active", "Switched on"),
  ],
  catch: [NAME, part("scope", "Catch errors of", { kind: "nodes", emptyIsAll: true }), part("uncaught", "Only errors that no other catch node handles")],
  status: [NAME, part("scope", "Statuses of", { kind: "nodes", emptyIsAll: true })],
  complete: [NAME, part("scope", "Messages that are done by", { kind: "nodes" }), ...gone("uncaught")],
  comment: [NAME, part("info", "Text", { kind: "markdown" })],
  "link in": [NAME, LINK(["link out", "link call"])],
  "link out": [NAME, pick("mode", "Mode", "link=Send to link nodes|return=Return to the calling node"), LINK(["link in"], { when: [not("mode", "return")] })],
  "link call": [NAME, pick("linkType", "Link", "static=Fixed|dynamic=By msg.target"), LINK(["link in"], { when: [not("linkType", "dynamic")] }), part("timeout", "Timeout (seconds)", { kind: "number" })],
  function: [
    NAME,
    part("func", "On message"),
    part("initialize", "On start"),
    part("finalize", "On stop"),
    part("outputs", "Outputs", { kind: "number" }),
    part("timeout", "Timeout (seconds)"),
    part("libs", "Modules", { kind: "list", items: library }),
    ...gone("noerr"),
  ],
  change: [NAME, part("rules", "Rules", { kind: "list", items: changeRule }), ...gone("action", "property", "from", "to", "reg")],
  switch: [
    NAME,
    typed("property", "Property", "propertyType", "msg flow global jsonata env"),
    part("rules", "Rules", { kind: "list", items: switchRule }),
    pick("checkall", "Checking", "true=All rules|false=Stop at the first match"),
    part("repair", "Recreate message sequences"),
    ...gone("outputs"),
  ],
  template: [
    NAME,
    typed("field", "Property", "fieldType", PLACES),
    pick("syntax", "Template", "mustache=Mustache|plain=Plain text"),
    pick("format", "Language", "handlebars=Mustache|html=HTML|json=JSON|javascript=JavaScript|css=CSS|markdown=Markdown|text=None|php=PHP|python=Python|sql=SQL|yaml=YAML"),
    part("template", "Text"),
    pick("output", "Output as", "str=Plain text|json=Parsed JSON|yaml=Parsed YAML"),
  ],
  delay: [
    NAME,
    pick("pauseType", "Action", "delay=Delay each message|delayv=Delay, overridden by msg.delay|random=Random delay|rate=Limit the rate|timed=Limit the rate: all at intervals|queue=Limit the rate: by topic in turn"),
    part("timeout", "For", { kind: "number", when: [is("pauseType", "delay", "delayv")] }),
    pick("timeoutUnits", "Unit", TIME, { when: [is("pauseType", "delay", "delayv")] }),
    part("randomFirst", "Between", { kind: "number", when: [is("pauseType", "random")] }),
    part("randomLast", "and", { kind: "number", when: [is("pauseType", "random")] }),
    pick("randomUnits", "Unit", TIME, { when: [is("pauseType", "random")] }),
    part("rate", "Messages", { kind: "number", when: [is("pauseType", "rate", "timed", "queue")] }),
    part("nbRateUnits", "per", { kind: "number", when: [is("pauseType", "rate", "timed", "queue")] }),
    pick("rateUnits", "Unit", "second=Seconds|minute=Minutes|hour=Hours|day=Days", { when: [is("pauseType", "rate", "timed", "queue")] }),
    part("drop", "Drop messages in between", { when: [is("pauseType", "rate")] }),
    part("allowrate", "msg.rate may override the rate", { when: [is("pauseType", "rate")] }),
    pick("outputs", "Dropped messages", "1=are lost|2=go to a second output", { when: [is("pauseType", "rate"), is("drop", true)] }),
  ],
  trigger: [
    NAME,
    typed("op1", "Send", "op1type", "str num bool json bin date env pay flow global nul", { typeMap: { val: "str" }, optional: true }),
    part("duration", "then wait for", { kind: "number", hint: "0 waits until it is reset; less than 0 sends again at intervals" }),
    pick("units", "Unit", "ms=Milliseconds|s=Seconds|min=Minutes|hr=Hours"),
    part("extend", "Each new message begins the wait anew", { kind: "bool" }),
    part("overrideDelay", "msg.delay may override the wait", { kind: "bool" }),
    typed("op2", "then send", "op2type", "str num bool json bin date env pay payl flow global nul", { typeMap: { val: "str" }, optional: true }),
    part("reset", "Reset when msg.payload is", {}),
    pick("bytopic", "Handle", "all=All messages together|topic=Each topic by itself"),
    prop("topic", "Topic in", { when: [is("bytopic", "topic")] }),
    pick("outputs", "Second message", "1=to the same output|2=to a second output"),
  ],
  range: [
    NAME,
    prop(),
    pick("action", "Action", "scale=Scale|clamp=Scale and limit to the target range|roll=Scale and wrap within the target range|drop=Scale, but drop what is outside"),
    part("minin", "Input from", { kind: "number" }),
    part("maxin", "to", { kind: "number" }),
    part("minout", "Target from", { kind: "number" }),
    part("maxout", "to", { kind: "number" }),
    part("round", "Round to integers"),
  ],
  rbe: [
    NAME,
    pick("func", "Mode", "rbe=Block unless the value changes|rbei=Block unless it changes (not the first)|deadband=Block unless it changes by more than|deadbandEq=Block unless it changes by at least|narrowband=Block if it changes by more than|narrowbandEq=Block if it changes by at least"),
    part("gap", "Change", { when: [not("func", "rbe", "rbei")], hint: "a number, or a number and %" }),
    part("start", "Start value", { when: [is("func", "narrowband", "narrowbandEq")] }),
    pick("inout", "Compared with", "in=Last input|out=Last output that was sent", { when: [not("func", "rbe", "rbei")] }),
    prop(),
    part("septopics", "Each topic by itself"),
    prop("topi", "Topic in", { when: [is("septopics", true)] }),
  ],
  exec: [
    NAME,
    part("command", "Command"),
    prop("addpay", "Append msg.", { hint: "empty appends nothing" }),
    part("append", "More arguments"),
    pick("useSpawn", "Output", "false=When the command is done|true=While it runs"),
    part("timer", "Timeout (seconds)", { kind: "number" }),
    part("oldrc", "Old style of the return code"),
    part("winHide", "Hide the console window (Windows)"),
  ],
  "http in": [NAME, pick("method", "Method", HTTP), part("url", "URL", { hint: "/path/:parameter" }), part("upload", "Accept file uploads", { when: [is("method", "post")] }), part("skipBodyParsing", "Do not parse the body", { when: [not("method", "get")] })],
  "http response": [NAME, part("statusCode", "Status code", { kind: "number" }), part("headers", "Headers", { kind: "json" })],
  "http request": [
    NAME,
    pick("method", "Method", "GET|POST|PUT|DELETE|PATCH|HEAD|use=set by msg.method"),
    part("url", "URL"),
    pick("ret", "Return", "txt=a text|bin=a buffer|obj=parsed JSON"),
    pick("paytoqs", "Payload of GET", "ignore=is ignored|query=is appended to the query|body=is sent as the body", { kind: "text", when: [is("method", "GET")] }),
    pick("authType", "Authentication", "=None|basic=Basic|digest=Digest|bearer=Bearer token"),
    part("user", "User name", { when: [is("authType", "basic", "digest")] }),
    part("password", "Password or token", { secret: true, when: [not("authType", "")] }),
    TLS,
    part("proxy", "Proxy"),
    part("headers", "Headers", { kind: "list", items: header }),
    part("persist", "Keep the connection"),
    part("senderr", "Send errors to catch nodes only"),
    part("insecureHTTPParser", "Tolerate invalid HTTP"),
  ],
  "http proxy": [NAME, part("url", "URL", { required: true }), part("username", "User name"), part("password", "Password", { secret: true }), part("noproxy", "Not for these hosts")],
  "mqtt in": [
    NAME,
    part("broker", "Server"),
    part("topic", "Topic"),
    pick("qos", "QoS", "0|1|2"),
    pick("datatype", "Output", "auto-detect=Text, buffer or parsed JSON, as it comes|auto=Text or buffer|buffer=A buffer|utf8=A text|json=Parsed JSON|base64=A Base64 text"),
    part("nl", "No messages of one's own (MQTT 5)"),
    part("rap", "Keep the retain flag (MQTT 5)"),
    pick("rh", "Retained messages (MQTT 5)", "0=Always|1=Only of a new subscription|2=Never", { kind: "text" }),
    ...gone("inputs"),
  ],
  "mqtt out": [
    NAME,
    part("broker", "Server"),
    part("topic", "Topic", { hint: "empty: msg.topic" }),
    pick("qos", "QoS", "=As the message says|0|1|2"),
    pick("retain", "Retain", "=As the message says|false=No|true=Yes"),
    part("respTopic", "Response topic"),
    part("contentType", "Content type"),
    part("expiry", "Expiry (seconds)"),
    part("userProps", "User properties"),
    part("correl", "Correlation data"),
  ],
  "mqtt-broker": [
    NAME,
    part("broker", "Server", { hint: "host, or ws://host:port/path" }),
    part("port", "Port"),
    part("autoConnect", "Connect at the start"),
    part("usetls", "Use TLS"),
    { ...TLS, when: [is("usetls", true)] },
    pick("protocolVersion", "Protocol", "3=MQTT 3.1 (old)|4=MQTT 3.1.1|5=MQTT 5", { kind: "text" }),
    part("clientid", "Client id", { hint: "empty: a generated one" }),
    part("keepalive", "Keep alive (seconds)"),
    part("cleansession", "Clean session"),
    part("user", "User name"),
    part("password", "Password", { secret: true }),
    part("birthTopic", "Topic when connected"),
    part("birthPayload", "Payload when connected"),
    pick("birthQos", "QoS when connected", "0|1|2"),
    pick("birthRetain", "Retain when connected", "false=No|true=Yes"),
    part("closeTopic", "Topic before disconnecting"),
    part("closePayload", "Payload before disconnecting"),
    pick("closeQos", "QoS before disconnecting", "0|1|2"),
    pick("closeRetain", "Retain before disconnecting", "false=No|true=Yes"),
    part("willTopic", "Last will: topic"),
    part("willPayload", "Last will: payload"),
    pick("willQos", "Last will: QoS", "0|1|2"),
    pick("willRetain", "Last will: retain", "false=No|true=Yes"),
    part("autoUnsubscribe", "Unsubscribe when disconnecting"),
    ...gone("verifyservercert", "compatmode", "birthMsg", "closeMsg", "willMsg"),
  ],
  "tls-config": [
    NAME,
    pick("certType", "Certificates", "files=From files on the server|upload=Uploaded|env=From the environment"),
    part("cert", "Certificate file", { kind: "text", when: [is("certType", "files", "")] }),
    part("key", "Private key file", { when: [is("certType", "files", "")] }),
    part("ca", "CA file", { when: [is("certType", "files", "")] }),
    part("certdata", "Certificate", { secret: true, when: [is("certType", "upload")] }),
    part("keydata", "Private key", { secret: true, when: [is("certType", "upload")] }),
    part("cadata", "CA certificate", { secret: true, when: [is("certType", "upload")] }),
    part("certEnv", "Variable of the certificate", { when: [is("certType", "env")] }),
    part("keyEnv", "Variable of the private key", { when: [is("certType", "env")] }),
    part("caEnv", "Variable of the CA certificate", { when: [is("certType", "env")] }),
    part("passphrase", "Passphrase", { secret: true }),
    part("verifyservercert", "Verify the server's certificate"),
    part("servername", "Server name"),
    part("alpnprotocol", "ALPN protocol"),
    ...gone("p12", "p12name", "p12data", "certname", "keyname", "caname"),
  ],
  "websocket-listener": [part("path", "Path"), pick("wholemsg", "Send and receive", "false=The payload|true=The whole message")],
  "websocket-client": [part("path", "URL", { hint: "wss://host/path" }), TLS, pick("wholemsg", "Send and receive", "false=The payload|true=The whole message"), part("hb", "Heartbeat (seconds)"), part("subprotocol", "Subprotocol"), part("headers", "Headers", { kind: "list", items: header })],
  "websocket in": [NAME, part("server", "Listen on"), part("client", "or connect to")],
  "websocket out": [NAME, part("server", "Listen on"), part("client", "or connect to")],
  "tcp in": [
    NAME,
    pick("server", "Type", "server=Listen on a port|client=Connect to a host"),
    part("host", "Host", { when: [is("server", "client")] }),
    part("port", "Port"),
    TLS,
    pick("datamode", "Output", "stream=A stream of messages|single=One message at the end"),
    pick("datatype", "as", BYTES),
    part("newline", "Split at", { when: [is("datamode", "stream"), is("datatype", "utf8")] }),
    part("topic", "Topic"),
  ],
  "tcp out": [NAME, pick("beserver", "Type", "server=Listen on a port|client=Connect to a host|reply=Reply to TCP"), part("host", "Host", { when: [is("beserver", "client")] }), part("port", "Port", { when: [not("beserver", "reply")] }), part("base64", "Decode Base64"), part("end", "Close after each message"), TLS],
  "tcp request": [
    NAME,
    part("server", "Host"),
    part("port", "Port"),
    TLS,
    pick("out", "Close", "time=after a time|char=after a character|count=after a number of bytes|sit=never|immed=at once"),
    part("splitc", "Time (ms), character or count", { when: [not("out", "sit", "immed")] }),
    pick("ret", "Return", "buffer=A buffer|string=A text"),
    part("newline", "Split at"),
    part("trim", "Without the separator"),
  ],
  "udp in": [NAME, pick("multicast", "Listen for", "false=UDP messages|true=Multicast messages"), part("port", "Port"), part("group", "Group", { when: [is("multicast", "true")] }), part("iface", "Local address"), pick("ipv", "Version", "udp4=IPv4|udp6=IPv6"), pick("datatype", "Output", BYTES)],
  "udp out": [NAME, pick("multicast", "Send", "false=UDP messages|board=Broadcast messages|multi=Multicast messages"), part("addr", "Address"), part("port", "Port"), part("outport", "Local port"), part("iface", "Local address"), pick("ipv", "Version", "udp4=IPv4|udp6=IPv6"), part("base64", "Decode Base64")],
  csv: [
    NAME,
    part("temp", "Columns", { hint: "names, separated by commas" }),
    pick("sep", "Separator", ",=Comma|\\t=Tab|;=Semicolon|:=Colon| =Space|#=Hash"),
    pick("spec", "Parser", "rfc=RFC 4180|=Old"),
    part("skip", "Skip the first lines", { kind: "number" }),
    part("hdrin", "First row has the names of columns", { kind: "bool" }),
    part("strings", "Parse numbers"),
    part("include_empty_strings", "Keep empty texts", { kind: "bool" }),
    part("include_null_values", "Keep null", { kind: "bool" }),
    pick("multi", "Output", "one=A message a row|mult=One message with an array"),
    pick("hdrout", "Header in CSV", "none=Never|all=Always|once=Once, until msg.reset"),
    pick("ret", "Line end", "\\n=Linux|\\r=Mac|\\r\\n=Windows"),
  ],
  html: [NAME, prop(), part("tag", "Selector"), pick("ret", "Output", "html=The HTML inside|text=The text inside|attr=An object of attributes|compl=HTML, text and attributes"), pick("as", "as", "single=One message with an array|multi=A message an element"), prop("outproperty", "In"), ...gone("chr")],
  json: [NAME, pick("action", "Action", "=Convert between text and object|str=Always to text|obj=Always to object"), prop(), part("pretty", "Indent the text")],
  xml: [NAME, prop(), part("attr", "Key of attributes"), part("chr", "Key of text")],
  yaml: [NAME, prop()],
  batch: [
    NAME,
    pick("mode", "Mode", "count=By number of messages|interval=By time|concat=Concatenate sequences"),
    part("count", "Messages", { when: [is("mode", "count")] }),
    part("overlap", "Overlap", { when: [is("mode", "count")] }),
    part("interval", "Interval (seconds)", { when: [is("mode", "interval")] }),
    part("allowEmptySequence", "Send an empty message when none came", { when: [is("mode", "interval")] }),
    part("topics", "Topics", { kind: "list", when: [is("mode", "concat")], items: [item(part("topic", "Topic", { required: true }))] }),
    part("honourParts", "Use msg.parts"),
  ],
  join: [
    NAME,
    pick("mode", "Mode", "auto=Automatic|custom=Manual|reduce=Reduce a sequence"),
    typed("property", "Combine", "propertyType", "msg full", { when: [is("mode", "custom")] }),
    pick("build", "to", "string=A text|buffer=A buffer|array=An array|object=An object|merged=A merged object", { when: [is("mode", "custom")] }),
    prop("key", "with the key in", { when: [is("mode", "custom"), is("build", "object")] }),
    typed("joiner", "joined with", "joinerType", "str bin", { when: [is("mode", "custom"), is("build", "string", "buffer")] }),
    part("count", "Send after this many messages", { when: [is("mode", "custom")] }),
    part("accumulate", "and each one that follows", { kind: "bool", when: [is("mode", "custom"), is("build", "object", "merged")] }),
    part("timeout", "Send after (seconds)", { when: [is("mode", "custom")] }),
    part("useparts", "Use msg.parts", { when: [is("mode", "custom")] }),
    part("reduceExp", "Reduce with", { kind: "jsonata", when: [is("mode", "reduce")] }),
    typed("reduceInit", "Initial value", "reduceInitType", "str num bool json bin date jsonata env flow global", { when: [is("mode", "reduce")], optional: true }),
    part("reduceRight", "From the last to the first", { when: [is("mode", "reduce")] }),
    part("reduceFixup", "Finally", { kind: "jsonata", when: [is("mode", "reduce")] }),
  ],
  sort: [
    NAME,
    typed("target", "Sort", "targetType", "msg seq", { optional: true }),
    typed("msgKey", "by", "msgKeyType", "elem jsonata", { when: [not("targetType", "seq")], optional: true }),
    typed("seqKey", "by", "seqKeyType", "msg jsonata", { when: [is("targetType", "seq")], optional: true }),
    pick("order", "Order", "ascending=Ascending|descending=Descending"),
    part("as_num", "As numbers"),
  ],
  split: [
    NAME,
    prop(),
    typed("splt", "Split texts and buffers at", "spltType", "str bin len"),
    part("stream", "As a stream of messages"),
    typed("arraySplt", "Length of parts of arrays", "arraySpltType", "len"),
    prop("addname", "Copy the key of objects to", { hint: "empty copies nothing" }),
  ],
  file: [
    NAME,
    typed("filename", "File", "filenameType", "str msg jsonata env"),
    pick("overwriteFile", "Action", "false=Append|true=Overwrite|delete=Delete"),
    part("appendNewline", "A new line after each"),
    part("createDir", "Create the folder"),
    pick("encoding", "Encoding", "none=As the text is|setbymsg=By msg.encoding|utf8=UTF-8|latin1=Latin 1|utf16le=UTF-16|base64=Base64|hex=Hexadecimal"),
  ],
  "file in": [
    NAME,
    typed("filename", "File", "filenameType", "str msg jsonata env"),
    pick("format", "Output", "utf8=One text|lines=A message a line|=One buffer|stream=A stream of buffers"),
    pick("encoding", "Encoding", "none=As the text is|setbymsg=By msg.encoding|utf8=UTF-8|latin1=Latin 1|utf16le=UTF-16|base64=Base64|hex=Hexadecimal", { when: [is("format", "utf8", "lines")] }),
    part("allProps", "All properties in each message", { when: [is("format", "lines", "stream")] }),
    ...gone("chunk", "sendError"),
  ],
  watch: [NAME, part("files", "Files", { hint: "separated by commas" }), part("recursive", "Folders in folders, too", { kind: "bool" })],
  "global-config": [part("env", "Environment", { kind: "list", items: environment }), ...gone("modules", "map", "name")],
};

/** Fields of what has no descriptor of its own. */
const base = (name: string, label: string, kind: Field["kind"], more: Partial<Field> = {}): Field => ({ name, label, kind, default: "", required: false, ...more });
const opacity = { hint: "between 0 and 1" };
const labelled = [is("style:label", true)];
const groupStyle: readonly Field[] = [
  base("style:stroke", "Line", "color"),
  base("style:stroke-opacity", "Opacity of the line", "text", opacity),
  base("style:fill", "Filling", "color", { hint: "or: none" }),
  base("style:fill-opacity", "Opacity of the filling", "text", opacity),
  base("style:label", "Show the name", "bool", { default: true }),
  base("style:label-position", "Place of the name", "text", {
    default: "nw",
    when: labelled,
    choices: [
      { value: "nw", label: "above, at the left" },
      { value: "n", label: "above, in the middle" },
      { value: "ne", label: "above, at the right" },
      { value: "sw", label: "below, at the left" },
      { value: "s", label: "below, in the middle" },
      { value: "se", label: "below, at the right" },
    ],
  }),
  base("style:color", "Colour of the name", "color", { when: labelled }),
];
export const STRUCTURE: { readonly [type: string]: readonly Field[] } = {
  tab: [base("label", "Name", "text", { required: true }), base("disabled", "Disabled", "bool", { default: false }), base("locked", "Locked", "bool", { default: false }), base("env", "Environment", "list", { default: [], items: environment })],
  group: [base("name", "Name", "text"), ...groupStyle, base("env", "Environment", "list", { default: [], items: environment })],
  subflow: [base("name", "Name", "text", { required: true }), base("category", "Category", "text"), base("color", "Colour", "color"), base("icon", "Icon", "icon"), base("env", "Properties", "list", { default: [], items: subflowProperty }), base("meta", "Module", "json", { default: {} })],
  instance: [base("name", "Name", "text"), base("env", "Environment", "list", { default: [], items: environment })],
};

/** A descriptor of a core type with its form laid out. */
export function withForm(type: NodeType): NodeType {
  const parts = FORMS[type.type];
  if (!parts || type.module !== "node-red") return type;
  const own = new Map(type.fields.map((field) => [field.name, field]));
  const named = parts.flatMap((each) => {
    const field = own.get(each.name);
    if (!field) return [];
    // What a server says of itself is not overruled.
    const said = { ...(field.items ? { kind: field.kind, items: field.items } : {}), ...(field.when ? { when: field.when } : {}), ...(field.choices && !each.choices ? { choices: field.choices } : {}) };
    return [{ ...field, ...each, ...said }];
  });
  const names = new Set(parts.map((each) => each.name));
  return { ...type, fields: [...named, ...type.fields.filter((field) => !names.has(field.name))] };
}
