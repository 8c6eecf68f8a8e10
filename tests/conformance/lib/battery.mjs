// Messages that look like what comes to nodes of real flows, in the control protocol's form.

const buffer = text => ({ $type: "buffer", base64: Buffer.from(text, "latin1").toString("base64") });
const reading = { temperature: 21.5, humidity: 48, pressure: 1013.2, battery: 87, ts: 1767323045000, status: "ok", location: { room: "kitchen", floor: 1 } };
const request = {
    method: "POST", url: "/api/devices?id=7&on=true", headers: { "content-type": "application/json", host: "127.0.0.1:1880" },
    query: { id: "7", on: "true" }, params: { id: "7", name: "pump" }, body: { value: 42 }, ip: "127.0.0.1",
};

/** What is likely. */
export const LIKELY = [
    { topic: "home/temp", payload: 21.5 },
    { topic: "home/temp", payload: "23.7" },
    { topic: "sensors/kitchen/humidity", payload: 0 },
    { topic: "home/living/lamp/state", payload: "on" },
    { topic: "home/living/lamp/state", payload: "off" },
    { topic: "home/living/lamp/set", payload: "ON", qos: 0, retain: false },
    { topic: "lamp", payload: true },
    { topic: "lamp", payload: false },
    { topic: "sensors/1", payload: JSON.stringify(reading) },
    { topic: "sensors/1", payload: reading },
    { topic: "list", payload: [1, 2, 3.5, "4", { a: 1 }] },
    { topic: "rows", payload: [{ id: 1, name: "a", value: 10 }, { id: 2, name: "b", value: -20.25 }, { id: 3, name: "c", value: null }] },
    { topic: "", payload: "" },
    { topic: "raw", payload: buffer("\x01\x03\x00\x10\xff\xfe12.5;OK\r\n") },
    { topic: "text", payload: buffer("{\"temp\": 19.25, \"unit\": \"C\"}") },
    { topic: "csv", payload: "time,value\n1,10\n2,20.5\n" },
    { payload: "hello world, 42 °C" },
    { payload: null },
    { payload: { state: "ON", brightness: 128, color: { r: 255, g: 120, b: 0 } }, topic: "zigbee2mqtt/lamp" },
    { payload: { id: 7, value: 42 }, req: request },
    { payload: 1767323045000, topic: "timestamp" },
    { payload: -7, topic: "home/temp", delay: 10, rate: 100 },
    { payload: "1" },
    { payload: { message: { chatId: 5, content: "/start", type: "message" }, chatId: 5, content: "/start" }, statusCode: 200, headers: { "content-type": "text/html" } },
    { payload: "<html><body><div class=\"temp\">21</div><a href=\"/x\">x</a></body></html>", statusCode: 200 },
    { topic: "home/temp", payload: 35, data: { entity_id: "sensor.temp", old_state: { state: "20" }, new_state: { state: "35", attributes: { unit: "°C" } } }, reset: false },
];

/** What hardly a node is made for. */
export const ODD = [
    {},
    { payload: { $type: "undefined" }, topic: { $type: "undefined" } },
    { payload: { $type: "number", value: "NaN" }, topic: 5 },
    { payload: { $type: "number", value: "-0" }, topic: null },
    { payload: { $type: "number", value: "Infinity" }, topic: ["a"] },
    { payload: [], topic: {} },
    { payload: {}, topic: true },
    { payload: [[], [[1]], null, { $type: "undefined" }], parts: { id: "p", index: 0, count: 1, type: "array", len: 1 } },
    { payload: "x".repeat(3000), topic: "ünïcödé/😀" },
    { payload: "{broken", topic: "+/#" },
    { payload: "0x1F", topic: "constructor" },
    { payload: { length: 3, valueOf: 1, constructor: null, "a.b": { "": 1 } } },
    { payload: { $type: "date", iso: "2026-02-03T04:05:06.789Z" } },
    { payload: { $type: "buffer", base64: "" }, parts: {} },
    { payload: "   ", reset: true },
    { payload: { $type: "bigint", value: "12345678901234567890" } },
    { payload: 1e308, flush: true },
    { payload: "false", complete: true, parts: { id: "q", index: 5, count: 2 } },
    { payload: { $type: "error", name: "TypeError", message: "no" }, error: { message: "m", source: { id: "x", type: "function", name: "", count: 1 } } },
    { payload: 0.1, topic: "home/temp", delay: "abc" },
];
