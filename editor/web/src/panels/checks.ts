/**
 * Asks the server's compiler about the flow, a moment after each change. A server without one is asked once.
 */
import type { Session } from "../app/session";
import { messageOf } from "../app/session";
import { Store } from "../app/store";
import { t } from "../messages";

const DELAY = 600;

export type CheckState = "unknown" | "absent" | "running" | "done" | "failed";

class Checks {
  readonly state = new Store<CheckState>("unknown");
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asked = 0;

  constructor(private readonly session: Session) {
    session.editor.subscribe(() => this.later());
    session.sets.subscribe(() => this.later());
    this.later();
  }

  private later(): void {
    if (this.state.get() === "absent") return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(), DELAY);
  }

  private async ask(): Promise<void> {
    const { session } = this;
    if (session.phase.get().kind !== "ready") return;
    const number = (this.asked += 1);
    this.state.set("running");
    try {
      const result = await session.client.check(session.document.text());
      // What was asked later is newer, whatever comes back first.
      if (number !== this.asked) return;
      this.state.set(result ? "done" : "absent");
      if (result) session.check.set(result);
    } catch (error) {
      if (number !== this.asked) return;
      this.state.set("failed");
      session.notify("warning", t("problems.check-failed", { reason: messageOf(error) }));
    }
  }
}

const all = new WeakMap<Session, Checks>();

export function checksOf(session: Session): Checks {
  let checks = all.get(session);
  if (!checks) all.set(session, (checks = new Checks(session)));
  return checks;
}
