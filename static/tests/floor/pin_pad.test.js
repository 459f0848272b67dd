/** Unit tests of the PIN: its pad, what is too easy, and the halves that this window holds. */
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { animationFrame, describe, edit, expect, press, test } from "@odoo/hoot";
import { Component, useState, xml } from "@odoo/owl";
import { contains, mountWithCleanup } from "@web/../tests/web_test_helpers";

import { forgetHalves, getHalf, keepHalf, makeHalf } from "@mrp_mmr/sign/pin_halves";
import { isEasy, PinPad } from "@mrp_mmr/sign/pin_pad";

describe.current.tags("desktop");
defineMailModels();

test("a PIN that everybody tries first (SIG-130)", () => {
    for (const pin of ["0000", "123456", "654321", "890123", "111111"]) {
        expect(isEasy(pin)).toBe(true, { message: pin });
    }
    for (const pin of ["1357", "402915", "112233", "135791"]) {
        expect(isEasy(pin)).toBe(false, { message: pin });
    }
});

test("halves stay in this window until their session ends (SIG-130)", () => {
    const [one, other] = [makeHalf(), makeHalf()];
    expect(one).toMatch(/^[0-9a-f]{64}$/);
    expect(one).not.toBe(other);
    keepHalf("a", one, 6);
    keepHalf("b", other, 4);
    forgetHalves(["b"]);
    expect(getHalf("a")).toEqual({ half: "", length: 0 });
    expect(getHalf("b")).toEqual({ half: other, length: 4 });
    forgetHalves();
    expect(getHalf("b").half).toBe("");
});

test("digits by touch and by keyboard, and nothing else (SIG-130, FLR-010)", async () => {
    class Parent extends Component {
        static components = { PinPad };
        static props = {};
        static template = xml`<PinPad label="'PIN'" name="'pin'" value="state.pin" most="6" onInput="(pin) => state.pin = pin"/>`;
        setup() {
            this.state = useState({ pin: "" });
        }
    }
    await mountWithCleanup(Parent);
    expect(".o_mrp_mmr_pin input").toBeFocused();
    for (const key of ["4", "0", "2", "back", "9"]) {
        await contains(`[data-key="${key}"]`).click();
    }
    expect(".o_mrp_mmr_pin input").toHaveValue("409");
    expect('[data-key="point"]').toHaveCount(0);
    expect('[data-key="sign"]').toHaveCount(0);
    await press("7");
    await animationFrame();
    expect(".o_mrp_mmr_pin input").toHaveValue("4097");
    await edit("40 29a15777");
    await animationFrame();
    expect(".o_mrp_mmr_pin input").toHaveValue("402915");
    await contains('[data-key="clear"]').click();
    expect(".o_mrp_mmr_pin input").toHaveValue("");
});
