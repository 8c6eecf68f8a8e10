// xml: what cases beside the node do not ask: kinds, properties, options of the node and of messages.
import { KINDS } from "./_values.mjs";

const cases = [];
const add = (name, node, msgs) => cases.push({ name, node: { type: "xml", property: "payload", attr: "", chr: "", ...node }, msgs });
const texts = ["<a>1</a>", "<a b=\"c\">d<e/>f</a>", "<a><b>1</b><b>2</b></a>", "<a/>", "", "text", "<a>", "<a></b>", "<a>&amp;&lt;&#65;&unknown;</a>", "<?xml version=\"1.0\"?><r xmlns:x=\"u\"><x:y z=\"1\"/></r>", "<a><![CDATA[<b>]]></a>", "<a><!-- c -->x</a>", "<a> x </a>", "<a b='1' b='2'/>", "<ä>ö</ä>"];
add("texts", {}, texts.map(payload => ({ payload })));
for (const [attr, chr] of [["@", "#"], ["$", "_"], ["attr", "text"]]) add(`${attr} and ${chr}`, { attr, chr }, texts.slice(0, 4).map(payload => ({ payload })).concat([{ payload: { a: { [attr]: { b: "c" }, [chr]: "d" } } }]));
for (const options of [{ explicitArray: false }, { explicitRoot: false }, { mergeAttrs: true }, { trim: true }, { normalizeTags: true }, { ignoreAttrs: true }, { explicitCharkey: true }, { headless: true }, { rootName: "top" }, { renderOpts: { pretty: false } }, { cdata: true }, {}, null, "x"]) {
    add(`options ${JSON.stringify(options)}`, {}, [{ payload: "<A b=\"c\"> d <E/>f</A>", options }, { payload: { a: { b: ["1", "<2>"], $: { c: "d" } } }, options }]);
}
add("kinds", {}, Object.values(KINDS).map(payload => ({ payload })));
for (const property of ["payload.a", "topic", "nothing", "", "payload["]) add(`property ${property || "of no name"}`, { property }, [{ payload: { a: "<b>1</b>" }, topic: { c: 1 } }, { payload: "<c/>", topic: "<d/>" }]);
export default cases;
