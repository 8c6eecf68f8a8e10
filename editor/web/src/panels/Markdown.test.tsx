import { marked } from "marked";
import { renderToStaticMarkup } from "react-dom/server";
import { describe, expect, it } from "vitest";
import { blocks, isSafe } from "./Markdown";

const html = (text: string) => renderToStaticMarkup(<>{blocks(marked.lexer(text))}</>);

describe("Markdown", () => {
  it("becomes elements", () => {
    expect(html("# A\n\n**b** `c < d` [e](https://x.org)")).toBe('<h3>A</h3><p><strong>b</strong> <code>c &lt; d</code> <a href="https://x.org" target="_blank" rel="noreferrer noopener">e</a></p>');
    expect(html("- a\n- b")).toBe("<ul><li>a</li><li>b</li></ul>");
    expect(html("| a |\n|---|\n| 1 |")).toContain("<td>1</td>");
    expect(html("```js\na < b\n```")).toBe("<pre><code>a &lt; b</code></pre>");
  });

  it("lets nothing of HTML through", () => {
    for (const text of ['<img src=x onerror="alert(1)">', "<script>alert(1)</script>", 'a <b onclick="x()">b</b>', "<iframe src=//x></iframe>"]) {
      expect(html(text)).not.toMatch(/<(img|script|b|iframe)\b/);
    }
    expect(html("![x](http://spy/a.png)")).not.toContain("<img");
  });

  it("follows no link but to the web", () => {
    expect(html("[a](javascript:alert(1))")).not.toContain("href");
    expect(html("[a](data:text/html,x)")).not.toContain("href");
    expect(isSafe(" JavaScript:alert(1)")).toBe(false);
    expect(isSafe("mailto:a@b.c")).toBe(true);
  });
});
