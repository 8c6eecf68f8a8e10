/**
 * Long random series of everything that users do, over several canvases: whatever was done, the flow holds together, and
 * undo and redo give every text that there was, byte for byte.
 */
import fc from "fast-check";
import { expect, it } from "vitest";
import { CORE_TYPES } from "./core-types";
import { exportNodes, paste, SubflowCycleError } from "./clipboard";
import * as commands from "./commands";
import { Editor, LockedError, type Transaction } from "./edit";
import { Flow, kindOf, parsePortId, subflowOf, type FlowNode } from "./flow";
import type { Json } from "./json";
import { align, distribute } from "./layout";
import { parse, print } from "./text";
import { NodeTypes } from "./types";

const types = new NodeTypes(CORE_TYPES);
const size = () => ({ w: 100, h: 30 });

const node = (id: string, type: string, z: string, x: number, y: number, wires: string[][], more: object = {}) => ({ id, type, z, name: "", x, y, wires, ...more });
const BASE: Json[] = [
  { id: "t1", type: "tab", label: "One" },
  { id: "t2", type: "tab", label: "Two", disabled: true },
  { id: "s1", type: "subflow", name: "Sub", in: [{ x: 40, y: 40, wires: [{ id: "sa" }] }], out: [{ x: 400, y: 40, wires: [{ id: "sb", port: 0 }, { id: "s1", port: 0 }] }], status: { x: 400, y: 80, wires: [{ id: "sb", port: 0 }] } },
  node("sa", "change", "s1", 160, 40, [["sb"]]),
  node("sb", "function", "s1", 280, 40, [[]], { g: "sg", outputs: 1 }),
  { id: "sg", type: "group", z: "s1", name: "", style: { label: true }, nodes: ["sb"], x: 200, y: 0, w: 160, h: 82 },
  { id: "g1", type: "group", z: "t1", name: "outer", style: { label: true }, nodes: ["g2", "c"], x: 0, y: 0, w: 500, h: 200 },
  { id: "g2", type: "group", z: "t1", g: "g1", name: "inner", style: { label: true }, nodes: ["a", "b"], x: 10, y: 10, w: 400, h: 100 },
  node("a", "inject", "t1", 100, 100, [["b"]], { g: "g2", props: [] }),
  node("b", "function", "t1", 300, 100, [["c", "i"], ["d"]], { g: "g2", outputs: 2 }),
  node("c", "change", "t1", 500, 100, [["d", "lo"]], { g: "g1" }),
  node("d", "debug", "t1", 700, 100, []),
  node("i", "subflow:s1", "t1", 500, 200, [["j"]]),
  { id: "j", type: "junction", z: "t1", x: 640, y: 200, wires: [["d"]] },
  node("lo", "link out", "t1", 700, 300, [], { mode: "link", links: ["li"] }),
  node("li", "link in", "t2", 100, 100, [["m"]], { links: ["lo"] }),
  node("lc", "link call", "t2", 100, 300, [["m"]], { links: ["li"], linkType: "static" }),
  node("m", "mqtt out", "t2", 300, 100, [], { broker: "cfg" }),
  node("ca", "catch", "t2", 300, 300, [["m"]], { scope: ["m", "lc"] }),
  node("odd", "from-a-package", "t2", 500, 300, [[]], { "9": 1.5, deep: { a: [null] } }),
  { id: "cfg", type: "mqtt-broker", name: "x" },
];

const BEGINNING = Flow.of(BASE.map((each) => [(each as { id: string }).id, each] as const));

const KINDS = [
  "remove", "reconnect", "detach", "move", "connect", "disconnect", "rewire", "group", "ungroup", "enter", "leave", "subflow", "expand", "port", "unport", "splice", "junction", "split", "link",
  "paste", "import", "cut", "order", "align", "distribute", "tab", "place", "tab-order", "lock", "unlock", "property", "outputs", "undo", "redo",
] as const;
const action = fc.record({ kind: fc.constantFrom(...KINDS), picks: fc.array(fc.nat(1000), { minLength: 1, maxLength: 4 }), by: fc.nat(7) });
type Step = typeof action extends fc.Arbitrary<infer T> ? T : never;

const REFUSALS = [LockedError, commands.SubflowInputError, SubflowCycleError];

/** What a user could select: what lies on the canvas of the first. */
function chosen(flow: Flow, picks: readonly number[]): string[] {
  const all = [...flow.nodes()].filter((each) => !["tab", "subflow", "config", "global"].includes(kindOf(each)));
  const first = all[picks[0]! % Math.max(1, all.length)];
  if (!first) return [];
  const here = [...flow.on(first.z ?? "").filter((each) => kindOf(each) !== "config").map((each) => each.id), ...flow.portsOf(first.z ?? "").map((port) => port.id)];
  return [...new Set(picks.map((pick, i) => (i === 0 ? first.id : here[pick % here.length]!)))];
}

