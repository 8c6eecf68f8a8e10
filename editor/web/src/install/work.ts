/**
 * Installing and removing, and hearing that it was done, here or by another editor. Whatever the reason, the types are
 * then learned anew, and the change is told.
 */
import { ApiError, UnauthorizedError, type NodeSet } from "../api/client";
import { messageOf, type Session } from "../app/session";
import { t } from "../messages";
import { isObject, type Json } from "../model/json";
import { installsOf, type Job } from "./installs";
import { writeWanted, type Wanted } from "./names";
import { grouped } from "./packages";

export async function install(session: Session, wanted: Wanted): Promise<void> {
  await run(session, "install", wanted, async () => {
    const { name, version, nodes, pending_version: pending } = await session.client.install(wanted.name, wanted.version);
    return pending === undefined ? installedText(name, version, nodes) : t("packages.restart", { package: name, version: pending });
  });
}

export async function remove(session: Session, name: string): Promise<void> {
  await run(session, "remove", { name }, async () => {
    await session.client.uninstall(name);
    return t("packages.removed", { package: name });
  });
}

let count = 0;

async function run(session: Session, kind: Job["kind"], wanted: Wanted, act: () => Promise<string>): Promise<void> {
  const installs = installsOf(session);
  const key = (count += 1);
  const end = (state: "done" | "failed", text: string, detail: string) => installs.jobs.update((jobs) => jobs.map((job) => (job.key === key ? { ...job, state, text, detail } : job)));
  installs.jobs.update((jobs) => [...jobs, { key, kind, wanted, state: "underway", text: "", detail: "" }]);
  const show = [{ title: t("packages.show"), run: () => installs.isOpen.set(true) }];
  session.notify("info", t(kind === "install" ? "packages.installing" : "packages.removing", { package: writeWanted(wanted) }), show);
  const notice = session.notices.get().at(-1)!.id;
  try {
    const text = await act();
    end("done", text, "");
    session.notify("success", text);
  } catch (error) {
    if (error instanceof UnauthorizedError) session.phase.set({ kind: "login", resume: true });
    const text = failureText(kind, wanted.name, error);
    end("failed", text, messageOf(error));
    if (!installs.isOpen.get()) session.notify("error", text, show);
  }
  session.dismiss(notice);
  // Without the live connection, nobody else tells it.
  await update(session);
}

// --- what others do

/** Hears that sets of nodes were `added`, `removed`, `enabled` or `disabled`, or that a package was `upgraded`. */
export async function hear(session: Session, what: string, data: Json): Promise<void> {
  if (what === "upgraded") {
    if (isObject(data)) session.notify("warning", t("packages.restart", { package: String(data["module"]), version: String(data["version"]) }));
    return;
  }
  const sets = (Array.isArray(data) ? data : [data]).filter(isObject) as unknown as readonly NodeSet[];
  const packages = grouped(sets, (set) => set.module);
  // (who did it here says it in the same words, which are then shown once)
  if (what === "added") for (const [name, own] of packages) session.notify("success", installedText(name, own[0]!.version, own));
  await learn(session);
  // Of a package that another version of it has replaced, nothing is gone.
  const gone = [...packages.keys()].filter((name) => !session.sets.get().some((set) => set.module === name));
  if (what === "removed") for (const name of gone) session.notify("success", t("packages.removed", { package: name }));
}

/** Asks what is installed, and learns the types when that has changed. */
export async function update(session: Session): Promise<void> {
  try {
    const before = JSON.stringify(session.sets.get());
    if (JSON.stringify(await session.client.nodes()) !== before) await learn(session);
  } catch {
    // Who cannot be asked now is asked when the connection is there again.
  }
}

async function learn(session: Session): Promise<void> {
  await session.loadTypes().catch((error: unknown) => session.notify("warning", t("packages.not-learned", { reason: messageOf(error) })));
}

// --- words

const LISTED = 8;

/** What was installed, with its types; of what does not load, why. */
function installedText(name: string, version: string, sets: readonly NodeSet[]): string {
  const broken = sets.find((set) => set.err !== undefined);
  if (broken) return t("packages.broken", { package: name, version, set: broken.name, reason: broken.err! });
  const types = sets.flatMap((set) => set.types);
  const listed = types.length > LISTED ? [...types.slice(0, LISTED), "…"] : types;
  return types.length === 0 ? t("packages.installed-plain", { package: name, version }) : t("packages.installed", { package: name, version, types: listed.join(", ") });
}

function failureText(kind: Job["kind"], name: string, error: unknown): string {
  const code = error instanceof ApiError ? error.code : "";
  if (code === "module_already_loaded") return t("packages.already", { package: name });
  if (code === "invalid_module") return t("packages.no-nodes", { package: name });
  if (code === "install_not_allowed" || code === "update_not_allowed") return t("packages.not-allowed", { package: name });
  if (code === "type_in_use") return t("packages.in-use", { package: name });
  // (a server without the route says so without a code of its own)
  if (error instanceof ApiError && error.status === 404 && error.body["code"] !== undefined) return t("packages.unknown", { package: name });
  return t(kind === "install" ? "packages.not-installed" : "packages.not-removed", { package: name });
}
