/** Unit tests of the floor's number pad. */
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { animationFrame, describe, expect, press, queryOne, test } from "@odoo/hoot";
import { Component, useState, useSubEnv, xml } from "@odoo/owl";
import { contains, makeMockEnv, mountWithCleanup, patchWithCleanup } from "@web/../tests/web_test_helpers";
import { localization } from "@web/core/l10n/localization";

import { NumberField, NumberPad, pressKey } from "@mrp_mmr/floor/number_pad";
import { localNumber } from "@mrp_mmr/numbers/numbers";

describe.current.tags("desktop");
defineMailModels();

/** A field with its pad, as an entry has them; what is scanned or handed on is kept. */
class Entry extends Component {
    static components = { NumberField, NumberPad };
    static props = {};
    static template = xml`
        <NumberField id="'floor_value'" label="'Weight'" value="state.value" unit="'kg'" isActive="true"
                     onInput="(value) => (state.value = value)" onSubmit="() => (state.submitted += 1)"/>
        <NumberPad signed="true" onKey="(key) => (state.value = pressKey(state.value, key))"/>`;

    setup() {
        this.pressKey = pressKey;
        this.state = useState({ value: "", submitted: 0, scanned: [], redirected: [] });
        useSubEnv({
            floor: {
                scan: (code) => this.state.scanned.push(code),
                redirectKey: (key) => this.state.redirected.push(key),
            },
        });
    }
}

/** Type keys as a scanner does, `pace` milliseconds apart, with Enter at the end. */
async function scan(code, pace) {
    const input = queryOne("#floor_value");
    for (const [index, key] of [...code, "Enter"].entries()) {
        const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
        Object.defineProperty(event, "timeStamp", { value: 1000 + index * pace });
        input.dispatchEvent(event);
        if (key !== "Enter" && !event.defaultPrevented) {
            input.value += key;
            input.dispatchEvent(new InputEvent("input", { bubbles: true }));
        }
        await animationFrame();
    }
}

test("keys of the pad", async () => {
    await makeMockEnv();
    for (const [value, key, after] of [
        ["", "7", "7"],
        ["7", "0", "70"],
        ["0", "0", "00"],
        ["7.5", "back", "7."],
        ["", "back", ""],
        ["7.5", "clear", ""],
        ["7.5", "sign", "-7.5"],
        ["-7.5", "sign", "7.5"],
        ["", "point", "0."],
        ["7", "point", "7."],
        ["7.5", "point", "7.5"],
        ["7,5", "point", "7,5"],
    ]) {
        expect(pressKey(value, key)).toBe(after, { message: `${value || "nothing"} and ${key}` });
    }
});

test("the pad has the decimal sign of the language", async () => {
    await makeMockEnv();
    patchWithCleanup(localization, { decimalPoint: "," });
    expect(pressKey("7", "point")).toBe("7,");
    await mountWithCleanup(NumberPad, { props: { onKey: () => {} } });
    expect("[data-key=point]").toHaveText(",");
    expect("[data-key=sign]").not.toBeEnabled();
    expect("[data-key=point]").toBeEnabled();
});

test("a number of the server keeps its digits", async () => {
    await makeMockEnv();
    patchWithCleanup(localization, { decimalPoint: "," });
    for (const [text, shown] of [
        ["98.0", "98,0"],
        ["0", "0"],
        [0, "0"],
        ["-0.50", "-0,50"],
        ["123456789012345678.000000000001", "123\u202f456\u202f789\u202f012\u202f345\u202f678,000000000001"],
        ["98.0 – 101.0 %", "98,0 – 101,0 %"],
        ["NMT 1000 CFU/g", "NMT 1\u202f000 CFU/g"],
        ["NMT 2.5 10^9/m2", "NMT 2,5 10^9/m2"],
        [null, ""],
        [undefined, ""],
        [false, ""],
    ]) {
        expect(localNumber(text)).toBe(shown);
    }
});

