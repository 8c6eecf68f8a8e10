/**
 * What has changed about an object, in the words of its form: which setting from what to what, which lines, which wires.
 */
import { useSession } from "../app/react";
import { t } from "../messages";
import { label as labelOf } from "../messages/labels";
import { changesOf, fieldLabel, type PropertyChange, type WireEnd } from "../model/difference";
import type { FlowNode } from "../model/flow";
import { isObject, type Json } from "../model/json";
import { fieldsOf } from "../forms/draft";

export function Changes({ before, after }: { before: FlowNode | undefined; after: FlowNode | undefined }) {
  const session = useSession();
  const node = (after ?? before)!;
  const fields = fieldsOf(session.types.get(), session.flow, node);
  const title = (property: string) => {
    const label = fieldLabel(fields, property);
    return label === undefined ? property : labelOf(label, node.type);
  };
  return (
    <table className="difference">
      <thead>
        <tr>
          <th>{t("review.property")}</th>
          <th>{t("review.before")}</th>
          <th>{t("review.after")}</th>
        </tr>
      </thead>
      <tbody>
        {changesOf(before, after).flatMap((change) => rowsOf(change, title(change.property), (id) => nameOf(session, id)))}
      </tbody>
    </table>
  );
}

function rowsOf(change: PropertyChange, title: string, nameOfNode: (id: string) => string) {
  const row = (key: string, head: string, before: string, after: string) => (
    <tr key={`${change.property} ${key}`}>
      <th title={change.property}>{head}</th>
      <td className="is-before">{before}</td>
      <td className="is-after">{after}</td>
    </tr>
  );
  switch (change.kind) {
    case "value":
      return [row("", title, textOf(change.before), textOf(change.after))];
    case "place":
      return [row("", t("changes.place"), `${change.before.x}, ${change.before.y}`, `${change.after.x}, ${change.after.y}`)];
    case "elements":
      return change.elements.map((each, i) => row(String(i), `${title} ${each.number}`, textOf(each.before), textOf(each.after)));
    case "wires": {
      const names = (ends: readonly WireEnd[]) => (ends.length === 0 ? "–" : ends.map((end) => t("changes.wire", { port: end.port + 1, target: nameOfNode(end.target) })).join("\n"));
      return [row("", t("changes.wires"), names(change.cut), names(change.drawn))];
    }
    case "lines":
      return [
        <tr key={change.property}>
          <th title={change.property}>{title}</th>
          <td colSpan={2} className="difference-lines">
            {change.lines.map((line, i) => (
              <code key={i} className={`is-${line.kind}`}>
                {line.kind === "gap" ? "⋯" : `${SIGNS[line.kind]} ${line.text}`}
              </code>
            ))}
          </td>
        </tr>,
      ];
  }
}

const SIGNS = { same: " ", removed: "−", added: "+" } as const;

function nameOf(session: ReturnType<typeof useSession>, id: string): string {
  const node = session.flow.get(id) ?? session.editor.deployedNode(id);
  return node ? session.types.get().label(session.flow, node) || id : id;
}

const LONGEST = 600;

/** A value in a line; of an object, its parts. */
function textOf(value: Json | undefined): string {
  if (value === undefined) return "–";
  const text = typeof value === "string" ? value : isObject(value) ? Object.entries(value).map(([key, each]) => `${key}: ${typeof each === "string" ? each : JSON.stringify(each)}`).join("\n") : JSON.stringify(value);
  return text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
}
