/** Lays a graph out off the page's own thread. */
import type { Sheet, Spots } from "../model/arrange";
import { spotsFor } from "./spots";

const inside = self as unknown as { onmessage: (event: MessageEvent<Sheet>) => void; postMessage: (spots: Spots) => void };

inside.onmessage = ({ data }) => inside.postMessage(spotsFor(data));
