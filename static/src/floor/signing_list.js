// What a stage waits for, read as a whole and signed together.

import { _t } from "@web/core/l10n/translation";

/** The signatures that the stage in hand waits for, by part, where they are several of one kind. */
export function getLists({ listed }) {
    const { performed = 0, verified = 0 } = listed || {};
    return [
        { part: "performed", count: performed, label: _t("Signing list: %s performed", performed) },
        { part: "verified", count: verified, label: _t("Signing list: %s to verify", verified) },
    ].filter((row) => row.count > 1);
}

/** The action that opens the signature dialog with the list of the stage in hand. */
export function makeListAction({ batch, step, stages }, part) {
    const stage = stages.find((row) => row.steps.some((other) => other.id === step.id)).position;
    return {
        type: "ir.actions.client", tag: "mrp_mmr.sign", target: "new", name: _t("Signing List"), context: { dialog_size: "extra-large" },
        params: { res_model: "mrp.bpr", res_id: batch.id, signing_action: "signing_list", list: { stage, part }, other: part === "verified", quiet: true },
    };
}
