// Short ways to write flows: nodes of a tab, and helpers that show what comes to them.

/** A node; `to` are the ids that its outputs are wired to: a list for all, or a list of lists. */
export const node = (id, type, config = {}, ...to) => ({ id, type, ...config, wires: to.map(ids => [ids].flat()) });
/** Shows what comes. */
export const sink = (id = "out") => ({ id, type: "helper", wires: [] });
/** Passes on what comes (for tests to begin at). */
export const start = (id, ...to) => node(id, "junction", {}, ...to);
/** A function. */
export const fn = (id, func, config = {}, ...to) => node(id, "function", { func, outputs: to.length, timeout: "", noerr: 0, initialize: "", finalize: "", libs: [], ...config }, ...to);
/** Nodes with a place on the canvas: what has none is a configuration node to Node-RED. */
export const placed = flow => flow.map(one => (one.wires ? { ...one, x: 0, y: 0 } : one));
