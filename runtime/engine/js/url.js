// URL and URLSearchParams after the WHATWG URL standard (https://url.spec.whatwg.org).
(function (native) {
  const ports = { "http:": 80, "https:": 443, "ws:": 80, "wss:": 443, "ftp:": 21, "file:": null };
  const isSpecial = (protocol) => Object.hasOwn(ports, protocol);
  const invalid = (input, base) => {
    const error = Object.assign(new TypeError("Invalid URL"), { code: "ERR_INVALID_URL", input });
    if (base !== undefined) error.base = base;
    return error;
  };

  // Percent-encoding: every code point that a set holds, and all beyond ASCII.
  const encodeWith = (extra) => (text) => {
    let out = "";
    for (const character of text) {
      const code = character.codePointAt(0);
      if (code > 0x1f && code < 0x7f && !extra.includes(character)) out += character;
      else for (const byte of native.encode(character, "utf8")) out += "%" + byte.toString(16).toUpperCase().padStart(2, "0");
    }
    return out;
  };
  const forFragment = encodeWith(' "<>`');
  const forQuery = encodeWith(' "#<>');
  const forSpecialQuery = encodeWith(` "#<>'`);
  const forPath = encodeWith(' "#<>?^`{}');
  const forUser = encodeWith(' "#<>?^`{}/:;=@[\\]|');
  const forOpaque = encodeWith("");
  const decode = (text) => {
    const bytes = [];
    const source = native.encode(text, "utf8");
    for (let at = 0; at < source.length; at++) {
      const hex = source[at] === 37 ? String.fromCharCode(source[at + 1], source[at + 2]) : "";
      if (/^[0-9a-fA-F]{2}$/.test(hex)) {
        bytes.push(parseInt(hex, 16));
        at += 2;
      } else bytes.push(source[at]);
    }
    return native.decode(new Uint8Array(bytes), "utf8", 0, bytes.length);
  };

  // Hosts.
  const punycode = (label) => {
    const points = Array.from(label, (character) => character.codePointAt(0));
    let out = points.filter((point) => point < 128).map((point) => String.fromCodePoint(point)).join("");
    const basic = out.length;
    let [done, n, delta, bias] = [basic, 128, 0, 72];
    if (basic > 0) out += "-";
    const adapt = (delta, count, first) => {
      delta = first ? Math.floor(delta / 700) : delta >> 1;
      delta += Math.floor(delta / count);
      let k = 0;
      for (; delta > 455; k += 36) delta = Math.floor(delta / 35);
      return k + Math.floor((36 * delta) / (delta + 38));
    };
    const digit = (value) => String.fromCharCode(value < 26 ? value + 97 : value + 22);
    while (done < points.length) {
      const next = Math.min(...points.filter((point) => point >= n));
      delta += (next - n) * (done + 1);
      n = next;
      for (const point of points) {
        if (point < n) delta++;
        if (point !== n) continue;
        let q = delta;
        for (let k = 36; ; k += 36) {
          const t = k <= bias ? 1 : k >= bias + 26 ? 26 : k - bias;
          if (q < t) break;
          out += digit(t + ((q - t) % (36 - t)));
          q = Math.floor((q - t) / (36 - t));
        }
        out += digit(q);
        bias = adapt(delta, done + 1, done === basic);
        delta = 0;
        done++;
      }
      delta++;
      n++;
    }
    return "xn--" + out;
  };
  const ipv4 = (host) => {
    const parts = host.split(".");
    if (parts.at(-1) === "" && parts.length > 1) parts.pop();
    if (!/^(0[xX][0-9a-fA-F]*|\d+)$/.test(parts.at(-1))) return undefined;
    if (parts.length > 4) return null;
    const numbers = parts.map((part) => {
      if (/^0[xX][0-9a-fA-F]*$/.test(part)) return part.length === 2 ? 0 : parseInt(part, 16);
      if (/^0[0-7]*$/.test(part)) return parseInt(part, 8);
      return /^\d+$/.test(part) ? parseInt(part, 10) : NaN;
    });
    const last = numbers.pop();
    if (Number.isNaN(last) || numbers.some((number) => !(number <= 255)) || last >= 256 ** (4 - numbers.length)) return null;
    let value = last;
    numbers.forEach((number, index) => { value += number * 256 ** (3 - index); });
    return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join(".");
  };
  const ipv6 = (text) => {
    let source = text;
    const tail = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(source);
    if (tail) {
      const bytes = tail.slice(2).map(Number);
      if (bytes.some((byte) => byte > 255)) return null;
      source = `${tail[1]}${(bytes[0] * 256 + bytes[1]).toString(16)}:${(bytes[2] * 256 + bytes[3]).toString(16)}`;
    }
    const halves = source.split("::");
    if (halves.length > 2) return null;
    const [head, rest] = halves.map((half) => (half === "" ? [] : half.split(":")));
    const pieces = rest === undefined ? head : [...head, ...new Array(Math.max(0, 8 - head.length - rest.length)).fill("0"), ...rest];
    if (pieces.length !== 8 || (rest !== undefined && head.length + rest.length > 7)) return null;
    if (!pieces.every((piece) => /^[0-9a-fA-F]{1,4}$/.test(piece))) return null;
    const numbers = pieces.map((piece) => parseInt(piece, 16));
    let [best, length] = [-1, 1];
    for (let at = 0; at < 8; at++) {
      let end = at;
      while (end < 8 && numbers[end] === 0) end++;
      if (end - at > length) [best, length] = [at, end - at];
    }
    const hex = numbers.map((number) => number.toString(16));
    if (best < 0) return `[${hex.join(":")}]`;
    return `[${hex.slice(0, best).join(":")}::${hex.slice(best + length).join(":")}]`;
  };
  const parseHost = (text, special) => {
    if (text.startsWith("[")) return text.endsWith("]") ? ipv6(text.slice(1, -1)) : null;
    if (!special) return /[\0\t\n\r #/:<>?@[\\\]^|]/.test(text) ? null : forOpaque(text);
    let host = decode(text).normalize("NFC").toLowerCase();
    host = host.split(/[.\u3002\uFF0E\uFF61]/).map((label) => (/[^\x00-\x7f]/.test(label) ? punycode(label) : label)).join(".");
    if (host === "" || /[\x00-\x20"#%/:<>?@[\\\]^`{|}\x7f]/.test(host)) return null;
    const address = ipv4(host);
    return address === undefined ? host : address;
  };

  // Paths.
  const isDot = (segment) => /^(\.|%2e)$/i.test(segment);
  const isDoubleDot = (segment) => /^(\.|%2e){2}$/i.test(segment);
  const walk = (path, text, special, file) => {
    const segments = text.split(special ? /[/\\]/ : "/");
    segments.forEach((segment, index) => {
      const last = index === segments.length - 1;
      if (isDoubleDot(segment)) {
        if (!(file && path.length === 1 && /^[a-zA-Z]:$/.test(path[0]))) path.pop();
        if (last) path.push("");
      } else if (isDot(segment)) {
        if (last) path.push("");
      } else {
        path.push(file && path.length === 0 && /^[a-zA-Z][:|]$/.test(segment) ? segment[0] + ":" : forPath(segment));
      }
    });
    return path;
  };

  const parsePort = (text, protocol) => {
    if (text === "") return "";
    if (!/^\d+$/.test(text) || Number(text) > 65535) return null;
    return Number(text) === ports[protocol] ? "" : String(Number(text));
  };
  const parseAuthority = (url, text) => {
    const special = isSpecial(url.protocol);
    const at = text.lastIndexOf("@");
    if (at >= 0) {
      const user = text.slice(0, at);
      const colon = user.indexOf(":");
      url.username = forUser(colon < 0 ? user : user.slice(0, colon));
      url.password = colon < 0 ? "" : forUser(user.slice(colon + 1));
    }
    const rest = text.slice(at + 1);
    const match = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(rest);
    if (!match || (match[1] === "" && (special || match[2] !== undefined || at >= 0) && url.protocol !== "file:")) return false;
    url.host = match[1] === "" ? "" : parseHost(match[1], special);
    url.port = parsePort(match[2] ?? "", url.protocol);
    if (url.protocol === "file:" && url.host === "localhost") url.host = "";
    return url.host !== null && url.port !== null && !(url.protocol === "file:" && (match[2] !== undefined || at >= 0));
  };

  const blank = () => ({ protocol: "", username: "", password: "", host: null, port: "", path: [], opaque: null, query: null, fragment: null });
  const parse = (input, base) => {
    let text = String(input).replace(/^[\x00-\x20]+|[\x00-\x20]+$/g, "").replace(/[\t\n\r]/g, "");
    const url = blank();
    const hash = text.indexOf("#");
    if (hash >= 0) {
      url.fragment = forFragment(text.slice(hash + 1));
      text = text.slice(0, hash);
    }
    const scheme = /^[a-zA-Z][a-zA-Z0-9+.-]*:/.exec(text);
    let relative = !scheme;
    if (scheme) {
      url.protocol = scheme[0].toLowerCase();
      text = text.slice(scheme[0].length);
      // "http:path" is relative to a base of the same special scheme.
      relative = base !== null && base.protocol === url.protocol && isSpecial(url.protocol) && url.protocol !== "file:" && !/^[/\\]{2}/.test(text);
    }
    if (relative) {
      if (base === null) return null;
      if (base.opaque !== null) {
        if (text !== "" || hash < 0) return null;
        return { ...base, path: [...base.path], fragment: url.fragment };
      }
      url.protocol = base.protocol;
    }
    const special = isSpecial(url.protocol);
    const mark = text.indexOf("?");
    if (mark >= 0) {
      url.query = (special ? forSpecialQuery : forQuery)(text.slice(mark + 1));
      text = text.slice(0, mark);
    }
    const slash = special ? /^[/\\]/ : /^\//;
    const file = url.protocol === "file:";
    const double = special ? /^[/\\]{2}/ : /^\/\//;
    if (file) {
      url.host = "";
      if (double.test(text)) {
        const end = text.slice(2).search(/[/\\]/);
        const host = end < 0 ? text.slice(2) : text.slice(2, 2 + end);
        if (/^[a-zA-Z][:|]$/.test(host)) walk(url.path, text.slice(2), true, true);
        else {
          if (!parseAuthority(url, host)) return null;
          walk(url.path, end < 0 ? "" : text.slice(3 + end), true, true);
        }
      } else if (base && base.protocol === "file:" && !slash.test(text)) {
        url.host = base.host;
        url.path = [...base.path];
        if (text === "") { if (mark < 0) url.query = base.query; } else { url.path.pop(); walk(url.path, text, true, true); }
      } else walk(url.path, text.replace(slash, ""), true, true);
      return url;
    }
    if (double.test(text) || (special && scheme && !relative)) {
      const rest = special ? text.replace(/^[/\\]*/, "") : text.slice(2);
      const end = rest.search(special ? /[/\\]/ : /\//);
      if (!parseAuthority(url, end < 0 ? rest : rest.slice(0, end))) return null;
      if (end >= 0) walk(url.path, rest.slice(end + 1), special, false);
      else if (special) url.path = [""];
      return url;
    }
    if (relative) {
      for (const part of ["username", "password", "host", "port"]) url[part] = base[part];
      if (slash.test(text)) walk(url.path, text.slice(1), special, false);
      else {
        url.path = [...base.path];
        if (text === "") { if (mark < 0) url.query = base.query; } else { url.path.pop(); walk(url.path, text, special, false); }
      }
      return url;
    }
    if (slash.test(text)) walk(url.path, text.slice(1), special, false);
    else url.opaque = forOpaque(text);
    return url;
  };
  const pathname = (url) => (url.opaque !== null ? url.opaque : url.path.length === 0 ? "" : "/" + url.path.join("/"));
  const credentials = (url) => (url.username || url.password ? `${url.username}${url.password ? ":" + url.password : ""}@` : "");
  const hostWithPort = (url) => (url.host === null ? "" : url.host + (url.port === "" ? "" : ":" + url.port));
  const serialise = (url) => {
    const authority = url.host === null ? (url.path.length > 1 && url.path[0] === "" ? "/." : "") : `//${credentials(url)}${hostWithPort(url)}`;
    return url.protocol + authority + pathname(url) + (url.query === null ? "" : "?" + url.query) + (url.fragment === null ? "" : "#" + url.fragment);
  };

  // Query parameters.
  const plus = (text) => decode(text.replaceAll("+", " "));
  const form = (text) => {
    let out = "";
    for (const byte of native.encode(text.toWellFormed(), "utf8")) {
      const character = String.fromCharCode(byte);
      if (/[A-Za-z0-9*\-._]/.test(character)) out += character;
      else out += byte === 32 ? "+" : "%" + byte.toString(16).toUpperCase().padStart(2, "0");
    }
    return out;
  };
  class URLSearchParams {
    #list = [];
    #url = null;
    constructor(init = "") {
      if (typeof init === "object" && init !== null || typeof init === "function") {
        if (typeof init[Symbol.iterator] === "function") {
          for (const pair of init) {
            const [key, value, ...more] = pair;
            if (more.length > 0 || value === undefined && [...pair].length !== 2) {
              throw Object.assign(new TypeError("Each query pair must be an iterable [name, value] tuple"), { code: "ERR_INVALID_TUPLE" });
            }
            this.#list.push([String(key), String(value)]);
          }
        } else for (const key of Object.keys(init)) this.#list.push([key, String(init[key])]);
      } else this.#read(String(init));
    }
    #read(text) {
      const source = text.startsWith("?") ? text.slice(1) : text;
      this.#list = source.split("&").filter((part) => part !== "").map((part) => {
        const at = part.indexOf("=");
        return at < 0 ? [plus(part), ""] : [plus(part.slice(0, at)), plus(part.slice(at + 1))];
      });
    }
    static attach(params, url) { params.#url = url; return params; }
    static reread(params, query) { params.#read(query ?? ""); }
    #changed() {
      if (this.#url !== null) {
        const text = this.toString();
        this.#url.query = text === "" ? null : text;
      }
    }
    get size() { return this.#list.length; }
    append(name, value) { this.#list.push([String(name), String(value)]); this.#changed(); }
    delete(name, value) {
      this.#list = this.#list.filter(([key, item]) => key !== String(name) || (value !== undefined && item !== String(value)));
      this.#changed();
    }
    get(name) { return this.#list.find(([key]) => key === String(name))?.[1] ?? null; }
    getAll(name) { return this.#list.filter(([key]) => key === String(name)).map(([, value]) => value); }
    has(name, value) { return this.#list.some(([key, item]) => key === String(name) && (value === undefined || item === String(value))); }
    set(name, value) {
      const at = this.#list.findIndex(([key]) => key === String(name));
      if (at < 0) this.#list.push([String(name), String(value)]);
      else {
        this.#list[at][1] = String(value);
        this.#list = this.#list.filter(([key], index) => index <= at || key !== String(name));
      }
      this.#changed();
    }
    sort() { this.#list.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)); this.#changed(); }
    forEach(callback, self) { for (const [key, value] of this.#list) callback.call(self, value, key, this); }
    *entries() { for (const [key, value] of this.#list) yield [key, value]; }
    *keys() { for (const [key] of this.#list) yield key; }
    *values() { for (const [, value] of this.#list) yield value; }
    [Symbol.iterator]() { return this.entries(); }
    toString() { return this.#list.map(([key, value]) => `${form(key)}=${form(value)}`).join("&"); }
    get [Symbol.toStringTag]() { return "URLSearchParams"; }
  }
  const { attach, reread } = URLSearchParams;
  delete URLSearchParams.attach;
  delete URLSearchParams.reread;

  class URL {
    #url;
    #params = null;
    constructor(input, base) {
      const parent = base === undefined ? null : parse(base, null);
      const url = base !== undefined && parent === null ? null : parse(input, parent);
      if (url === null) throw invalid(String(input), base === undefined ? undefined : String(base));
      this.#url = url;
    }
    static canParse(input, base) {
      try { new URL(input, base); return true; } catch { return false; }
    }
    static parse(input, base) {
      try { return new URL(input, base); } catch { return null; }
    }
    get href() { return serialise(this.#url); }
    set href(value) {
      const url = parse(value, null);
      if (url === null) throw invalid(String(value));
      this.#url = url;
      if (this.#params) { attach(this.#params, url); reread(this.#params, url.query); }
    }
    get origin() {
      const { protocol, host } = this.#url;
      return isSpecial(protocol) && protocol !== "file:" && host !== null ? `${protocol}//${hostWithPort(this.#url)}` : "null";
    }
    get protocol() { return this.#url.protocol; }
    set protocol(value) {
      const match = /^([a-zA-Z][a-zA-Z0-9+.-]*):?/.exec(value);
      if (!match) return;
      const protocol = match[1].toLowerCase() + ":";
      if (isSpecial(protocol) !== isSpecial(this.#url.protocol)) return;
      this.#url.protocol = protocol;
      if (Number(this.#url.port) === ports[protocol]) this.#url.port = "";
    }
    get username() { return this.#url.username; }
    set username(value) { if (this.#url.host) this.#url.username = forUser(String(value)); }
    get password() { return this.#url.password; }
    set password(value) { if (this.#url.host) this.#url.password = forUser(String(value)); }
    get host() { return hostWithPort(this.#url); }
    set host(value) {
      const match = /^(\[[^\]]*\]|[^:/?#\\]*)(?::(\d*))?/.exec(value);
      if (this.#url.opaque !== null || !match) return;
      this.hostname = match[1];
      if (match[2]) this.port = match[2];
    }
    get hostname() { return this.#url.host ?? ""; }
    set hostname(value) {
      if (this.#url.opaque !== null) return;
      const host = parseHost(String(value), isSpecial(this.#url.protocol));
      if (host !== null && (host !== "" || !isSpecial(this.#url.protocol))) this.#url.host = host;
    }
    get port() { return this.#url.port; }
    set port(value) {
      if (!this.#url.host || this.#url.protocol === "file:") return;
      const digits = /^\d*/.exec(String(value))[0];
      const port = digits === "" && String(value) !== "" ? null : parsePort(digits, this.#url.protocol);
      if (port !== null) this.#url.port = port;
    }
    get pathname() { return pathname(this.#url); }
    set pathname(value) {
      if (this.#url.opaque !== null) return;
      const special = isSpecial(this.#url.protocol);
      this.#url.path = walk([], String(value).replace(special ? /^[/\\]/ : /^\//, ""), special, this.#url.protocol === "file:");
    }
    get search() { return this.#url.query ? "?" + this.#url.query : ""; }
    set search(value) {
      const text = String(value).replace(/^\?/, "");
      this.#url.query = text === "" ? null : (isSpecial(this.#url.protocol) ? forSpecialQuery : forQuery)(text);
      if (this.#params) reread(this.#params, this.#url.query);
    }
    get searchParams() {
      this.#params ??= attach(new URLSearchParams(this.#url.query ?? ""), this.#url);
      return this.#params;
    }
    get hash() { return this.#url.fragment ? "#" + this.#url.fragment : ""; }
    set hash(value) {
      const text = String(value).replace(/^#/, "");
      this.#url.fragment = text === "" ? null : forFragment(text);
    }
    toString() { return this.href; }
    toJSON() { return this.href; }
    get [Symbol.toStringTag]() { return "URL"; }
  }
  return { URL, URLSearchParams };
});
