/** Unit tests of the floor's outbox. */
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { advanceTime, beforeEach, describe, expect, test } from "@odoo/hoot";
import { asyncStep, makeMockEnv, waitForSteps } from "@web/../tests/web_test_helpers";
import { ConnectionLostError } from "@web/core/network/rpc";

import { Refusal } from "@mrp_mmr/floor/floor_rpc";
import { countForeign, makeToken, Outbox } from "@mrp_mmr/floor/outbox";

describe.current.tags("headless");
defineMailModels();

/** The storage of a browser, empty for each test; with `isFull` it takes nothing more. */
class MemoryStorage {
    items = new Map();
    isFull = false;

    get length() {
        return this.items.size;
    }
    key(index) {
        return [...this.items.keys()][index] ?? null;
    }
    getItem(key) {
        return this.items.get(key) ?? null;
    }
    setItem(key, value) {
        if (this.isFull) {
            throw new DOMException("full", "QuotaExceededError");
        }
        this.items.set(key, value);
    }
    removeItem(key) {
        this.items.delete(key);
    }
}

const OWNER = "db.7";
const PREFIX = `mrp_mmr.floor.outbox.${OWNER}.`;

let storage;
/** What the server does with each call: a function of the entry, the last one again and again. */
let answers;

beforeEach(async () => {
    storage = new MemoryStorage();
    answers = [(entry) => ({ entry_id: entry.number })];
    await makeMockEnv();
});

function makeOutbox(params = {}) {
    return new Outbox({
        storage,
        owner: OWNER,
        send: async (entry) => {
            asyncStep(`send ${entry.vals.value}`);
            return (answers.length > 1 ? answers.shift() : answers[0])(entry);
        },
        onSaved: (entry, result) => asyncStep(`saved ${entry.vals.value} as ${result.entry_id}`),
        ...params,
    });
}

const weigh = (value) => ({ stepId: 1, kind: "weight", vals: { value } });
const lose = () => {
    throw new ConnectionLostError("/web/dataset/call_kw");
};
const refuse = () => {
    throw new Refusal("The lot is not released.");
};

test("what the server stores leaves the browser", async () => {
    const outbox = makeOutbox();
    const answer = await outbox.add(weigh("90.02"));
    expect(answer).toEqual({ status: "saved", result: { entry_id: 1 } });
    expect(outbox.state.entries).toEqual([]);
    expect(storage.length).toBe(0);
    await waitForSteps(["send 90.02", "saved 90.02 as 1"]);
});

test("a number is kept and sent as it was typed", async () => {
    answers = [lose];
    const outbox = makeOutbox();
    await outbox.add(weigh("90.020"));
    const [kept] = [...storage.items.values()].map((text) => JSON.parse(text));
    expect(kept.vals).toEqual({ value: "90.020" });
    expect("status" in kept).toBe(false);
    await waitForSteps(["send 90.020"]);
    outbox.stop();
});

test("without a connection an entry waits, and is sent again with the same token", async () => {
    const tokens = [];
    answers = [
        (entry) => tokens.push(entry.token) && lose(),
        (entry) => {
            tokens.push(entry.token);
            return { entry_id: 5 };
        },
    ];
    const outbox = makeOutbox();
    expect(await outbox.add(weigh("15"))).toEqual({ status: "waiting" });
    expect(outbox.state.isLost).toBe(true);
    expect(outbox.state.entries).toHaveLength(1);
    expect(storage.length).toBe(1);
    await outbox.retryNow();
    expect(outbox.state.isLost).toBe(false);
    expect(outbox.state.entries).toHaveLength(0);
    expect(storage.length).toBe(0);
    expect(tokens[0]).toBe(tokens[1]);
    await waitForSteps(["send 15", "send 15", "saved 15 as 5"]);
});

test("it waits longer each time, half a minute at most, and shorter again after a success", async () => {
    answers = [lose];
    const outbox = makeOutbox();
    await outbox.add(weigh("15"));
    const waits = [];
    for (let times = 0; times < 6; times++) {
        waits.push(outbox.wait);
        await outbox.flush();
    }
    expect(waits).toEqual([4000, 8000, 16000, 30000, 30000, 30000]);
    answers = [() => ({ entry_id: 1 })];
    await outbox.flush();
    expect(outbox.wait).toBe(2000);
    await waitForSteps([...Array(8).fill("send 15"), "saved 15 as 1"]);
});

test("it tries again by itself", async () => {
    answers = [lose, () => ({ entry_id: 1 })];
    const outbox = makeOutbox();
    await outbox.add(weigh("15"));
    await waitForSteps(["send 15"]);
    await advanceTime(1000);
    await waitForSteps([]);
    await advanceTime(1001);
    await waitForSteps(["send 15", "saved 15 as 1"]);
});

test("nothing is sent after the screen was left", async () => {
    answers = [lose];
    const outbox = makeOutbox();
    await outbox.add(weigh("15"));
    outbox.stop();
    await advanceTime(60000);
    await waitForSteps(["send 15"]);
    expect(storage.length).toBe(1);
});

