/** Unit tests of what is entered at a step: a draft holds what was understood, in its canonical form (NUM-010). */
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { describe, expect, test } from "@odoo/hoot";
import { animationFrame } from "@odoo/hoot-mock";
import { Component, EventBus, useSubEnv, xml } from "@odoo/owl";
import { contains, makeMockEnv, mountWithCleanup, patchWithCleanup } from "@web/../tests/web_test_helpers";
import { localization } from "@web/core/l10n/localization";

import { ENTRIES } from "@mrp_mmr/floor/entries";

describe.current.tags("desktop");
defineMailModels();

let bus;

/** Mounts the entry of a kind; returns the drafts that it told, the last one last. */
async function mountEntry(kind, step, language = { decimalPoint: ",", thousandsSep: "." }) {
    await makeMockEnv();
    patchWithCleanup(localization, { ...language, grouping: [3, 0] });
    const drafts = [];
    class Parent extends Component {
        static components = { Entry: ENTRIES[kind] };
        static props = {};
        static template = xml`<Entry step="step" onChange="onChange" onSubmit="() => {}" onRecord="() => {}"/>`;

        setup() {
            this.step = step;
            this.onChange = (draft) => drafts.push(draft);
            bus = new EventBus();
            useSubEnv({ floor: { bus, scan: () => {}, redirectKey: () => {} } });
        }
    }
    await mountWithCleanup(Parent);
    return drafts;
}

const type = (selector, text) => contains(selector).edit(text, { confirm: false });

test("V-01: a value is sent in its canonical form, and the button says what was understood", async () => {
    const drafts = await mountEntry("value", { kind: "numeric", result_kind: "value", limits: "NMT 1000.5 CFU/g", unit: "CFU/g" });
    expect(".o_mrp_mmr_floor_figure").toHaveText("NMT 1 000,5 CFU/g");
    await type("#floor_value", "12000,50");
    expect(drafts.at(-1).vals).toEqual({ value: "12000.50" });
    expect(drafts.at(-1).label).toBe("12\u202f000,50 CFU/g");
    expect(drafts.at(-1).isReady).toBe(true);
    await type("#floor_value", "12.000");
    expect(drafts.at(-1).isReady).toBe(false);
    expect(drafts.at(-1).vals).toEqual({ value: "" });
    expect(drafts.at(-1).hint).toInclude("12.000 can be read as");
    await type("#floor_value", "0");
    expect(drafts.at(-1).vals).toEqual({ value: "0" });
    expect(drafts.at(-1).isReady).toBe(true);
});

const WEIGHING = {
    product: "A", code: "A", target: "4", low: "3.95", high: "4.05", tolerance: "0.05", unit: "oz", unit_id: 1, total: "0",
    remaining: "4", excess: false, is_within: false, weights: [], lots: [], is_tracked: true,
    units: [{ id: 1, name: "oz" }, { id: 2, name: "g" }],
};

test("V-06, V-07: a weight has the unit that was chosen; of nothing there is no lot", async () => {
    const drafts = await mountEntry("weight", { kind: "weigh", result_kind: "weight", weighing: WEIGHING });
    await contains(".o_mrp_mmr_floor_unit").select("2");
    await type("#floor_value", "113,4");
    expect("#floor_value_understood").toHaveText("= 113,4 g");
    expect(drafts.at(-1).isReady).toBe(false);
    await type("#floor_lot", "L-1");
    expect(drafts.at(-1).vals).toEqual({ value: "113.4", unit_id: 2, lot_id: false, lot_name: "L-1" });
    expect(drafts.at(-1).label).toBe("113,4 g, L-1");
    expect(drafts.at(-1).isReady).toBe(true);
    await type("#floor_lot", "");
    await type("#floor_value", "0,0");
    expect(drafts.at(-1).isReady).toBe(true);
    expect(drafts.at(-1).label).toBe("0,0 g");
});

test("the difference of labels is exact, and nothing is said while a number is refused", async () => {
    const drafts = await mountEntry("labels", { kind: "label", result_kind: "labels", packs: [{ position: 1, name: "Bottle" }] });
    await type("#floor_labels", "R-1");
    await type("#floor_issued", "9007199254740993");
    await type("#floor_used", "9007199254740992");
    expect(".o_mrp_mmr_floor_fact").toHaveText("Not accounted for: 1");
    await type("#floor_destroyed", "1.0");
    expect(".o_mrp_mmr_floor_fact").toHaveCount(0);
    expect(drafts.at(-1).isReady).toBe(false);
    await type("#floor_destroyed", "1");
    expect(".o_mrp_mmr_floor_fact").toHaveText("Not accounted for: 0");
    const { issued, used, destroyed, sampled } = drafts.at(-1).vals;
    expect([issued, used, destroyed, sampled]).toEqual(["9007199254740993", "9007199254740992", "1", ""]);
});

test("NUM-010: a count is a whole number without signs and decimals, and its pad has no decimal sign", async () => {
    const drafts = await mountEntry("labels", { kind: "label", result_kind: "labels", packs: [{ position: 1, name: "Bottle" }] });
    expect("[data-key=point]").not.toBeEnabled();
    await type("#floor_labels", "R-1");
    await type("#floor_used", "98");
    for (const [text, message] of [
        ["1.000", "1.000 has a sign between its digits. A whole number is written without: 1000."],
        ["1,000", "1,000 is not a whole number."],
        ["12,5", "12,5 is not a whole number."],
    ]) {
        await type("#floor_issued", text);
        expect("#floor_issued_understood").toHaveText(message);
        expect(drafts.at(-1).isReady).toBe(false);
        expect(drafts.at(-1).hint).toBe(message);
    }
    await type("#floor_issued", "1 000");
    expect("#floor_issued_understood").toHaveText("= 1 000");
    expect(drafts.at(-1).isReady).toBe(true);
    expect(drafts.at(-1).vals.issued).toBe("1000");
});

test("NUM-010: a packaging material is counted or measured in its unit", async () => {
    const materials = [{ position: 1, name: "Film", quantity: "0.25", unit: "m" }];
    await mountEntry("material", { kind: "material", result_kind: "material", packs: [{ position: 1, name: "Box", materials }], entries: [] });
    await type("#floor_issued", "12,50");
    expect("#floor_issued_understood").toHaveText("= 12,50 m");
});

test("U-16: whether a yield is so is asked once it was refused, for this number alone", async () => {
    const drafts = await mountEntry("yield", { kind: "yield", result_kind: "yield", band: { unit: "kg", low: "95", high: "102", theoretical: "100" } });
    await type("#floor_value", "960");
    expect("#floor_plausible").toHaveCount(0);
    bus.trigger("refused", { ...drafts.at(-1), error: "Rule: VER-060." });
    await animationFrame();
    await contains("#floor_plausible").click();
    expect(drafts.at(-1).vals).toEqual({ value: "960", plausible: true });
    await type("#floor_value", "96");
    expect("#floor_plausible").toHaveCount(0);
    expect(drafts.at(-1).vals).toEqual({ value: "96" });
});
