// Keys and codes: Enter is the main button, and a scanner works from whatever has the focus.

import { useExternalListener, useRef } from "@odoo/owl";
import { _t } from "@web/core/l10n/translation";
import { useBus, useService } from "@web/core/utils/hooks";

import { isConnectionLost } from "./floor_rpc";

/** Begins a command: what follows is the name of a button, as Odoo has it for codes (``barcode_trigger``). */
const COMMAND = "OBT";

/**
 * Listen to keys and scanners for the shop floor.
 *
 * @param {Floor} floor its state, calls, messages and ways to go
 * @returns {{ scan: (code: string) => Promise, redirectKey: (key: string) => void, onScanSubmit: () => Promise }}
 */
export function useCodes(floor) {
    const scanner = useService("barcode");
    const input = useRef("scan");

    /** What a code is that the server does not look up: without connection it is a lot, which is looked up when it is recorded. */
    async function find(code, step) {
        try {
            return await floor.call("mrp.bpr", "find_floor_code", [code, step ? step.id : null]);
        } catch (error) {
            if (!isConnectionLost(error)) {
                throw error;
            }
            floor.state.isLost = true;
            return { type: "lot", id: false, name: code };
        }
    }

    /** Press the buttons of a command that can be pressed now. */
    function command(name) {
        const buttons = document.querySelectorAll(`.o_mrp_mmr_floor [barcode_trigger="${CSS.escape(name)}"]`);
        [...buttons].filter((button) => !button.disabled).forEach((button) => button.click());
    }

    /** A badge that is scanned while a dialog asks who it is: the code is the user name, and the password is typed. */
    function fillLogin(code) {
        const dialog = document.querySelector(".modal");
        const login = dialog?.querySelector("input[name=login]:not([readonly])");
        if (login) {
            login.value = code;
            login.dispatchEvent(new InputEvent("input", { bubbles: true }));
            dialog.querySelector("input[name=password]").focus();
        }
        return Boolean(dialog);
    }

    async function scan(code) {
        if (fillLogin(code)) {
            return;
        }
        const step = floor.state.data?.step;
        if (code.startsWith(COMMAND)) {
            return command(code.slice(COMMAND.length));
        }
        const found = await floor.attempt(() => find(code, step));
        if (!found) {
            return;
        }
        if (found.type === "step" && step && found.step_id === step.id) {
            return floor.env.floor.bus.trigger("go");
        }
        if (["batch", "step"].includes(found.type)) {
            return floor.open(found.bpr_id, found.step_id);
        }
        if (found.type === "unknown") {
            return floor.say("danger", found.message);
        }
        if (!step || step.state !== "started") {
            return floor.say("warning", _t("%s: start the step first, then scan.", found.name || found.text));
        }
        floor.state.message = null;
        if (found.type === "equipment") {
            floor.drafts.set(`${step.id}/equipment`, null);
            return floor.record(step, { kind: "equipment", vals: { equipment_id: found.id }, label: found.name });
        }
        if (found.issue) {
            return floor.say("danger", _t("Lot %(lot)s: %(issue)s.", { lot: found.name, issue: found.issue }));
        }
        floor.env.floor.bus.trigger("scanned", found);
    }

    /** Enter is the main button, wherever nothing else takes it. */
    function onKeydown(ev) {
        const target = ev.target;
        if (ev.key !== "Enter" || ev.repeat || ev.defaultPrevented || target.closest?.(".modal, .o-overlay-item") ||
            target.matches?.("input, textarea, select, button, a, summary, label")) {
            return;
        }
        if (floor.state.data?.step) {
            floor.env.floor.bus.trigger("go");
        } else {
            document.querySelector(".o_mrp_mmr_floor .o_mrp_mmr_floor_main:not(:disabled)")?.click();
        }
    }

    // Odoo itself presses the buttons of commands that its service read.
    useBus(scanner.bus, "barcode_scanned", ({ detail }) => detail.barcode.startsWith(COMMAND) || scan(detail.barcode));
    useExternalListener(window, "keydown", onKeydown);

    return {
        scan,
        /** What a scanner typed into a field for numbers goes on in the field for codes. */
        redirectKey(key) {
            input.el.value += key;
            input.el.focus();
        },
        onScanSubmit() {
            const code = input.el.value.trim();
            input.el.value = "";
            input.el.blur();
            return code ? scan(code) : null;
        },
    };
}
