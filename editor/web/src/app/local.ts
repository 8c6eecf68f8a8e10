/**
 * What this browser remembers. Where storage is refused (private windows, full disks), nothing is remembered and all
 * else works.
 */
const PREFIX = "vgdc.";

export function readSetting<T>(name: string, fallback: T): T {
  try {
    const text = globalThis.localStorage?.getItem(PREFIX + name);
    return text === null || text === undefined ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

export function writeSetting(name: string, value: unknown): void {
  try {
    globalThis.localStorage?.setItem(PREFIX + name, JSON.stringify(value));
  } catch {
    // See above: not remembering is all that can be done.
  }
}
