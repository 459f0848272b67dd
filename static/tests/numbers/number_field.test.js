/** Unit tests of the field for exact numbers. */
import { describe, expect, test } from "@odoo/hoot";
import { animationFrame, Deferred } from "@odoo/hoot-mock";
import { queryFirst } from "@odoo/hoot-dom";
import { defineMailModels } from "@mail/../tests/mail_test_helpers";
import { contains, clickSave, defineModels, defineParams, fields, models, mountView, onRpc } from "@web/../tests/web_test_helpers";

describe.current.tags("desktop");

class Result extends models.Model {
    _name = "test.result";

    value = fields.Char({ trim: true });
    unit = fields.Char();
    quantity = fields.Float({ digits: [16, 6] });
    count = fields.Integer();
    line_ids = fields.One2many({ relation: "test.result" });

    _records = [
        { id: 1, value: "98.0", unit: "CFU/g", line_ids: [2, 3] },
        { id: 2, value: "1234567.50", unit: "g" },
        { id: 3, value: "0", unit: "g" },
    ];
}

defineMailModels();
defineModels([Result]);
onRpc("has_group", () => true);

const FORM = /* xml */ `
    <form>
        <field name="value" widget="mmr_number" options="{'unit_field': 'unit'}"/>
        <field name="unit"/>
    </form>`;
const INPUT = ".o_field_widget[name=value] input";
const MESSAGE = ".o_mrp_mmr_number_understood";

/** Notes what is written. */
function noteWrites() {
    onRpc("test.result", "web_save", ({ args }) => {
        expect.step(args[1]);
    });
}

test("what was understood is shown with its unit, and the canonical text is sent", async () => {
    noteWrites();
    await mountView({ type: "form", resModel: "test.result", resId: 1, arch: FORM });
    expect(INPUT).toHaveValue("98.0");
    expect(MESSAGE).toHaveCount(0);
    await contains(INPUT).edit("12000.50", { confirm: false });
    expect(MESSAGE).toHaveText("= 12 000.50 CFU/g");
    await clickSave();
    expect.verifySteps([{ value: "12000.50" }]);
});

test("V-01: what can be read in two ways is refused, and the text stays", async () => {
    noteWrites();
    await mountView({ type: "form", resModel: "test.result", resId: 1, arch: FORM });
    await contains(INPUT).edit("12,000", { confirm: "blur" });
    expect(MESSAGE).toHaveText("12,000 can be read as 12000 or as 12.000. Write 12000 or 12.000.");
    expect(INPUT).toHaveAttribute("aria-invalid", "true");
    expect(".o_field_widget[name=value]").toHaveClass("o_field_invalid");
    expect(".o_form_button_save").not.toBeEnabled();
    expect(INPUT).toHaveValue("12,000");
    expect.verifySteps([]);
    await contains(INPUT).edit("12000", { confirm: "blur" });
    await clickSave();
    expect.verifySteps([{ value: "12000" }]);
});

test("R-09: zero is a value, a blank is none", async () => {
    noteWrites();
    await mountView({ type: "form", resModel: "test.result", resId: 1, arch: FORM.replace('name="value"', 'name="value" required="1"') });
    await contains(INPUT).edit("0", { confirm: "blur" });
    await clickSave();
    expect.verifySteps([{ value: "0" }]);
    await contains(INPUT).edit("", { confirm: "blur" });
    await clickSave();
    expect(".o_field_widget[name=value]").toHaveClass("o_field_invalid");
    expect.verifySteps([]);
});

test("NUM-020: only the digits change", async () => {
    noteWrites();
    await mountView({ type: "form", resModel: "test.result", resId: 1, arch: FORM });
    await contains(INPUT).edit("98.00", { confirm: "blur" });
    await clickSave();
    expect.verifySteps([{ value: "98.00" }]);
    expect(INPUT).toHaveValue("98.00");
});

test("in the notation of the language", async () => {
    noteWrites();
    defineParams({ lang_parameters: { decimal_point: ",", thousands_sep: ".", grouping: "[3,0]" } });
    await mountView({ type: "form", resModel: "test.result", resId: 2, arch: FORM });
    expect(INPUT).toHaveValue("1234567,50");
    await contains(INPUT).edit("1.000", { confirm: "blur" });
    expect(MESSAGE).toHaveText("1.000 can be read as 1000 or as 1,000. Write 1000 or 1,000.");
    await contains(INPUT).edit("1.000,5", { confirm: "blur" });
    await clickSave();
    expect.verifySteps([{ value: "1000.5" }]);
});

test("readonly: the separators of the language and all digits", async () => {
    await mountView({
        type: "list",
        resModel: "test.result",
        arch: `<list><field name="value" widget="mmr_number"/></list>`,
    });
    const shown = [...document.querySelectorAll(".o_data_row td[name=value]")].map((el) => el.textContent.trim());
    expect(shown).toEqual(["98.0", "1,234,567.50", "0"]);
});

