/** Unit tests of what a person typed and did not record: it is kept for that person, for a shift (FLR-010). */
import { describe, expect, test } from "@odoo/hoot";

import { Drafts } from "@mrp_mmr/floor/drafts";

describe.current.tags("desktop");

const HOUR = 3600 * 1000;

/** A storage of a browser; with ``isFull`` it takes nothing. */
function makeStorage({ isFull = false } = {}) {
    const rows = new Map();
    return {
        get length() {
            return rows.size;
        },
        key: (index) => [...rows.keys()][index] ?? null,
        getItem: (key) => rows.get(key) ?? null,
        setItem(key, value) {
            if (isFull) {
                throw new DOMException("full", "QuotaExceededError");
            }
            rows.set(key, value);
        },
        removeItem: (key) => rows.delete(key),
    };
}

test("FLR-010: what was typed is there again for the same person, and for nobody else", () => {
    const storage = makeStorage();
    new Drafts({ storage, owner: "db.2" }).set("7/weight", { numbers: { value: "12,5" }, lotName: "A" });
    expect(new Drafts({ storage, owner: "db.2" }).get("7/weight")).toEqual({ numbers: { value: "12,5" }, lotName: "A" });
    expect(new Drafts({ storage, owner: "db.23" }).get("7/weight")).toBe(null);
    expect(new Drafts({ storage, owner: "other.2" }).isOpen(7)).toBe(false);
});

test("FLR-010: a step has open work until it is recorded; another one with a longer number is another one", () => {
    const drafts = new Drafts({ storage: makeStorage(), owner: "db.2" });
    drafts.set("7/weight", { text: "a" });
    drafts.set("7/sample", { text: "b" });
    drafts.set("77/value", { text: "c" });
    expect(drafts.isOpen(7)).toBe(true);
    drafts.set("7/weight", null);
    expect(drafts.isOpen(7)).toBe(true);
    drafts.clearStep(7);
    expect(drafts.isOpen(7)).toBe(false);
    expect(drafts.get("77/value")).toEqual({ text: "c" });
});

test("FLR-010: nobody finds what was read a shift ago; what others wrote into the storage stays", () => {
    const storage = makeStorage();
    storage.setItem("mrp_mmr.floor.draft.db.2.9/value", "no JSON");
    storage.setItem("mrp_mmr.floor.workcenter", "3");
    let now = 0;
    const drafts = new Drafts({ storage, owner: "db.2", now: () => now });
    drafts.set("7/value", { text: "a" });
    now = 11 * HOUR;
    expect(drafts.get("7/value")).toEqual({ text: "a" });
    now = 12 * HOUR;
    expect(drafts.get("7/value")).toBe(null);
    expect(new Drafts({ storage, owner: "db.2", now: () => now }).isOpen(7)).toBe(false);
    expect(storage.getItem("mrp_mmr.floor.workcenter")).toBe("3");
});

test("FLR-010: a browser without room keeps nothing old in the place of what was typed", () => {
    const drafts = new Drafts({ storage: makeStorage({ isFull: true }), owner: "db.2" });
    drafts.set("7/value", { text: "a" });
    expect(drafts.get("7/value")).toBe(null);
});
