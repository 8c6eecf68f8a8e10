/**
 * What the user may do, as the server's settings say. The server decides in any case: this is for what the editor offers.
 */
import type { Settings } from "../api/client";
import type { Json } from "../model/json";

/** Whether the user of these settings has a permission, such as `nodes.write`. Who needs no login may do everything. */
export function may({ user }: Settings, permission: string): boolean {
  return user === undefined || allows(user.permissions, permission);
}

/** `*`, a permission, all of a kind (`read`, `*.write`), or a list of these. */
function allows(has: Json | undefined, permission: string): boolean {
  if (Array.isArray(has)) return has.some((each: Json) => allows(each, permission));
  if (has === "*" || has === permission) return true;
  const [, kind] = /\.(read|write)$/.exec(permission) ?? [];
  return kind !== undefined && (has === kind || has === `*.${kind}`);
}
