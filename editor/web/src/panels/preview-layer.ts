/**
 * What a deployment would do, as marks on the canvas.
 */
import type { DeployPreview } from "../api/client";
import type { Layer, Tint } from "../canvas/layers";
import { t } from "../messages";
import type { Flow } from "../model/flow";
import { pathOf } from "../model/instances";

export type Fate = "starts" | "restarts" | "stops";

const LOOKS: { readonly [fate in Fate]: { readonly color: string; readonly letter: string } } = {
  starts: { color: "#44bb99", letter: "+" },
  restarts: { color: "#eedd88", letter: "↻" },
  stops: { color: "#ee8866", letter: "×" },
};

/** An instance of a subflow is marked when anything in it is; where several things happen, with what comes first here. */
export function previewLayer(flow: Flow, preview: DeployPreview, close: () => void): Layer {
  const nodes = new Map<string, Tint>();
  const fates = (["stops", "starts", "restarts"] as const).filter((fate) => preview[fate].length > 0);
  for (const fate of fates) {
    for (const name of preview[fate]) {
      const id = pathOf(flow, name)[0]?.id;
      if (id !== undefined && !nodes.has(id)) nodes.set(id, { ...LOOKS[fate], title: t(`preview.${fate}`) });
    }
  }
  const legend = fates.map((fate) => ({ ...LOOKS[fate], text: t(`preview.${fate}-title`, { count: preview[fate].length }) }));
  return { title: t("preview.legend"), nodes, cut: new Map(), legend, close };
}