test("entries are sent in the order in which they were made", async () => {
    answers = [lose];
    const outbox = makeOutbox();
    await outbox.add(weigh("1"));
    await outbox.add(weigh("2"));
    answers = [(entry) => ({ entry_id: entry.number })];
    await outbox.retryNow();
    // The second one waits for the first.
    await waitForSteps(["send 1", "send 1", "send 1", "saved 1 as 1", "send 2", "saved 2 as 2"]);
});

test("whoever typed what is refused reads why, and it is gone", async () => {
    answers = [refuse];
    const outbox = makeOutbox();
    expect(await outbox.add(weigh("15"))).toEqual({ status: "refused", error: "The lot is not released." });
    expect(outbox.state.entries).toEqual([]);
    expect(storage.length).toBe(0);
    await waitForSteps(["send 15"]);
});

test("what is refused later stays until a person decides, and does not hold up the rest", async () => {
    answers = [lose];
    const outbox = makeOutbox();
    await outbox.add(weigh("1"));
    await outbox.add(weigh("2"));
    answers = [refuse, () => ({ entry_id: 2 })];
    await outbox.retryNow();
    expect(outbox.state.entries.map(({ vals, status, error }) => [vals.value, status, error])).toEqual([
        ["1", "refused", "The lot is not released."],
    ]);
    // Another page of the same browser knows it, too.
    expect(makeOutbox().state.entries.map(({ status }) => status)).toEqual(["refused"]);
    const [{ token }] = outbox.state.entries;
    answers = [(entry) => ({ entry_id: entry.reason === "Balance was off" ? 7 : 0 })];
    await outbox.resend(token, { reason: "Balance was off" });
    expect(outbox.state.entries).toEqual([]);
    expect(storage.length).toBe(0);
    await waitForSteps(["send 1", "send 1", "send 1", "send 2", "saved 2 as 2", "send 1", "saved 1 as 7"]);
});

test("an error of the server is no refusal: the entry waits and the screen says what is wrong", async () => {
    answers = [
        () => {
            throw Object.assign(new Error("RPC"), { data: { message: "out of memory" } });
        },
    ];
    const outbox = makeOutbox();
    expect(await outbox.add(weigh("15"))).toEqual({ status: "waiting" });
    expect(outbox.state.isLost).toBe(false);
    expect(outbox.state.problem).toBe("out of memory");
    expect(storage.length).toBe(1);
    outbox.stop();
    await waitForSteps(["send 15"]);
});

test("a new page finds what waits, in order, and goes on counting", async () => {
    for (const number of [11, 9, 10]) {
        storage.setItem(`${PREFIX}t${number}`, JSON.stringify({ ...weigh(String(number)), token: `t${number}`, number, error: "" }));
    }
    storage.setItem(`${PREFIX}broken`, "{");
    const outbox = makeOutbox();
    expect(outbox.state.entries.map(({ token, status }) => [token, status])).toEqual([
        ["t9", "waiting"],
        ["t10", "waiting"],
        ["t11", "waiting"],
    ]);
    await outbox.add(weigh("12"));
    await waitForSteps([9, 10, 11, 12].flatMap((number) => [`send ${number}`, `saved ${number} as ${number}`]));
    // What is not of the outbox stays where it is.
    expect([...storage.items.keys()]).toEqual([`${PREFIX}broken`]);
});

test("nobody sends what another person entered", async () => {
    storage.setItem("mrp_mmr.floor.outbox.db.8.t1", JSON.stringify({ ...weigh("1"), token: "t1", number: 1, error: "" }));
    storage.setItem("mrp_mmr.floor.outbox.other.7.t2", JSON.stringify({ ...weigh("2"), token: "t2", number: 1, error: "" }));
    const outbox = makeOutbox();
    await outbox.flush();
    await waitForSteps([]);
    expect(outbox.state.entries).toEqual([]);
    expect(countForeign(storage, "db", OWNER)).toBe(1);
    expect(countForeign(storage, "db", "db.8")).toBe(0);
    // The owner 7 is not the owner 70.
    storage.setItem("mrp_mmr.floor.outbox.db.70.t3", "{}");
    expect(countForeign(storage, "db", OWNER)).toBe(2);
});

test("a browser without room says so and sends all the same", async () => {
    storage.isFull = true;
    answers = [lose];
    const outbox = makeOutbox();
    await outbox.add(weigh("15"));
    expect(outbox.state.entries).toHaveLength(1);
    storage.isFull = false;
    answers = [() => ({ entry_id: 1 })];
    await outbox.retryNow();
    await waitForSteps(["send 15", "send 15", "saved 15 as 1"]);
});

test("each entry has a token of its own", () => {
    const tokens = new Set(Array.from({ length: 1000 }, makeToken));
    expect(tokens.size).toBe(1000);
    for (const token of tokens) {
        expect(token.replaceAll("-", "")).toMatch(/^[0-9a-f]{32}$/);
    }
});
