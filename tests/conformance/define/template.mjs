// template: mustache with values of each kind, sections, contexts and variables; plain; outputs; places.
import { KINDS, undef, buffer, date } from "./_values.mjs";

const cases = [];
const add = (name, node, msgs, more = {}) => cases.push({ name, node: { type: "template", field: "payload", fieldType: "msg", format: "handlebars", syntax: "mustache", output: "str", ...node }, ...more, msgs });
for (const [kind, payload] of Object.entries(KINDS)) {
    add(`of ${kind}`, { template: "{{payload}}|{{{payload}}}|{{&payload}}|{{#payload}}yes{{/payload}}|{{^payload}}no{{/payload}}|{{#payload}}{{.}}{{/payload}}" }, [{ payload }, { payload: [payload, payload] }]);
}
const whole = { payload: { name: "A & B <c> \"d\" 'e' `f` =g /h", list: [{ n: 1 }, { n: 2, sub: [3, 4] }], words: ["x", "y"], deep: { er: { v: 0 } }, "with space": 1, empty: [], no: false, nothing: null, html: "<b>" }, topic: "t", n: 5 };
const templates = ["", "text", "{{payload.name}}", "{{{payload.name}}}", "{{& payload.name }}", "{{payload.list.1.n}}", "{{payload.list.length}}", "{{payload.words}}", "{{payload}}", "{{#payload.list}}<{{n}}{{#sub}}({{.}}){{/sub}}>{{/payload.list}}",
    "{{#payload}}{{name}}{{topic}}{{/payload}}", "{{#payload.words}}{{.}},{{/payload.words}}", "{{^payload.empty}}empty{{/payload.empty}}", "{{#payload.no}}a{{/payload.no}}{{^payload.no}}b{{/payload.no}}", "{{payload.deep.er.v}}", "{{payload.deep.er.w}}",
    "{{payload.nothing}}", "{{#payload.nothing.x}}a{{/payload.nothing.x}}", "{{! a comment }}x", "a\n{{! alone }}\nb", "a\n {{#n}}\n b\n {{/n}}\nc", "{{=<% %>=}}<% topic %>{{topic}}", "{{=<% %>=}}<%={{ }}=%>{{topic}}", "{{> partial}}x", "{{topic.length}}", "{{payload.name.length}}",
    "{{payload.with space}}", "{{ payload . name }}", "{{topic}", "{{#a}}", "{{/a}}", "{{#a}}{{/b}}", "{{}}", "{{ }}", "{{{topic}}", "{{", "}}", "{ {topic} }", "{{#payload.list}}{{n}}{{topic}}{{payload.name}}{{/payload.list}}", "{{#topic}}{{.}}{{/topic}}", "{{#n}}{{.}}{{/n}}", "äöü {{topic}} 😀",
    "{{payload.html}}&{{{payload.html}}}", "\\{{topic}}", "{{msg.topic}}", "{{_msgid}}", "{{payload.list.0}}", "{{payload.list.-1}}", "{{#payload.list}}{{#sub}}{{n}}{{/sub}}{{/payload.list}}"];
for (const template of templates) {
    add(`mustache ${JSON.stringify(template)}`, { template }, [whole, {}]);
    if (template.length < 14) add(`plain ${JSON.stringify(template)}`, { template, syntax: "plain" }, [whole]);
}
const contexts = ["{{flow.templateA}}", "{{flow.templateA.b}}", "{{global.templateG}}", "{{flow.nothing}}|{{global.nothing}}", "{{#flow.templateL}}{{.}};{{/flow.templateL}}", "{{flow[default].templateA.b}}", "{{flow[nowhere].templateA}}", "{{global.templateO.p.q}}", "{{#global.templateO}}{{p.q}}{{/global.templateO}}", "{{flow.}}", "{{flow}}", "{{env.CASE_T}}", "{{env.NOT_THERE}}", "{{#env.CASE_T}}x{{/env.CASE_T}}", "{{env.CASE_J}}"];
for (const template of contexts) {
    add(`contexts ${template}`, { template }, [{ $set: ["flow:t", "templateA", { b: "<1>" }] }, { $set: ["flow:t", "templateL", [1, 2]] }, { $set: ["global", "templateG", "g"] }, { $set: ["global", "templateO", { p: { q: 7 } }] }, { payload: 1 }, { flow: "of the message", env: { CASE_T: "m" }, global: 1 }], { env: { CASE_T: "house & home", CASE_J: "{\"a\":1}" } });
}
const read = ["{\"a\": {{payload}}}", "[1, 2", "a: {{payload}}\nb:\n - 1\n - x", "- 1\n- - 2", "{{payload}}", "", "null", "a: b: c", "\"{{topic}}\"", "{\"b\":1,\"a\":2,\"1\":3}", "date: 2020-01-02", "x: !!binary aGk=", "&a [1, *a]", "1e3", "0x1F", "yes", "~", "{{{payload}}}"];
for (const output of ["str", "json", "yaml", "strange", undefined]) {
    for (const template of output === "json" || output === "yaml" ? read : read.slice(0, 3)) {
        if (template.startsWith("&a") && output === "yaml") continue;
        add(`as ${output} ${JSON.stringify(template)}`, { template, output }, [{ payload: 5, topic: "t" }, { payload: "a: 1" }, { payload: "{\"q\":[]}" }]);
    }
}
// (what an array has besides its elements nobody sees, but Node-RED keeps it)
for (const field of ["payload.x", "payload.x.y", "payload[msg.topic]"]) add(`into an array's ${field}`, { template: "T", field }, [{ payload: [1, 2], topic: "q" }], { differs: "An array's own properties" });
for (const field of ["topic", "payload.x", "payload.x.y", "new.deep[1]", "payload[0]", "payload[", "", "a b", "payload[msg.topic]"]) {
    add(`into ${field || "nothing"}`, { template: "T{{topic}}", field }, [{ payload: { a: 1 }, topic: "q" }, ...(/x|msg/.test(field) ? [] : [{ payload: [1, 2], topic: "q" }]), { payload: "text" }]);
}
for (const fieldType of ["flow", "global", "strange"]) add(`into ${fieldType}`, { template: "{{payload}}!", field: `templateInto${fieldType}.x`, fieldType }, [{ payload: 1 }, { $get: [fieldType === "flow" ? "flow:t" : "global", `templateInto${fieldType}`] }, { payload: { a: 1 } }]);
for (const template of [undefined, ""]) {
    for (const given of ["{{topic}}!", "", 5, null, undef, { a: 1 }, true, buffer("{{topic}}"), ["{{topic}}"]]) add(`template ${JSON.stringify(template)} and the message's ${JSON.stringify(given)}`, { template }, [{ payload: "p", topic: "t", template: given }]);
}
add("a message's template is not asked for where the node has one", { template: "{{topic}}" }, [{ template: "x", topic: "t" }]);
for (const syntax of [undefined, "", "strange"]) add(`syntax ${JSON.stringify(syntax)}`, { template: "{{topic}}", syntax }, [{ topic: "t" }]);
for (const value of [1e21, 1e-7, 0.1 + 0.2, 123456789012345680000, [1, [2, [3, null]], undef], date(null), [{ a: 1 }], { length: 3 }, "\u2028", "a\u0000b"]) add(`writes ${JSON.stringify(value)}`, { template: "{{payload}}|{{{payload}}}" }, [{ payload: value }]);
export default cases;
