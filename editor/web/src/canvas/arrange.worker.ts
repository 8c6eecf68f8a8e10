/**
 * Lays a graph out from left to right, off the page's own thread: of a thousand nodes it takes seconds.
 */
import { Graph, layout } from "@dagrejs/dagre";
import type { Sheet, Spots } from "../model/arrange";

const inside = self as unknown as { onmessage: (event: MessageEvent<Sheet>) => void; postMessage: (spots: Spots) => void };

inside.onmessage = ({ data: { boxes, links } }) => {
  const graph = new Graph({ multigraph: false });
  graph.setGraph({ rankdir: "LR", nodesep: 30, ranksep: 70, edgesep: 20 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, w, h } of boxes) graph.setNode(id, { width: w, height: h });
  for (const [from, to] of links) graph.setEdge(from, to);
  layout(graph);
  inside.postMessage(boxes.map(({ id }) => [id, { x: graph.node(id).x, y: graph.node(id).y }]));
};
