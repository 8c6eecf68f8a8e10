// What Express offers to ask of a request (https://expressjs.com/en/4x/api.html#req), from its headers.
(function () {
  const TYPES = {
    html: "text/html", htm: "text/html", text: "text/plain", txt: "text/plain", json: "application/json", xml: "application/xml",
    css: "text/css", csv: "text/csv", js: "application/javascript", png: "image/png", jpg: "image/jpeg", jpeg: "image/jpeg",
    gif: "image/gif", svg: "image/svg+xml", webp: "image/webp", pdf: "application/pdf", zip: "application/zip", bin: "application/octet-stream",
    urlencoded: "application/x-www-form-urlencoded", multipart: "multipart/*",
  };
  const fullType = (name) => (name.includes("/") ? name : TYPES[name.replace(/^\./, "").toLowerCase()] ?? false);

  // `a;q=0.5, b` as a list; what has the quality 0 is kept, since it is refused.
  const parsed = (header) => header.split(",").map((part, at) => {
    const [name, ...parameters] = part.split(";").map((text) => text.trim());
    const quality = parameters.map((text) => /^q=(.*)$/i.exec(text)).find(Boolean);
    return { name, q: quality ? Number(quality[1]) : 1, at };
  }).filter(({ name }) => name !== "");
  // How well a wanted name fits what is offered: undefined, or the greater the closer.
  const typeFits = (wanted, offered) => {
    const [[wantedMain, wantedSub], [main, sub]] = [wanted, offered].map((name) => name.toLowerCase().split("/"));
    if (wantedMain !== "*" && wantedMain !== main) return undefined;
    if (wantedSub !== "*" && wantedSub !== sub) return undefined;
    return (wantedMain === main ? 4 : 0) + (wantedSub === sub ? 2 : 0);
  };
  const nameFits = (wanted, offered) => (wanted.toLowerCase() === offered.toLowerCase() ? 1 : wanted === "*" ? 0 : undefined);
  const languageFits = (wanted, offered) => {
    const [want, have] = [wanted.toLowerCase(), offered.toLowerCase()];
    if (want === have) return 4;
    if (want.split("-")[0] === have) return 2;
    if (have.split("-")[0] === want) return 1;
    return wanted === "*" ? 0 : undefined;
  };
  const preferred = (wanted, offered, fits) => {
    const priorities = offered.map((name, index) => {
      let best = { o: -1, q: 0, s: 0, index };
      for (const { name: want, q, at } of wanted) {
        const s = fits(want, name);
        if (s !== undefined && (best.s - s || best.q - q || best.o - at) < 0) best = { o: at, q, s, index };
      }
      return best;
    });
    const order = (a, b) => b.q - a.q || b.s - a.s || a.o - b.o || a.index - b.index;
    return priorities.filter(({ q }) => q > 0).sort(order).map(({ index }) => index);
  };
  const liked = (wanted) => wanted.filter(({ q }) => q > 0).sort((a, b) => b.q - a.q || a.at - b.at).map(({ name }) => name);
  const names = (args) => (Array.isArray(args[0]) ? args[0] : args);

  class IncomingMessage {
    get(name) {
      if (!name) throw new TypeError("name argument is required to req.get");
      if (typeof name !== "string") throw new TypeError("name must be a string to req.get");
      const lower = name.toLowerCase();
      if (lower === "referer" || lower === "referrer") return this.headers.referrer || this.headers.referer;
      return this.headers[lower];
    }
    header(name) { return IncomingMessage.prototype.get.call(this, name); }
    is(...args) {
      if (this.headers["transfer-encoding"] === undefined && isNaN(this.headers["content-length"])) return null;
      const whole = this.headers["content-type"];
      const own = typeof whole === "string" ? whole.split(";")[0].trim().toLowerCase() : "";
      if (!/^[^\s/]+\/[^\s/]+$/.test(own)) return false;
      const types = names(args);
      if (types.length === 0) return own;
      for (const type of types) {
        const full = type[0] === "+" ? `*/*${type}` : fullType(type);
        if (!full) continue;
        const [main, sub] = full.split("/");
        const [ownMain, ownSub] = own.split("/");
        const subFits = sub === "*" || sub === ownSub || (sub.startsWith("*+") && ownSub.endsWith(sub.slice(1)));
        if ((main === "*" || main === ownMain) && subFits) return type[0] === "+" || type.includes("*") ? own : type;
      }
      return false;
    }
    accepts(...args) {
      const types = names(args);
      const header = this.headers.accept;
      const wanted = parsed(header === undefined ? "*/*" : header);
      if (types.length === 0) return liked(wanted);
      if (!header) return types[0];
      const known = types.map((name, index) => ({ full: fullType(name), index })).filter(({ full }) => full);
      const [first] = preferred(wanted, known.map(({ full }) => full), typeFits);
      return first === undefined ? false : types[known[first].index];
    }
    acceptsEncodings(...args) {
      const wanted = parsed(this.headers["accept-encoding"] ?? "");
      if (!wanted.some(({ name }) => nameFits(name, "identity") !== undefined)) {
        wanted.push({ name: "identity", q: Math.min(1, ...wanted.map(({ q }) => q || 1)), at: wanted.length });
      }
      return chosen(names(args), wanted, nameFits);
    }
    acceptsCharsets(...args) { return chosen(names(args), parsed(this.headers["accept-charset"] ?? "*"), nameFits); }
    acceptsLanguages(...args) { return chosen(names(args), parsed(this.headers["accept-language"] ?? "*"), languageFits); }
    param(name, standard) {
      if (this.params?.[name] != null && Object.hasOwn(this.params, name)) return this.params[name];
      if (this.body?.[name] != null) return this.body[name];
      return this.query?.[name] != null ? this.query[name] : standard;
    }
    range(size) {
      const header = this.headers.range;
      if (!header) return undefined;
      const at = header.indexOf("=");
      if (at === -1) return -2;
      const ranges = [];
      for (const part of header.slice(at + 1).split(",")) {
        const [from, to] = part.split("-");
        let [start, end] = [parseInt(from, 10), parseInt(to, 10)];
        if (isNaN(start)) [start, end] = [size - end, size - 1];
        else if (isNaN(end)) end = size - 1;
        end = Math.min(end, size - 1);
        if (!isNaN(start) && !isNaN(end) && start <= end && start >= 0) ranges.push({ start, end });
      }
      if (ranges.length === 0) return -1;
      ranges.type = header.slice(0, at);
      return ranges;
    }
    get socket() { return { remoteAddress: this.ip }; }
    get connection() { return this.socket; }
  }
  const chosen = (offered, wanted, fits) => {
    if (offered.length === 0) return liked(wanted);
    const [first] = preferred(wanted, offered, fits);
    return first === undefined ? false : offered[first];
  };
  for (const name of ["Encoding", "Charset", "Language"]) {
    Object.defineProperty(IncomingMessage.prototype, `accepts${name}`, { value: IncomingMessage.prototype[`accepts${name}s`], configurable: true, writable: true });
  }
  return IncomingMessage.prototype;
});
