// What was measured, beside what it is to be, and which promises held.
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const number = (value, unit) => `${value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(value >= 10 ? 1 : 2)} ${unit}`;

export class Report {
  constructor() {
    this.figures = new Map();
    this.promises = new Map();
    this.notes = [];
  }

  /** A figure of one run. `goal`: what its median has to stay below (or above, where more is better). */
  figure(what, value, unit, goal, { more = false } = {}) {
    const key = `${this.scenario}/${what}`;
    const figure = this.figures.get(key) ?? { scenario: this.scenario, what, unit, goal, more, values: [] };
    figure.values.push(value);
    this.figures.set(key, figure);
    this.say(`${what}: ${number(value, unit)}`);
  }

  /** Something that has to hold in each run. */
  promise(what, holds, detail = '') {
    const key = `${this.scenario}/${what}`;
    const promise = this.promises.get(key) ?? { scenario: this.scenario, what, held: 0, broken: 0, details: [] };
    promise[holds ? 'held' : 'broken']++;
    if (!holds) promise.details.push(detail);
    this.promises.set(key, promise);
    this.say(`${holds ? 'ok' : 'BROKEN'}: ${what}${detail && `: ${detail}`}`);
  }

  /** Something that could not be tried, or that the reader has to know. */
  note(text) {
    if (!this.notes.includes(`${this.scenario}: ${text}`)) this.notes.push(`${this.scenario}: ${text}`);
    this.say(text);
  }

  say(text) {
    console.error(`  ${text}`);
  }

  get all() {
    return [...this.figures.values()].map((it) => {
      const middle = median(it.values);
      const pass = it.goal === undefined || (it.more ? middle > it.goal : middle < it.goal);
      return { ...it, median: middle, pass };
    });
  }

  /** How often a promise was broken. */
  get broken() {
    return [...this.promises.values()].reduce((sum, it) => sum + it.broken, 0);
  }

  /** Whether all promises held. */
  get held() {
    return this.broken === 0;
  }

  /** And all figures reach their goals. */
  get good() {
    return this.held && this.all.every((it) => it.pass);
  }

  json() {
    return JSON.stringify({ figures: this.all, promises: [...this.promises.values()], notes: this.notes, good: this.good }, null, 1);
  }

  text() {
    const rows = this.all.map((it) => [
      it.scenario, it.what, number(it.median, it.unit),
      it.goal === undefined ? '' : `${it.more ? '>' : '<'} ${number(it.goal, it.unit)}`,
      it.goal === undefined ? '' : it.pass ? 'pass' : 'FAIL',
      it.values.length > 1 ? `${number(Math.min(...it.values), '')}to ${number(Math.max(...it.values), '')}` : '',
    ]);
    const wide = [0, 1, 2, 3].map((at) => Math.max(...rows.map((row) => row[at].length), 0));
    const lines = rows.map((row) => `${row[0].padEnd(wide[0])}  ${row[1].padEnd(wide[1])}  ${row[2].padStart(wide[2])}  ${row[3].padStart(wide[3])}  ${row[4].padEnd(4)}  ${row[5]}`.trimEnd());
    const promises = [...this.promises.values()].map((it) => {
      const verdict = it.broken ? `BROKEN in ${it.broken} of ${it.held + it.broken}: ${it.details[0]}` : `held (${it.held})`;
      return `${it.scenario}: ${it.what}: ${verdict}`;
    });
    return [...lines, '', ...promises, '', ...this.notes].join('\n');
  }
}
