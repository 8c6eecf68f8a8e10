/**
 * Runs the pages of packages: keeps their templates, applies their styles, evaluates their scripts. A script that throws
 * is reported and harms no other.
 */
import type { NodePage } from "../hosted/protocol";
import type { World } from "./world";

export interface Failure {
  readonly set: string;
  readonly reason: string;
}

/** What a page did wrong; empty when nothing. */
export function runPage(world: World, page: NodePage, styles: boolean): Failure[] {
  const failures: Failure[] = [];
  const parsed = new DOMParser().parseFromString(page.html, "text/html");
  world.page = page;
  // Templates come first: scripts look for them.
  for (const element of parsed.querySelectorAll("script[data-template-name]")) {
    const type = element.getAttribute("data-template-name")!;
    world.templates.set(type, element.textContent ?? "");
    document.head.append(copyOf(element));
  }
  if (styles) for (const style of parsed.querySelectorAll("style")) document.head.append(copyOf(style));
  // Elements that a page has beside its scripts (dialogs, say) are there for its forms.
  for (const element of parsed.querySelectorAll("script")) {
    if (!isCode(element)) continue;
    const failed = evaluate(element.textContent ?? "", page.id);
    if (failed !== undefined) failures.push({ set: page.id, reason: failed });
  }
  world.page = undefined;
  return failures;
}

function isCode(element: Element): boolean {
  const type = (element.getAttribute("type") ?? "").trim().toLowerCase();
  return ["", "text/javascript", "application/javascript", "module"].includes(type) && !element.hasAttribute("data-template-name") && !element.hasAttribute("data-help-name");
}

/** An element of the parsed document as one of this document that runs nothing. */
function copyOf(element: Element): Element {
  const copy = document.createElement(element.localName);
  for (const { name, value } of element.attributes) copy.setAttribute(name, value);
  copy.textContent = element.textContent;
  return copy;
}

/** Runs a script as a page would: what it declares is global. Gives what it throws. */
function evaluate(code: string, name: string): string | undefined {
  let thrown: string | undefined;
  const hear = (event: ErrorEvent) => {
    thrown = String(event.message || event.error);
    event.preventDefault();
  };
  window.addEventListener("error", hear);
  const script = document.createElement("script");
  script.textContent = `${code}\n//# sourceURL=${encodeURI(name)}.html`;
  document.head.append(script);
  script.remove();
  window.removeEventListener("error", hear);
  return thrown?.slice(0, 2000);
}
