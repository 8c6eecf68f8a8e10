/**
 * Which requests of a package's form are passed on: to routes that the package's own runtime side has added, not to the
 * Admin API, with which one could change flows and read what is none of a form's business.
 */

/** The first parts of paths that belong to the server itself, in lower case. */
const OWN = new Set([
  "", "flow", "flows", "nodes", "settings", "credentials", "context", "inject", "debug", "auth", "diagnostics", "comms", "vgdc", "library", "projects", "plugins", "locales", "theme", "red", "core", "types", "vendor", "assets", "favicon.ico", "frame.html", "frame-code.js", "frame-icons.css", "index.html",
]);

/** A path below the API's root that may be asked for, or undefined. `url` is as the package wrote it. */
export function allowedPath(url: string, root: string): string | undefined {
  let target: URL;
  try {
    target = new URL(url, root);
  } catch {
    return undefined;
  }
  const base = new URL(root);
  if (target.origin !== base.origin || target.username !== "" || !target.pathname.startsWith(base.pathname)) return undefined;
  const rest = target.pathname.slice(base.pathname.length);
  const plain = decoded(rest);
  if (plain === undefined || /\.\.|\\|\/\/|[\u0000-\u001f]|^\//.test(plain)) return undefined;
  // Routers of servers do not tell capitals apart, and may cut a path at a semicolon.
  const [first] = plain.toLowerCase().split(/[/;]/);
  return OWN.has(first!.trim()) ? undefined : rest + target.search;
}

/** Decoded until nothing changes, so that nobody decodes it once more to something else. */
function decoded(path: string): string | undefined {
  let now = path;
  for (let i = 0; i < 4; i += 1) {
    let next: string;
    try {
      next = decodeURIComponent(now);
    } catch {
      return undefined;
    }
    if (next === now) return now;
    now = next;
  }
  return undefined;
}
