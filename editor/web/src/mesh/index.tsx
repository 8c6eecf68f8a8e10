/**
 * The mesh: its panel, its actions, and the box that places nodes. Importing this module puts them into the frame; the
 * panel itself is loaded when it is first opened.
 */
import { lazy, Suspense } from "react";
import { addActions } from "../app/actions";
import { overlays, panels } from "../app/parts";
import { togglePanel } from "../panels/actions";
import { t } from "../messages";
import { PlaceBox } from "./PlaceBox";
import { meshOf } from "./state";

const LazyPanel = lazy(() => import("./MeshPanel").then(({ MeshPanel }) => ({ default: MeshPanel })));

function Panel() {
  return (
    <Suspense fallback={<p className="panel-empty">{t("mesh.loading")}</p>}>
      <LazyPanel />
    </Suspense>
  );
}

panels.push({ id: "mesh", title: "panel.mesh", icon: "mesh", component: Panel });
// (not loaded on demand: what is typed at once would go to the canvas)
overlays.push(PlaceBox);

addActions([
  { id: "panel-mesh", title: "do.panel-mesh", keys: ["ctrl-g m"], scope: "all", run: togglePanel("mesh") },
  { id: "mesh-colour", title: "do.mesh-colour", keys: ["alt-shift-p"], scope: "canvas", when: (session) => meshOf(session).reading.get().kind !== "absent", run: (session) => meshOf(session).colouring.update((on) => !on) },
  {
    id: "mesh-place",
    title: "do.mesh-place",
    keys: ["alt-p"],
    scope: "canvas",
    // Whether there is a mesh is known once somebody has looked.
    when: (session) => meshOf(session).text.get() !== null && meshOf(session).chosen().length > 0,
    run: (session) => meshOf(session).placing.set(meshOf(session).chosen()),
  },
  { id: "mesh-save", title: "do.mesh-save", scope: "all", when: (session) => meshOf(session).isDirty, run: (session) => void meshOf(session).save() },
]);
