/** The box that asks on which machine to place what is selected. */
import { useEffect } from "react";
import { useSession, useStore } from "../app/react";
import { Picker, type Choice } from "../canvas/Picker";
import { fit } from "../canvas/pickers";
import { viewOf } from "../canvas/view";
import { t } from "../messages";
import { meshOf } from "./state";

/** The entry that takes a rule away; no machine is called so. */
const ANYWHERE = "\u0000";

export function PlaceBox() {
  const session = useSession();
  const mesh = meshOf(session);
  const placing = useStore(mesh.placing);
  useStore(mesh.plan);
  useStore(mesh.text);
  useEffect(() => (placing ? mesh.watch() : undefined), [mesh, placing]);
  if (!placing) return null;
  const close = () => {
    mesh.placing.set(null);
    viewOf(session).focus();
  };
  const choices = (query: string): Choice[] => {
    const machines = mesh.machines().map(({ name, color, letter }) => ({ id: name, text: name, color, letter }));
    return [...machines, { id: ANYWHERE, text: t("mesh.place-anywhere"), color: "transparent", letter: "–" }]
      .filter(({ text }) => fit(text, query) !== Infinity)
      .map(({ id, text, color, letter }) => ({
        id,
        content: (
          <>
            <span className="legend-color" style={{ background: color }} aria-hidden="true">
              {letter}
            </span>
            <span className="picker-title">{text}</span>
          </>
        ),
      }));
  };
  const pick = (id: string) => {
    close();
    void mesh.place(placing, id === ANYWHERE ? null : id);
  };
  const [first] = placing;
  const what = first !== undefined && session.flow.get(first)?.type === "tab" ? t("mesh.this-flow") : t("mesh.what", { count: placing.length });
  const label = t("mesh.place-label", { what });
  return <Picker label={label} placeholder={label} choices={choices} onPick={pick} onClose={close} />;
}
