// watch: files and folders, deep or not.
import { node, placed, sink } from "./_flows.mjs";

const slow = 600;
const cases = [];
const add = (name, config, msgs, files = { "a.txt": "a", "b.txt": "b" }) => cases.push({ name, node: { type: "watch", files: "@DIR@", recursive: false, ...config }, slow, files, msgs: [{ $wait: 200 }, ...msgs] });
const write = (name, text = "more") => ({ $file: name, write: text });
for (const recursive of [true, false, ""]) {
    add(`a folder: ${JSON.stringify(recursive)}`, { recursive }, [write("a.txt"), write("new.txt", "öx"), { $file: "b.txt", remove: true }, { $file: "sub", folder: true }, write("sub/deep.txt"), { $file: "sub/deep.txt", append: "y" }, { $file: "sub/deep.txt", remove: true }]);
}
add("a file", { files: "@DIR@/a.txt" }, [write("a.txt"), write("b.txt"), { $file: "a.txt", append: "x" }, { $file: "a.txt", remove: true }]);
add("files", { files: "@DIR@/a.txt, @DIR@/b.txt" }, [write("a.txt"), write("b.txt"), write("c.txt")]);
add("an empty file", { files: "@DIR@/a.txt" }, [write("a.txt", "")]);
add("a name of spaces and umlauts", {}, [write("ä ö.txt")]);
cases.push({ name: "a flow that is told of a file reads it", flow: placed([node("w", "watch", { files: "@DIR@", recursive: "" }, ["r", "out"]), node("r", "file in", { filename: "filename", filenameType: "msg", format: "utf8", sendError: false }, ["read"]), sink(), sink("read")]), slow, files: {}, msgs: [{ $wait: 200 }, write("x.txt", "content")] });
cases.push({ name: "what is not there", flow: placed([node("w", "watch", { files: "@DIR@/gone", recursive: "" }, ["out"]), sink(), node("c", "catch", { scope: null }, ["err"]), sink("err")]), slow, files: {}, msgs: [{ $wait: 200 }, write("x.txt", "content")] });
export default cases;