function act(tx: Transaction, { kind, picks, by }: Step): void {
  const { flow } = tx;
  const ids = chosen(flow, picks);
  const nodes = ids.map((id) => flow.get(id)).filter((each) => each !== undefined);
  const [one, two] = nodes;
  if (!one) return;
  const wires = ids.flatMap((id) => [...flow.wiresFrom(id), ...flow.wiresTo(id)]);
  const wire = wires[by % Math.max(1, wires.length)];
  const subflows = flow.subflows();
  const places = [...flow.tabs(), ...subflows];
  const place = places[by % places.length]!;
  const subflow = subflows[by % Math.max(1, subflows.length)];
  const ports = subflow ? flow.portsOf(subflow.id) : [];
  const placed = (each: FlowNode) => kindOf(each) === "node" || each.type === "junction";
  switch (kind) {
    case "remove": return commands.remove(tx, ids);
    case "reconnect": return commands.remove(tx, ids, { reconnect: true });
    case "detach": return commands.detach(tx, ids);
    case "move": return commands.move(tx, ids, by * 20 - 60, by);
    case "connect": return two && placed(one) && placed(two) && types.inputs(flow, two) > 0 && by < types.outputs(flow, one) ? commands.connect(tx, { source: one.id, port: by, target: two.id }) : undefined;
    case "disconnect": return wire && commands.disconnect(tx, wire);
    case "rewire": return wire && placed(one) && types.inputs(flow, one) > 0 && !parsePortId(wire.target) ? commands.rewire(tx, [wire], { target: one.id }) : undefined;
    case "group": return void commands.group(tx, ids, size);
    case "ungroup": return commands.ungroup(tx, one.g ?? one.id, size);
    case "enter": {
      const groups = flow.on(one.z!).filter((each) => each.type === "group" && !commands.withMembers(flow, ids).includes(each.id));
      const into = groups[by % Math.max(1, groups.length)];
      return into && commands.addToGroup(tx, into.id, ids, size);
    }
    case "leave": return commands.removeFromGroup(tx, ids, size);
    case "subflow": return void commands.makeSubflow(tx, ids, "s");
    case "expand": return subflowOf(one) === undefined ? undefined : void commands.expandSubflow(tx, types, one.id, size);
    case "port": return subflow && void commands.addPort(tx, subflow.id, (["in", "out", "status"] as const)[by % 3]!, { x: 10, y: 10 });
    case "unport": return ports.length > 0 ? commands.remove(tx, [ports[by % ports.length]!.id]) : undefined;
    case "splice": return wire && placed(one) ? void commands.splice(tx, types, wire, one.id) : undefined;
    case "junction": return wire && one.z ? void commands.addJunction(tx, [wire], one.z, { x: 1, y: 1 }) : undefined;
    case "split": return wire && one.z ? void commands.splitWithLinks(tx, types, wire, one.z, size) : undefined;
    case "link": {
      const from = [...flow.nodes()].filter((each) => each.type === "link out" || each.type === "link call");
      const into = flow.ofType("link in");
      return from.length > 0 && into.length > 0 ? commands.link(tx, from[by % from.length]!.id, into[picks[0]! % into.length]!.id) : undefined;
    }
    case "paste": return void paste(tx, types, exportNodes(flow, types, ids), { place: place.id, at: { x: 20, y: 20 } });
    // (an older version of the flow, or a part of it, is read in again)
    case "import": return void paste(tx, types, exportNodes(BEGINNING, types, picks.map((pick) => [...BEGINNING.keys()][pick % BASE.length]!)), { place: place.id, ids: by % 2 === 0 ? "keep" : "replace" });
    case "cut": {
      const cut = exportNodes(flow, types, nodes.map((each) => each.id));
      commands.remove(tx, ids);
      return flow.has(place.id) ? void paste(tx, types, cut, { place: place.id, ids: "keep" }) : undefined;
    }
    case "order": return commands.reorder(tx, ids, (["front", "back", "forward", "backward"] as const)[by % 4]!);
    case "align": return align(tx, ids, (["left", "right", "top", "bottom", "center", "middle", "grid"] as const)[by % 7]!, size);
    case "distribute": return distribute(tx, ids, by % 2 === 0 ? "horizontal" : "vertical", size);
    case "tab": return void commands.addTab(tx, "x", place.type === "tab" ? place.id : undefined);
    case "place": return flow.tabs().length > 1 ? commands.removePlace(tx, place.id) : undefined;
    case "tab-order": return place.type === "tab" ? commands.moveTab(tx, place.id, flow.tabs()[picks[0]! % flow.tabs().length]?.id ?? null) : undefined;
    case "lock": return tx.update(place.id, { locked: true });
    case "unlock": return tx.update(place.id, { locked: undefined });
    case "property": return tx.update(one.id, { name: `n${by}`, d: by % 2 === 0 ? true : undefined });
    case "outputs": return one.type === "function" ? commands.changeProperties(tx, types, one.id, { outputs: by % 4 }) : undefined;
  }
}

