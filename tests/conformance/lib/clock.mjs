// A clock that only `advance` moves, in the place of the process's own: timers, dates, `process.hrtime`. Both sides of a
// comparison then tell the same times, and hours take no time.

const real = { setTimeout, setInterval, clearTimeout, clearInterval, Date, hrtime: process.hrtime };
const LONGEST = 2 ** 31 - 1;

class Timer {
    constructor(clock, at, every, act) {
        Object.assign(this, { clock, at, every, act });
    }
    ref() { return this; }
    unref() { return this; }
    hasRef() { return true; }
    close() { this.clock.timers.delete(this); return this; }
    refresh() {
        this.at = this.clock.now + this.every;
        this.clock.add(this);
        return this;
    }
    [Symbol.toPrimitive]() { return (this.number ??= ++this.clock.numbers); }
}

class Clock {
    constructor(start) {
        this.now = start;
        this.start = start;
        // (in the order in which they were set)
        this.timers = new Set();
        this.numbers = 0;
    }
    add(timer) {
        this.timers.delete(timer);
        this.timers.add(timer);
        return timer;
    }
    set(repeats, act, ms, args) {
        if (typeof act !== "function") throw new TypeError('The "callback" argument must be of type function.');
        let every = Number(ms);
        if (!(every >= 1 && every <= LONGEST)) every = 1;
        every = Math.trunc(every);
        const timer = new Timer(this, this.now + every, every, () => act.apply(timer, args));
        timer.repeats = repeats;
        return this.add(timer);
    }
    clear(timer) {
        if (timer instanceof Timer) return void this.timers.delete(timer);
        for (const one of this.timers) if (one.number !== undefined && one.number === Number(timer)) this.timers.delete(one);
    }
    /** Fires what is due until then; `settled` waits for what timers began. */
    async advance(ms, settled) {
        const end = this.now + ms;
        for (;;) {
            const due = Math.min(...Array.from(this.timers, timer => timer.at));
            if (!(due <= end)) break;
            this.now = Math.max(this.now, due);
            for (const timer of Array.from(this.timers).filter(one => one.at <= this.now)) {
                if (!this.timers.delete(timer)) continue;
                try {
                    timer.act();
                } catch (error) {
                    process.emit("uncaughtException", error);
                }
                if (timer.repeats && !timer.isCleared) this.add(Object.assign(timer, { at: this.now + timer.every }));
                await null;
            }
            await settled();
        }
        this.now = end;
    }
}

/** The clock, from here on everybody's; it begins at `start` (milliseconds since the epoch). */
export function install(start) {
    const clock = new Clock(start);
    globalThis.setTimeout = (act, ms, ...args) => clock.set(false, act, ms, args);
    globalThis.setInterval = (act, ms, ...args) => clock.set(true, act, ms, args);
    globalThis.clearTimeout = globalThis.clearInterval = timer => {
        if (timer instanceof Timer) timer.isCleared = true;
        // (timers from before the clock was put in)
        if (timer && typeof timer === "object" && !(timer instanceof Timer)) return real.clearTimeout(timer);
        clock.clear(timer);
    };
    globalThis.Date = new Proxy(real.Date, {
        construct: (target, args, made) => Reflect.construct(target, args.length ? args : [clock.now], made),
        apply: () => new real.Date(clock.now).toString(),
        get: (target, key, self) => (key === "now" ? () => clock.now : Reflect.get(target, key, self)),
    });
    real.Date.prototype.constructor = globalThis.Date;
    const passed = () => clock.now - clock.start + 1000;
    process.hrtime = since => {
        const [seconds, nanos] = [Math.floor(passed() / 1000), (passed() % 1000) * 1e6];
        if (!since) return [seconds, nanos];
        const [s, n] = [seconds - since[0], nanos - since[1]];
        return n < 0 ? [s - 1, n + 1e9] : [s, n];
    };
    process.hrtime.bigint = () => BigInt(passed()) * 1000000n;
    return clock;
}
