// How cases are written: a line for the case, a line for each message with what came of it.

/** The text of a file of cases. */
export function written(header, cases, answers) {
    const one = (given, answer) => {
        const { msgs, ...head } = given;
        const opening = JSON.stringify(head).slice(0, -1);
        if (given.timed) return `${opening},\n  "msgs":${JSON.stringify(msgs)},\n  "answers":${JSON.stringify(answer[0])}}`;
        const tries = msgs.map((msg, at) => `   [${JSON.stringify(msg)}, ${JSON.stringify(answer[at])}]`);
        return `${opening},\n  "try":[\n${tries.join(",\n")}]}`;
    };
    const all = cases.map((given, at) => ` ${one(given, answers[at])}`);
    return `{${JSON.stringify(header).slice(1, -1)},\n"cases":[\n${all.join(",\n")}\n]}\n`;
}

/** Cases and answers of such a text. */
export function read(text) {
    const { cases: all } = JSON.parse(text);
    const cases = all.map(({ try: tries, msgs, answers: _, ...head }) => ({ ...head, msgs: msgs ?? tries.map(([msg]) => msg) }));
    return { cases, answers: all.map(one => one.answers ? [one.answers] : one.try.map(([, answer]) => answer)) };
}

/** What differs, as texts; the order of nodes' names counts for nothing. */
export function differences(given, wanted, got) {
    const node = given.node ? JSON.stringify(given.node) : given.flow.map(node => `    ${JSON.stringify(node)}`).join("\n");
    const canonical = answer => JSON.stringify(Array.isArray(answer) ? answer : Object.fromEntries(Object.entries(answer).sort(([a], [b]) => (a < b ? -1 : 1))));
    return wanted.flatMap((answer, at) => {
        if (canonical(answer) === canonical(got[at])) return [];
        const msg = JSON.stringify(given.timed ? given.msgs : given.msgs[at]);
        return [`  ${node}\n  ${msg}\n  Node-RED ${canonical(answer)}\n  vgdc     ${canonical(got[at])}`];
    });
}
