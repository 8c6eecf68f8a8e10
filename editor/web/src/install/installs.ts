/**
 * Packages that come and go: which dialogs are open, what is under way, and what the user may do. The work itself is
 * loaded when there is some.
 */
import { may } from "../app/permissions";
import type { Session } from "../app/session";
import { Store } from "../app/store";
import { isObject } from "../model/json";
import type { Wanted } from "./names";

/** Something that npm does on the server, or did. */
export interface Job {
  readonly key: number;
  readonly kind: "install" | "remove";
  readonly wanted: Wanted;
  readonly state: "underway" | "done" | "failed";
  /** What came of it. */
  readonly text: string;
  /** What the server or npm has to say of a failure. */
  readonly detail: string;
}

export class Installs {
  /** What is under way, in the order in which the server does it, and what has ended since the dialog was last closed. */
  readonly jobs = new Store<readonly Job[]>([]);
  /** What the user is asked whether to install it. */
  readonly asking = new Store<Wanted | null>(null);
  /** Whether the dialog with the packages is open. */
  readonly isOpen = new Store(false);

  constructor(session: Session) {
    const topic = "notification/node/";
    session.comms.subscribe(`${topic}#`, (full, data) => void work().then(({ hear }) => hear(session, full.slice(topic.length), data)));
    let connected = session.comms.state === "open";
    session.comms.onState((state) => {
      if (state !== "open") return;
      // While there was no connection, packages may have come or gone.
      if (connected) void work().then(({ update }) => update(session));
      connected = true;
    });
    this.isOpen.subscribe(() => this.isOpen.get() || this.jobs.update((jobs) => jobs.filter((job) => job.state === "underway")));
  }

  isUnderway(name: string): boolean {
    return this.jobs.get().some((job) => job.state === "underway" && job.wanted.name === name);
  }
}

const work = () => import("./work");

/** Whether the user may install and remove packages, and the server's settings let anybody do that. */
export function mayInstall(session: Session): boolean {
  const settings = session.settings.get();
  const { externalModules } = settings;
  const palette = isObject(externalModules) ? externalModules["palette"] : undefined;
  return may(settings, "nodes.write") && !(isObject(palette) && palette["allowInstall"] === false);
}

/** Asks whether to install a package; when it is being installed already, shows how far that is. */
export function askFor(session: Session, wanted: Wanted): void {
  const installs = installsOf(session);
  if (installs.isUnderway(wanted.name)) installs.isOpen.set(true);
  else installs.asking.set(wanted);
}

const all = new WeakMap<Session, Installs>();

export function installsOf(session: Session): Installs {
  let installs = all.get(session);
  if (!installs) all.set(session, (installs = new Installs(session)));
  return installs;
}
