// toLocaleString and Intl for English (en-US) and a few other locales' shapes: QuickJS has no locale data of its own.
(function (native) {
  const months = ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"];
  const days = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
  const pad = (value, length = 2) => String(value).padStart(length, "0");

  // Separators and the order of a numeric date, by language (and region where it matters).
  const shapes = {
    en: { group: ",", decimal: ".", date: (y, m, d) => `${m}/${d}/${y}`, comma: ", ", hour12: true },
    "en-GB": { group: ",", decimal: ".", date: (y, m, d) => `${pad(d)}/${pad(m)}/${y}`, comma: ", ", hour12: false, dayFirst: true, bareWeekday: true },
    de: { group: ".", decimal: ",", date: (y, m, d) => `${d}.${m}.${y}`, comma: ", ", hour12: false },
    fr: { group: "\u202F", decimal: ",", date: (y, m, d) => `${pad(d)}/${pad(m)}/${y}`, comma: " ", hour12: false },
    es: { group: ".", decimal: ",", date: (y, m, d) => `${d}/${m}/${y}`, comma: ", ", hour12: false, bare: true, from: 5 },
    it: { group: ".", decimal: ",", date: (y, m, d) => `${pad(d)}/${pad(m)}/${y}`, comma: ", ", hour12: false, from: 5 },
    nl: { group: ".", decimal: ",", date: (y, m, d) => `${d}-${m}-${y}`, comma: ", ", hour12: false },
    pl: { group: "\u00A0", decimal: ",", date: (y, m, d) => `${d}.${pad(m)}.${y}`, comma: ", ", hour12: false, from: 5 },
    pt: { group: ".", decimal: ",", date: (y, m, d) => `${pad(d)}/${pad(m)}/${y}`, comma: ", ", hour12: false },
    ru: { group: "\u00A0", decimal: ",", date: (y, m, d) => `${pad(d)}.${pad(m)}.${y}`, comma: ", ", hour12: false },
    sv: { group: "\u00A0", decimal: ",", date: (y, m, d) => `${y}-${pad(m)}-${pad(d)}`, comma: " ", hour12: false },
    cs: { group: "\u00A0", decimal: ",", date: (y, m, d) => `${d}. ${m}. ${y}`, comma: " ", hour12: false, bare: true },
    hu: { group: "\u00A0", decimal: ",", date: (y, m, d) => `${y}. ${pad(m)}. ${pad(d)}.`, comma: " ", hour12: false, bare: true, from: 5 },
    ja: { group: ",", decimal: ".", date: (y, m, d) => `${y}/${m}/${d}`, comma: " ", hour12: false, bare: true },
    zh: { group: ",", decimal: ".", date: (y, m, d) => `${y}/${m}/${d}`, comma: " ", hour12: false },
  };
  // Those that are like another but for something.
  const like = (tag, more) => ({ ...shapes[tag], ...more });
  const latin = like("es", { hour12: true, halves: ["a. m.", "p. m."], from: 4 });
  Object.assign(shapes, {
    sk: shapes.cs, uk: shapes.ru,
    ro: like("ru", { group: "." }),
    tr: like("ru", { group: ".", comma: " " }),
    nb: like("de", { group: "\u00A0" }), no: like("de", { group: "\u00A0" }),
    "de-AT": like("de", { group: "\u00A0" }),
    "de-CH": like("de", { group: "'", decimal: "." }),
    "en-AU": like("en-GB", { bareWeekday: false, hour12: true, halves: ["am", "pm"] }),
    "en-CA": like("sv", { group: ",", decimal: ".", comma: ", ", hour12: true, halves: ["a.m.", "p.m."] }),
    "en-IE": like("es", { dayFirst: true, group: ",", decimal: ".", bare: false, from: 4 }),
    "en-NZ": like("en-GB", { bareWeekday: false, hour12: true, halves: ["am", "pm"], date: (y, m, d) => `${d}/${pad(m)}/${y}` }),
    "en-ZA": like("sv", { dayFirst: true, comma: ", ", date: (y, m, d) => `${y}/${pad(m)}/${pad(d)}` }),
    "es-CL": { ...latin, date: (y, m, d) => `${pad(d)}-${pad(m)}-${y}` },
    "es-CO": latin, "es-EC": latin, "es-UY": latin, "es-VE": latin,
    "es-PE": { ...latin, group: ",", decimal: "." },
    ...Object.fromEntries(["es-MX", "es-US", "es-419"].map((tag) => [tag, { ...latin, group: ",", decimal: ".", halves: ["a.m.", "p.m."] }])),
    "fr-CA": like("sv", { hours: (hour) => `${pad(hour)} h ` }),
    "fr-CH": like("ru", { group: "'", comma: " " }),
    "nl-BE": like("nl", { date: (y, m, d) => `${d}/${m}/${y}` }),
    "pt-PT": like("pt", { group: "\u00A0", from: 5 }),
  });
  const shape = (locales) => {
    const tag = String((Array.isArray(locales) ? locales[0] : locales) ?? "en-US");
    return shapes[tag] ?? shapes[tag.split("-")[0]] ?? shapes.en;
  };

  const number = (value, locales, options = {}) => {
    const { group, decimal, from = 4 } = shape(locales);
    if (typeof value === "bigint" || value instanceof BigInt) return String(value).replace(/\B(?=(\d{3})+$)/g, group);
    value = Number(value);
    if (Number.isNaN(value)) return "NaN";
    const style = options.style ?? "decimal";
    const currency = style === "currency" ? String(options.currency).toUpperCase() : "";
    const fallback = style === "currency" ? 2 : 0;
    const least = options.minimumFractionDigits ?? Math.min(fallback, options.maximumFractionDigits ?? fallback);
    const most = options.maximumFractionDigits ?? Math.max(least, style === "currency" ? 2 : style === "percent" ? 0 : 3);
    const scaled = Math.abs(style === "percent" ? value * 100 : value);
    let text;
    if (!Number.isFinite(scaled)) text = "∞";
    else {
      let digits = options.maximumSignificantDigits !== undefined ? String(Number(scaled.toPrecision(options.maximumSignificantDigits))) : round(scaled, most);
      if (/e/.test(digits)) digits = BigInt(Math.round(scaled)).toString();
      let [whole, fraction = ""] = digits.split(".");
      fraction = fraction.replace(/0+$/, "").padEnd(least, "0");
      whole = whole.padStart(options.minimumIntegerDigits ?? 1, "0");
      if (options.useGrouping !== false && whole.length >= from) whole = whole.replace(/\B(?=(\d{3})+$)/g, group);
      text = fraction === "" ? whole : whole + decimal + fraction;
    }
    const sign = value < 0 || Object.is(value, -0) ? "-" : "";
    if (style === "percent") return `${sign}${text}%`;
    if (style === "currency") {
      const symbol = { USD: "$", EUR: "€", GBP: "£", JPY: "¥", INR: "₹" }[currency] ?? `${currency}\u00A0`;
      return decimal === "," ? `${sign}${text}\u00A0${symbol.trim()}` : `${sign}${symbol}${text}`;
    }
    return sign + text;
  };
  // Half away from zero on the decimal text, as locale formatting rounds.
  const round = (value, digits) => {
    const text = String(value);
    if (/e/.test(text)) return value.toFixed(Math.min(digits, 100));
    const [whole, fraction = ""] = text.split(".");
    if (fraction.length <= digits) return text;
    const kept = BigInt(whole + fraction.slice(0, digits)) + (fraction[digits] >= "5" ? 1n : 0n);
    const padded = String(kept).padStart(digits + 1, "0");
    return digits === 0 ? padded : `${padded.slice(0, -digits)}.${padded.slice(-digits)}`;
  };

  // A zone's own name, its seconds east of Greenwich and what its time is called: `[name, seconds, abbreviation]`.
  const zoneAt = (zone, ms) => {
    if (/^(utc|gmt|etc\/utc|etc\/gmt)$/i.test(zone)) return ["UTC", 0, "UTC"];
    const offset = /^([+-])(\d\d):?(\d\d)?$/.exec(zone);
    if (offset) return [zone, (offset[1] === "-" ? -60 : 60) * (60 * offset[2] + Number(offset[3] ?? 0)), ""];
    const found = native.zone(String(zone), Number.isNaN(ms) ? 0 : ms);
    if (found === undefined) throw new RangeError(`Invalid time zone specified: ${zone}`);
    return found;
  };
  // What a zone's time is called in English: few have names that are known everywhere.
  const calledAs = (seconds, abbreviation) => {
    if (/^(UTC|GMT|[ECMPAH]K?[SD]T)$/.test(abbreviation) && (seconds <= 0)) return abbreviation;
    const minutes = Math.abs(seconds) / 60;
    const rest = minutes % 60 ? `:${pad(minutes % 60)}` : "";
    return `GMT${seconds < 0 ? "-" : "+"}${Math.floor(minutes / 60)}${rest}`;
  };
  // A date's parts, in local time or that of a zone.
  const parts = (date, zone) => {
    const [, seconds, abbreviation] = zone === undefined ? [] : zoneAt(zone, date.getTime());
    const shown = seconds === undefined ? date : new RealDate(date.getTime() + seconds * 1000);
    const get = (name) => shown[`get${seconds === undefined ? "" : "UTC"}${name}`]();
    const called = seconds === undefined ? calledAs(-60 * date.getTimezoneOffset(), localZone()) : calledAs(seconds, abbreviation);
    return { year: get("FullYear"), month: get("Month"), day: get("Date"), weekday: get("Day"), hour: get("Hours"), minute: get("Minutes"), second: get("Seconds"), ms: get("Milliseconds"), called };
  };
  const RealDate = Date;
  const localZone = () => (new Date(0).getTimezoneOffset() === 0 && new Date(1.6e12).getTimezoneOffset() === 0 ? "UTC" : "local");

  const clock = (p, format, options) => {
    const twelve = options.hour12 ?? (options.hourCycle !== undefined ? /^h1[12]$/.test(options.hourCycle) : format.hour12);
    const fields = [];
    if (options.hour) {
      const hour = twelve ? p.hour % 12 || 12 : p.hour;
      fields.push(options.hour === "2-digit" || (!twelve && !format.bare) ? pad(hour) : String(hour));
    }
    if (options.minute) fields.push(fields.length > 0 || options.second ? pad(p.minute) : String(p.minute));
    if (options.second) fields.push(fields.length > 0 ? pad(p.second) : String(p.second));
    let text = fields.join(":");
    if (options.fractionalSecondDigits) text += "." + pad(p.ms, 3).slice(0, options.fractionalSecondDigits);
    if (format.hours && options.hour && !twelve && fields.length > 1) text = format.hours(p.hour) + (fields.length === 2 ? fields[1] : `${fields[1]} min ${fields[2]} s`);
    if (options.hour && twelve) text += ` ${(format.halves ?? ["AM", "PM"])[p.hour < 12 ? 0 : 1]}`;
    if (options.timeZoneName) text += ` ${p.called}`;
    return text;
  };
  const day = (p, format, options) => {
    const year = options.year && (options.year === "2-digit" ? pad(p.year % 100) : String(p.year));
    const weekday = options.weekday && (options.weekday === "long" ? days[p.weekday] : days[p.weekday].slice(0, options.weekday === "narrow" ? 1 : 3));
    const date = options.day && (options.day === "2-digit" ? pad(p.day) : String(p.day));
    const named = options.month === "long" || options.month === "short" || options.month === "narrow";
    if (named) {
      const month = options.month === "long" ? months[p.month] : months[p.month].slice(0, options.month === "narrow" ? 1 : 3);
      if (format.dayFirst) {
        const text = [date, month, year].filter(Boolean).join(" ");
        return weekday ? `${weekday}${year || !format.bareWeekday ? "," : ""} ${text}` : text;
      }
      const monthDay = [month, date].filter(Boolean).join(" ");
      const text = year ? (date ? `${monthDay}, ${year}` : `${monthDay} ${year}`) : monthDay;
      return weekday ? `${weekday}, ${text}` : text;
    }
    const month = options.month && (options.month === "2-digit" ? pad(p.month + 1) : String(p.month + 1));
    let text;
    if (year && month && date) text = format.date(year, month, date);
    else text = [month, date, year].filter(Boolean).join("/");
    return weekday ? (text ? `${weekday}, ${text}` : weekday) : text;
  };
  const styles = {
    full: { weekday: "long", year: "numeric", month: "long", day: "numeric" },
    long: { year: "numeric", month: "long", day: "numeric" },
    medium: { year: "numeric", month: "short", day: "numeric" },
    short: { year: "2-digit", month: "numeric", day: "numeric" },
  };
  const times = {
    full: { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short" },
    long: { hour: "numeric", minute: "2-digit", second: "2-digit", timeZoneName: "short" },
    medium: { hour: "numeric", minute: "2-digit", second: "2-digit" },
    short: { hour: "numeric", minute: "2-digit" },
  };
  const formatDate = (date, locales, given = {}, wanted) => {
    if (Number.isNaN(date.getTime())) return "Invalid Date";
    const format = shape(locales);
    let options = { ...styles[given.dateStyle], ...times[given.timeStyle], ...given };
    const hasDay = options.weekday || options.year || options.month || options.day;
    const hasTime = options.hour || options.minute || options.second || options.fractionalSecondDigits;
    if (!(wanted.day && hasDay) && !(wanted.time && hasTime) && !given.dateStyle && !given.timeStyle) {
      if (wanted.fill.day) options = { year: "numeric", month: "numeric", day: "numeric", ...options };
      if (wanted.fill.time) options = { hour: "numeric", minute: "2-digit", second: "2-digit", ...options };
    }
    const p = parts(date, options.timeZone);
    const dayText = options.weekday || options.year || options.month || options.day ? day(p, format, options) : "";
    const timeText = options.hour || options.minute || options.second || options.fractionalSecondDigits || options.timeZoneName ? clock(p, format, options).trim() : "";
    const joint = options.dateStyle === "full" || options.dateStyle === "long" ? " at " : format.comma;
    return dayText && timeText ? dayText + joint + timeText : dayText || timeText;
  };
  const both = { day: true, time: true, fill: { day: true, time: true } };
  const onlyDay = { day: true, time: false, fill: { day: true, time: false } };
  const onlyTime = { day: false, time: true, fill: { day: false, time: true } };

  // The order of texts: letters by their base form, then accents, then case; digits before letters, signs before digits.
  const rank = (character) => {
    if (/\s/.test(character)) return 0;
    if (/\p{P}/u.test(character)) return 1;
    if (/\p{S}/u.test(character)) return 2;
    return /\p{N}/u.test(character) ? 3 : 4;
  };
  const by = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  const pieces = (text, numeric) => (numeric ? text.match(/\d+|[^\d]/gsu) ?? [] : Array.from(text));
  const compare = (a, b, options = {}) => {
    const [first, second] = [a.normalize("NFD"), b.normalize("NFD")];
    const bare = (text) => pieces(text.replace(/\p{M}/gu, "").toLowerCase(), options.numeric);
    const [x, y] = [bare(first), bare(second)];
    for (let at = 0; at < Math.min(x.length, y.length); at++) {
      const numbers = options.numeric && /^\d/.test(x[at]) && /^\d/.test(y[at]);
      const order = numbers ? by(Number(x[at]), Number(y[at])) : by(rank(x[at]), rank(y[at])) || by(x[at], y[at]);
      if (order !== 0) return order;
    }
    if (x.length !== y.length) return by(x.length, y.length);
    const sensitivity = options.sensitivity ?? "variant";
    const accents = (text) => text.toLowerCase();
    if (sensitivity !== "base" && sensitivity !== "case") {
      const order = by(accents(first), accents(second));
      if (order !== 0) return order;
    }
    if (sensitivity === "base" || sensitivity === "accent") return 0;
    // Small letters come first.
    for (let at = 0; at < first.length; at++) {
      if (first[at] !== second[at]) return first[at] === first[at].toLowerCase() ? -1 : 1;
    }
    return 0;
  };

  // The long name of the local zone, as far as it can be told from its offset alone.
  const zoneName = (date) => {
    const minutes = -date.getTimezoneOffset();
    if (minutes === 0) return "Coordinated Universal Time";
    const size = Math.abs(minutes);
    return `GMT${minutes < 0 ? "-" : "+"}${pad(Math.trunc(size / 60))}:${pad(size % 60)}`;
  };

  class NumberFormat {
    #locales;
    #options;
    constructor(locales, options) { this.#locales = locales; this.#options = options; this.format = (value) => number(value, this.#locales, this.#options); }
    resolvedOptions() { return { locale: "en-US", numberingSystem: "latn", ...this.#options }; }
  }
  class DateTimeFormat {
    #locales;
    #options;
    constructor(locales, options = {}) {
      this.#locales = locales;
      this.#options = options;
      const defaults = { day: true, time: true, fill: { day: true, time: false } };
      this.format = (date) => {
        const time = new Date(date === undefined ? Date.now() : date);
        if (Number.isNaN(time.getTime())) throw new RangeError("Invalid time value");
        return formatDate(time, this.#locales, this.#options, defaults);
      };
    }
    resolvedOptions() { return { locale: "en-US", calendar: "gregory", numberingSystem: "latn", timeZone: this.#options.timeZone === undefined ? localZone() : zoneAt(this.#options.timeZone, 0)[0] }; }
  }
  class Collator {
    constructor(_locales, options) { this.compare = (a, b) => compare(String(a), String(b), options); }
  }
  return {
    Intl: { NumberFormat, DateTimeFormat, Collator, getCanonicalLocales: (list) => [].concat(list ?? []) },
    number,
    compare,
    zoneName,
    dateTime: (date, locales, options) => formatDate(date, locales, options, both),
    date: (date, locales, options) => formatDate(date, locales, options, onlyDay),
    time: (date, locales, options) => formatDate(date, locales, options, onlyTime),
  };
});
