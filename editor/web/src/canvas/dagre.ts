/**
 * The layout itself: from left to right, by layers. Only the worker loads this, for of a thousand nodes it takes seconds.
 */
import { Graph, layout } from "@dagrejs/dagre";
import type { Sheet, Spots } from "../model/arrange";

export function spotsFor({ boxes, links }: Sheet): Spots {
  const graph = new Graph({ multigraph: false });
  graph.setGraph({ rankdir: "LR", nodesep: 30, ranksep: 70, edgesep: 20 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, w, h } of boxes) graph.setNode(id, { width: w, height: h });
  for (const [from, to] of links) graph.setEdge(from, to);
  layout(graph);
  return boxes.map(({ id }) => [id, { x: graph.node(id).x, y: graph.node(id).y }]);
}
