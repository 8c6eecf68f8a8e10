/**
 * Names of packages as npm has them, with or without a version.
 */

export interface Wanted {
  readonly name: string;
  readonly version?: string;
}

// Letters that need no escape in an address; neither a path, nor an option of npm, nor something hidden.
const NAME = /^(@[a-z\d][\w.-]*\/)?[a-z\d][\w.-]*$/i;
// A version, a range without spaces, or a tag: never an address that npm would load a package from.
const VERSION = /^[~^]?[\w][\w.+-]*$/;
const LONGEST = 214;
const FORBIDDEN = new Set(["node_modules", "favicon.ico"]);

/** What `name` or `name@version` names; undefined when npm has no such names. */
export function readWanted(text: string): Wanted | undefined {
  const at = text.indexOf("@", 1);
  const name = at < 0 ? text : text.slice(0, at);
  const version = at < 0 ? undefined : text.slice(at + 1);
  if (!NAME.test(name) || name.length > LONGEST || FORBIDDEN.has(name.toLowerCase())) return undefined;
  if (version === undefined) return { name };
  return VERSION.test(version) ? { name, version } : undefined;
}

export function writeWanted({ name, version }: Wanted): string {
  return version === undefined ? name : `${name}@${version}`;
}
