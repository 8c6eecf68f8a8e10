// batch: by number with and without overlap, by topics, by time where it is only an order.
import { older } from "./_older.mjs";
import { undef } from "./_values.mjs";

const cases = older("batch").map(one => ({ ...one, name: `older: ${one.name}` }));
const add = (name, node, msgs, more = {}) => cases.push({ name, node: { type: "batch", mode: "count", count: "3", overlap: "0", interval: "10", allowEmptySequence: false, honourParts: false, topics: [], ...node }, ...more, msgs });
const run = (count, more = {}) => Array.from({ length: count }, (_, at) => ({ payload: at, topic: at % 2 ? "b" : "a", ...more }));
for (const [count, overlap] of [["3", "0"], ["3", "1"], ["3", "2"], ["2", "5"], ["3", "3"], ["1", "0"], ["0", "0"], ["x", "y"], [2, 1], ["-1", "0"], ["2.5", "0"]]) add(`${count}, overlapping ${overlap}`, { count, overlap }, run(7));
for (const honourParts of [false, true]) add(`with parts: ${honourParts}`, { honourParts }, [0, 1].flatMap(index => [{ payload: index, parts: { id: "q", index, count: 2 } }]).concat(run(4)));
add("reset", {}, [...run(2), { reset: true }, ...run(4)]);
for (const topics of [["a", "b"], ["b", "a"], ["a"], ["a", "a"], []]) {
    const list = topics.map(topic => ({ topic }));
    add(`topics ${topics.join() || "of none"}`, { mode: "concat", topics: list }, [
        { topic: "a", payload: 1, parts: { id: "1", index: 0, count: 2 } }, { topic: "b", payload: 2, parts: { id: "2", index: 0, count: 1 } }, { topic: "a", payload: 3, parts: { id: "1", index: 1, count: 2 } },
        { topic: "c", payload: 4, parts: { id: "3", index: 0, count: 1 } }, { topic: "a", payload: 5, parts: { id: "4", index: 0, count: 1 } }, { topic: "b", payload: 6, parts: { id: "5", index: 0, count: 1 } }]);
    add(`topics ${topics.join() || "of none"}, without parts`, { mode: "concat", topics: list }, [{ topic: "a", payload: 1 }, { topic: "b", payload: 2 }, { payload: 3 }, { topic: undef, payload: 4 }]);
    add(`topics ${topics.join() || "of none"}, reset`, { mode: "concat", topics: list }, [{ topic: "a", payload: 1, parts: { id: "1", index: 0, count: 1 } }, { topic: "x", reset: true }, { topic: "b", payload: 2, parts: { id: "2", index: 0, count: 1 } }]);
}
add("more waiting than are allowed", { count: "5" }, run(4), { settings: { nodeMessageBufferMaxLength: 3 } });
for (const allowEmptySequence of [false, true]) {
    const more = { timed: true, tail: 380 };
    add(`by time, empty ones: ${allowEmptySequence}`, { mode: "interval", interval: "0.2", allowEmptySequence }, [{ $wait: 60 }, ...run(3), { $wait: 260 }, ...run(1)], more);
    add(`by time, reset, empty ones: ${allowEmptySequence}`, { mode: "interval", interval: "0.2", allowEmptySequence }, [{ $wait: 60 }, ...run(2), { reset: true }, ...run(1)], { ...more, tail: 300 });
}
cases.push({ name: "nothing is set", node: { type: "batch" }, msgs: run(3) }, { name: "a mode that is none", node: { type: "batch", mode: "strange" }, msgs: run(2) });
export default cases;
