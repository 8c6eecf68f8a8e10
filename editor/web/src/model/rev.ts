/**
 * Node-RED's revision of a flow: the hexadecimal SHA-256 of `JSON.stringify(flows)`.
 *
 * It needs the browser's `SubtleCrypto`, which is there on loopback addresses and over HTTPS. Elsewhere there is no
 * revision of one's own: the editor then compares what the server says with what it said before, which is all that
 * deploying needs.
 */
import type { Json } from "./json";

export async function revisionOf(flows: readonly Json[]): Promise<string | undefined> {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return undefined;
  const digest = await subtle.digest("SHA-256", new TextEncoder().encode(JSON.stringify(flows)));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
