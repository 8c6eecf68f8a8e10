/**
 * Labels of fields come from descriptors, in English. What is known of them in the language in use is shown instead. So it is
 * with what nodes say of themselves.
 */
import { t, translatedLabel } from ".";

export function label(text: string): string {
  return translatedLabel(text) ?? (/^[a-z][a-z ]+$/.test(text) && !SMALL.has(text) ? text[0]!.toUpperCase() + text.slice(1) : text);
}

/** The same of a choice or a hint, which stands as it is written. */
export function plainLabel(text: string): string {
  return translatedLabel(text) ?? text;
}

/** Words that go on with the field before. */
const SMALL = new Set(["and", "or connect to", "per", "to", "by", "as", "with the key in", "joined with", "then send", "then wait for", "after"]);

/** What a node says of itself. Node-RED's own nodes say some of it by the keys of its catalogue; packages may give what is no text. */
export function statusText(text: unknown): string {
  if (text === undefined || text === null) return "";
  const said = typeof text === "object" ? JSON.stringify(text) : String(text);
  const key = /^(?:node-red:)?(?:common|httpin)\.status\.(connected|not-connected|disconnected|connecting|error|ok|requesting)$/.exec(said)?.[1];
  return key === undefined ? said : t(`status.${key as "ok"}`);
}
