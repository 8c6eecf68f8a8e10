/**
 * Numbers, times and spans of time as the language in use writes them. A formatter costs much to make and little to use:
 * each is made once for a language. What is data or code (values of messages, lines, ports) is not written this way.
 */

interface Formats {
  readonly number: Intl.NumberFormat;
  readonly short: Intl.NumberFormat;
  readonly fixed: readonly Intl.NumberFormat[];
  readonly clock: Intl.DateTimeFormat;
  readonly moment: Intl.DateTimeFormat;
  readonly time: Intl.DateTimeFormat;
  readonly list: Intl.ListFormat;
}

function formatsOf(locale: string): Formats {
  const number = (options: Intl.NumberFormatOptions) => new Intl.NumberFormat(locale, options);
  const time = (options: Intl.DateTimeFormatOptions) => new Intl.DateTimeFormat(locale, options);
  const exact = { minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3 } as const;
  return {
    number: number({}),
    short: number({ maximumSignificantDigits: 2, useGrouping: false }),
    fixed: [0, 1, 2].map((digits) => number({ minimumFractionDigits: digits, maximumFractionDigits: digits })),
    clock: time({ hour: "2-digit", hourCycle: "h23", ...exact }),
    moment: time(exact),
    time: time({ timeStyle: "medium" }),
    list: new Intl.ListFormat(locale, { type: "conjunction" }),
  };
}

let formats = formatsOf("en");

/** Writes as this language does, in the manner of the region that the browser's user has, if it is one of that language's. */
export function useFormats(language: string): void {
  const spoken = typeof navigator === "undefined" ? [] : (navigator.languages ?? []);
  formats = formatsOf(spoken.find((each) => each.split("-")[0] === language) ?? language);
}

/** A number with all that counts of it. */
export function numberText(value: number): string {
  return formats.number.format(value);
}

/** A number with so many digits behind the point. */
export function fixedText(value: number, digits: 0 | 1 | 2): string {
  return formats.fixed[digits]!.format(value);
}

/** A number with two digits that count, and what stands for thousands of it. */
export function figureText(value: number): string {
  for (const [unit, size] of [["M", 1e6], ["k", 1e3]] as const) if (value >= size * 0.9995) return `${rounded(value / size)}${unit}`;
  return rounded(value);
}

function rounded(value: number): string {
  return value >= 10 ? formats.fixed[0]!.format(value) : formats.short.format(value);
}

/** How many a second, as exactly as readers can tell. */
export function rateText(rate: number): string {
  return fixedText(rate, rate >= 100 || rate === 0 ? 0 : rate >= 10 ? 1 : 2);
}

/** A span of time in milliseconds, in the unit that fits. */
export function durationText(ms: number): string {
  return ms >= 1000 ? `${rounded(ms / 1000)} s` : ms >= 1 ? `${rounded(ms)} ms` : `${rounded(ms * 1000)} µs`;
}

/** When something was, to the millisecond. */
export function clockText(time: number): string {
  return formats.clock.format(time);
}

/** The same without the hour. */
export function momentText(time: number): string {
  return formats.moment.format(time);
}

/** When something was, as one says it. */
export function timeText(time: Date): string {
  return formats.time.format(time);
}

/** Several things after one another. */
export function listText(parts: readonly string[]): string {
  return formats.list.format(parts);
}
