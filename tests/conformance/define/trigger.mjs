// trigger: the first and the second thing, extended, repeated, by topic, reset.
import { buffer, date, undef } from "./_values.mjs";

const cases = [];
const add = (name, node, msgs, more = {}) => cases.push({ name, node: { type: "trigger", op1: "1", op2: "0", op1type: "str", op2type: "str", duration: "80", extend: "false", overrideDelay: false, units: "ms", reset: "", bytopic: "all", topic: "topic", outputs: 1, ...node }, timed: true, tail: 300, ...more, msgs });
const wait = ms => ({ $wait: ms });
const types = [["text", "str"], ["5", "num"], ["true", "bool"], ["{\"a\":[1]}", "json"], ["[104]", "bin"], ["", "nul"], ["", "pay"], ["", "payl"], ["CASE_TR", "env"], ["triggerFlow", "flow"], ["payload & '!'", "jsonata"], ["{", "json"], ["x", "num"], ["", "str"]];
for (const [value, type] of types) {
    if (type !== "payl") add(`first ${type} ${value}`, { op1: value, op1type: type }, [{ payload: "p", topic: "t" }], { env: { CASE_TR: "house" } });
    add(`second ${type} ${value}`, { op2: value, op2type: type }, [{ payload: "p", topic: "t" }, wait(20), { payload: "q" }], { env: { CASE_TR: "house" } });
}
for (const outputs of [1, 2]) {
    for (const extend of ["false", "true", true, false]) {
        for (const op2type of ["str", "nul", "payl", "pay"]) {
            add(`extend ${JSON.stringify(extend)}, then ${op2type}, ${outputs} outputs`, { extend, op2type, outputs, duration: "200" }, [{ payload: "a", topic: "x" }, wait(100), { payload: "b", topic: "y" }, wait(150), { payload: "c" }], { outputs, tail: 300 });
        }
    }
}
for (const bytopic of ["all", "topic"]) {
    for (const topic of ["topic", "payload.k"]) {
        add(`by ${bytopic}, ${topic}`, { bytopic, topic, op2type: "payl" }, [{ topic: "a", payload: { k: 1 } }, { topic: "b", payload: { k: 1 } }, { topic: "a", payload: { k: 2 } }, { payload: 5 }]);
        add(`by ${bytopic}, ${topic}, reset`, { bytopic, topic, op2type: "payl", duration: "150" }, [{ topic: "a", payload: { k: 1 } }, { topic: "b", payload: { k: 2 } }, wait(30), { topic: "a", reset: true }, wait(30)]);
    }
}
for (const [reset, payload] of [["stop", "stop"], ["0", 0], ["true", true], ["5", 5], ["null", null], ["stop", "other"], ["", ""]]) add(`reset by ${JSON.stringify(payload)} where that is ${reset || "nothing"}`, { reset }, [{ payload: "a" }, wait(20), { payload }, wait(20)]);
add("reset by a property", {}, [{ payload: "a" }, wait(20), { reset: true }, wait(20), { payload: "b" }]);
add("reset when nothing goes on", {}, [{ reset: true }, wait(10), { payload: "b" }]);
add("for ever, until it is reset", { duration: "0" }, [{ payload: "a" }, { payload: "b" }, wait(30), { reset: 1 }, { payload: "c" }]);
add("the first thing is nothing", { op1type: "nul", op2type: "payl" }, [{ payload: "a" }, { payload: "b" }]);
add("both are nothing", { op1type: "nul", op2type: "nul" }, [{ payload: "a" }]);
add("again and again", { duration: "-100", op1type: "pay" }, [{ payload: "a" }, wait(250), { reset: true }], { tail: 250 });
add("the message's delay", { overrideDelay: true, duration: "1000" }, [{ payload: "a", delay: 50 }]);
add("the message's delay where that is not allowed", { duration: "60" }, [{ payload: "a", delay: 1000 }]);
add("the message's delay that is none", { overrideDelay: true, duration: "60" }, [{ payload: "a", delay: "x" }, wait(150), { payload: "b", delay: -1 }]);
for (const [duration, units] of [["0.06", "s"], ["0.001", "min"], ["60", "ms"], ["", "ms"], ["60", "strange"]]) if (units !== "strange" && duration) add(`${duration} ${units}`, { duration, units }, [{ payload: "a" }]);
add("kinds of payloads", { op1type: "pay", op2type: "payl", duration: "40" }, [1, null, buffer("x"), date("2020-01-01T00:00:00.000Z"), { a: { b: 1 } }, undef].flatMap(payload => [{ payload }, wait(90)]));
add("what is sent second is as it came", { op1type: "pay", op2type: "pay", duration: "40" }, [{ payload: { a: 1 }, other: [1] }]);
cases.push({ name: "nothing is set", node: { type: "trigger", duration: "50", units: "ms" }, timed: true, msgs: [{ payload: "a" }, { payload: "b" }] });
export default cases;