test("field and pad write the same number, and Enter goes on", async () => {
    const { state } = await mountWithCleanup(Entry);
    expect("#floor_value").toBeFocused();
    await contains("[data-key='9']").click();
    await contains("[data-key='0']").click();
    await contains("[data-key=point]").click();
    // The keys take the focus from nobody.
    expect("#floor_value").toBeFocused();
    expect("#floor_value").toHaveValue("90.");
    await press("Enter");
    expect(state.submitted).toBe(1);
    expect(state.scanned).toEqual([]);
});

test("what is understood stands below the field, with its unit", async () => {
    await mountWithCleanup(Entry);
    const message = "#floor_value_understood";
    expect(message).toHaveText("");
    await contains("#floor_value").edit("12000", { confirm: false });
    expect(message).toHaveText("= 12 000 kg");
    await contains("#floor_value").edit("12,000", { confirm: false });
    expect(message).toHaveText("12,000 can be read as 12000 or as 12.000. Write 12000 or 12.000.");
    expect("#floor_value").toHaveAttribute("aria-invalid", "true");
});

test("digits as fast as a scanner are a code and leave the field", async () => {
    const { state } = await mountWithCleanup(Entry);
    await scan("40123456", 10);
    expect(state.scanned).toEqual(["40123456"]);
    expect(state.value).toBe("");
    expect(state.submitted).toBe(0);
});

test("digits as fast as fingers are a number, and so are few digits", async () => {
    const { state } = await mountWithCleanup(Entry);
    await scan("40123456", 80);
    expect(state.value).toBe("40123456");
    expect(state.submitted).toBe(1);
    state.value = "";
    queryOne("#floor_value").value = "";
    await scan("4012345", 10);
    expect(state.value).toBe("4012345");
    expect(state.submitted).toBe(2);
    expect(state.scanned).toEqual([]);
});

test("a letter in an empty field is the beginning of a code and is handed on", async () => {
    const { state } = await mountWithCleanup(Entry);
    await press("l");
    expect(state.redirected).toEqual(["l"]);
    expect("#floor_value").toHaveValue("");
});

test("NUM-010: without a field for codes, as in a dialog, letters and long numbers stay where they were typed", async () => {
    const entry = await mountWithCleanup(Entry);
    entry.env.floor.redirectKey = null;
    await scan("NaN", 10);
    expect(entry.state.value).toBe("NaN");
    expect("#floor_value_understood").toHaveText(/^NaN is not a number/);
    entry.state.value = queryOne("#floor_value").value = "";
    await scan("40123456", 10);
    expect(entry.state.value).toBe("40123456");
    expect(entry.state.scanned).toEqual([]);
});

test("a code is handed on as a whole, with the digits that it begins with, and the number before it stays", async () => {
    const { state } = await mountWithCleanup(Entry);
    state.value = queryOne("#floor_value").value = "12.5";
    await scan("40A", 10);
    expect(state.redirected.join("")).toBe("40A");
    expect(state.value).toBe("12.5");
    await scan("L-", 10);
    expect(state.redirected.join("")).toBe("40AL-");
    expect(state.value).toBe("12.5");
});

test("NUM-010: what fingers type stays and is refused in words; no part of it is taken for the number", async () => {
    const { state } = await mountWithCleanup(Entry);
    for (const [text, message] of [
        ["1e3", "1e3 has an exponent. Write out all digits of the number."],
        ["5 kg", "5 kg is not a number. Type the number only; its unit is shown next to it."],
        ["1 000", "= 1\u202f000 kg"],
    ]) {
        state.value = queryOne("#floor_value").value = "";
        await scan(text, 120);
        expect(state.value).toBe(text);
        expect(queryOne("#floor_value_understood").textContent).toBe(message);
    }
    expect(state.redirected).toEqual([]);
    expect(state.scanned).toEqual([]);
});