/** What is wrong with a flow that was right at the beginning. */
function broken(flow: Flow): string[] {
  const out: string[] = [];
  for (const each of flow.nodes()) {
    if (each.z !== undefined && !flow.has(each.z)) out.push(`${each.id} lies on ${each.z}, which is no more`);
    if (each.g !== undefined) {
      const group = flow.get(each.g);
      if (group?.type !== "group") out.push(`${each.id} is in the group ${each.g}, which is no more`);
      else if (group.z !== each.z) out.push(`${each.id} is in a group of another canvas`);
      else if (!(group["nodes"] as string[]).includes(each.id)) out.push(`the group ${group.id} does not name ${each.id}`);
    }
    if (each.type === "group") {
      const members = each["nodes"] as string[];
      if (members.length === 0) out.push(`the group ${each.id} is empty`);
      for (const member of members) if (flow.get(member)?.g !== each.id) out.push(`the group ${each.id} names ${member}, which is not in it`);
      const seen = new Set<string>();
      for (let up: FlowNode | undefined = each; up; up = flow.get(up.g ?? "")) {
        if (seen.has(up.id)) { out.push(`the group ${each.id} lies in itself`); break; }
        seen.add(up.id);
      }
    }
    const sources = each.type === "subflow" ? flow.portsOf(each.id).map((port) => port.id) : [each.id];
    for (const { source, port, target } of sources.flatMap((id) => [...flow.wiresFrom(id), ...flow.wiresTo(id)])) {
      const place = (id: string) => parsePortId(id)?.subflow ?? flow.get(id)?.z;
      if (place(source) === undefined || place(target) === undefined) out.push(`the wire ${source}:${port}:${target} leads nowhere`);
      else if (place(source) !== place(target)) out.push(`the wire ${source}:${port}:${target} leaves its canvas`);
    }
    if (subflowOf(each) !== undefined) {
      const subflow = flow.get(subflowOf(each)!);
      if (!subflow) out.push(`${each.id} is an instance of nothing`);
      else if (commands.containsPlace(flow, subflow.id, each.z!)) out.push(`the subflow ${subflow.id} contains itself`);
      else if ((each.wires ?? []).length > flow.portsOf(subflow.id).filter((port) => port.kind === "out").length) out.push(`the instance ${each.id} has more outputs than its subflow`);
    }
    if (each.type.startsWith("link ")) {
      for (const other of each["links"] as string[]) {
        const end = flow.get(other);
        if (!end) out.push(`${each.id} links with ${other}, which is no more`);
        else if (each.type !== "link call" && end.type !== "link call" && !(end["links"] as string[]).includes(each.id)) out.push(`${each.id} links with ${other}, but not the other way`);
      }
    }
  }
  return out;
}

it("whatever is done, the flow holds together, and undo and redo give every text again", () => {
  const file = parse(JSON.stringify(BASE, null, 4));
  fc.assert(
    fc.property(fc.array(action, { maxLength: 40 }), (steps) => {
      const editor = new Editor(Flow.fromText(file));
      const text = () => print(file, editor.flow.entries());
      // The text after each step that can still be undone.
      let texts = [text()];
      let at = 0;
      for (const step of steps) {
        const before = text();
        if (step.kind === "undo" || step.kind === "redo") {
          if (step.kind === "undo" ? editor.undo() : editor.redo()) at += step.kind === "undo" ? -1 : 1;
          expect(text()).toBe(texts[at]);
        } else {
          const revision = editor.revision;
          try {
            editor.run(step.kind, (tx) => act(tx, step));
          } catch (error) {
            if (!REFUSALS.some((refusal) => error instanceof refusal)) throw error;
            expect(text()).toBe(before);
          }
          if (editor.revision > revision) {
            at += 1;
            texts = [...texts.slice(0, at), text()];
          }
        }
        expect(broken(editor.flow), `${step.kind} ${JSON.stringify(chosen(editor.flow, step.picks))}`).toEqual([]);
      }
      while (editor.undo());
      expect(text()).toBe(print(file));
      for (let i = 1; editor.redo(); i += 1) expect(text()).toBe(texts[i]);
      expect(text()).toBe(texts.at(-1));
    }),
    { numRuns: 150 },
  );
});
