/**
 * Markdown as React elements. HTML in it is shown as the text that it is, links only lead to the web, and nothing is
 * ever set as HTML. The parser is loaded with the first text.
 */
import type { Token, Tokens } from "marked";
import { Fragment, useEffect, useState, type ReactNode } from "react";

type Lex = (text: string) => readonly Token[];
let lexer: Lex | undefined;

export function Markdown({ text }: { text: string }) {
  const [lex, setLex] = useState<Lex | undefined>(() => lexer);
  useEffect(() => {
    if (lexer) return;
    void import("marked").then(
      ({ marked }) => {
        lexer = (source) => marked.lexer(source, { gfm: true, breaks: false });
        setLex(() => lexer);
      },
      // Without the parser the text itself is shown, below.
      () => undefined,
    );
  }, []);
  return <div className="markdown">{lex ? blocks(lex(text)) : <p className="markdown-plain">{text}</p>}</div>;
}

/** Elements of a token list; exported for tests. */
export function blocks(tokens: readonly Token[]): ReactNode {
  return tokens.map((token, i) => <Fragment key={i}>{block(token)}</Fragment>);
}

function block(token: Token): ReactNode {
  switch (token.type) {
    case "heading": {
      // The panel's own heading is above those of the text.
      const Tag = `h${Math.min(6, (token as Tokens.Heading).depth + 2)}` as "h3";
      return <Tag>{blocks(token.tokens ?? [])}</Tag>;
    }
    case "paragraph":
      return <p>{blocks(token.tokens ?? [])}</p>;
    case "text":
      return token.tokens ? blocks(token.tokens) : unescaped((token as Tokens.Text).text);
    case "escape":
      return (token as Tokens.Escape).text;
    case "strong":
      return <strong>{blocks(token.tokens ?? [])}</strong>;
    case "em":
      return <em>{blocks(token.tokens ?? [])}</em>;
    case "del":
      return <del>{blocks(token.tokens ?? [])}</del>;
    case "codespan":
      return <code>{unescaped((token as Tokens.Codespan).text)}</code>;
    case "code":
      return (
        <pre>
          <code>{(token as Tokens.Code).text}</code>
        </pre>
      );
    case "blockquote":
      return <blockquote>{blocks(token.tokens ?? [])}</blockquote>;
    case "list":
      return list(token as Tokens.List);
    case "table":
      return table(token as Tokens.Table);
    case "link":
      return link(token as Tokens.Link);
    case "image":
      // Pictures from elsewhere would tell their servers who reads this.
      return (token as Tokens.Image).text;
    case "hr":
      return <hr />;
    case "br":
      return <br />;
    case "space":
    case "def":
      return null;
    default:
      return token.raw;
  }
}

function list(token: Tokens.List): ReactNode {
  const items = token.items.map((item, i) => (
    <li key={i}>
      {item.task && <input type="checkbox" checked={item.checked ?? false} readOnly disabled />}
      {blocks(item.tokens)}
    </li>
  ));
  return token.ordered ? <ol start={token.start === "" ? 1 : token.start}>{items}</ol> : <ul>{items}</ul>;
}

function table(token: Tokens.Table): ReactNode {
  return (
    <table>
      <thead>
        <tr>
          {token.header.map((cell, i) => (
            <th key={i}>{blocks(cell.tokens)}</th>
          ))}
        </tr>
      </thead>
      <tbody>
        {token.rows.map((row, i) => (
          <tr key={i}>
            {row.map((cell, j) => (
              <td key={j}>{blocks(cell.tokens)}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function link(token: Tokens.Link): ReactNode {
  const content = blocks(token.tokens);
  if (!isSafe(token.href)) return content;
  return (
    <a href={token.href} target="_blank" rel="noreferrer noopener">
      {content}
    </a>
  );
}

/** Whether a link may be followed: only to the web and to mail. */
export function isSafe(href: string): boolean {
  return /^(https?:\/\/|mailto:)/i.test(href.trim());
}

/** The lexer may give texts with HTML's entities, which React would show as they are. */
function unescaped(text: string): string {
  return text.replace(/&(amp|lt|gt|quot|#39);/g, (_, name: string) => ({ amp: "&", lt: "<", gt: ">", quot: '"', "#39": "'" })[name]!);
}
