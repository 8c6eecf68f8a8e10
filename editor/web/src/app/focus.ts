/**
 * Where the keyboard is. What has the focus may go away by what it did: a button that removes its own row, a menu that
 * closes. The browser then puts the focus nowhere, and the next Tab begins at the top of the page; here it goes to what
 * lies nearest instead.
 */

const FOCUSABLE = 'button:not(:disabled, [tabindex="-1"]), input:not(:disabled), select:not(:disabled), textarea:not(:disabled), a[href], summary, [tabindex="0"]';

/** An element with those around it, and which child of the next one each is. */
type Path = readonly { readonly element: HTMLElement; readonly index: number }[];

function pathOf(element: HTMLElement): Path {
  const path = [];
  for (let each: HTMLElement | null = element; each; each = each.parentElement) path.push({ element: each, index: each.parentElement ? [...each.parentElement.children].indexOf(each) : 0 });
  return path;
}

/** Keeps the focus on the page after keys and clicks; `otherwise` is called when nothing around what is gone can have it. */
export function keepFocus(otherwise: () => void): () => void {
  let path: Path = [];
  let frame = 0;
  const remember = (event: FocusEvent) => {
    if (event.target instanceof HTMLElement) path = pathOf(event.target);
  };
  const check = () => {
    const now = document.activeElement;
    if ((now !== null && now !== document.body) || path.length === 0 || path[0]!.element.isConnected) return;
    const at = path.findIndex(({ element }) => element.isConnected);
    const around = path[at]?.element;
    const beside = around?.children[Math.min(path[at - 1]!.index, around.children.length - 1)];
    const next = around?.matches("body, .frame, .body, #root") ? undefined : (focusableIn(beside) ?? focusableIn(around));
    if (next) next.focus();
    else otherwise();
  };
  const later = () => {
    cancelAnimationFrame(frame);
    frame = requestAnimationFrame(check);
  };
  // (who answers an event may keep it from those around)
  addEventListener("focusin", remember, true);
  addEventListener("keydown", later, true);
  addEventListener("click", later, true);
  return () => {
    cancelAnimationFrame(frame);
    removeEventListener("focusin", remember, true);
    removeEventListener("keydown", later, true);
    removeEventListener("click", later, true);
  };
}

function focusableIn(element: Element | undefined): HTMLElement | undefined {
  if (!(element instanceof HTMLElement)) return undefined;
  return element.matches(FOCUSABLE) ? element : (element.querySelector<HTMLElement>(FOCUSABLE) ?? undefined);
}

/** Gives the focus back to what had it, if that is still there and nobody else has taken it since. */
export function giveBack(before: Element | null, canvas: HTMLElement | undefined): void {
  const now = document.activeElement;
  if (now !== null && now !== document.body && now !== canvas) return;
  if (before instanceof HTMLElement && before !== document.body && before.isConnected) before.focus({ preventScroll: true });
  else canvas?.focus({ preventScroll: true });
}
