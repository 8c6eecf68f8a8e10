/**
 * Small languages that CodeMirror does not bring: JSONata, and mustache tags in a text. Both only colour.
 */
import { StreamLanguage, type StringStream, type StreamParser } from "@codemirror/language";

/** Passes a comment between slashes and stars, to its end or to that of the line; whether there was one. */
export function inComment(stream: StringStream, state: { comment: boolean }): boolean {
  if (!state.comment && !stream.match("/*")) return false;
  state.comment = !stream.match(/^.*?\*\//);
  if (state.comment) stream.skipToEnd();
  return true;
}

export const JSONATA_FUNCTIONS =
  "sum count max min average string substring substringBefore substringAfter uppercase lowercase length trim pad contains split join match replace eval base64encode base64decode encodeUrl encodeUrlComponent decodeUrl decodeUrlComponent number floor ceil round abs power sqrt random formatNumber formatBase formatInteger parseInteger boolean not exists append sort reverse shuffle distinct zip keys lookup spread merge sift each error assert type now millis fromMillis toMillis map filter single reduce clone moment globalContext flowContext env".split(
    " ",
  );

const jsonataParser: StreamParser<{ comment: boolean }> = {
  name: "jsonata",
  startState: () => ({ comment: false }),
  token(stream, state) {
    if (inComment(stream, state)) return "comment";
    if (stream.eatSpace()) return null;
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/) || stream.match(/^'(?:[^'\\]|\\.)*'?/)) return "string";
    if (stream.match(/^`[^`]*`?/)) return "propertyName";
    if (stream.match(/^\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/)) return "number";
    if (stream.match(/^\$[\w$]*(?=\s*\()/)) return "keyword";
    if (stream.match(/^\$[\w$]*/)) return "variableName";
    if (stream.match(/^(?:and|or|in|function|true|false|null)\b|^λ/)) return "keyword";
    if (stream.match(/^[\p{L}_][\w]*/u)) return "propertyName";
    if (stream.match(/^(?::=|~>|!=|<=|>=|\.\.|\*\*|[-+*/%&=<>?:.^@#|])/)) return "operator";
    stream.next();
    return null;
  },
  languageData: { closeBrackets: { brackets: ["(", "[", "{", '"', "'", "`"] }, commentTokens: { block: { open: "/*", close: "*/" } } },
};

const mustacheParser: StreamParser<{ inside: boolean; tag: boolean }> = {
  name: "mustache",
  startState: () => ({ inside: false, tag: false }),
  token(stream, state) {
    if (state.inside) {
      if (stream.match(/^\}?\}\}/)) {
        state.inside = false;
        return "keyword";
      }
      return stream.match(/^[^}]+/) || stream.next() ? "variableName" : null;
    }
    if (stream.match(/^\{\{\{?[#^/&>!]?/)) {
      state.inside = true;
      return "keyword";
    }
    if (stream.match(/^<\/?[\w-]+/)) {
      state.tag = true;
      return "tagName";
    }
    if (state.tag && stream.match(/^\/?>/)) {
      state.tag = false;
      return "tagName";
    }
    if (state.tag && stream.match(/^"[^"{]*"?/)) return "string";
    if (state.tag && stream.match(/^[\w-]+(?==)/)) return "attributeName";
    stream.next();
    return null;
  },
};

export const jsonata = StreamLanguage.define(jsonataParser);
export const mustache = StreamLanguage.define(mustacheParser);
