// html: what cases beside the node do not ask: what is given back, how, and where.
import { KINDS, buffer } from "./_values.mjs";

const cases = [];
const page = "<html><body><h1 id=\"t\">Title &amp; more</h1><ul class=\"l\"><li>one</li><li class=\"x\">two <b>bold</b></li></ul><a href=\"/p?q=1\">link</a><input value=\"v\"></body></html>";
const add = (name, node, msgs) => cases.push({ name, node: { type: "html", property: "payload", outproperty: "payload", tag: "li", ret: "html", as: "single", chr: "_", ...node }, msgs });
for (const ret of ["html", "text", "attr", "compl", "val", "strange"]) {
    for (const as of ["single", "multi"]) for (const tag of ["li", "h1", "a", "input", ".none", "li.x b"]) add(`${tag}: ${ret}, ${as}`, { tag, ret, as }, [{ payload: page, topic: "t" }]);
}
add("the message's selector", { tag: "" }, [{ payload: page, select: "h1" }, { payload: page }, { payload: page, select: 5 }]);
for (const outproperty of ["other", "payload.x", "a.b", ""]) add(`into ${outproperty || "nothing"}`, { outproperty }, [{ payload: page }]);
for (const property of ["body", "nothing", "a.b", ""]) add(`from ${property || "of no name"}`, { property }, [{ payload: page, body: page, a: { b: page } }]);
add("kinds", {}, Object.entries(KINDS).filter(([kind]) => !/object|array|date/.test(kind)).map(([, payload]) => ({ payload })));
add("buffers", {}, [{ payload: buffer(page) }]);
for (const tag of ["li:first-child", "li:nth-child(2)", "ul > li", "[href]", "[href^='/']", "*", "li, a", "li[", ":contains('two')", "li:not(.x)"]) add(`selector ${tag}`, { tag, ret: "text" }, [{ payload: page }]);
export default cases;
