// delay: order and what is dropped, by each way. (Times are short: what counts is the order.)
const cases = [];
const add = (name, node, msgs, more = {}) => cases.push({ name, node: { type: "delay", pauseType: "delay", timeout: "60", timeoutUnits: "milliseconds", rate: "1", nbRateUnits: "1", rateUnits: "second", randomFirst: "1", randomLast: "5", randomUnits: "milliseconds", drop: false, allowrate: false, outputs: 1, ...node }, timed: true, tail: 400, ...(/^(rate|queue|timed)$/.test(node.pauseType) ? OVER : {}), ...more, msgs });
/** (Rates tell how many messages wait every half a second, which is another time each time.) */
const OVER = { hide: ["status"] };
const run = (count, more = {}) => Array.from({ length: count }, (_, payload) => ({ payload, ...more }));
const wait = ms => ({ $wait: ms });
add("each is delayed", {}, run(3));
for (const [timeout, timeoutUnits] of [["0", "milliseconds"], ["0.05", "seconds"], ["0.001", "minutes"], ["", "milliseconds"], ["x", "milliseconds"], ["5", "strange"]]) {
    if (timeoutUnits !== "strange" && timeout !== "x") add(`${timeout} ${timeoutUnits}`, { timeout, timeoutUnits }, run(2));
}
add("random", { pauseType: "random" }, run(1));
add("random, from more to less", { pauseType: "random", randomFirst: "9", randomLast: "2" }, run(1));
add("by the message", { pauseType: "delayv" }, [{ payload: "slow", delay: 200 }, { payload: "quick", delay: 20 }, { payload: "text", delay: "100" }]);
for (const delay of ["x", null, -5, {}, ""]) add(`by the message's ${JSON.stringify(delay)}`, { pauseType: "delayv", timeout: "20" }, [{ payload: 1, delay }]);
add("by the message that has none", { pauseType: "delayv", timeout: "60" }, run(2));
for (const pauseType of ["delay", "delayv", "random"]) {
    const slow = { pauseType, timeout: "300", randomFirst: "300", randomLast: "310" };
    add(`${pauseType}: reset`, slow, [...run(2), wait(60), { reset: true }, wait(20), ...run(1)], { tail: 600 });
    add(`${pauseType}: flush`, slow, [...run(3), wait(60), { flush: true }, wait(30)], { tail: 500 });
    add(`${pauseType}: flush some`, slow, [...run(3), wait(60), { flush: 2 }, wait(30)], { tail: 500 });
}
// Rates.
const rate = { pauseType: "rate", rate: "10", nbRateUnits: "1", rateUnits: "second" };
add("a rate", rate, run(4), { tail: 600 });
add("a rate that drops", { ...rate, drop: true }, [...run(3), wait(160), ...run(2)]);
add("a rate whose drops leave by another output", { ...rate, drop: true, outputs: 2 }, [...run(3), wait(160), ...run(2)], { outputs: 2 });
add("a rate, first to the front", rate, [{ payload: 1 }, { payload: 2 }, { payload: 3, toFront: true }, { payload: 4, toFront: true }], { tail: 700 });
add("a rate, flushed", { ...rate, rate: "2" }, [...run(4), wait(50), { flush: true }, wait(50), ...run(1)], { tail: 700 });
add("a rate, some flushed", { ...rate, rate: "1" }, [...run(5), wait(50), { flush: 2 }, wait(50)], { tail: 300 });
add("a rate, flushed by a message with something in it", { ...rate, rate: "1" }, [...run(3), wait(50), { payload: "x", flush: 1 }, wait(50)], { tail: 300 });
add("a rate, reset", { ...rate, rate: "2" }, [...run(3), wait(50), { reset: true }, wait(50), ...run(1)], { tail: 800 });
add("a rate by the message", { ...rate, rate: "1", allowrate: true }, [{ payload: 1, rate: 50 }, { payload: 2 }, { payload: 3 }, { payload: 4, rate: "100" }], { tail: 500 });
add("a rate by the message where that is not allowed", { ...rate, rate: "20" }, [{ payload: 1, rate: 1000 }, { payload: 2 }], { tail: 300 });
add("several at a time", { ...rate, rate: "2", nbRateUnits: "0.2" }, run(4), { tail: 700 });
add("a burst", { ...rate, pauseType: "burst", rate: "3", nbRateUnits: "0.1" }, run(5), { tail: 300 });
for (const pauseType of ["queue", "timed"]) {
    const by = { pauseType, rate: "2", rateUnits: "second" };
    const seldom = { ...by, rate: "0.4" };
    add(`${pauseType}: by topic`, by, ["a", "b", "a", "c", "b", "a"].map((topic, payload) => ({ topic, payload })), { tail: 1900 });
    add(`${pauseType}: without topics`, by, run(3), { tail: 900 });
    add(`${pauseType}: flushed`, seldom, [...["a", "b", "a"].map((topic, payload) => ({ topic, payload })), wait(50), { flush: true }], { tail: 200 });
    add(`${pauseType}: reset`, seldom, [...["a", "b", "a"].map((topic, payload) => ({ topic, payload })), wait(50), { reset: true }], { tail: 700 });
    add(`${pauseType}: a topic flushed`, seldom, [...["a", "b", "a", "b"].map((topic, payload) => ({ topic, payload })), wait(50), { topic: "b", flush: 1 }], { tail: 200 });
}
export default cases;
