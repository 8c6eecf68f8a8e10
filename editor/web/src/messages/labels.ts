/**
 * Labels of fields come from descriptors, in English. What is known of them in the language in use is shown instead. So it is
 * with what nodes say of themselves.
 */
import { catalogue, t, translatedLabel, type MessageKey } from ".";

export function label(text: string, type: string): string {
  return translatedLabel(text, type) ?? (/^[a-z][a-z ]+$/.test(text) && !SMALL.has(text) ? text[0]!.toUpperCase() + text.slice(1) : text);
}

/** The same of a choice or a hint, which stands as it is written. */
export function plainLabel(text: string, type: string): string {
  return translatedLabel(text, type) ?? text;
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

/** A category of the palette; those of packages are called what these call them. */
export function categoryLabel(category: string): string {
  const key = `category.${category}`;
  return key in catalogue ? t(key as MessageKey) : category;
}
