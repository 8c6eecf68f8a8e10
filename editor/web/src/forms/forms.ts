/**
 * Which forms are open. Forms of configuration nodes open above the form that names them; each is saved or left by
 * itself.
 */
import { Store } from "../app/store";
import type { Session } from "../app/session";
import { t } from "../messages";
import { remove, removePlace } from "../model/commands";
import { kindOf } from "../model/flow";
import type { NodeType } from "../model/types";
import { viewOf } from "../canvas/view";
import { Draft, newConfig } from "./draft";

export interface OpenForm {
  readonly key: number;
  readonly draft: Draft;
  /** Called with the id of what was saved, by the form below. */
  readonly onSaved?: (id: string) => void;
  /** The property to go to first. */
  readonly field?: string;
}

export class Forms {
  readonly stack = new Store<readonly OpenForm[]>([]);
  private count = 0;

  constructor(private readonly session: Session) {
    session.editing.subscribe(() => this.follow());
    session.editor.subscribe(() => this.dropGone());
    session.types.subscribe(() => this.learn());
    this.follow();
  }

  /** Opens the form of an object at one of its fields. */
  openAt(id: string, field?: string): void {
    this.wanted = field;
    if (this.session.editing.get() === id) this.follow();
    else this.session.editing.set(id);
  }
  private wanted: string | undefined;

  /** Opens the form of a configuration node above the others. */
  openConfig(id: string): void {
    const node = this.session.flow.get(id);
    if (node) this.push(new Draft(this.session, node));
  }

  /** Opens an empty form of a configuration node; once saved, `onSaved` gets its id. */
  addConfig(type: string, onSaved: (id: string) => void): void {
    this.push(new Draft(this.session, newConfig(this.session, type), true), onSaved);
  }

  /** Saves the form on top and closes it. */
  ok(): void {
    const top = this.stack.get().at(-1);
    if (!top) return;
    const { collect } = top.draft;
    if (!collect) return this.finish(top);
    void collect().then((collected) => {
      if (collected && this.stack.get().at(-1) === top) this.finish(top);
    });
  }

  private finish(form: OpenForm): void {
    if (!form.draft.save()) return;
    this.pop();
    form.onSaved?.(form.draft.node.id);
  }

  cancel(): void {
    this.pop();
  }

  /** Deletes the node of the form on top. */
  remove(): void {
    const top = this.stack.get().at(-1);
    if (!top) return;
    const { node } = top.draft;
    const done = this.session.run(t("do.delete"), (tx) => {
      if (kindOf(node) === "tab" || kindOf(node) === "subflow") removePlace(tx, node.id);
      else remove(tx, [node.id]);
      return true;
    });
    if (done) this.pop();
  }

  private push(draft: Draft, onSaved?: (id: string) => void, field?: string): void {
    const form = { key: (this.count += 1), draft, ...(onSaved ? { onSaved } : {}), ...(field === undefined ? {} : { field }) };
    this.stack.update((stack) => [...stack, form]);
  }

  private pop(): void {
    this.stack.update((stack) => stack.slice(0, -1));
    if (this.stack.get().length > 0) return;
    this.session.editing.set(null);
    viewOf(this.session).focus();
  }

  /** Forms of types that nobody knew when they were opened become what they should be, unless something was entered. */
  private learn(): void {
    const types = this.session.types.get();
    const isKnown = (type: NodeType | undefined) => type?.fromPackage !== undefined || (type?.fields.length ?? 0) > 0;
    const isLate = ({ draft }: OpenForm) => draft.raw && !draft.descriptor?.fromPackage && isKnown(types.get(draft.node.type)) && !draft.isChanged;
    if (!this.stack.get().some(isLate)) return;
    this.stack.update((stack) => stack.map((form) => (isLate(form) ? { ...form, key: (this.count += 1), draft: new Draft(this.session, form.draft.node, form.draft.isNew) } : form)));
  }

  /** What is gone (by undo, say) has no form any more. */
  private dropGone(): void {
    const stay = this.stack.get().filter(({ draft }) => draft.isNew || this.session.flow.has(draft.node.id));
    if (stay.length < this.stack.get().length) this.stack.set(stay);
  }

  /** Drafts that were kept when another object was opened. */
  private readonly left = new WeakSet<Draft>();

  /** Opens what is to be edited now. What was typed into the form before is kept, as a step that can be undone. */
  private follow(): void {
    const id = this.session.editing.get();
    const [base] = this.stack.get();
    const field = this.wanted;
    this.wanted = undefined;
    if (base && base.draft.node.id === id && field === undefined) return;
    if (base && base.draft.node.id !== id && base.draft.isChanged && this.session.flow.has(base.draft.node.id) && !this.left.has(base.draft)) {
      this.left.add(base.draft);
      const { collect } = base.draft;
      if (collect) {
        void collect().then((collected) => {
          if (collected) base.draft.save();
          this.wanted = field;
          this.follow();
        });
        return;
      }
      base.draft.save();
    }
    const same = base && base.draft.node.id === id ? base.draft : undefined;
    this.stack.set([]);
    const node = id === null ? undefined : this.session.flow.get(id);
    if (node && node.type !== "junction") this.push(same ?? new Draft(this.session, node), undefined, field);
    else if (id !== null) this.session.editing.set(null);
  }
}

const all = new WeakMap<Session, Forms>();

export function formsOf(session: Session): Forms {
  let forms = all.get(session);
  if (!forms) all.set(session, (forms = new Forms(session)));
  return forms;
}