test("in an editable list: the message shows, and the row is not left with what is refused", async () => {
    noteWrites();
    await mountView({
        type: "list",
        resModel: "test.result",
        arch: `<list editable="bottom"><field name="value" widget="mmr_number" options="{'unit': 'kg'}"/><field name="unit"/></list>`,
    });
    await contains(".o_data_row:first .o_data_cell").click();
    await contains(".o_data_row:first [name=value] input").edit("1200", { confirm: false });
    expect(MESSAGE).toHaveText("= 1 200 kg");
    await contains(".o_data_row:first [name=value] input").edit("1,2", { confirm: "enter" });
    await animationFrame();
    expect(queryFirst(".o_data_row:first [name=value] input")).toHaveValue("1,2");
    expect(MESSAGE).toHaveText(/not a number in your language/);
    expect.verifySteps([]);
});

test("V-01: a quantity that Odoo keeps as a float is read and refused alike, and stored as a number", async () => {
    noteWrites();
    await mountView({
        type: "form",
        resModel: "test.result",
        resId: 1,
        arch: `<form><field name="quantity" widget="mmr_quantity" options="{'unit': 'kg'}"/></form>`,
    });
    const input = ".o_field_widget[name=quantity] input";
    expect(input).toHaveValue("0");
    for (const [text, message] of [
        ["12,000", "12,000 can be read as 12000 or as 12.000. Write 12000 or 12.000."],
        ["1,5", "1,5 is not a number in your language. Write decimals as 12.5, and thousands without a separator."],
        ["1e3", "1e3 has an exponent. Write out all digits of the number."],
        ["0.1234567", "0.1234567: at most 6 digits after the decimal separator can be stored."],
        ["1234567890.123456", "1234567890.123456: at most 15 digits can be stored."],
    ]) {
        await contains(input).edit(text, { confirm: "blur" });
        expect(".o_field_widget[name=quantity]").toHaveClass("o_field_invalid");
        expect(MESSAGE).toHaveText(message);
    }
    await contains(input).edit("12000.5", { confirm: false });
    expect(MESSAGE).toHaveText("= 12 000.5 kg");
    await clickSave();
    expect.verifySteps([{ quantity: 12000.5 }]);
});

test("NUM-010: a count is read alike, and is a whole number", async () => {
    noteWrites();
    await mountView({ type: "form", resModel: "test.result", resId: 1, arch: `<form><field name="count" widget="mmr_quantity"/></form>` });
    const input = ".o_field_widget[name=count] input";
    for (const [text, message] of [
        ["1,5", "1,5 is not a number in your language. Write decimals as 12.5, and thousands without a separator."],
        ["1.5", "1.5 is not a whole number."],
    ]) {
        await contains(input).edit(text, { confirm: "blur" });
        expect(".o_field_widget[name=count]").toHaveClass("o_field_invalid");
        expect(MESSAGE).toHaveText(message);
    }
    await contains(input).edit("120", { confirm: "blur" });
    expect(input).toHaveValue("120");
    await clickSave();
    expect.verifySteps([{ count: 120 }]);
});

test("NUM-010: a bound and what is no number are shown as they are", async () => {
    Result._records = [
        { id: 1, value: "<1000.0" },
        { id: 2, value: "Issued 3" },
    ];
    defineParams({ lang_parameters: { decimal_point: ",", thousands_sep: ".", grouping: "[3,0]" } });
    await mountView({ type: "list", resModel: "test.result", arch: `<list><field name="value" widget="mmr_number"/></list>` });
    const shown = [...document.querySelectorAll(".o_data_row td[name=value]")].map((el) => el.textContent.trim());
    expect(shown).toEqual(["<1.000,0", "Issued 3"]);
});

test("NUM-010: what is refused stays, however late the server answers to what was typed before", async () => {
    Result._onChanges = { quantity: () => {} };
    const answer = new Deferred();
    onRpc("onchange", () => answer);
    await mountView({
        type: "form", resModel: "test.result", resId: 1, arch: `<form><field name="quantity" widget="mmr_quantity"/></form>`,
    });
    const input = ".o_field_widget[name=quantity] input";
    await contains(input).edit("5", { confirm: "blur" });
    await contains(input).edit("1e3", { confirm: "blur" });
    answer.resolve();
    await animationFrame();
    await animationFrame();
    expect(input).toHaveValue("1e3");
    expect(".o_field_widget[name=quantity]").toHaveClass("o_field_invalid");
    expect(MESSAGE).toHaveText("1e3 has an exponent. Write out all digits of the number.");
    delete Result._onChanges;
});

test("NUM-010: the message of what was refused goes when the record is discarded", async () => {
    await mountView({ type: "form", resModel: "test.result", resId: 1, arch: FORM });
    await contains(INPUT).edit("12,000", { confirm: "blur" });
    expect(MESSAGE).toHaveCount(1);
    await contains(".o_form_button_cancel").click();
    await animationFrame();
    expect(INPUT).toHaveValue("98.0");
    expect(MESSAGE).toHaveCount(0);
    expect(INPUT).not.toHaveAttribute("aria-invalid");
});

test("NUM-010: the message of what was refused stays with its record", async () => {
    await mountView({ type: "form", resModel: "test.result", resId: 1, resIds: [1, 2], arch: FORM });
    await contains(INPUT).edit("12000", { confirm: false });
    expect(MESSAGE).toHaveCount(1);
    await contains(".o_pager_next").click();
    await animationFrame();
    expect(INPUT).toHaveValue("1234567.50");
    expect(MESSAGE).toHaveCount(0);
});
