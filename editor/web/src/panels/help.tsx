/**
 * The help of node types. A descriptor has it as Markdown. Of a Node-RED, which has it as HTML in the pages of its
 * nodes, only the text and a few plain elements are taken: nothing of a page is ever set as HTML, and no script, style,
 * picture or attribute comes through.
 */
import { createElement, Fragment, useEffect, type ReactNode } from "react";
import { useSession, useStore } from "../app/react";
import type { Session } from "../app/session";
import { messageOf } from "../app/session";
import { Store } from "../app/store";
import { nodeRedLanguage, t } from "../messages";
import { subflowOf, type FlowNode } from "../model/flow";
import { isSafe, Markdown } from "./Markdown";

/** As far as they are here, in the language in use when they were asked for. */
type Pages = { readonly language?: string } & ({ readonly kind: "none" | "loading" } | { readonly kind: "ready"; readonly byType: ReadonlyMap<string, Element> } | { readonly kind: "failed"; readonly reason: string });

const pagesOf = new WeakMap<Session, Store<Pages>>();

function pages(session: Session): Store<Pages> {
  const store = pagesOf.get(session);
  if (store) return store;
  const made = new Store<Pages>({ kind: "none" });
  pagesOf.set(session, made);
  // Other packages have other pages.
  session.sets.subscribe(() => made.set({ kind: "none" }));
  return made;
}

/** Fetches the pages of all nodes, once for a language. */
async function load(session: Session, store: Store<Pages>): Promise<void> {
  const used = nodeRedLanguage();
  const set = (pages: Pages) => store.get().language === used && store.set({ ...pages, language: used });
  store.set({ kind: "loading", language: used });
  try {
    set({ kind: "ready", byType: helpTexts(await session.client.nodePages(used)) });
  } catch (error) {
    set({ kind: "failed", reason: messageOf(error) });
  }
}

/** The help of each type in the pages of nodes, parsed into a document of its own that runs nothing. */
export function helpTexts(html: string): Map<string, Element> {
  const parser = new DOMParser();
  const found = new Map<string, Element>();
  for (const script of parser.parseFromString(withoutStyles(html), "text/html").querySelectorAll("script[data-help-name]")) {
    const name = script.getAttribute("data-help-name")!;
    found.set(name, parser.parseFromString(withoutStyles(script.textContent ?? ""), "text/html").body);
  }
  return found;
}

/** Styles are dropped in any case; in a parsed document, the page's policy would report each of them. */
function withoutStyles(html: string): string {
  return html.replace(/<style[\s\S]*?<\/style>/gi, "").replace(/\sstyle\s*=\s*("[^"]*"|'[^']*')/gi, "");
}

export function HelpText({ node }: { node: FlowNode }) {
  const session = useSession();
  const types = useStore(session.types);
  const store = pages(session);
  const state = useStore(store);
  const subflow = session.flow.get(subflowOf(node) ?? "");
  const known = subflow ? subflow["info"] : types.get(node.type)?.help;
  const markdown = typeof known === "string" && known !== "" ? known : undefined;
  const needsPages = markdown === undefined && subflow === undefined;
  useEffect(() => {
    if (needsPages && store.get().language !== nodeRedLanguage()) void load(session, store);
  }, [session, store, needsPages, state.kind]);
  if (markdown === undefined && (subflow || state.kind === "none" || state.kind === "loading")) return null;
  const element = state.kind === "ready" ? state.byType.get(node.type) : undefined;
  return (
    <details open>
      <summary>{t("info.help", { type: subflow ? types.label(session.flow, subflow) : node.type })}</summary>
      {markdown !== undefined ? (
        <div {...(types.get(node.type)?.module === "node-red" ? { lang: "en" } : {})}>
          <Markdown text={markdown} />
        </div>
      ) : element ? (
        <div className="markdown">{plainElements(element.childNodes)}</div>
      ) : (
        <p className="panel-empty">{state.kind === "failed" ? t("info.help-failed", { reason: state.reason }) : t("info.no-help")}</p>
      )}
    </details>
  );
}

/** Elements that may be shown, and what they become. */
const ALLOWED: { readonly [tag: string]: string } = { P: "p", B: "strong", STRONG: "strong", I: "em", EM: "em", CODE: "code", PRE: "pre", UL: "ul", OL: "ol", LI: "li", DL: "dl", DT: "dt", DD: "dd", BR: "br", H1: "h4", H2: "h4", H3: "h4", H4: "h5", H5: "h6", H6: "h6", TABLE: "table", THEAD: "thead", TBODY: "tbody", TR: "tr", TH: "th", TD: "td", BLOCKQUOTE: "blockquote", SMALL: "small" };
const DROPPED = new Set(["SCRIPT", "STYLE", "IFRAME", "OBJECT", "EMBED", "SVG", "FORM", "INPUT", "BUTTON", "IMG", "LINK", "META", "TEMPLATE"]);

function plainElements(nodes: Iterable<ChildNode>): ReactNode {
  return [...nodes].map((node, i) => <Fragment key={i}>{plainElement(node)}</Fragment>);
}

function plainElement(node: ChildNode): ReactNode {
  if (node.nodeType === Node.TEXT_NODE) return node.textContent;
  if (!(node instanceof Element) || DROPPED.has(node.tagName.toUpperCase())) return null;
  const tag = ALLOWED[node.tagName];
  const children = plainElements(node.childNodes);
  if (node.tagName === "A") return anchor(node.getAttribute("href") ?? "", children);
  // A name in a list of properties says its type beside it.
  const note = node.tagName === "DT" ? node.querySelector(".property-type")?.textContent : undefined;
  if (tag === undefined) return node.classList.contains("property-type") ? <small> {children}</small> : children;
  return tag === "br" ? <br /> : createElement(tag, note === undefined ? null : { className: "has-type" }, children);
}

function anchor(href: string, children: ReactNode): ReactNode {
  if (!isSafe(href)) return children;
  return (
    <a href={href} target="_blank" rel="noreferrer noopener">
      {children}
    </a>
  );
}
