/**
 * The pages of packages' nodes, as Node-RED gives them: one HTML text with a comment before each file.
 */
import type { NodePage } from "./protocol";

const MARK = /<!-- --- \[red-module:([^\]]+)\] --- -->/g;

/** The pages of all packages; Node-RED's own nodes have forms of this editor's. */
export function splitPages(html: string): NodePage[] {
  const marks = [...html.matchAll(MARK)];
  const pages = marks.map((mark, i) => ({ id: mark[1]!, module: moduleOf(mark[1]!), html: html.slice(mark.index + mark[0].length, marks[i + 1]?.index) }));
  return pages.filter((page) => page.module !== "node-red" && page.module !== "");
}

/** `@scope/name/set` is of the module `@scope/name`. */
function moduleOf(id: string): string {
  return id.slice(0, Math.max(0, id.indexOf("/", id.startsWith("@") ? id.indexOf("/") + 1 : 0)));
}

/** Scripts that a page names instead of having them, in the order of the page: put into it by `withScripts`. */
const SCRIPT = /<script\b([^>]*?)\bsrc\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))([^>]*)>\s*<\/script>/gi;

/** The page with the scripts that it names inside. What cannot be had becomes a script that says so. */
export async function withScripts(page: NodePage, get: (url: string) => Promise<string>): Promise<NodePage> {
  let html = "";
  let end = 0;
  for (const match of page.html.matchAll(SCRIPT)) {
    const url = match[2] ?? match[3] ?? match[4] ?? "";
    const text = await get(url).catch((error: unknown) => `throw new Error(${JSON.stringify(`${url}: ${String(error)}`)});`);
    html += `${page.html.slice(end, match.index)}<script${match[1]}${match[5]}>${text.replaceAll("</script", "<\\/script")}</script>`;
    end = match.index + match[0].length;
  }
  return end === 0 ? page : { ...page, html: html + page.html.slice(end) };
}

/** A short name for what is in texts: another text has another name, as far as a cache needs it. */
export function contentHash(texts: Iterable<string>): string {
  let [a, b] = [0xdeadbeef, 0x41c6ce57];
  for (const text of texts) {
    for (let i = 0; i < text.length; i += 1) {
      const char = text.charCodeAt(i);
      a = Math.imul(a ^ char, 2654435761);
      b = Math.imul(b ^ char, 1597334677);
    }
    a = Math.imul(a ^ 0xffff, 2246822507);
    b = Math.imul(b ^ 0xffff, 3266489909);
  }
  return (a >>> 0).toString(16).padStart(8, "0") + (b >>> 0).toString(16).padStart(8, "0");
}
