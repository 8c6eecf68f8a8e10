/** Where an editor of code lives: in a tree of its own, since the page's policy lets CodeMirror put no styles into the page's. */
export function shadowOf(host: HTMLElement): { readonly root: ShadowRoot; readonly parent: HTMLElement } {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open", delegatesFocus: true });
  root.replaceChildren();
  const parent = document.createElement("div");
  parent.style.height = "100%";
  root.append(parent);
  return { root, parent };
}
